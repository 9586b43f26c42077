"""Calendars in herodeploy.yml: what is read, and where mistakes stand."""

from __future__ import annotations

from typing import Any

import pytest

from herodeploy.config.load import parse
from herodeploy.errors import ConfigError

SHOP = """\
pipeline: shop
stages:
  production:
    apps: [shop]
    gates:
      - {gate}
"""


@pytest.mark.parametrize(
    ("gate", "options"),
    [
        ("window: {allow: Mon-Thu 09:00-16:00}", {"allow": ["Mon-Thu 09:00-16:00"]}),
        (
            'window: {allow: ["Mon-Thu", 2026-12-24], timezone: Europe/Berlin}',
            {"allow": ["Mon-Thu", "2026-12-24"], "timezone": "Europe/Berlin"},
        ),
        (
            "freeze: {deny: {rrule: FREQ=DAILY, start: 2026-01-30 15:00:00, duration: 1h 30m}, why: backup}",
            {"deny": [{"rrule": "FREQ=DAILY", "start": "2026-01-30T15:00:00", "duration": "1h30m"}], "why": "backup"},
        ),
    ],
)
def test_it_is_read_as_plain_values(gate: str, options: dict[str, Any]) -> None:
    assert parse(SHOP.replace("{gate}", gate), "herodeploy.yml").stages[0].gates[0].options == options


@pytest.mark.parametrize(
    ("gate", "message", "hint"),
    [
        ("window", ".window.allow is missing", "a range or a list of them"),
        ("window: {allow: []}", ".window.allow is empty", "a range or a list of them"),
        ("window: {alow: Mon-Fri}", "unknown key 'alow'", "did you mean 'allow'?"),
        ("window: {allow: Mon-Fry}", ".window.allow[0] is 'Mon-Fry': 'Fry' is no day of the week", "such as"),
        ("freeze: {deny: [Mon, 7]}", ".freeze.deny[1] is 7, which is no range", "2026-12-20..2027-01-03"),
        ("freeze: {deny: {rrule: FREQ=DAILY}}", ".freeze.deny[0] is no recurring range: duration is missing", "rrule"),
        (
            "freeze: {deny: {rrule: FREQ=DAILY, start: 2026-01-01, duration: soon}}",
            ".freeze.deny[0] has the duration 'soon', which is no length of time",
            "90m",
        ),
        ("window: {allow: Mon, timezone: Berlin}", "timezone is 'Berlin', which is no IANA", "mean 'Europe/Berlin'?"),
        ("window: {allow: Mon, timezone: new york}", "is 'new york', which is no IANA", "mean 'America/New_York'?"),
        ("window: {allow: Mon, timezone: ../../etc}", "'../../etc', which is no IANA time zone", "such as Europe"),
        ("window: {allow: Mon, timezone: 3}", "timezone is 3; it must be text", "put it in quotes"),
    ],
)
def test_a_mistake_names_place_value_and_way_out(gate: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(SHOP.replace("{gate}", gate), "herodeploy.yml")
    assert caught.value.message.startswith("herodeploy.yml:6: ")
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
