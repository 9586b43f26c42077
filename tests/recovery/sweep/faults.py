"""The fault sweep: a story on a platform of which a share of the calls fails ends as on one that works."""

from __future__ import annotations

import random

from .kills import SHOWN, Swept, difference, undisturbed
from .place import CLIENT_GAVE_UP, Platform, Shop, left_behind, mark, wait_until_quiet
from .stories import CANNOT, Story, waiting

KINDS = ("rate-limit", "error", "unavailable", "reset-before", "reset-after", "latency", "stall")
TRIES = 40
"""Commands after which a story that still errors is given up."""
ERRORED = 3


def sweep(platform: Platform, story: Story, percent: int, seeds: int) -> Swept:
    """Tell a story with so many seeds, `percent` of the calls failing."""
    swept, shop = Swept(), story.open(platform)
    expected = undisturbed(story, shop)
    for seed in range(seeds):
        swept.points += 1
        wrong = _trial(story, shop, percent, seed, expected)
        if wrong:
            swept.wrong.append(f"{percent}%, seed {seed}: {wrong}")
            story.close(shop)
            shop = story.open(platform)
            undisturbed(story, shop)
        if len(swept.wrong) >= SHOWN:
            break
    story.close(shop)
    return swept


def _trial(story: Story, shop: Shop, percent: int, seed: int, expected: dict[str, object]) -> str:
    story.prepare(shop)
    since = mark(shop)
    _order(shop, percent, seed)
    try:
        problem = _tell(story, shop)
    finally:
        shop.platform.control.clear_faults()
    wait_until_quiet(shop)
    left = left_behind(shop, since)
    # Calls that stall are noted when they end, which they do not; releases and builds tell of all that was done.
    left["acts"] = expected["acts"]
    story.clear(shop)
    return problem or difference(expected, left)


def _order(shop: Shop, percent: int, seed: int) -> None:
    """Order all kinds of faults at once; each has chances of its own, drawn from the one seed."""
    chance = random.Random(seed * 101 + percent)
    each = 1 - (1 - percent / 100) ** (1 / len(KINDS))
    for kind in KINDS:
        shop.platform.control.fault(
            kind, probability=each, count=None, seed=chance.randrange(2**31), seconds=CLIENT_GAVE_UP
        )


def _tell(story: Story, shop: Shop) -> str | None:
    """Give the commands, and again what they say while they end as errored; return what else they ended with."""
    for number, command in enumerate(story.commands):
        words = command(shop)
        for _ in range(TRIES):
            ended = shop.herodeploy(*words, hasty=True)
            if ended.code == story.ends(number) and _did(story, shop, words, number):
                break
            if ended.code == CANNOT and words != ["resume"]:
                # Nothing is left to do, or the delivery has gone on and is carried on by resume.
                if not story.resumable:
                    break
                words = ["resume"]
            elif ended.code not in (0, ERRORED):
                return f"{' '.join(words)} ended with {ended.code}:\n{ended.out[-1500:]}"
            elif story.resumable:
                words = ["resume"] if "herodeploy resume" in ended.out else command(shop)
        else:
            return f"{' '.join(words)} still errors:\n{ended.out[-1500:]}"
    return None


def _did(story: Story, shop: Shop, words: list[str], number: int) -> bool:
    """Whether a command that ended well was the last one of its turn."""
    return not story.resumable or number == 0 or waiting(shop) is None
