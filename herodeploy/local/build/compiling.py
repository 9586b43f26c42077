"""What builds and test runs have in common: a source becomes a compiled app in a folder of its own."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from herodeploy.local.build import ignore, source
from herodeploy.local.build.buildpack import Buildpack, choose
from herodeploy.local.build.failure import BuildFailed
from herodeploy.local.build.place import Place
from herodeploy.local.threads import in_thread

Output = Callable[[str], None]

FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_SAYS = ("no space left on device", "disk quota exceeded", "enospc")


class Told:
    """Passes output on and remembers whether a step said that the disk is full."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self.disk_full = False

    def __call__(self, line: str) -> None:
        """Take a line of output."""
        self.disk_full = self.disk_full or any(words in line.lower() for words in FULL_SAYS)
        self._output(line)


@asynccontextmanager
async def failing(output: Output, timeout: float, last: str, *, verdict: bool = True) -> AsyncIterator[Told]:
    """Turn whatever ends a build early into BuildFailed, and say so in its output.

    Parameters:
        timeout: seconds for all that happens inside.
        last: the last line of output after a failure.
        verdict: whether Heroku's own words on it come before that line.
    """
    told = Told(output)
    try:
        async with asyncio.timeout(timeout):
            yield told
    except (BuildFailed, TimeoutError, OSError) as error:
        reason = _reason(error, told, timeout)
        with suppress(OSError):
            words = error.verdict if verdict and isinstance(error, BuildFailed) and not told.disk_full else ()
            for line in (f"{reason[0].upper()}{reason[1:]}.", *words, last):
                output(f" !     {line}")
        raise BuildFailed(reason) from error


async def prepare(tarball: Path, place: Place, config: Mapping[str, str], limit: int, output: Output) -> None:
    """Extract a source into ``place.app``, without what it ignores, and write the config vars as files."""
    await in_thread(_fill, tarball, place, config, limit)
    await in_thread(ignore.apply, place.app, output)


async def compile_app(urls: Sequence[str], place: Place, steps: Sequence[str], output: Output) -> list[Buildpack]:
    """Let each buildpack compile the app and return them in order.

    Parameters:
        steps: the executable to use, the first that a buildpack has.
    """
    packs = await choose(urls, place, output)
    exports: list[Path] = []
    for pack in packs:
        output(f"-----> {pack.title} app detected ({pack.url})")
        step = next(step for step in steps if pack.has(step))
        try:
            await pack.compile(step, exports, output)
        except BuildFailed:
            await pack.report()
            raise
        await pack.report()
        if (pack.folder / "export").is_file():
            exports.append(pack.folder / "export")
    return packs


def _fill(tarball: Path, place: Place, config: Mapping[str, str], limit: int) -> None:
    place.make()
    for name, value in config.items():
        if "/" not in name and not name.startswith("."):
            (place.config / name).write_text(value, encoding="utf-8")
    source.extract(tarball, place.work / "source", limit).rename(place.app)


def _reason(error: Exception, told: Told, timeout: float) -> str:
    full = isinstance(error, OSError) and error.errno in FULL
    if full or told.disk_full:
        return "the disk is full; make room and build again"
    if isinstance(error, TimeoutError):
        return f"it took longer than {_duration(timeout)} and was stopped"
    if isinstance(error, OSError):
        return f"the machine said no: {error.strerror or error}"
    return str(error)


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:g} seconds"
