"""One sweep, told as JSON.

``python -m recovery.sweep kills STORY MOMENT [CALL]`` or ``python -m recovery.sweep faults STORY PERCENT SEEDS``.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from . import command, faults, kills
from .place import platform
from .stories import STORIES


def main(arguments: list[str]) -> None:
    kind, name, *point = arguments
    # Ended from outside, it still stops its platform.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    command.load()
    gc.freeze()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="herodeploy-sweep-", ignore_cleanup_errors=True) as folder,
        platform(Path(folder)) as running,
    ):
        if kind == "faults":
            swept = faults.sweep(running, STORIES[name], int(point[0]), int(point[1]))
        else:
            swept = kills.sweep(running, STORIES[name], point[0], *map(int, point[1:]))
    sys.stdout.write(json.dumps(asdict(swept) | {"seconds": round(time.monotonic() - began, 1)}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
