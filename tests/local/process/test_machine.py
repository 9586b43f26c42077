"""Where this machine's interpreters lie, told from a home of a user's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from herodeploy.local.process import machine


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}/.local/bin:/usr/bin")
    return tmp_path


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_version_managers_are_shown_and_nothing_else(home: Path) -> None:
    for name in (".pyenv", ".ssh", ".config", ".local/share/uv/python", ".local/share/keyrings"):
        (home / name).mkdir(parents=True)
    own = Path(sys.base_prefix)
    found = {path for path in machine.interpreters() if path != own and own not in path.parents}
    assert found - {own.resolve()} == {home / ".pyenv", home / ".local/share/uv/python"}


def test_links_to_a_program_are_followed_to_where_it_is_installed(home: Path) -> None:
    program(home / "tools/node-v1/bin/node")
    program(home / "tools/node-v1/lib/node_modules/npm/bin/npm-cli.js")
    (home / "tools/node-v1/bin/npm").symlink_to("../lib/node_modules/npm/bin/npm-cli.js")
    (home / ".local/bin").mkdir(parents=True)
    for name in ("node", "npm"):
        (home / ".local/bin" / name).symlink_to(f"../../tools/node-v1/bin/{name}")
    found = machine.interpreters()
    assert found[home / "tools/node-v1"] is None
    assert found[home / ".local/bin/node"] == "../../tools/node-v1/bin/node"
    assert found[home / ".local/bin/npm"] == "../../tools/node-v1/bin/npm"
    assert not any("npm-cli.js" in str(path) or path.name == "lib" for path in found), (
        "it lies in a folder that is shown"
    )


def test_a_program_in_a_folder_of_many_is_shown_alone(home: Path) -> None:
    program(home / ".local/bin/node")
    found = machine.interpreters()
    assert home / ".local/bin/node" in found
    assert not {home, home / ".local", home / ".local/bin"} & set(found)


def test_a_link_to_itself_ends(home: Path) -> None:
    program(home / ".local/bin/node").unlink()
    (home / ".local/bin/node").symlink_to("node")
    assert home / ".local/bin/node" not in machine.interpreters()


@pytest.mark.parametrize(
    ("path", "told"), [("/usr/bin/env", True), ("/etc", True), ("/home/x", False), ("/usrx", False)]
)
def test_what_belongs_to_the_system(path: str, told: bool) -> None:
    assert machine.in_system(Path(path)) is told


def test_a_home_inside_of_the_system_is_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/opt/users/ann")
    assert machine.home_in_system() == Path("/opt/users/ann")
    assert not machine.in_system(Path("/opt/users/ann/.pyenv"))
    assert machine.in_system(Path("/opt/users"))
    monkeypatch.setenv("HOME", "/")
    assert machine.home_in_system() is None
    assert machine.in_system(Path("/usr/bin/env"))
