"""Values and errors as plain JSON, so that a recorded leg tells the same as the one that ran."""

from __future__ import annotations

import builtins
import json
from datetime import datetime
from typing import Any, TypeVar, cast

from herodeploy import errors

T = TypeVar("T")


def value(given: T, whose: str) -> T:
    """Return `given` as a reader of the record will see it.

    Raises:
        TypeError: it is no plain JSON value; the message begins with `whose`.
    """
    try:
        return cast("T", json.loads(json.dumps(given, allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise TypeError(f"{whose} is not plain JSON: {error}") from error


def pack(error: Exception) -> dict[str, Any]:
    """Return an error as plain JSON: its class and whatever it carries."""
    known = {name: item for name, item in vars(error).items() if not name.startswith("__")}
    carried = {name: item for name, item in known.items() if _is_plain(item)}
    times = {name: item.isoformat() for name, item in known.items() if isinstance(item, datetime)}
    return {"class": type(error).__name__, "text": str(error), "carried": carried, "times": times}


def unpack(packed: dict[str, Any]) -> Exception:
    """Return the error again: herodeploy's own and Python's as themselves, any other named by a RuntimeError."""
    name, text = packed["class"], packed["text"]
    known = getattr(errors, name, None)
    if isinstance(known, type) and issubclass(known, errors.HerodeployError):
        error: Exception = known.__new__(known)
        error.args = (text,)
        vars(error).update(packed["carried"])
        vars(error).update({name: datetime.fromisoformat(at) for name, at in packed.get("times", {}).items()})
        return error
    plain = getattr(builtins, name, None)
    if isinstance(plain, type) and issubclass(plain, Exception) and not issubclass(plain, UnicodeError):
        return plain(text)
    return RuntimeError(f"{name}: {text}")


def _is_plain(item: object) -> bool:
    try:
        json.dumps(item, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
