from __future__ import annotations

import asyncio
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from herodeploy.local import runtime
from herodeploy.local.build import builder
from herodeploy.local.process import sandbox
from herodeploy.local.process.process import clean_env

APPS = Path(__file__).parents[2] / "fixtures" / "apps"


class Built:
    """A build of one app, its slug unpacked in another folder than it was built in."""

    def __init__(self, result: builder.BuildResult, said: list[str], home: Path) -> None:
        self.result = result
        self.said = "\n".join(said)
        self.home = home

    def run(self, command: str, **config: str) -> subprocess.CompletedProcess[str]:
        env = clean_env({**config, "HOME": str(self.home)})
        return subprocess.run(runtime.boot_script(command), env=env, capture_output=True, text=True, check=False)

    def env(self, **config: str) -> dict[str, str]:
        return clean_env({**config, "HOME": str(self.home)})


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep what was downloaded once for the tests that follow."""
    return tmp_path_factory.mktemp("caches")


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Path]:
    """Make a tarball of a sample app, or of files alone, with files replaced (None: left out)."""

    def make(app: str | None = None, files: Mapping[str, str | None] | None = None) -> Path:
        folder = tmp_path / "source"
        if app:
            shutil.copytree(APPS / app, folder)
        for name, text in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                (folder / name).unlink()
            else:
                (folder / name).write_text(text)
        with tarfile.open(tmp_path / "source.tgz", "w:gz") as archive:
            archive.add(folder, ".")
        shutil.rmtree(folder)
        return tmp_path / "source.tgz"

    return make


@pytest.fixture
def build(tmp_path: Path, caches: Path) -> Callable[..., Built]:
    def run(tarball: Path, *buildpacks: str, **config: str) -> Built:
        said: list[str] = []
        work, slug = tmp_path / "work", tmp_path / "slug.tgz"
        box = sandbox.choose("auto").sandbox
        request = builder.BuildRequest(tarball, work, caches / "app", slug, config, buildpacks, sandbox=box)
        try:
            result = asyncio.run(builder.build(request, said.append))
        except builder.BuildFailed as failed:
            failed.add_note("\n".join(said))
            raise
        shutil.rmtree(work)
        return Built(result, said, runtime.unpack(slug, tmp_path / "dyno"))

    return run


@pytest.fixture
def ci(tmp_path: Path, caches: Path) -> Callable[..., tuple[int, str]]:
    """Run an app's tests; return exit status and output."""

    def run(tarball: Path, scripts: Mapping[str, str]) -> tuple[int, str]:
        said: list[str] = []
        work, cache, box = tmp_path / "ci", caches / "ci", sandbox.choose("auto").sandbox
        request = builder.TestRequest(tarball, work, cache, {"CI": "true"}, (), scripts, sandbox=box)

        async def both() -> int:
            return await builder.run_tests(await builder.setup_tests(request, said.append), {}, said.append)

        return asyncio.run(both()), "\n".join(said)

    return run
