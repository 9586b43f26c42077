"""Who may attach to which dyno."""

from __future__ import annotations

import asyncio


class Attachments:
    """The dynos that wait for somebody to attach."""

    async def visit(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect somebody with the dyno whose secret is the first line."""
