"""bin/compile for Node.js: packages with npm, the build script, and no devDependencies left behind."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any

from herodeploy.local.buildpacks.nodejs import engines
from herodeploy.local.buildpacks.toolbox import CannotBuild, Job, ask, run, shared, step, tell, warn

LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
OTHER_LOCKS = ("yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb")
PROFILE = """\
export PATH="$HOME/.heroku/node/bin:$HOME/node_modules/.bin:$PATH"
export NODE_ENV="${NODE_ENV:-%s}"
export NODE_HOME="$HOME/.heroku/node"
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
    """Leave ``node_modules`` as the app needs it at run time, or in a test run for its tests.

    Raises:
        CannotBuild: there is no Node.js, package.json is broken, or npm said no.
    """
    package = read_package(job)
    env = environment(job)
    use_node(job, package, env)
    install(job, package, env)
    run_script(job, package, env)
    if not job.test:
        prune(job, package, env)
    job.write_profile("nodejs.sh", PROFILE % ("test" if job.test else "production"))


def read_package(job: Job) -> dict[str, Any]:
    """Return package.json."""
    try:
        package = json.loads((job.build / "package.json").read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise CannotBuild(f"package.json: {error}") from error
    if not isinstance(package, dict):
        raise CannotBuild("package.json is no object")
    return package


def environment(job: Job) -> dict[str, str]:
    """Return npm's environment: config vars are in it, as its scripts may need them."""
    own = {
        "NPM_CONFIG_CACHE": str(shared("npm")),
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
        "NPM_CONFIG_AUDIT": "false",
        "NPM_CONFIG_FUND": "false",
    }
    mode = {"NODE_ENV": "test" if job.test else "production"}
    return {**os.environ, **mode, **job.config_vars(), **own}


def use_node(job: Job, package: dict[str, Any], env: dict[str, str]) -> None:
    """Take the machine's Node.js, say which, and warn where it is not the one that was asked for."""
    found = {name: shutil.which(name) for name in ("node", "npm", "npx")}
    if found["node"] is None or found["npm"] is None:
        missing = " and ".join(name for name in ("node", "npm") if found[name] is None)
        raise CannotBuild(
            f"this app needs Node.js, but there is no {missing} on the PATH; install Node.js and build again"
        )
    folder = job.build / ".heroku" / "node" / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in found.items():
        if path is not None:
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(path)
    asked = package.get("engines") if isinstance(package.get("engines"), dict) else {}
    for name in ("node", "npm"):
        version = (ask([str(found[name]), "--version"], env, job.build) or "").removeprefix("v")
        step(f"Using {engines.TITLES[name]} {version}") if name == "node" else tell(f"with npm {version}")
        engines.check(name, version, (asked or {}).get(name), found, env)


def install(job: Job, package: dict[str, Any], env: dict[str, str]) -> None:
    """Install all packages, exactly those of the lockfile where there is one."""
    script(job, package, env, "heroku-prebuild")
    if any((job.build / name).is_file() for name in LOCKS):
        step("Installing packages with npm ci")
        npm(job, env, ["ci", "--include=dev"])
        return
    for name in OTHER_LOCKS:
        if (job.build / name).is_file():
            warn(f"{name} is not read by the built-in Node.js buildpack; using npm, which may choose other versions.")
    step("Installing packages with npm install, as there is no package-lock.json")
    npm(job, env, ["install", "--include=dev", "--no-package-lock"])


def run_script(job: Job, package: dict[str, Any], env: dict[str, str]) -> None:
    """Run ``heroku-postbuild``, else ``build``."""
    if not script(job, package, env, "heroku-postbuild"):
        script(job, package, env, "build")


def prune(job: Job, package: dict[str, Any], env: dict[str, str]) -> None:
    """Remove devDependencies, which are there for the build alone."""
    if package.get("devDependencies"):
        step("Pruning devDependencies")
        npm(job, env, ["prune", "--omit=dev"])
    script(job, package, env, "heroku-cleanup")


def script(job: Job, package: dict[str, Any], env: dict[str, str], name: str) -> bool:
    """Run a script of package.json; tell whether there is one."""
    scripts = package.get("scripts")
    if not isinstance(scripts, dict) or not scripts.get(name):
        return False
    step(f"Running {name}")
    npm(job, env, ["run", name])
    return True


def npm(job: Job, env: dict[str, str], arguments: list[str]) -> None:
    """Run npm."""
    path = f"{job.build / '.heroku' / 'node' / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
    if status := run(["npm", *arguments], {**env, "PATH": path}, job.build):
        raise CannotBuild(f"npm {' '.join(arguments)} ended with status {status}; its reason stands above")


if __name__ == "__main__":
    sys.exit(main())
