from __future__ import annotations

from typing import Any

from herodeploy.local.wire.limits import Limiter


def test_tokens_are_taken_and_come_back_with_time() -> None:
    now = [0.0]
    limiter = Limiter(2, 60, lambda: now[0])
    assert [limiter.take() for _ in range(3)] == [True, True, False]
    now[0] = 1.0
    assert [limiter.take() for _ in range(2)] == [True, False]
    now[0] = 1000.0
    assert limiter.remaining == 2


def test_an_account_runs_out_of_calls_and_asking_for_the_rest_is_free(run_platform: Any, tmp_path: Any) -> None:
    with run_platform(tmp_path / "data", rate_limit=3, rate_refill=0) as local:
        left = [local.http.get("/account").headers["RateLimit-Remaining"] for _ in range(3)]
        assert left == ["2", "1", "0"]
        refused = local.http.get("/account")
        assert (refused.status_code, refused.json()["id"]) == (429, "rate_limit")
        assert refused.headers["RateLimit-Remaining"] == "0"
        assert local.get("/account/rate-limits") == {"remaining": 0}
        assert local.http.get("/account", headers={"Authorization": "Bearer wrong"}).status_code == 401
