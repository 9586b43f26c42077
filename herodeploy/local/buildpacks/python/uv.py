"""uv, from its wheel, with the machine's own settings for package indexes."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from herodeploy.local.buildpacks.python import indexes
from herodeploy.local.buildpacks.toolbox import CannotBuild, Job, ask, run, shared, user_home, warn

RELEASE = re.compile(r"3\.\d+\.\d+")


class Uv:
    """Runs uv for one build.

    Attributes:
        environment: the app's virtual environment, which can be moved.
    """

    def __init__(self, job: Job) -> None:
        from uv import find_uv_bin

        self._binary = str(find_uv_bin())
        self._cwd = job.build
        self.environment = job.build / ".heroku" / "python"
        self.variables = job.config_vars()
        self._env = {
            **os.environ,
            **self.variables,
            # uv finds its own configuration, and interpreters that it installed, from there.
            "HOME": str(user_home()),
            "UV_CACHE_DIR": str(shared("uv")),
            "UV_NO_PROGRESS": "1",
            "UV_HTTP_RETRIES": "1",
            "UV_PROJECT_ENVIRONMENT": str(self.environment),
            "VIRTUAL_ENV": str(self.environment),
        }
        if sys.platform.startswith("linux"):
            # Tests and hooks may write into packages; with uv's hard links they would write into its cache.
            self._env["UV_LINK_MODE"] = "copy"
        if has_certificates():
            self._env.setdefault("UV_SYSTEM_CERTS", "true")

    def find(self, version: str) -> Path | None:
        """Return an interpreter of that version that is on this machine."""
        argv = [self._binary, "python", "find", "--no-project", "--system", "--no-python-downloads", version]
        found = ask(argv, self._env | {"PATH": wide_path()}, Path("/"))
        return Path(found) if found else None

    def installed(self) -> list[tuple[str, Path]]:
        """Return the releases of CPython that are on this machine and still known to uv: versions and paths."""
        argv = [self._binary, "python", "list", "--only-installed", "--no-python-downloads", "--output-format", "json"]
        found = json.loads(ask(argv, self._env | {"PATH": wide_path()}, Path("/")) or "[]")
        return [
            (each["version"], Path(each["path"]))
            for each in found
            if each["implementation"] == "cpython"
            and each["variant"] == "default"
            and RELEASE.fullmatch(each["version"])
        ]

    def download(self, version: str) -> Path | None:
        """Return an interpreter of that version that was fetched for it; None when there is none to be had."""
        folder = shared("python")
        env = {**self._env, "UV_PYTHON_INSTALL_DIR": str(folder)}
        argv = [self._binary, "python"]
        done = subprocess.run(
            [*argv, "install", "--no-bin", version], env=env, cwd="/", capture_output=True, check=False
        )
        if done.returncode:
            return None
        found = ask([*argv, "find", "--no-project", "--managed-python", version], env, Path("/"))
        return Path(found) if found else None

    def make_environment(self, python: Path) -> None:
        """Make the app's environment anew."""
        self._run(
            [
                "venv",
                "--quiet",
                "--clear",
                "--relocatable",
                "--no-project",
                "--python",
                str(python),
                str(self.environment),
            ]
        )

    def install(self, arguments: Sequence[str], *, compiled: bool) -> None:
        """``uv pip install``, with what the machine says of pip's indexes."""
        flags = ["--compile-bytecode"] if compiled else []
        target = ["--python", str(self.environment / "bin" / "python")]
        self._run(["pip", "install", *flags, *target, *arguments], indexes.for_uv(user_home(), self._env))

    def add_pip(self) -> None:
        """Put pip into the environment, as it is on Heroku: any other pip on the PATH would install elsewhere."""
        argv = [self._binary, "pip", "install", "--python", str(self.environment / "bin" / "python"), "pip"]
        env = self._env | indexes.for_uv(user_home(), self._env)
        if subprocess.run(argv, env=env, cwd="/", capture_output=True, check=False).returncode:
            warn("pip could not be had from the package index; commands that call pip will fail or use another one.")

    def sync(self, *, dev: bool, compiled: bool) -> None:
        """``uv sync`` of exactly what uv.lock says."""
        flags = ["--compile-bytecode"] if compiled else []
        groups = [] if dev else ["--no-default-groups"]
        self._run(["sync", "--locked", "--no-editable", *groups, *flags])

    def _run(self, arguments: Sequence[str], extra: dict[str, str] | None = None) -> None:
        if run([self._binary, *arguments], {**self._env, **(extra or {})}, self._cwd):
            raise CannotBuild(f"uv {arguments[0]} failed; its reason stands above")


def wide_path() -> str:
    """Return a PATH with the interpreters that pyenv has but does not show, the newest first."""
    folders = [folder for folder in (user_home() / ".pyenv" / "versions").glob("3.*") if RELEASE.fullmatch(folder.name)]
    folders.sort(key=lambda folder: [int(part) for part in folder.name.split(".")], reverse=True)
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *(str(folder / "bin") for folder in folders)])


def has_certificates() -> bool:
    """Tell whether the machine has certificates of its own, which may name more issuers than uv knows."""
    if sys.platform == "darwin":
        return True
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())))
