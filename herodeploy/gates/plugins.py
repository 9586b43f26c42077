"""Gates of other packages, found by the entry point ``herodeploy.gates`` and only when a kind is not one of ours."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from datetime import datetime, timedelta
from importlib import metadata
from threading import Thread
from typing import Any

from herodeploy.domain.gate import Answer, Facts, Look, Question, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import UsageError
from herodeploy.gates import options
from herodeploy.gates.registry import Ask, Cost, Gate

GROUP = "herodeploy.gates"
AGAIN = timedelta(minutes=1)
"""When a gate that broke is asked again."""
WITHIN = timedelta(minutes=1)
"""How long a look may take: all that waits for the pipeline waits for it."""
LONGEST = 500
"""Characters of a reason."""

_found: dict[str, Gate] = {}


def kinds() -> list[str]:
    """Return the kinds that other packages name, loaded or not."""
    return sorted({point.name for point in metadata.entry_points(group=GROUP)})


def find(kind: str) -> Gate | None:
    """Return the gate of that kind that some package brings, None when none does.

    Whatever it does wrong when it is asked is a WAIT that names the package.

    Raises:
        UsageError: several packages bring it, or it cannot be used; the package is named.
    """
    if kind in _found:
        return _found[kind]
    points = list(metadata.entry_points(group=GROUP, name=kind))
    if not points:
        return None
    packages = [_package(point) for point in points]
    if len(points) > 1:
        raise UsageError(f"several packages bring a gate '{kind}': {', '.join(packages)}", hint="remove all but one")
    try:
        with printing_aside():
            gate = _checked(points[0].load(), kind)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - what it loads may raise anything
        why = str(error) if isinstance(error, _Unusable) else _told(error)
        raise UsageError(
            f"gate '{kind}' of package {packages[0]} cannot be used: {why}", hint="repair the package, or remove it"
        ) from None
    of = f"gate '{kind}' of package {packages[0]}"
    look = gate.look and _careful_look(gate.look, of)
    _found[kind] = dataclasses.replace(gate, ask=_careful_ask(gate.ask, kind, of), look=look)
    return _found[kind]


@contextmanager
def printing_aside() -> Iterator[None]:
    """Have what the block prints go to the standard error: on the standard output is the result, perhaps JSON."""
    with redirect_stdout(sys.stderr):
        yield


class _Unusable(Exception):
    """The package's gate is not as it has to be."""


def _package(point: metadata.EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _checked(loaded: Any, kind: str) -> Gate:
    """Return it, if it is a gate of that kind.

    Raises:
        _Unusable: it is not.
    """
    if not isinstance(loaded, Gate):
        raise _Unusable(f"its entry point names a {type(loaded).__name__}, not a herodeploy.gates.api.Gate")
    # Nobody checked the types of what is in it.
    gate: Any = loaded
    if gate.kind != kind:
        raise _Unusable(f"it calls itself '{gate.kind}'")
    if not callable(gate.ask) or not (gate.look is None or callable(gate.look)):
        raise _Unusable("its ask and look must be functions")
    if not isinstance(gate.cost, Cost):
        raise _Unusable(f"its cost is {gate.cost!r}, not one of herodeploy.gates.api.Cost")
    if gate.look is not None and gate.cost is Cost.FREE:
        raise _Unusable("it has a look, so its cost must be Cost.LOOKS or Cost.ACTS")
    if isinstance(gate.options, str) or not all(isinstance(name, str) for name in gate.options):
        raise _Unusable("its options must be a set of names")
    if gate.model is not None and not hasattr(gate.model, "model_validate"):
        raise _Unusable("its model is no pydantic model")
    return loaded


def _careful_ask(ask: Ask, kind: str, of: str) -> Ask:
    def careful(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:
        try:
            with printing_aside():
                return _plain(ask(facts, spec, now))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it may raise anything
            why = str(error) if isinstance(error, _Unusable) else _told(error)
            reason = options.one_line(f"{of} broke: {why}", LONGEST)
            return Verdict(kind, Answer.WAIT, reason, until=now + AGAIN)

    return careful


def _plain(answered: Any) -> Verdict:
    """Return a verdict that can be kept.

    Raises:
        _Unusable: it is none.
    """
    verdict: Any = answered
    if not isinstance(answered, Verdict) or verdict.answer not in (Answer.PASS, Answer.WAIT, Answer.FAIL):
        raise _Unusable("it answered with no verdict of PASS, WAIT or FAIL")
    if not isinstance(verdict.reason, str) or not options.one_line(verdict.reason, LONGEST):
        raise _Unusable("its verdict has no reason")
    if verdict.until is not None and (not isinstance(verdict.until, datetime) or verdict.until.tzinfo is None):
        raise _Unusable("its until is no datetime with a time zone")
    reason, facts = options.one_line(verdict.reason, LONGEST), _json(answered.facts, "facts")
    # The answer may be a plain text, and what only an override has is none of a gate's.
    kept = Verdict(answered.kind, Answer(verdict.answer), reason, answered.until, facts)
    for name in ("look_again_at", "in_the_way_since"):
        try:
            told = getattr(kept, name)
        except ValueError:
            raise _Unusable(f"its {name} is no time in ISO 8601") from None
        if told is not None and told.tzinfo is None:
            raise _Unusable(f"its {name} has no time zone")
    return kept


def _careful_look(look: Look, of: str) -> Look:
    at_it: list[_Looking] = []

    def careful(question: Question) -> Mapping[str, object]:
        if at_it and at_it[0].is_alive():
            raise UsageError(f"{of} looks still, since more than {options.spoken(WITHIN)}")
        with printing_aside():
            looking = _Looking(lambda: _json(look(question), "look"))
            at_it[:] = [looking]
            looking.join(WITHIN.total_seconds())
        if looking.is_alive():
            raise UsageError(f"{of} broke: it looked for more than {options.spoken(WITHIN)}")
        try:
            return looking.result()
        except (_Unusable, SystemExit) as error:
            raise UsageError(f"{of} broke: {error}") from None

    return careful


class _Looking(Thread):
    """A look in a thread of its own, which can be left to itself: nothing ends what somebody else wrote."""

    def __init__(self, look: Callable[[], dict[str, object]]) -> None:
        super().__init__(daemon=True)
        self._look = look
        self._came: dict[str, object] | BaseException = {}
        self.start()

    def run(self) -> None:
        try:
            self._came = self._look()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._came = error

    def result(self) -> dict[str, object]:
        """Return what it saw, or raise what it raised."""
        if isinstance(self._came, BaseException):
            raise self._came
        return self._came


def _json(value: Any, what: str) -> dict[str, object]:
    try:
        found = json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise _Unusable(f"its {what} must be plain JSON values") from None
    return dict(found)
