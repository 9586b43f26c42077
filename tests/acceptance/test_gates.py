"""Locks, holds and overrides, as a person at a shell sees them."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.acceptance
Person = Any
BOB = {"HERODEPLOY_ACTOR": "bob@example.com"}


def test_a_lock_keeps_out_until_it_is_taken_away(shop: Person) -> None:
    shop.herodeploy("mode", "deployment", "--why", "quicker")
    assert shop.herodeploy("locks").out == "nothing is locked\n"
    told = shop.herodeploy("lock", "--why", "the sale", "--for", "2h", **BOB).out
    assert told.startswith("production is locked until 20")
    [lock] = shop.herodeploy("locks", "--json").json()["locks"]
    assert told.endswith(f": the sale\n  undo it: herodeploy unlock {lock['id']}\n")
    assert (lock["scope"], lock["by"], lock["why"], lock["warning"]) == (
        "production",
        "bob@example.com",
        "the sale",
        False,
    )
    head, row = shop.herodeploy("locks").out.splitlines()
    assert head.split() == ["LOCK", "PLACE", "KIND", "BY", "SINCE", "UNTIL", "WHY"]
    assert row.startswith(f"{lock['id']}  production  lock  bob@example.com")
    assert row.endswith("the sale")

    assert "production is locked by bob@example.com until" in shop.herodeploy("deliver").out
    ended = shop.herodeploy("unlock")
    assert ended.out.startswith("unlocked production: the lock of bob@example.com, set ")
    assert ended.err.endswith(": delivered\n")
    assert shop.fetch("shop-production", "/index.html")[0] == 200
    assert "production is not locked" in shop.herodeploy("unlock", code=2).err
    assert "--why" in shop.herodeploy("lock", code=2).err
