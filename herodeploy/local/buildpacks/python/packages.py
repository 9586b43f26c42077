"""The app's packages: from uv.lock, requirements.txt or pyproject.toml, the first that is there."""

from __future__ import annotations

import tomllib
from typing import Any

from herodeploy.local.buildpacks.python.uv import Uv
from herodeploy.local.buildpacks.toolbox import CannotBuild, Job, step, tell, warn

OTHERS = {
    "Pipfile": "run `pipenv requirements > requirements.txt`",
    "poetry.lock": "run `poetry export -o requirements.txt`, or move to a [project] table",
}


def install(job: Job, uv: Uv) -> None:
    """Install what the app needs; for a test run what its tests need, too.

    Raises:
        CannotBuild: the packages cannot be had, or are named in a way that is not known here.
    """
    compiled = not job.test
    if (job.build / "uv.lock").is_file() and (job.build / "pyproject.toml").is_file():
        step("Installing packages from uv.lock with uv")
        uv.sync(dev=job.test, compiled=compiled)
    elif (job.build / "requirements.txt").is_file():
        files = ["requirements.txt", *(["requirements-test.txt"] if job.test else [])]
        present = [name for name in files if (job.build / name).is_file()]
        step(f"Installing packages from {' and '.join(present)} with uv")
        uv.install([word for name in present for word in ("-r", name)], compiled=compiled)
    elif (job.build / "pyproject.toml").is_file():
        step("Installing the dependencies of pyproject.toml with uv")
        from_pyproject(job, uv, compiled=compiled)
    elif (job.build / "setup.py").is_file():
        step("Installing the dependencies of setup.py with uv")
        uv.install(["-r", "setup.py"], compiled=compiled)
    else:
        nothing(job)


def from_pyproject(job: Job, uv: Uv, *, compiled: bool) -> None:
    """Install ``[project] dependencies``, in a test run the groups ``dev`` and ``test`` as well."""
    told = tomllib.loads((job.build / "pyproject.toml").read_text())
    if "project" not in told:
        if "poetry" in told.get("tool", {}):
            raise CannotBuild(f"pyproject.toml has no [project] table; {OTHERS['poetry.lock']}")
        tell("pyproject.toml has no [project] table, so there is nothing to install")
        return
    groups: dict[str, Any] = told.get("dependency-groups", {})
    wanted = [name for name in ("dev", "test") if job.test and name in groups]
    uv.install(["-r", "pyproject.toml", *(word for name in wanted for word in ("--group", name))], compiled=compiled)
    if "build-system" in told and (job.build / "src").is_dir():
        step("Installing the project itself, as its modules lie in src")
        uv.install(["--no-deps", "."], compiled=compiled)
    if not job.test:
        warn("Heroku itself wants a uv.lock or requirements.txt beside pyproject.toml: run `uv lock` and commit it.")


def nothing(job: Job) -> None:
    """Go on without packages, unless they are named in a file that we cannot read."""
    for name, way_out in OTHERS.items():
        if (job.build / name).is_file():
            raise CannotBuild(f"{name} is not supported by the built-in Python buildpack; {way_out}")
    warn("There is no requirements.txt, pyproject.toml or uv.lock: no packages are installed.")
