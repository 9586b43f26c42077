from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from herodeploy.local.build.failure import BuildFailed

Source = Callable[..., Path]
Build = Callable[..., Any]
PACKAGE = json.loads((Path(__file__).parents[2] / "fixtures/apps/node/package.json").read_text())

# In CI a missing npm is a failure, not a reason to skip.
pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None and not os.environ.get("CI"), reason="npm is not on the PATH"
)


def package(**changes: object) -> dict[str, str]:
    return {"package.json": json.dumps(PACKAGE | changes)}


def test_an_app_with_a_lockfile_runs_from_another_folder(source: Source, build: Build) -> None:
    built = build(source("node"))
    assert (built.result.description, built.result.process_types) == ("Node.js", {"web": "npm start"})
    assert "-----> Installing packages with npm ci" in built.said
    assert (built.home / "built.txt").read_text() == "true", "the build script had its devDependencies"
    assert (built.home / "node_modules" / "ms").is_dir()
    assert not (built.home / "node_modules" / "is-odd").exists()
    assert built.run("node -p 'require(\"./clock\").day'").stdout == "86400000\n"
    assert built.run('echo "$NODE_ENV"').stdout == "production\n"
    assert built.run("npm --version").returncode == 0


def test_engines_that_the_machine_lacks_warn(source: Source, build: Build) -> None:
    said = build(source("node")).said
    assert " !     package.json asks for Node.js 6.x (engines.node), which this machine lacks." in said
    assert " !     Using Node.js " in said


def test_engines_that_fit_say_nothing(source: Source, build: Build) -> None:
    said = build(source("node", package(engines={"node": ">=10 || 4.x", "npm": "*"}))).said
    assert "asks for" not in said


def test_without_a_lockfile_npm_install(source: Source, build: Build) -> None:
    built = build(source("node", {"package-lock.json": None, "yarn.lock": "", **package(dependencies={"ms": "2"})}))
    assert "-----> Installing packages with npm install" in built.said
    assert " !     yarn.lock is not read" in built.said
    assert (built.home / "node_modules" / "ms").is_dir()
    assert not (built.home / "node_modules" / "is-odd").exists()


def test_herokus_scripts_see_the_config_vars(source: Source, build: Build) -> None:
    scripts = {"heroku-prebuild": "echo first $WHO", "heroku-postbuild": "echo instead", "build": "exit 1"}
    said = build(source("node", package(scripts=scripts)), WHO="us").said
    assert "       first us" in said
    assert "       instead" in said


def test_npm_test_runs_with_dev_dependencies(source: Source, ci: Callable[..., tuple[int, str]]) -> None:
    status, said = ci(source("node"), {})
    assert status == 0, said
    assert "Pruning" not in said
    assert "pass 2" in said


def test_a_failing_test_fails(source: Source, ci: Callable[..., tuple[int, str]]) -> None:
    status, _ = ci(source("node", package(scripts={"test": "exit 3"})), {"test": "npm test"})
    assert status == 3


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"package.json": "{"}, "package.json: Expecting property name"),
        ({"package.json": "[]"}, "package.json is no object"),
        (package(scripts={"build": "exit 9"}), "npm run build ended with status 9"),
    ],
)
def test_what_fails_a_build(files: dict[str, str], reason: str, source: Source, build: Build) -> None:
    with pytest.raises(BuildFailed) as failed:
        build(source("node", files))
    assert reason in str(failed.value.__notes__)


def test_a_node_and_a_python_buildpack_together(source: Source, build: Build) -> None:
    hook = {"requirements.txt": "# none\n", "bin/post_compile": "command -v node; ls node_modules"}
    built = build(source("node", hook), "heroku/nodejs", "heroku/python")
    assert "/.heroku/node/bin/node" in built.said
    assert built.result.buildpacks == ["heroku/nodejs", "heroku/python"]
    assert built.run("python -c 1 && node -p 1").stdout == "1\n"
