from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herodeploy.domain.delivery import Delivery, Status, delivery_id

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        (Status.RUNNING, False),
        (Status.WAITING, False),
        (Status.ERRORED, False),
        (Status.FAILED, True),
        (Status.DELIVERED, True),
        (Status.SUPERSEDED, True),
    ],
)
def test_which_statuses_are_the_end(status: Status, ended: bool) -> None:
    assert status.ended is ended


@given(st.integers(0, 10**15), st.integers(245, 10**9))
def test_ids_sort_by_time_also_within_a_second(start: int, later: int) -> None:
    first = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=start)
    second = first + timedelta(microseconds=later)
    assert delivery_id(first, "f") < delivery_id(second, "0")


def test_a_leg_is_named_by_what_it_does() -> None:
    made = Delivery(
        id=delivery_id(NOON.replace(microsecond=500_000), "a"),
        pipeline_id="p",
        pipeline="shop",
        commit="0123456789abcdef",
        branch=None,
        message="",
        author="",
        status=Status.RUNNING,
        at_stage="staging",
        attempt=2,
        created_at=NOON,
        updated_at=NOON,
    )
    assert made.leg_id == "20261123-120000-800a/staging/2"
    assert made.short == "01234567"
