"""From the API's JSON to the domain's words; a reply that is not as documented becomes an error that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from herodeploy.errors import HerodeployError, PlatformError

T = TypeVar("T")
JSON = Any


def one(what: str, convert: Callable[[JSON], T], item: JSON) -> T:
    """Convert one resource; `what` names it in an error."""
    with reading(what):
        return convert(item)


def many(what: str, convert: Callable[[JSON], T], items: Iterable[JSON]) -> list[T]:
    """Convert each resource of a list."""
    with reading(what):
        return [convert(item) for item in items]


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn what goes wrong while a reply is read into a PlatformError."""
    try:
        yield
    except HerodeployError:
        raise
    except KeyError as error:
        raise PlatformError(f"the platform's {what} lacks the field {error}") from None
    except (AttributeError, TypeError, ValueError, OverflowError, AssertionError) as error:
        # The text may quote a value, so it is left to --debug.
        raise PlatformError(f"the platform's {what} is not as documented") from error


def when(text: str) -> datetime:
    """Return a time in UTC, of either form: ``2012-01-01T12:00:00Z`` or ``2016-02-11T08:32:08+00:00``."""
    return aware(datetime.fromisoformat(text))


def aware(moment: datetime) -> datetime:
    """Return the time in UTC; one without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def nested_id(item: Mapping[str, JSON], key: str) -> str | None:
    """Return the id of a nested resource that may be null or missing."""
    nested = item.get(key)
    return str(nested["id"]) if nested else None
