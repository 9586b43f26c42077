"""Lists in pages, by the Range header: ``version ..; order=desc, max=10``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from starlette.requests import Request

from herodeploy.local.wire.errors import ApiError
from herodeploy.local.wire.reply import Reply, moment

T = TypeVar("T")

PAGE = 200
LARGEST_PAGE = 1000
SEQUENCE = "seq"
"""The key that no record has: the place in its list."""

_RANGE = re.compile(r"^\s*(?P<key>[a-z_]+)\s+(?P<from>\]?\S*?)\.\.(?P<to>[^\s;,]*)\s*(?:[;,](?P<options>.*))?$")


@dataclass(frozen=True, slots=True)
class Range:
    """One page of a list: sorted by ``key``, from ``first`` to ``last`` (both may be open).

    ``seen`` rows whose key equals an open ``first`` were on earlier pages; the others still come. Clients find it in
    Next-Range as ``]<value>/<number>`` and send it back as it is.
    """

    key: str
    first: str = ""
    first_open: bool = False
    seen: int = 0
    last: str = ""
    last_open: bool = False
    size: int = PAGE
    descending: bool = False


def page(
    request: Request,
    rows: Iterable[T],
    render: Callable[[T], Any],
    keys: tuple[str, ...] = ("id",),
) -> Reply:
    """Answer the part of a list that the request's Range asks for.

    Parameters:
        rows: the records, in order of creation, which counts where their keys are equal.
        render: makes the JSON of one record.
        keys: attributes to sort by; the first is the default.
    """
    wanted = parse(request.headers.get("range", ""), keys)
    inside = [(value, row) for value, row in _sorted(rows, wanted) if _within(value, wanted)]
    inside = inside[min(wanted.seen, _equal_at_start(inside, wanted)) :]
    shown = inside[: wanted.size]
    headers = {"Accept-Ranges": ", ".join(keys)}
    if shown:
        ends = (_text(shown[0][0]), _text(shown[-1][0]))
        headers["Content-Range"] = f"{wanted.key} {ends[0]}..{ends[1]}; max={wanted.size}{_order(wanted)}"
        if len(inside) > len(shown):
            end = ends[1] + _more_of_it(inside, wanted)
            headers["Next-Range"] = f"{wanted.key} ]{end}..{wanted.last}; max={wanted.size}{_order(wanted)}"
    return Reply([render(row) for _, row in shown], 206 if "Next-Range" in headers else 200, headers)


def page_of(request: Request, bodies: Iterable[dict[str, Any]], keys: tuple[str, ...] = ("id",)) -> Reply:
    """Answer the part that the request's Range asks for of a list whose JSON is made already."""
    return page(request, bodies, lambda body: body, keys)


def parse(header: str, keys: tuple[str, ...]) -> Range:
    """Read a Range header as Heroku's clients write it; nothing means the first page.

    Raises:
        ApiError: 416, the range cannot be read or names an unknown key.
    """
    if not header.strip():
        return Range(keys[0])
    match = _RANGE.match(header)
    if match is None or match["key"] not in keys:
        raise _refused(f"Range must look like `{keys[0]} ..; max=200` and sort by one of: {', '.join(keys)}.")
    options = _options(match["options"] or "")
    is_open = match["from"].startswith("]")
    first, _, seen = match["from"].removeprefix("]").partition("/")
    return Range(
        key=match["key"],
        first=first,
        first_open=is_open,
        seen=int(seen[:9]) if is_open and seen.isdecimal() else 0,
        last=match["to"].removesuffix("["),
        last_open=match["to"].endswith("["),
        size=_size(options.get("max", str(PAGE))),
        descending=options.get("order") == "desc",
    )


def _options(text: str) -> Mapping[str, str]:
    parts = (part.partition("=") for part in re.split(r"[;,]", text) if part.strip())
    return {name.strip(): value.strip() for name, _, value in parts}


def _size(text: str) -> int:
    size = int(text[:9]) if text.isdecimal() else 0
    if size == 0:
        raise _refused("Range needs max= with a number from 1 to 1000.")
    return min(size, LARGEST_PAGE)


def _sorted(rows: Iterable[T], wanted: Range) -> list[tuple[Any, T]]:
    """Return the values of the key with their rows; equal ones in the order in which they came."""
    numbered = enumerate(rows, 1)
    valued = [(number if wanted.key == SEQUENCE else _value(row, wanted.key), number, row) for number, row in numbered]
    valued.sort(key=lambda entry: entry[:2], reverse=wanted.descending)
    return [(value, row) for value, _, row in valued]


def _value(row: Any, key: str) -> Any:
    return row[key] if isinstance(row, dict) else getattr(row, key)


def _equal_at_start(inside: list[tuple[Any, T]], wanted: Range) -> int:
    """Return how many rows have the value that the page begins after."""
    if not wanted.first:
        return 0
    return sum(value == _like(value, wanted.first) for value, _ in inside)


def _more_of_it(inside: list[tuple[Any, T]], wanted: Range) -> str:
    """Return how many rows of the page's last value were shown so far, where more of them follow."""
    last = inside[wanted.size - 1][0]
    if inside[wanted.size][0] != last:
        return ""
    shown = sum(value == last for value, _ in inside[: wanted.size])
    before = wanted.seen if wanted.seen and last == _like(last, wanted.first) else 0
    return f"/{shown + before}"


def _within(value: Any, wanted: Range) -> bool:
    return _after(value, wanted) and _before(value, wanted)


def _after(value: Any, wanted: Range) -> bool:
    if not wanted.first:
        return True
    first = _like(value, wanted.first)
    if value == first:
        return not wanted.first_open or wanted.seen > 0
    return bool(value < first if wanted.descending else value > first)


def _before(value: Any, wanted: Range) -> bool:
    if not wanted.last:
        return True
    last = _like(value, wanted.last)
    if value == last:
        return not wanted.last_open
    return bool(value > last if wanted.descending else value < last)


def _like(value: Any, text: str) -> Any:
    try:
        if isinstance(value, int):
            return int(text)
        if isinstance(value, datetime):
            time = datetime.fromisoformat(text)
            return time if time.tzinfo else time.replace(tzinfo=UTC)
    except ValueError:
        raise _refused(f"Range cannot start or end at {text!r}.") from None
    return text


def _text(value: Any) -> str:
    return moment(value) if isinstance(value, datetime) else str(value)


def _order(wanted: Range) -> str:
    return ", order=desc" if wanted.descending else ""


def _refused(message: str) -> ApiError:
    return ApiError(416, "requested_range_not_satisfiable", message)
