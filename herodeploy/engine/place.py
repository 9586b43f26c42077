"""Where the engine keeps its own records and locks."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from herodeploy.errors import StoreError


def database(where: Path | str, pipeline_id: str) -> Path | str:
    """Return what a DurableEngine of that pipeline records in: a file of its own, or the PostgreSQL address as it is.

    Parameters:
        where: herodeploy's own folder, or the address of its store (SQLite or PostgreSQL).
    """
    return where if is_postgres(where) else folder(where) / f"{file_stem(pipeline_id)}.sqlite"


def is_postgres(where: Path | str) -> bool:
    """Whether that is the address of a PostgreSQL database."""
    return isinstance(where, str) and re.match(r"postgres(ql)?(\+\w+)?:", where) is not None


def sqlite_file(where: Path | str) -> Path:
    """Return the file of a SQLite address; a path stays as it is."""
    return Path(re.sub(r"^sqlite(\+\w+)?:///", "", where) if isinstance(where, str) else where)


def folder(where: Path | str) -> Path:
    """Return the engine's folder below herodeploy's own one, made where missing.

    Parameters:
        where: herodeploy's own folder, or the address of the SQLite database in it.
    """
    file = sqlite_file(where)
    made = (file.parent if isinstance(where, str) and where.startswith("sqlite") else file) / "engine"
    try:
        made.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as error:
        raise unusable(made, error) from error
    return made


def file_stem(pipeline_id: str) -> str:
    """Return a file name for a pipeline; Heroku's ids stay as they are, anything odd is told apart by its hash."""
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", pipeline_id):
        return pipeline_id
    return "p-" + hashlib.blake2b(pipeline_id.encode(), digest_size=12).hexdigest()


def postgres(url: str) -> str:
    """Return a PostgreSQL address with the driver that herodeploy uses."""
    return re.sub(r"^(postgres|postgresql)://", "postgresql+psycopg://", url)


def unusable(path: Path, error: OSError) -> StoreError:
    """Return the error for a file or folder of ours that cannot be used."""
    return StoreError(
        f"cannot write {path}: {error.strerror}",
        hint="make that folder writable, or set XDG_STATE_HOME to another place",
    )


def first_line(error: Exception) -> str:
    """Return what a database's error says, without statements and parameters."""
    return (str(getattr(error, "orig", None) or error).strip() or type(error).__name__).splitlines()[0]
