from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from herodeploy.domain.change import Change, TestRun, TestStatus


def test_a_commit_is_shown_as_heroku_shows_it() -> None:
    assert Change("0123456789abcdef", None, "", "").short == "01234567"


@pytest.mark.parametrize("status", get_args(TestStatus))
def test_a_run_is_settled_once_nothing_more_will_happen(status: TestStatus) -> None:
    run = TestRun("1", 1, "p", status, "c", "main", None, datetime(2026, 1, 1, tzinfo=UTC))
    assert run.settled is (status in {"succeeded", "failed", "errored", "cancelled"})
