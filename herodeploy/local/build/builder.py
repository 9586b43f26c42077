"""Builds: a source tarball becomes a slug, the way Heroku's builders do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from herodeploy.local.build.buildpack import Buildpack
from herodeploy.local.build.ci import PreparedTests, TestRequest, copies, debug_command, run_tests, setup_tests
from herodeploy.local.build.compiling import compile_app, failing, prepare
from herodeploy.local.build.failure import BuildFailed
from herodeploy.local.build.place import Place
from herodeploy.local.build.procfile import parse
from herodeploy.local.build.slug import megabytes, pack
from herodeploy.local.process.sandbox import Sandbox

__all__ = [
    "BuildFailed",
    "BuildRequest",
    "BuildResult",
    "PreparedTests",
    "TestRequest",
    "build",
    "copies",
    "debug_command",
    "run_tests",
    "setup_tests",
]

Output = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What a build starts from.

    Parameters:
        source: the tarball, gzipped or not.
        work: a private folder, filled and left to the caller to delete.
        cache: the app's build cache, kept between builds; its parent's ``shared`` folder is used by all apps.
        slug: where the slug is written; only a finished one appears there.
        config: config vars; buildpacks get them as files, never as environment.
        buildpacks: names, paths or git URLs in order; empty: the first built-in one that detects the app.
        timeout: seconds for the whole build.
        source_limit: bytes a source may have when unpacked.
        slug_limit: bytes a slug may have.
        sandbox: isolates the buildpacks.
    """

    source: Path
    work: Path
    cache: Path
    slug: Path
    config: Mapping[str, str] = field(repr=False)
    buildpacks: Sequence[str] = ()
    stack: str = "heroku-24"
    app_name: str = ""
    timeout: float = 900
    source_limit: int = 1_000_000_000
    slug_limit: int = 500_000_000
    sandbox: Sandbox | None = None

    @property
    def place(self) -> Place:
        """Return the folders of this build."""
        shared = self.cache.parent / "shared"
        return Place(self.work, self.cache, shared, self.work / "app", self.work / "tmp", self.stack, self.sandbox)


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build left: the slug's checksum (``SHA256:<hex>``), its size in bytes and what can run from it."""

    checksum: str
    size: int
    process_types: dict[str, str]
    buildpacks: list[str]
    description: str


async def build(request: BuildRequest, output: Output) -> BuildResult:
    """Build a source into ``request.slug``; each line of output goes to `output` as it comes.

    Raises:
        BuildFailed: no slug was left; its output says the reason too.
    """
    place = request.place
    async with failing(output, request.timeout, "Push failed") as told:
        told(f"-----> Building on the {request.stack.replace('heroku', 'Heroku')} stack")
        await prepare(request.source, place, request.config, request.source_limit, told)
        packs = await compile_app(request.buildpacks, place, ["compile"], told)
        types = await _process_types(place.app, packs[-1], told)
        told("-----> Compressing...")
        checksum, size = await pack(place.app, request.slug, request.slug_limit, told)
        told(f"       Done: {megabytes(size)}")
    return BuildResult(checksum, size, types, [each.url for each in packs], packs[-1].title)


async def _process_types(app: Path, last: Buildpack, output: Output) -> dict[str, str]:
    """Return what the Procfile declares; without one, the defaults of the last buildpack."""
    output("-----> Discovering process types")
    file = app / "Procfile"
    if file.is_file() and file.resolve().is_relative_to(app.resolve()):  # a link of a buildpack's may lead anywhere
        types = parse(file.read_text(errors="replace"), lambda sentence: output(f" !     {sentence}"))
        output(f"       Procfile declares types -> {', '.join(sorted(types)) or '(none)'}")
        return types
    types = await last.release(output)
    output("       Procfile declares types     -> (none)")
    output(f"       Default types for buildpack -> {', '.join(sorted(types)) or '(none)'}")
    return types
