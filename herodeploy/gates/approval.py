"""Did enough people say yes to this artifact in this stage, and nobody no?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from herodeploy.domain.approval import Approval
from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import options

KIND = "approval"
OPTIONS = frozenset({"count", "by_other", "expires", "grace", "optional"})
_LOGIN = re.compile(r"(?:\d+\+)?([\w-]+)@users\.noreply\.github\.com", re.IGNORECASE)


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:
    """Pass with `count` people's yes, fail with one no; each person's latest word counts, for this artifact alone.

    Options of `spec`:
        count: how many people, 1 unless given.
        by_other: whether the author's own yes does not count.
        expires: how long a yes holds after it was given; for ever unless given.
        grace: how long a yes that was given to the same artifact in an earlier delivery counts for this one, too; not
            at all unless given, nor where anybody said no to that artifact after it. As of Samson's buddy check.
    """
    # One of a clock ahead of ours was given, too.
    heard = [word for word in facts.approvals if word.slug_id == facts.slug_id]
    ours = [word for word in heard if word.delivery_id == facts.delivery_id]
    theirs = [word for word in heard if word.delivery_id != facts.delivery_id]
    words = _latest([*ours, *_in_grace(theirs, options.duration(spec.options.get("grace")), now)])
    refusal = next((word for word in words if not word.approved), None)
    unheard = {word.by: why for word in words if (why := void(word, facts, spec, now)) is not None}
    valid = [word.by for word in words if word.by not in unheard]
    count = int(spec.options.get("count", 1))
    known = {"count": count, "by": valid, "void": unheard, "slug_id": facts.slug_id}
    if refusal is not None:
        since = {"in_the_way_since": refusal.at.isoformat()}
        return Verdict(KIND, Answer.FAIL, sentence(refusal), facts=known | since)
    if len(valid) >= count:
        return Verdict(KIND, Answer.PASS, f"approved by {' and '.join(valid)}", facts=known)
    wanted = "an approval" if count == 1 else f"{count} approvals, {len(valid)} given"
    told = "".join(f"; {by}'s does not count: {why}" for by, why in unheard.items())
    return Verdict(KIND, Answer.WAIT, f"waits for {wanted}{told}: herodeploy approve {facts.delivery_id}", facts=known)


def sentence(refusal: Approval) -> str:
    """Say who said no, and why."""
    return f"rejected by {refusal.by}" + (f": {refusal.comment}" if refusal.comment else "")


def void(word: Approval, facts: Facts, spec: GateSpec, now: datetime) -> str | None:
    """Return why a yes counts for nothing, or None when it counts."""
    expires = options.duration(spec.options.get("expires"))
    if expires is not None and word.at + expires <= now:
        return f"given more than {options.spoken(expires)} ago"
    if spec.options.get("by_other", False) and _same_person(word.by, facts.author):
        return "the author's own"
    return None


def _latest(words: Iterable[Approval]) -> list[Approval]:
    by = {word.by.casefold(): word for word in sorted(words, key=lambda word: word.at)}
    return sorted(by.values(), key=lambda word: word.at)


def _in_grace(theirs: Sequence[Approval], grace: timedelta | None, now: datetime) -> list[Approval]:
    """Return those of other deliveries' words that count here: each yes that is no older than that, and than any no."""
    if grace is None:
        return []
    refused = max((word.at for word in theirs if not word.approved), default=None)
    return [
        word for word in theirs if word.approved and now < word.at + grace and (refused is None or word.at > refused)
    ]


def _same_person(by: str, author: str) -> bool:
    """Whether an account is a commit's author, who is written as an address or as ``Name <address>``.

    GitHub's own addresses hold the login.
    """
    names = {author.strip(), *re.findall(r"<([^<>]+)>", author), *_LOGIN.findall(author)}
    return by.strip().casefold() in {name.casefold() for name in names}
