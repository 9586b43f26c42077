from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from herodeploy import errors
from herodeploy.engine import plain

EVERY = [
    found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, errors.HerodeployError)
]


def made(kind: type[errors.HerodeployError]) -> errors.HerodeployError:
    if issubclass(kind, errors.ApiError):
        return kind("no", status=418, error_id="teapot", request_id="r", request="GET /x", hint="drink")
    if issubclass(kind, errors.ConfigError):
        return kind("no", file="herodeploy.yml", line=3, column=4, hint="write", others=["herodeploy.yml:5: no"])
    if issubclass(kind, errors.Occupied):
        return kind("no", stage="production", holder="20261123-120000-a1", hint="wait")
    if issubclass(kind, errors.Locked):
        return kind("no", stage="production", past=["5f0c2a1e"], hint="wait")
    if issubclass(kind, errors.ForgeBusy):
        return kind("no", until=datetime(2026, 11, 23, 12, 0, tzinfo=UTC), hint="wait")
    return kind("no", hint="try")


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_error_of_ours_comes_back_as_it_was(kind: type[errors.HerodeployError]) -> None:
    error = made(kind)
    back = plain.unpack(json.loads(json.dumps(plain.pack(error))))
    assert type(back) is kind
    assert (str(back), vars(back)) == (str(error), vars(error))


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ValueError("x"), "ValueError('x')"),
        (KeyError("x"), """KeyError("'x'")"""),
        (json.JSONDecodeError("bad", "doc", 0), "RuntimeError('JSONDecodeError: bad: line 1 column 1 (char 0)')"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), None),
        (SystemError(), "SystemError('')"),
    ],
)
def test_others_come_back_as_near_as_can_be(error: Exception, shown: str | None) -> None:
    back = plain.unpack(json.loads(json.dumps(plain.pack(error))))
    assert repr(back) == shown if shown else isinstance(back, RuntimeError)


def test_what_an_error_carries_beside_plain_values_is_left_out() -> None:
    error = errors.Refused("no")
    error.extra = object()  # type: ignore[attr-defined]
    assert plain.pack(error)["carried"] == {"message": "no", "hint": None}


@pytest.mark.parametrize("given", [{1, 2}, float("nan"), b"x", object()])
def test_values_that_are_not_plain(given: object) -> None:
    with pytest.raises(TypeError, match=r"^the thing is not plain JSON"):
        plain.value(given, "the thing")
