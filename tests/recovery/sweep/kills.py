"""The kill sweep: a story is killed at every outgoing call, carried on, and must end as the undisturbed one did."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from .command import Ended, Kill
from .place import Platform, Shop, left_behind, mark
from .stories import CANNOT, Story, waiting

SHOWN = 5
"""Wrong ends after which a sweep stops."""


@dataclass
class Swept:
    """What a sweep came to.

    Parameters:
        points: how many trials there were.
        wrong: how each trial that ended otherwise differs.
    """

    points: int = 0
    wrong: list[str] = field(default_factory=list)


def sweep(platform: Platform, story: Story, moment: str, only: int | None = None) -> Swept:
    """Kill a story everywhere.

    Parameters:
        moment: ``before`` each call, or ``after`` it.
        only: at that call alone, to look into it.
    """
    swept, shop = Swept(), story.open(platform)
    expected = undisturbed(story, shop)
    for at in range(len(story.commands)):
        for call in itertools.count(1) if only is None else [only]:
            where, left = _trial(story, shop, at, Kill(call, moment))
            if where is None:
                assert left == expected, f"undisturbed once more: {difference(expected, left)}"
                break
            swept.points += 1
            if left != expected:
                swept.wrong.append(f"{where}: {difference(expected, left)}")
                story.close(shop)
                shop = story.open(platform)
                assert undisturbed(story, shop) == expected
            if len(swept.wrong) >= SHOWN:
                return swept
    story.close(shop)
    return swept


def undisturbed(story: Story, shop: Shop) -> dict[str, Any]:
    """Return what a story leaves behind that nothing disturbs."""
    story.prepare(shop)
    # The first run of all finds apps that never had anything.
    for number, command in enumerate(story.commands):
        _give(shop, command(shop), story.ends(number))
    story.clear(shop)
    return _trial(story, shop, 0, None)[1]


def _trial(story: Story, shop: Shop, at: int, kill: Kill | None) -> tuple[str | None, dict[str, Any]]:
    """Return where the process was killed, None where it came to its end before that, and what is left behind."""
    story.prepare(shop)
    since, where = mark(shop), None
    for number, command in enumerate(story.commands):
        if number != at or kill is None:
            _give(shop, command(shop), story.ends(number))
            continue
        ended = shop.herodeploy(*command(shop), kill=kill)
        if ended.killed:
            where = f"{' '.join(command(shop)[:1])} killed {kill.moment} call {kill.call}, {ended.calls[-1]}"
            _carry_on(story, shop, number, kill)
        else:
            assert ended.code == story.code, ended.out
    left = left_behind(shop, since)
    story.clear(shop)
    return where, left


def _carry_on(story: Story, shop: Shop, number: int, kill: Kill) -> None:
    """Give what a person would: the same command once more, or resume, and the command where that found nothing."""
    if story.resumable and kill.moment == "after":
        said = shop.herodeploy("resume")
        done = (
            said.code in (0, story.code)
            and "nothing is open" not in said.out
            and (number == 0 or waiting(shop) is None)
        )
        if done:
            return
    again = shop.herodeploy(*story.commands[number](shop))
    if again.code not in (0, story.code):
        raise_unless_gone(again)


def raise_unless_gone(ended: Ended) -> None:
    """Let a command say that there is nothing left to do."""
    assert ended.code == CANNOT, ended.out


def _give(shop: Shop, words: list[str], code: int) -> Ended:
    ended = shop.herodeploy(*words)
    assert ended.code == code, f"{words}:\n{ended.out}"
    return ended


def difference(expected: dict[str, Any], left: dict[str, Any]) -> str:
    """Say what is not as expected; nothing where all is."""
    return "; ".join(f"{key} are {left[key]}, not {expected[key]}" for key in expected if left[key] != expected[key])
