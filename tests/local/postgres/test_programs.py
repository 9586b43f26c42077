"""PostgreSQL runs as nobody where root starts it, wherever its programs are installed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from herodeploy.local.postgres import programs
from herodeploy.local.postgres.unavailable import Unavailable

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The wheel's programs below a folder that its owner alone may pass, and a public place of the test's own."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (found,) = importlib.util.find_spec(programs.WHEEL).submodule_search_locations  # type: ignore[union-attr, misc]
    package = Path(found)
    install = programs.folder().parent.name
    shutil.copytree(package / install, home / package.name / install, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name, symlinks=True)
    public = Path(tempfile.mkdtemp(dir="/var/tmp"))
    public.chmod(0o755)
    monkeypatch.setattr(programs, "PUBLIC", (public,))
    yield home / package.name / install / "bin"
    shutil.rmtree(public)


def test_programs_below_a_private_folder_are_copied_to_a_public_one(private: Path, tmp_path: Path) -> None:
    found = programs._reachable(private)
    assert found.is_relative_to(programs.PUBLIC[0])
    assert programs._reachable(private) == found, "once"
    data = tmp_path / "data"
    data.mkdir()
    argv = [*programs.as_user(data), str(found / "initdb"), "--no-sync", "-D", str(data)]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=data, check=False)
    assert done.returncode == 0, done.stderr


def test_a_copy_that_is_not_roots_own_is_not_run(private: Path) -> None:
    found = programs._reachable(private)
    os.chown(found.parents[2], 65534, 65534)
    with pytest.raises(Unavailable, match="is not root's own"):
        programs._reachable(private)
