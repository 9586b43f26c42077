"""The life of a platform in this process: it serves until a signal ends it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from herodeploy.local import server
from herodeploy.local.settings import Settings


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
        await end.wait()
        farewell()
