"""Blocking work beside the event loop, which has requests to answer meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[..., T], *args: object) -> T:
    """Run blocking work in a thread; when cancelled, wait for its end first, so that it never runs on unseen."""
    thread = asyncio.ensure_future(asyncio.to_thread(work, *args))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait({thread})
        thread.cancelled() or thread.exception()  # nobody else will ask how it went
        raise
