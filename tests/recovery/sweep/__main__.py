"""``python -m recovery.sweep kills deliver-and-approve [CALL MOMENT]``: one sweep, told as JSON."""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from . import command, kills
from .command import Kill
from .place import platform
from .stories import STORIES


def main(arguments: list[str]) -> None:
    _kind, name, *point = arguments
    command.load()
    gc.freeze()
    began = time.monotonic()
    only = Kill(int(point[0]), point[1]) if point else None
    with (
        tempfile.TemporaryDirectory(prefix="herodeploy-sweep-", ignore_cleanup_errors=True) as folder,
        platform(Path(folder)) as running,
    ):
        swept = kills.sweep(running, STORIES[name], only)
    sys.stdout.write(json.dumps(asdict(swept) | {"seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main(sys.argv[1:])
