"""What commands tell a person to do next, and what they keep to themselves because it would not help."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.acceptance
Person = Any
BOB = {"HERODEPLOY_ACTOR": "bob@example.com"}


def test_of_what_has_ended_no_times_are_told_and_nothing_that_would_be_refused(shop: Person) -> None:
    shop.herodeploy("mode", "deployment", "--why", "quicker")
    shop.herodeploy("lock", "--why", "lunch", "--for", "2h", **BOB)
    shop.herodeploy("deliver")
    first = shop.waiting()
    assert "(asked again at 20" in shop.herodeploy("why").out
    shop.herodeploy("reject", first, "-m", "numbers are wrong", **BOB)
    told = shop.herodeploy("why").out.splitlines()
    assert "  WAIT  lock: production is locked by bob@example.com until 20" in "\n".join(told)
    assert told[-2] == "  FAIL  approval: rejected by bob@example.com: numbers are wrong"
    assert told[-1].startswith("  try that commit again: herodeploy deliver --retry ")
    assert "asked again at" not in "\n".join(told)
    assert "not before" not in "\n".join(told)

    shop.herodeploy("unlock", **BOB)
    shop.commit("Two", index_dot_html="two\n")
    shop.herodeploy("deliver")
    assert "  delivered" in shop.herodeploy("why").out.splitlines()[0]
    assert (
        "none that failed at a gate may come back" in shop.herodeploy("override", "lock", "--reason", "x", code=2).err
    )
