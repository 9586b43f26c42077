"""bin/compile for Python: an interpreter, the app's packages in a virtual environment, Django's static files."""

from __future__ import annotations

import os
import re
import sys

from herodeploy.local.buildpacks.python import django, interpreter, packages, relocate
from herodeploy.local.buildpacks.python.uv import Uv
from herodeploy.local.buildpacks.toolbox import CannotBuild, Job, run, step, warn

PROFILE = """\
export PATH="$HOME/.heroku/python/bin:$PATH"
export PYTHONUNBUFFERED="${PYTHONUNBUFFERED:-true}"
export PYTHONPATH="${PYTHONPATH:-$HOME}"
"""


def main() -> int:
    """Compile; return the exit status."""
    try:
        compile_app(Job.from_argv())
    except CannotBuild as error:
        warn(str(error))
        return 1
    return 0


def compile_app(job: Job) -> None:
    """Leave the app's environment in ``.heroku/python``.

    Raises:
        CannotBuild: packages or static files could not be had.
    """
    hook(job, "pre_compile")
    uv = Uv(job)
    python = interpreter.choose(job.build, uv)
    step(f"Using Python {python.version}")
    uv.make_environment(python.path)
    packages.install(job, uv)
    if job.test or calls_pip(job):
        uv.add_pip()
    job.write_profile("python.sh", PROFILE)
    if not job.test:
        django.collect_static(job, uv)
    hook(job, "post_compile")
    relocate.editables(uv.environment, job.build)


def calls_pip(job: Job) -> bool:
    """Tell whether the app's own bin/post_compile calls pip."""
    file = job.build / "bin" / "post_compile"
    return file.is_file() and re.search(r"\bpip3?\b", file.read_text(errors="replace")) is not None


def hook(job: Job, name: str) -> None:
    """Run the app's own bin/pre_compile or bin/post_compile, as Heroku's buildpack does."""
    file = job.build / "bin" / name
    if not file.is_file():
        return
    step(f"Running bin/{name} hook")
    path = f"{job.build / '.heroku' / 'python' / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    env = {**os.environ, **job.config_vars(), "PATH": path}
    if status := run(["bash", str(file)] if not os.access(file, os.X_OK) else [str(file)], env, job.build):
        raise CannotBuild(f"bin/{name} ended with status {status}")


if __name__ == "__main__":
    sys.exit(main())
