"""Several apps at the same time, in threads."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from herodeploy.errors import PlatformUnreachable
from herodeploy.flows.side_by_side import SideBySide, side_by_side

Shop = Any


def test_all_pieces_of_work_are_under_way_at_the_same_time(shop: Shop) -> None:
    many = shop.services.at_once
    meeting = threading.Barrier(many, timeout=30)
    works = {f"app-{number}": lambda number=number: (meeting.wait(), number)[1] for number in range(many)}
    came_to = side_by_side(shop.services, works)
    assert list(came_to.items()) == [(f"app-{number}", number) for number in range(many)]


def test_an_error_is_raised_once_all_have_ended(shop: Shop) -> None:
    ended = []

    def broken() -> None:
        raise PlatformUnreachable("cut")

    def slow() -> None:
        began.wait(30)
        ended.append("slow")

    began = threading.Event()
    with SideBySide[None](shop.services) as threads:
        threads.begin("broken", broken)
        threads.begin("slow", slow)
        threads.begin("slow", slow)
        began.set()
        with pytest.raises(PlatformUnreachable):
            threads.results()
    assert ended == ["slow"], "once, also where it was begun twice"


def test_what_has_not_begun_when_the_block_is_left_never_begins(shop: Shop) -> None:
    held, done = threading.Event(), []

    def interrupted() -> None:
        with SideBySide[Any](shop.services) as threads:
            for number in range(shop.services.at_once):
                threads.begin(f"held {number}", lambda: held.wait(30))
            threads.begin("never", lambda: done.append("never"))
            raise KeyboardInterrupt

    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    held.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert not done
