from __future__ import annotations

import traceback

from herodeploy.domain.secret import Secret


def test_a_secret_is_shown_in_no_way_but_reveal() -> None:
    secret = Secret("t0psecret")
    shown = [str(secret), repr(secret), f"{secret}", repr({"key": secret}), repr([secret])]
    shown += traceback.format_exception(ValueError(secret))
    assert not any("t0psecret" in text for text in shown)
    assert "[REDACTED]" in shown[-1]
    assert secret.reveal() == "t0psecret"


def test_secrets_compare_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
