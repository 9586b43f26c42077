"""Python imports this by itself where PYTHONPATH names its folder: platforms of their own process are watched, too.

A platform that tests start through the command line writes its traffic into HERODEPLOY_TEST_TRAFFIC, a folder; whoever
started it lets the referee judge that. The product knows nothing of it.
"""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path


def watch(folder: Path) -> None:
    """Write all traffic of the platform that this process will be."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from support import traffic

    from herodeploy.local import server

    make_app = server.make_app
    show = functools.partial(traffic.record, folder / f"{os.getpid()}.jsonl")
    server.make_app = lambda platform: traffic.watched(make_app(platform), show)


if "HERODEPLOY_TEST_TRAFFIC" in os.environ and "herodeploy.local" in sys.orig_argv:
    watch(Path(os.environ["HERODEPLOY_TEST_TRAFFIC"]))
