"""Slugs: gzip tar archives whose members lie under ``./app/``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from herodeploy.local.build.failure import BuildFailed
from herodeploy.local.process import process

# The fastest level: a slug is unpacked on this machine again, so bytes cost less than seconds.
PACK = 'set -o pipefail; tar -C "$1" -cf - ./app | gzip -1 > "$2"'


async def pack(app: Path, slug: Path, limit: int, output: Callable[[str], None]) -> tuple[str, int]:
    """Write a slug of a folder named ``app`` and return its checksum and size in bytes.

    Raises:
        BuildFailed: it could not be written, or has more than `limit` bytes.
    """
    slug.parent.mkdir(parents=True, exist_ok=True)
    partial = slug.with_name(f"{slug.name}.part")
    env = process.clean_env({"COPYFILE_DISABLE": "1"})
    command = process.Command(["bash", "-c", PACK, "bash", str(app.parent), str(partial)], app.parent, env)
    try:
        if await process.run(command, output):
            raise BuildFailed("the slug could not be written")
        size = partial.stat().st_size
        if size > limit:
            raise BuildFailed(
                f"the slug has {megabytes(size)}, more than {megabytes(limit)}; name what the app does not need"
                " at run time in .slugignore",
                f"Compiled slug size: {megabytes(size)} is too large (max is {megabytes(limit)}).",
                "See: http://devcenter.heroku.com/articles/slug-size",
            )
        with partial.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        partial.replace(slug)
    finally:
        partial.unlink(missing_ok=True)
    return f"SHA256:{checksum}", size


def megabytes(size: int) -> str:
    """Return a size as Heroku writes it: ``8.3M``, ``12K``."""
    if size < 1_000_000:
        return f"{max(size / 1000, 0.1):.1f}K"
    return f"{size / 1_000_000:.1f}M".replace(".0M", "M")
