"""A change's journey, on a real local platform."""

from __future__ import annotations

from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.errors import UsageError
from herodeploy.flows import deliver, mode

Shop = Any
PROCFILE = 'web: exec python3 -m http.server "$PORT" --bind 127.0.0.1\n'
CRASHES = {"Procfile": "web: echo good-bye; exit 7\n"}


def test_it_waits_for_a_person_and_then_the_same_slug_goes_on(shop: Shop) -> None:
    waiting = shop.deliver()
    assert (waiting.status, waiting.at_stage, waiting.ci) == (Status.WAITING, "production", "succeeded")
    assert shop.slug(shop.app("staging")) == waiting.slug_id
    assert shop.slug(shop.app("production")) is None
    assert "approve" in waiting.reason

    approved = deliver.approve(shop.services, waiting.id[-4:], comment="fine")
    delivered = shop.advance(approved)

    assert delivered.status is Status.DELIVERED
    assert shop.slug(shop.app("production")) == waiting.slug_id
    assert shop.kinds(delivered) == [
        "delivery.created",
        "leg.started",
        "ci.succeeded",
        "gates.passed",
        "leg.started",
        "deploy.succeeded",
        "gates.waiting",
        "approval.given",
        "gates.passed",
        "leg.started",
        "delivery.delivered",
    ]


def test_in_deployment_mode_it_goes_through_and_a_second_time_there_is_nothing_to_do(shop: Shop) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, "trust")
    delivered = shop.deliver()
    assert delivered.status is Status.DELIVERED
    versions = shop.versions(shop.app("production"))

    assert shop.deliver() == delivered
    assert shop.versions(shop.app("production")) == versions


def test_the_switch_lets_a_waiting_one_go(shop: Shop) -> None:
    waiting = shop.deliver()
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    assert [(each.id, each.status) for each in shop.resume()] == [(waiting.id, Status.DELIVERED)]


def test_a_rejected_one_is_over(shop: Shop) -> None:
    waiting = shop.deliver()
    rejected = deliver.reject(shop.services, waiting.id, comment="not today")
    assert rejected.status is Status.FAILED
    assert "not today" in rejected.reason
    with pytest.raises(UsageError):
        deliver.approve(shop.services, waiting.id)


def test_failing_tests_stop_it(shop: Shop) -> None:
    shop.commit(index_dot_html="rude\n")
    failed = shop.deliver()
    assert (failed.status, failed.at_stage, failed.ci) == (Status.FAILED, "test", "failed")
    assert "rude" in shop.told("output")
    assert shop.services.heroku.builds.list(shop.app("staging")) == []


def test_a_failing_build_stops_it(shop: Shop) -> None:
    shop.git("rm", "--quiet", "Procfile")
    failed = shop.deliver(shop.commit())
    assert (failed.status, failed.at_stage) == (Status.FAILED, "staging")
    assert failed.reason.startswith(f"the build of {failed.short} failed")


def test_a_failing_release_phase_leaves_the_old_release_serving(make: Any) -> None:
    shop = make(
        {"Procfile": 'web: exec python3 -m http.server "$PORT"\nrelease: echo migrating; cat ready\n', "ready": ""}
    )
    good = shop.deliver()
    assert good.status is Status.WAITING
    assert "migrating" in shop.told("output")
    shop.git("rm", "--quiet", "ready")
    failed = shop.deliver(shop.commit())
    assert failed.status is Status.FAILED
    assert "keeps serving" in failed.reason
    assert shop.slug(shop.app("staging")) == good.slug_id
    assert shop.services.store.delivery(good.id).status is Status.WAITING, "a failed one supersedes nothing"


def test_what_does_not_boot_is_stopped_on_staging(shop: Shop) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    shop.commit(Procfile=CRASHES["Procfile"])
    failed = shop.deliver()
    assert (failed.status, failed.at_stage) == (Status.FAILED, "staging")
    assert "crashed" in failed.reason
    assert any("good-bye" in line for line in shop.told("output")), "the app's last words are shown"
    assert shop.slug(shop.app("production")) is None


def test_what_answers_wrongly_is_stopped_on_staging(shop: Shop) -> None:
    shop.git("mv", "index.html", "other.html")
    failed = shop.deliver(shop.commit())
    assert (failed.status, failed.at_stage) == (Status.FAILED, "staging")
    assert "answered 404 to GET /index.html" in failed.reason
    assert shop.told("output")
    assert [line for line in shop.told("output") if "heroku[router]" in line] == [], "those are our own questions"


@pytest.mark.parametrize(
    ("procfile", "types"), [("worker: sleep 100\n", "worker"), ("webb: x\nclock: y\nrelease: true\n", "clock, webb")]
)
def test_what_has_no_web_process_is_not_asked_for_an_answer(shop: Shop, procfile: str, types: str) -> None:
    failed = shop.deliver(shop.commit(Procfile=procfile))
    assert (failed.status, failed.at_stage) == (Status.FAILED, "staging")
    staging = shop.app("staging")
    assert failed.reason == (
        f"the Procfile of {failed.short} declares no web process ({types} only), so {staging} cannot answer "
        "GET /index.html; add one, or remove verify from herodeploy.yml"
    )
    assert asked(shop) == []


def test_a_web_process_that_is_scaled_to_nothing_is_named(shop: Shop) -> None:
    staging = shop.app("staging")
    shop.deliver(shop.commit(Procfile="worker: sleep 100\n"))
    failed = shop.deliver(shop.commit(Procfile=PROCFILE))
    assert failed.reason == (
        f"web of {staging} is scaled to 0, so it cannot answer GET /index.html; "
        f"scale it: heroku ps:scale web=1 --app {staging}"
    )
    assert asked(shop) == []


def asked(shop: Shop) -> list[str]:
    """What staging's router was asked."""
    return shop.services.heroku.logs.lines(shop.app("staging"), source="heroku", dyno="router")


def test_a_newer_one_supersedes_the_one_that_waits(shop: Shop) -> None:
    older = shop.deliver()
    shop.commit(index_dot_html="two\n")
    newer = shop.deliver()
    assert newer.status is Status.WAITING
    assert shop.services.store.delivery(older.id).status is Status.SUPERSEDED
    with pytest.raises(UsageError):
        deliver.approve(shop.services, older.id)


def test_only_what_is_on_the_branch_is_delivered(shop: Shop) -> None:
    shop.git("switch", "--quiet", "--create", "feature")
    assert shop.deliver().branch == "feature", "a branch that points at what main has"
    shop.commit(index_dot_html="two\n")
    with pytest.raises(UsageError, match="'main'"):
        shop.deliver()


def test_ids_may_be_short_and_must_be_clear(shop: Shop) -> None:
    waiting = shop.deliver()
    assert deliver.find(shop.services, waiting.short) == waiting
    with pytest.raises(UsageError, match="no delivery"):
        deliver.find(shop.services, "nope")
