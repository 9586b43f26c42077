"""Are the checks on GitHub green?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates.options import listed, matches, moment

KIND = "checks"
OPTIONS = frozenset({"require", "allow_failure", "hide", "blocking", "repository"})
LOOK_AGAIN = timedelta(minutes=1)
SHOWN = 5

Data = Mapping[str, Any]


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:  # noqa: ARG001 - every gate is asked alike
    """Pass when all checks that count are green; fail when one of them says no to this commit; wait otherwise.

    What gave no answer (cancelled, timed out) can be run again and what is red on an earlier commit can turn green, so
    these wait. All that has reported counts, but for what is hidden or allowed to fail.

    Options of `spec`, patterns of names all but the last:
        require: these must have reported and be green, whatever else is written.
        allow_failure: these are told and in nobody's way.
        hide: these are as if they were not there.
        blocking: red on a commit between what the stage runs and this one is in the way, too.
        repository: ``owner/name`` on GitHub.
    """
    seen = facts.observed(spec)
    if seen is None:
        return Verdict(KIND, Answer.WAIT, "nobody has looked yet")
    data: Data = seen.data
    busy = moment(data.get("busy_until"))
    if busy is not None:
        return Verdict(KIND, Answer.WAIT, str(data["busy"]), until=busy, facts=data)
    answer, reason = judge(facts.commit, data, spec.options)
    again = {"look_again_at": (seen.at + LOOK_AGAIN).isoformat()} if answer is Answer.WAIT else {}
    return Verdict(KIND, answer, reason, facts={**data, **again})


def judge(commit: str, data: Data, options: Mapping[str, Any]) -> tuple[Answer, str]:
    """Return what the checks of a commit come to, and why.

    Parameters:
        data: ``checks`` of the commit; of those before it ``red``, ``unseen`` and ``unknown``, see the look.
        options: as of `ask`.
    """
    counting = [each for each in data["checks"] if counts(each["name"], options)]
    failed = [each for each in counting if each["state"] == "failed"]
    if failed:
        return Answer.FAIL, f"{_named(failed)} for {commit[:8]}"
    waits = [*_unfinished(commit, counting, options), *_earlier(data)]
    return (Answer.WAIT, "; ".join(waits)) if waits else (Answer.PASS, _passed(commit, counting, data, options))


def counts(name: str, options: Mapping[str, Any]) -> bool:
    """Whether a check of that name decides anything."""
    if matches(name, options.get("require", ())) or matches(name, options.get("blocking", ())):
        return True
    return not matches(name, options.get("hide", ())) and not matches(name, options.get("allow_failure", ()))


def _unfinished(commit: str, counting: list[Data], options: Mapping[str, Any]) -> Iterator[str]:
    missing = [one for one in options.get("require", ()) if not any(matches(each["name"], [one]) for each in counting)]
    if missing:
        yield f"missing: {listed(missing, SHOWN)} never reported for {commit[:8]}"
    elif not counting:
        yield f"no check has reported for {commit[:8]} yet"
    errored = [each for each in counting if each["state"] == "errored"]
    if errored:
        yield f"{_named(errored)} for {commit[:8]}; run it again on GitHub"
    pending = [each["name"] for each in counting if each["state"] == "pending"]
    if pending:
        yield f"{listed(pending, SHOWN)} {'is' if len(pending) == 1 else 'are'} not done for {commit[:8]}"


def _earlier(data: Data) -> Iterator[str]:
    """Yield what keeps back that came before this commit and has not been in the stage yet."""
    for app, commit in data["unknown"].items():
        what = f"{commit[:8]}, which is not in this clone" if commit else "a commit that is not known"
        yield f"{app} runs {what}, so nobody can tell which commits are new to it: git fetch --all"
    if data["red"]:
        told = [f"{each['name']} is red ({each['said']}) on the earlier {each['commit'][:8]}" for each in data["red"]]
        yield listed(told, SHOWN)
    if data["unseen"]:
        yield f"{data['unseen']} earlier commits are still to be looked at"


def _passed(commit: str, counting: list[Data], data: Data, options: Mapping[str, Any]) -> str:
    green = f"{len(counting)} check{'s' if len(counting) > 1 else ''} succeeded for {commit[:8]}"
    allowed = [
        each
        for each in data["checks"]
        if each["state"] in ("failed", "errored")
        and not counts(each["name"], options)
        and not matches(each["name"], options.get("hide", ()))
    ]
    return f"{green}; {_named(allowed)}, which is allowed" if allowed else green


def _named(checks: list[Data]) -> str:
    return listed([f"{each['name']} says {each['said']}" for each in checks], SHOWN)
