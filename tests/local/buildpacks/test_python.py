from __future__ import annotations

import contextlib
import platform
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from herodeploy.local import ports
from herodeploy.local.build.failure import BuildFailed
from herodeploy.local.buildpacks.python import interpreter
from herodeploy.local.runtime import boot_script

Source = Callable[..., Path]
Build = Callable[..., Any]

MINE = platform.python_version()
LIBRARY = {
    "lib/pyproject.toml": "[build-system]\nrequires=['setuptools']\nbuild-backend='setuptools.build_meta'\n"
    "[project]\nname='greetings'\nversion='1'\n",
    "lib/greetings/__init__.py": "WORD = 'hello'\n",
}


def get(port: int, child: subprocess.Popen[bytes]) -> str:
    """Ask until the server answers; its end ends the waiting."""
    while child.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.05)
    raise AssertionError(f"the server ended with {child.returncode}")


def test_a_django_app_serves_from_another_folder(source: Source, build: Build) -> None:
    built = build(source("django"))
    assert built.result.description == "Python"
    assert built.result.process_types["release"] == "./manage.py check"
    assert "1 static file copied" in built.said
    assert (built.home / "staticfiles" / "shop.css").is_file()
    assert built.run("./manage.py check").returncode == 0
    reserved = ports.reserve()
    port = reserved.port
    env = built.env(PORT=str(port))
    with subprocess.Popen(boot_script(built.result.process_types["web"]), env=env, stderr=subprocess.PIPE) as child:
        try:
            assert get(port, child) == "Hello from the shop"
        finally:
            child.terminate()
            reserved.release()


def test_a_django_app_is_tested_by_manage_py(source: Source, ci: Callable[..., tuple[int, str]]) -> None:
    status, said = ci(source("django"), {})
    assert status == 0, said
    assert "Ran 1 test" in said
    assert "collectstatic" not in said


def with_django_that_says(sentence: str) -> dict[str, str]:
    """Return an app whose Django is a stand-in of one file: the real one has thousands."""
    package = {
        name.replace("greetings", "django"): text.replace("greetings", "django") for name, text in LIBRARY.items()
    }
    return {"requirements.txt": "./lib\n", "manage.py": f"raise SystemExit({sentence!r})", **package}


def test_a_missing_static_root_warns(source: Source, build: Build) -> None:
    sentence = "You're using the staticfiles app without having set the STATIC_ROOT setting to a filesystem path."
    said = build(source("plain", with_django_that_says(sentence))).said
    assert " !     The settings have no STATIC_ROOT, so no static files were collected." in said


def test_collectstatic_fails_for_other_reasons_unless_disabled(source: Source, build: Build, tmp_path: Path) -> None:
    broken = source("plain", with_django_that_says("no settings"))
    with pytest.raises(BuildFailed) as failed:
        build(broken)
    assert "no settings" in str(failed.value.__notes__)
    assert "set DISABLE_COLLECTSTATIC=1" in str(failed.value.__notes__)
    (tmp_path / "work").rename(tmp_path / "first")
    assert "Skipping collectstatic" in build(broken, DISABLE_COLLECTSTATIC="1").said


def test_a_version_that_nobody_can_supply_warns_and_goes_on(source: Source, build: Build) -> None:
    built = build(source("plain", {".python-version": "# ours\n3.99\n"}))
    assert (
        " !     .python-version asks for Python 3.99, which neither this machine nor uv can supply here." in built.said
    )
    instead = re.search(r" !     Using Python (\S+) instead", built.said)
    assert instead is not None
    assert built.run("python -c 'import platform; print(platform.python_version())'").stdout.strip() == instead[1]


class Machine:
    """What uv finds."""

    def __init__(self, *versions: str) -> None:
        self._versions = versions

    def installed(self) -> list[tuple[str, Path]]:
        return [(version, Path(version)) for version in self._versions]


@pytest.mark.parametrize(
    ("asked", "there", "chosen"),
    [
        ("3.14", ["3.8.1", "3.12.4", "3.13.0"], "3.13.0"),
        ("3.13.9", ["3.12.4", "3.13.1", "3.14.0"], "3.13.1"),
        ("3.13", ["3.12.4", "3.14.0"], "3.14.0"),
        (">=3.15,<4", ["3.12.4", "3.16.0"], "3.16.0"),
        ("2.7.18", ["3.8.1"], "3.11.2"),
    ],
)
def test_the_closest_minor_version_stands_in(
    asked: str, there: list[str], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.version_info", SimpleNamespace(minor=11))
    own = interpreter.Python(Path("own"), "3.11.2")
    assert interpreter.nearest(asked, own, cast("Any", Machine(*there))).version == chosen


@pytest.mark.parametrize("asked", [MINE, ".".join(MINE.split(".")[:2]), f"python-{MINE}"])
def test_the_version_at_hand_is_used_without_a_word(asked: str, source: Source, build: Build) -> None:
    built = build(source("plain", {"runtime.txt": asked}))
    assert f"-----> Using Python {MINE}" in built.said
    assert "!" not in built.said


def test_what_is_no_version_is_named(source: Source, build: Build) -> None:
    with pytest.raises(BuildFailed) as failed:
        build(source("plain", {".python-version": "newest"}))
    assert ".python-version says 'newest', which is no Python version" in str(failed.value.__notes__)


def test_pyproject_dependencies_and_default_profile(source: Source, build: Build) -> None:
    project = '[project]\nname = "x"\nversion = "0"\ndependencies = ["gunicorn"]\n'
    built = build(source("plain", {"requirements.txt": None, "pyproject.toml": project}))
    assert "Installing the dependencies of pyproject.toml" in built.said
    assert "gunicorn (version" in built.run("gunicorn --version").stdout
    profile = built.run('echo "$PYTHONUNBUFFERED $PYTHONPATH"', PYTHONPATH="mine").stdout
    assert profile == "true mine\n"


def test_a_project_in_src_is_installed(source: Source, build: Build) -> None:
    project = LIBRARY["lib/pyproject.toml"]
    files = {"requirements.txt": None, "pyproject.toml": project, "src/greetings/__init__.py": "WORD = 'hello'\n"}
    built = build(source("plain", files))
    assert built.run("python -c 'import greetings; print(greetings.WORD)'").stdout == "hello\n"
    assert " !     Heroku itself wants a uv.lock" in built.said


def test_pip_installs_into_the_apps_environment(source: Source, ci: Callable[..., tuple[int, str]]) -> None:
    scripts = {"test-setup": "pip install --no-deps --no-build-isolation ./lib; command -v pip", "test": "true"}
    status, said = ci(source("plain", LIBRARY), scripts)
    assert status == 0, said
    assert ".heroku/python/bin/pip" in said


def test_uv_lock(source: Source, build: Build, tmp_path: Path) -> None:
    from uv import find_uv_bin

    name = ".".join(MINE.split(".")[:2])
    project = f'[project]\nname = "x"\nversion = "0"\nrequires-python = ">={name}"\ndependencies = []\n'
    folder = tmp_path / "locked"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(project)
    subprocess.run([find_uv_bin(), "lock", "-q", "--python", sys.executable], cwd=folder, check=True)
    files = {"requirements.txt": None, "pyproject.toml": project, "uv.lock": (folder / "uv.lock").read_text()}
    built = build(source("plain", files))
    assert "Installing packages from uv.lock" in built.said
    assert built.run("python -c 'print(1)'").stdout == "1\n"


def test_an_editable_library_of_the_app_moves_with_it(source: Source, build: Build) -> None:
    built = build(source("plain", {"requirements.txt": "-e ./lib\n", **LIBRARY}))
    ended = built.run("python -c 'import greetings; print(greetings.__file__)'")
    assert ended.stderr == ""
    assert Path(ended.stdout.strip()).resolve() == (built.home / "lib" / "greetings" / "__init__.py").resolve()


def test_a_package_that_does_not_exist_fails_the_build(source: Source, build: Build) -> None:
    with pytest.raises(BuildFailed, match="failed to compile Python app") as failed:
        build(source("plain", {"requirements.txt": "no-such-package-of-anybody-9\n"}))
    assert "uv pip failed; its reason stands above" in str(failed.value.__notes__)


def test_files_of_other_tools_are_named_with_a_way_out(source: Source, build: Build) -> None:
    with pytest.raises(BuildFailed) as failed:
        build(source("plain", {"requirements.txt": None, "Pipfile": "[packages]"}))
    assert "Pipfile is not supported" in str(failed.value.__notes__)
    assert "pipenv requirements > requirements.txt" in str(failed.value.__notes__)


def test_hooks_see_the_config_vars(source: Source, build: Build) -> None:
    hooks = {"bin/pre_compile": "echo before $WHO", "bin/post_compile": "echo after; command -v python"}
    built = build(source("plain", hooks), WHO="us", PATH="/nowhere")
    assert "       before us" in built.said
    assert "/.heroku/python/bin/python" in built.said


def test_unittest_is_the_last_resort_of_tests(source: Source, ci: Callable[..., tuple[int, str]]) -> None:
    test = "import unittest\nclass T(unittest.TestCase):\n    def test_x(self): pass\n"
    status, said = ci(source("plain", {"test_it.py": test}), {})
    assert status == 0, said
    assert "Ran 1 test" in said
