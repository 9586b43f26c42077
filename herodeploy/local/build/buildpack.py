"""Heroku's buildpack API: executables in ``bin/`` that detect, compile, describe and test an app."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from herodeploy.local.build import catalog
from herodeploy.local.build.failure import BuildFailed
from herodeploy.local.build.place import Place
from herodeploy.local.process import process

Output = Callable[[str], None]

DETECT = """\
app=$1; shift
for pack; do
    if name=$("$pack/bin/detect" "$app" 2>/dev/null); then echo "$pack"; echo "$name"; exit; fi
done
"""
SOURCED = 'while [ "$1" != -- ]; do . "$1" || exit 1; shift; done; shift; exec "$@"'


@dataclass(frozen=True, slots=True)
class Buildpack:
    """A buildpack that has been fetched for one build."""

    url: str
    folder: Path
    place: Place
    title: str = ""
    """What its ``bin/detect`` calls the app."""

    def has(self, step: str) -> bool:
        """Tell whether it has that executable."""
        return os.access(self.folder / "bin" / step, os.X_OK)

    async def compile(self, step: str, exports: Sequence[Path], output: Output) -> None:
        """Run ``bin/compile`` (or another step with its arguments) after sourcing what earlier buildpacks export.

        Raises:
            BuildFailed: it said no.
        """
        arguments = self._words(step)
        if exports:
            sourced = [str(self.place.seen(file)) for file in exports]
            arguments = ["bash", "-c", SOURCED, "bash", *sourced, "--", *arguments]
        status = await self._run(arguments, output)
        if status:
            raise BuildFailed(
                f"failed to compile {self.title} app: bin/{step} of {self.url} ended with status {status}",
                f"Push rejected, failed to compile {self.title} app.",
            )

    async def release(self, output: Output) -> dict[str, str]:
        """Return the default process types that ``bin/release`` tells.

        Raises:
            BuildFailed: it said no, or no YAML.
        """
        if not self.has("release"):
            return {}
        argv = ["sh", "-c", '"$0" "$1" 2>/dev/null', *self._words("release")]
        lines: list[str] = []
        if await self._run(argv, lines.append):
            for line in lines:
                output(f"       {line}")
            raise BuildFailed(f"bin/release of {self.url} failed")
        return _default_process_types("\n".join(lines), self.url)

    async def report(self) -> None:
        """Run ``bin/report``, where there is one: Heroku keeps what it says, and ignores how it ends."""
        if self.has("report"):
            kept: list[str] = []
            await self._run(self._words("report"), kept.append)

    def _words(self, step: str) -> list[str]:
        place = self.place
        paths = (self.folder / "bin" / step, place.app, place.cache, place.config)
        return [str(place.seen(path)) for path in paths]

    async def _run(self, argv: Sequence[str], output: Output) -> int:
        return await process.run(self.place.command(argv, trusted=catalog.built_in(self.url) is not None), output)


async def choose(urls: Sequence[str], place: Place, output: Output) -> list[Buildpack]:
    """Fetch the buildpacks of an app and have each detect it; without any, the first built-in one that does.

    Raises:
        BuildFailed: none detects the app, or one of those that were asked for does not.
    """
    if not urls:
        packs = await _fetch(list(catalog.BUILT_IN), place, output)
        found = await _detect(packs, place)
        if not found:
            raise BuildFailed(
                "no buildpack recognises this app: at its root there is no package.json (Node.js), none of"
                " requirements.txt, pyproject.toml, uv.lock, setup.py or manage.py (Python), and no Procfile;"
                " add one of them, or set a buildpack by its git URL or path"
            )
        return found
    packs = await _fetch(urls, place, output)
    return [pack for each in packs for pack in await _detect_one(each, place)]


async def _fetch(urls: Sequence[str], place: Place, output: Output) -> list[Buildpack]:
    packs = []
    for number, url in enumerate(urls):
        folder = place.buildpacks / str(number)
        await catalog.fetch(url, folder, place.shared, output)
        pack = Buildpack(catalog.built_in(url) or catalog.shown(url), folder, place)
        for step in ("detect", "compile"):
            if not pack.has(step):
                raise BuildFailed(f"{pack.url} is no buildpack: it has no executable bin/{step}")
        packs.append(pack)
    return packs


async def _detect_one(pack: Buildpack, place: Place) -> list[Buildpack]:
    found = await _detect([pack], place)
    if not found:
        raise BuildFailed(f"buildpack {pack.url} does not recognise this app (its bin/detect said no)")
    return found


async def _detect(packs: Sequence[Buildpack], place: Place) -> list[Buildpack]:
    """Ask one after the other in a single shell, as each process more costs every build its start."""
    argv = [
        "sh",
        "-c",
        DETECT,
        "sh",
        *(str(place.seen(path)) for path in (place.app, *(pack.folder for pack in packs))),
    ]
    lines: list[str] = []
    trusted = all(catalog.built_in(pack.url) is not None for pack in packs)
    await process.run(place.command(argv, trusted=trusted), lines.append)
    return [
        Buildpack(pack.url, pack.folder, place, " ".join(lines[1:]).strip() or pack.url)
        for pack in packs
        if lines and str(place.seen(pack.folder)) == lines[0]
    ]


def _default_process_types(text: str, url: str) -> dict[str, str]:
    import yaml

    try:
        told: Any = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise BuildFailed(f"bin/release of {url} printed no YAML") from error
    types = told.get("default_process_types") if isinstance(told, Mapping) else None
    return {str(name): str(command) for name, command in types.items()} if isinstance(types, Mapping) else {}
