"""Django's static files, collected at build time as Heroku does."""

from __future__ import annotations

import os
import subprocess

from herodeploy.local.buildpacks.python.uv import Uv
from herodeploy.local.buildpacks.toolbox import CannotBuild, Job, step, tell, warn

QUIET = ("Unknown command: 'collectstatic'", 'Unknown command: "collectstatic"')


def collect_static(job: Job, uv: Uv) -> None:
    """Run ``manage.py collectstatic`` where the app has one, unless DISABLE_COLLECTSTATIC is set.

    Raises:
        CannotBuild: it failed for another reason than a missing STATIC_ROOT.
    """
    installed = any(uv.environment.glob("lib/python*/site-packages/django"))
    if not (job.build / "manage.py").is_file() or not installed:
        return
    if uv.variables.get("DISABLE_COLLECTSTATIC", "0") not in ("", "0"):
        step("Skipping collectstatic, since DISABLE_COLLECTSTATIC is set")
        return
    status, said = _collect(job, uv)
    if any(words in said for words in QUIET):
        return
    step("$ python manage.py collectstatic --noinput")
    if status == 0:
        tell(said)
    elif "STATIC_ROOT" in said:
        warn("The settings have no STATIC_ROOT, so no static files were collected.")
        warn("Set STATIC_ROOT, or DISABLE_COLLECTSTATIC=1 to skip this step.")
    else:
        tell(said)
        raise CannotBuild("collectstatic failed; mend it, or set DISABLE_COLLECTSTATIC=1 to skip it")


def _collect(job: Job, uv: Uv) -> tuple[int, str]:
    env = {**os.environ, **uv.variables, "PYTHONPATH": str(job.build), "PYTHONUNBUFFERED": "true"}
    argv = [str(uv.environment / "bin" / "python"), "manage.py", "collectstatic", "--noinput"]
    done = subprocess.run(argv, env=env, cwd=job.build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode(errors="replace").strip()
