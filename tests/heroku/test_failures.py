"""Every error that a library below may raise is mapped; a new version with a new one fails here."""

from __future__ import annotations

import http.client
import importlib
import inspect
import pkgutil
from types import ModuleType

import heroku3
import pytest
import requests.exceptions
import tenacity
import urllib3.exceptions

from herodeploy.errors import HerodeployError
from herodeploy.heroku.failures import translate
from herodeploy.heroku.library import ERRORS


def raised_by(module: ModuleType, package: str) -> set[type[Exception]]:
    found = (each for _, each in inspect.getmembers(module, inspect.isclass))
    return {each for each in found if issubclass(each, Exception) and each.__module__.split(".")[0] == package}


def made(kind: type[Exception]) -> Exception:
    """An instance without its constructor: only its class decides."""
    return kind.__new__(kind)


def not_a_warning(kind: type[Exception]) -> bool:
    return not issubclass(kind, Warning)


FOREIGN = sorted(
    filter(
        not_a_warning,
        raised_by(requests.exceptions, "requests")
        | raised_by(urllib3.exceptions, "urllib3")
        | {tenacity.RetryError, http.client.HTTPException},
    ),
    key=lambda kind: f"{kind.__module__}.{kind.__name__}",
)


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_error_of_the_http_libraries_is_mapped(kind: type[Exception]) -> None:
    ours = translate(made(kind), "GET", "https://ada:s3cret@api.heroku.com/apps?Signature=s1gned")
    assert isinstance(ours, HerodeployError)
    assert "s3cret" not in str(ours)
    assert "s1gned" not in str(ours)


def test_every_error_of_heroku3_is_mapped() -> None:
    theirs: set[type[Exception]] = set()
    for found in pkgutil.walk_packages(heroku3.__path__, "heroku3."):
        if not found.name.endswith("rendezvous"):  # terminals of one-off dynos: nothing here opens one
            theirs |= raised_by(importlib.import_module(found.name), "heroku3")
    unmapped = {kind for kind in theirs if not any(issubclass(kind, known) for known, _ in ERRORS)}
    assert unmapped == set()
    for kind, ours in ERRORS:
        assert isinstance(ours(made(kind)), HerodeployError)


def test_our_own_mistakes_are_not_mapped() -> None:
    assert translate(ZeroDivisionError(), "GET", "https://api.heroku.com/apps") is None
