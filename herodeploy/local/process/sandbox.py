"""Isolation with bubblewrap: commands see the app at Heroku's places, the system read-only, nothing of the user's.

The guard runs inside, as process 1 of a process namespace of its own: what it does is the same as without isolation,
and when it ends, however that comes about, the kernel ends everything that it started.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from herodeploy.local.process import machine
from herodeploy.local.process.process import GUARD, PYTHON, Command

HINT = "Install bubblewrap (its package has that name everywhere), or set HERODEPLOY_LOCAL_ISOLATION=off."
PATIENCE = 20
"""Seconds for bubblewrap to show that it works."""

_USER = "1000"
_NAMESPACES = (
    "--unshare-user", "--uid", _USER, "--gid", _USER, "--cap-drop", "ALL",
    "--unshare-pid", "--as-pid-1", "--unshare-ipc",
)  # fmt: skip
_FRESH = ("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run", "--tmpfs", "/var/tmp")  # noqa: S108 # inside
SECRETS = (
    *("/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers", "/etc/krb5.keytab"),
    *("/etc/sudoers.d", "/etc/ssh", "/etc/ssl/private"),
)
_CPUS = "/sys/devices/system/cpu"


class IsolationUnavailable(Exception):
    """Isolation is required, and this machine cannot do it; the message says why."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or file of this machine and where a command sees it.

    Attributes:
        optional: it may have gone since the platform started.
        link: a symbolic link's target instead.
    """

    host: Path
    inside: Path
    writable: bool = True
    optional: bool = False
    link: str | None = None

    def words(self) -> list[str]:
        """Return bubblewrap's options for it."""
        if self.link is not None:
            return ["--symlink", self.link, str(self.inside)]
        option = f"--{'' if self.writable else 'ro-'}bind{'-try' if self.optional else ''}"
        return [option, str(self.host), str(self.inside)]


@dataclass(frozen=True, slots=True)
class Isolation:
    """What a platform does about isolation: by which sandbox, or why not."""

    sandbox: Sandbox | None
    why_not: str = ""


class Sandbox:
    """Turns commands into the same commands in a world of their own.

    Parameters:
        paths: folders and files that they see, too, and may write as the user may.
    """

    def __init__(self, bwrap: str, paths: Iterable[Path] = ()) -> None:
        self._bwrap = bwrap
        self._common = [*_machine_mounts(), *(Mount(path, path, optional=True) for path in paths)]
        self._system = [word for root in machine.SYSTEM for word in ("--ro-bind-try", str(root), str(root))]
        home = machine.home_in_system()
        self._system += ["--tmpfs", str(home)] if home else []

    def enclose(self, command: Command, mounts: Sequence[Mount], cwd: Path) -> Command:
        """Return a command that runs isolated.

        Parameters:
            command: its arguments and environment are those inside already; its cwd is a folder outside.
            mounts: what it sees besides the system and interpreters; they win over what all commands see.
            cwd: where it starts, inside.
        """
        argv = [self._bwrap, *_NAMESPACES, *self._system, *_hidden(), *_FRESH, "--ro-bind-try", _CPUS, _CPUS]
        argv += [word for mount in _in_order([*self._common, *mounts]) for word in mount.words()]
        argv += ["--remount-ro", "/", "--chdir", str(cwd), "--"]
        launcher = [*argv, PYTHON, "-I", "-S", str(GUARD)]
        return replace(command, launcher=launcher, env=_inside(command.env))

    def problem(self) -> str:
        """Return why it does not work on this machine; empty where it does."""
        probe = self.enclose(Command([], Path("/"), {}), [], Path("/"))
        argv = [*probe.launcher[: probe.launcher.index("--")], "--", PYTHON, "-I", "-S", "-c", ""]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"bubblewrap does not start: {error}"
        last = done.stderr.strip().splitlines()[-1:] or [f"it ended with status {done.returncode}"]
        return f"bubblewrap does not work here: {last[0]}" if done.returncode else ""


def choose(mode: str, paths: Sequence[Path] = ()) -> Isolation:
    """Decide what a platform does.

    Parameters:
        mode: ``auto``, ``off`` or ``required``.
        paths: as of `Sandbox`.

    Raises:
        IsolationUnavailable: it is required, and cannot be had.
    """
    if mode == "off":
        return Isolation(None, "it is switched off")
    found = _available(tuple(paths), os.environ.get("PATH"))
    if mode == "required" and found.sandbox is None:
        raise IsolationUnavailable(found.why_not)
    return found


@cache
def _available(paths: tuple[Path, ...], path: str | None) -> Isolation:
    """Look once a process, as the answer takes a process to find."""
    if not sys.platform.startswith("linux"):
        return Isolation(None, "only Linux has bubblewrap")
    bwrap = shutil.which("bwrap", path=path)
    if bwrap is None:
        return Isolation(None, "bubblewrap (bwrap) is not installed")
    sandbox = Sandbox(bwrap, paths)
    problem = sandbox.problem()
    return Isolation(None, problem) if problem else Isolation(sandbox)


def _machine_mounts() -> list[Mount]:
    """Return what every command sees of this machine besides the system: interpreters, our programs, who it is."""
    here = Path(__file__).parent
    found = [
        Mount(path, path, writable=False, optional=True, link=link) for path, link in machine.interpreters().items()
    ]
    found += [Mount(path, path, writable=False) for path in machine.name_resolution()]
    found += [Mount(here / name, Path("/etc", name), writable=False) for name in ("passwd", "group")]
    return [*found, Mount(here.parent, here.parent, writable=False)]


def _hidden() -> list[str]:
    """Return options that hide what only root may read: a platform that root started maps root's own files."""
    found = []
    for path in map(Path, SECRETS):
        if path.is_dir():
            found += ["--tmpfs", str(path)]
        elif path.exists():
            found += ["--ro-bind", os.devnull, str(path)]
    return found


def _in_order(mounts: Iterable[Mount]) -> list[Mount]:
    """Put folders before what is mounted inside of them; of two at one place the later one counts.

    A link inside of a folder is left out: that has it, or is nothing to write links into.
    """
    found = {mount.inside: mount for mount in mounts}
    folders = {place for place, mount in found.items() if mount.link is None}
    there = [mount for mount in found.values() if mount.link is None or folders.isdisjoint(mount.inside.parents)]
    return sorted(there, key=lambda mount: mount.inside.parts)


def _inside(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without this machine's TMPDIR, as /tmp is theirs; our own Python is on the PATH."""
    own = Path(sys.base_prefix, "bin")
    path = env.get("PATH", os.defpath)
    more = {} if machine.in_system(own) else {"PATH": f"{path}{os.pathsep}{own}"}
    ours = ("TMPDIR", os.environ.get("TMPDIR"))
    return {name: value for name, value in env.items() if (name, value) != ours} | more
