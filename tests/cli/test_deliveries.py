"""How commands show what gates say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from herodeploy.cli import deliveries, layout
from herodeploy.domain.gate import Answer, Verdict

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def test_when_a_gate_is_asked_again_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    later = {"look_again_at": (NOON + timedelta(minutes=5, seconds=7)).isoformat()}
    deliveries.say_verdicts(
        [
            Verdict("lock", Answer.WAIT, "locked until 2026-11-26 12:00 UTC: lunch", until=NOON, name="lock"),
            Verdict("soak", Answer.WAIT, "soaks until 2026-11-26 12:00 UTC", until=NOON, facts=later, name="soak"),
            Verdict("http", Answer.WAIT, "it is not ready", until=NOON, name="http"),
            Verdict("ci", Answer.PASS, "CI succeeded", name="ci"),
        ],
        again=layout.exact,
    )
    noon, five = layout.until(NOON), layout.moment(NOON + timedelta(minutes=5, seconds=7))
    assert capsys.readouterr().out.splitlines() == [
        f"  WAIT  lock: locked until {noon}: lunch",
        f"  WAIT  soak: soaks until {noon} (asked again at {five})",
        f"  WAIT  http: it is not ready (asked again at {noon})",
        "  PASS  ci: CI succeeded",
    ]
