"""The life of a platform in this process: it serves until a signal ends it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from herodeploy.local import server
from herodeploy.local.settings import Settings

LOOK = 5.0
"""Seconds between looks whether the data folder is still there."""


def run(settings: Settings, token: str, announce: Callable[[int], None], farewell: Callable[[], None]) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP, then end every dyno.

    Parameters:
        announce: called with the port once requests are answered.
        farewell: called when it begins to end.

    Raises:
        OSError: the port or the data folder cannot be used.
    """
    asyncio.run(_serve(settings, token, announce, farewell))


async def _serve(settings: Settings, token: str, announce: Callable[[int], None], farewell: Callable[[], None]) -> None:
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    async with server.serving(settings, token) as platform:
        announce(platform.settings.port)
        watch = asyncio.create_task(_end_without_home(settings.data, end))
        await end.wait()
        watch.cancel()
        farewell()


async def _end_without_home(data: Path, end: asyncio.Event) -> None:
    """Let the platform end when its folder was deleted: nobody could find it any more to stop it."""
    while (data / "lock").exists():
        await asyncio.sleep(LOOK)
    end.set()
