"""A soak over a real app with real dynos and a real log; only its clock is moved by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.pipeline import GateSpec, VerifySpec
from herodeploy.errors import PlatformUnreachable
from herodeploy.flows.health import no_answer
from herodeploy.flows.waiting import until

Shop = Any
Make = Callable[..., Shop]
MINUTE = timedelta(minutes=1)

SERVE = """\
import http.server, os, pathlib
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            os._exit(1)
        self.send_response(500 if self.path == "/error" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""
FILES = {"Procfile": "web: exec python3 serve.py\n", "serve.py": SERVE}


class Clock:
    """The time of the one who looks, which passes when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        # Two events are never of the same instant.
        self.now += timedelta(microseconds=1)
        return self.now

    def pass_(self, minutes: float) -> None:
        self.now += minutes * MINUTE


@pytest.fixture
def soaking(make: Make) -> tuple[Shop, Clock, Delivery]:
    """A shop whose delivery has begun to soak for a quarter of an hour."""
    return begun(make, "staging")


def begun(make: Make, *names: str) -> tuple[Shop, Clock, Delivery]:
    """Let a delivery begin to soak in apps of these names."""
    shop, clock = make(FILES, applied=False), Clock()
    verify = VerifySpec("/", within=timedelta(seconds=20), passes=1)
    first, last = shop.services.spec.stages
    apps = tuple(f"{shop.services.spec.name}-{name}" for name in names)
    first = dataclasses.replace(first, verify=verify, apps=apps, waves=(apps,))
    last = dataclasses.replace(last, verify=verify, gates=(GateSpec("soak", {"for": 15 * MINUTE}),))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(first, last), mode="deployment")
    shop.apply()
    shop.services.clock = clock
    delivery = shop.deliver()
    assert delivery.status is Status.WAITING
    assert delivery.reason == "soaks in staging until 2026-11-23 12:15 UTC, 15m without interruption"
    return shop, clock, delivery


def look(shop: Shop) -> Delivery:
    [delivery] = shop.resume()
    assert isinstance(delivery, Delivery)
    return delivery


def visit(shop: Shop, path: str) -> None:
    app = shop.services.heroku.apps.get(shop.app("staging"))
    shop.services.heroku.probe(app, path, 20.0)


def crash(shop: Shop) -> None:
    """Let the web dyno crash, once it is up."""
    restart_of(shop)
    logs, app = shop.services.heroku.logs, shop.app("staging")

    def crashes() -> int:
        return sum(line.endswith(" to crashed") for line in logs.lines(app, 1500, dyno="web.1"))

    before = crashes()
    visit(shop, "/crash")
    until(shop.services, lambda: crashes() > before or None)


def restart_of(shop: Shop) -> None:
    """Wait until the web dyno is up again."""
    heroku, app = shop.services.heroku, shop.app("staging")
    until(shop.services, lambda: all(dyno.state == "up" for dyno in heroku.dynos.list(app)) or None)


def soak_for(shop: Shop, clock: Clock, minutes: int) -> Delivery:
    for _ in range(minutes):
        clock.pass_(1)
        delivery = look(shop)
    return delivery


def test_it_passes_after_its_time_with_a_look_each_minute(soaking: tuple[Shop, Clock, Delivery]) -> None:
    shop, clock, delivery = soaking
    waiting = soak_for(shop, clock, 14)
    assert (waiting.status, waiting.reason) == (Status.WAITING, delivery.reason)
    assert waiting.recheck_at is not None
    assert waiting.recheck_at - clock.now <= MINUTE
    assert soak_for(shop, clock, 1).status is Status.DELIVERED
    assert shop.kinds(delivery).count("gates.waiting") == 1, "a look that changes nothing is no event"


def test_a_crash_between_two_looks_begins_it_anew(soaking: tuple[Shop, Clock, Delivery]) -> None:
    shop, clock, _ = soaking
    soak_for(shop, clock, 10)
    crash(shop)
    restart_of(shop)
    waiting = soak_for(shop, clock, 1)
    app = shop.app("staging")
    assert waiting.reason == f"web.1 crashed in {app}: its soak of 15m begins anew once it is healthy there"
    assert waiting.recheck_at is not None
    waiting = soak_for(shop, clock, 1)
    assert waiting.reason == "soaks in staging until 2026-11-23 12:27 UTC, 15m without interruption"
    assert soak_for(shop, clock, 14).status is Status.WAITING
    assert soak_for(shop, clock, 1).status is Status.DELIVERED


def test_a_dyno_that_stays_crashed_stays_in_the_way(soaking: tuple[Shop, Clock, Delivery]) -> None:
    shop, clock, delivery = soaking
    app = shop.app("staging")
    crash(shop)
    crash(shop)  # after which it takes a rest
    crashed = f"web.1 crashed in {app}: its soak of 15m begins anew once it is healthy there"
    assert soak_for(shop, clock, 1).reason == crashed
    assert soak_for(shop, clock, 1).reason == crashed
    assert shop.kinds(delivery).count("gates.waiting") == 2, "the same trouble is told once"


def test_every_app_of_the_stage_must_be_healthy(make: Make) -> None:
    shop, clock, _ = begun(make, "eu", "us")
    second = shop.services.heroku.apps.get(shop.app("staging", at=1))
    shop.services.heroku.probe(second, "/error", 20.0)
    waiting = soak_for(shop, clock, 1)
    assert waiting.reason.startswith(f"more than 1% of the requests to {second.name} failed (500): ")
    assert soak_for(shop, clock, 15).status is Status.WAITING
    assert soak_for(shop, clock, 1).status is Status.DELIVERED


def test_errors_in_the_log_begin_it_anew(soaking: tuple[Shop, Clock, Delivery]) -> None:
    shop, clock, _ = soaking
    visit(shop, "/error")
    waiting = soak_for(shop, clock, 1)
    app = shop.app("staging")
    assert waiting.reason == (
        f"more than 1% of the requests to {app} failed (500): its soak of 15m begins anew once it is healthy there"
    )
    assert soak_for(shop, clock, 1).reason.startswith("soaks in staging until 2026-11-23 12:17 UTC")


def test_few_errors_among_many_requests_are_no_matter(soaking: tuple[Shop, Clock, Delivery]) -> None:
    shop, clock, delivery = soaking
    first, last = shop.services.spec.stages
    last = dataclasses.replace(last, gates=(GateSpec("soak", {"for": 15 * MINUTE, "error_rate": "25%"}),))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(first, last))
    for path in ("/", "/", "/", "/error"):
        visit(shop, path)
    assert soak_for(shop, clock, 1).reason == delivery.reason
    seen = shop.services.store.gates.observations(delivery.id, "production")["soak"].data["apps"]
    [app] = seen.values()
    assert (app["requests"], app["errors"]) == (5, {"500": 1}), "the verification is a request, too"


def test_an_app_that_does_not_answer_is_not_healthy(soaking: tuple[Shop, Clock, Delivery]) -> None:
    shop, clock, _ = soaking
    app = shop.app("staging")
    shop.services.heroku.formation.scale(app, {"web": (0, None)})
    first, last = shop.services.spec.stages
    quick = dataclasses.replace(first, verify=VerifySpec("/", within=timedelta(seconds=0.1), passes=1))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(quick, last))
    waiting = soak_for(shop, clock, 1)
    assert waiting.reason.startswith(f"{app} answers 503 to GET /, not 200: its soak of 15m begins anew")


def test_the_command_of_the_verification_is_run_again(soaking: tuple[Shop, Clock, Delivery], tmp_path: Path) -> None:
    shop, clock, delivery = soaking
    flag = tmp_path / "bad"
    first, last = shop.services.spec.stages
    checked = dataclasses.replace(first, verify=VerifySpec(None, command=f"test ! -e {flag}"))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(checked, last))
    assert soak_for(shop, clock, 1).reason == delivery.reason
    flag.touch()
    waiting = soak_for(shop, clock, 1)
    assert waiting.reason.startswith(f"`test ! -e {flag}` says no to v")
    flag.unlink()
    assert soak_for(shop, clock, 1).reason == "soaks in staging until 2026-11-23 12:18 UTC, 15m without interruption"


def test_nothing_that_comes_back_says_nothing_of_the_app(shop: Shop) -> None:
    app = shop.services.heroku.apps.get(shop.app("staging"))
    nowhere = dataclasses.replace(app, web_url="http://127.0.0.1:1/")
    spec = VerifySpec("/", within=timedelta(seconds=0.1))
    with pytest.raises(PlatformUnreachable, match="connection refused"):
        no_answer(shop.services, nowhere, spec)


def test_an_artifact_that_left_is_interrupted(soaking: tuple[Shop, Clock, Delivery]) -> None:
    shop, clock, delivery = soaking
    heroku, app = shop.services.heroku, shop.app("staging")
    soak_for(shop, clock, 5)
    ours = heroku.releases.current(app)
    other = shop.commit("Another", **{"serve.py": f"{SERVE}#\n"})
    build_of(shop, other.commit)
    waiting = soak_for(shop, clock, 1)
    version = heroku.releases.current(app).version
    assert waiting.reason.startswith(f"{app} runs v{version}, another artifact: its soak of 15m begins anew")
    heroku.releases.rollback(app, ours.version)
    restart_of(shop)
    waiting = soak_for(shop, clock, 1)
    assert waiting.reason == "soaks in staging until 2026-11-23 12:22 UTC, 15m without interruption"
    assert waiting.id == delivery.id


def test_one_that_left_and_came_back_between_two_looks_is_interrupted(soaking: tuple[Shop, Clock, Delivery]) -> None:
    shop, clock, _ = soaking
    heroku, app = shop.services.heroku, shop.app("staging")
    ours = heroku.releases.current(app)
    build_of(shop, shop.commit("Another", **{"serve.py": f"{SERVE}#\n"}).commit)
    heroku.releases.rollback(app, ours.version)
    restart_of(shop)
    waiting = soak_for(shop, clock, 1)
    assert waiting.reason.startswith(f"{app} ran v{ours.version + 1}, another artifact, meanwhile: its soak of 15m ")
    assert soak_for(shop, clock, 1).reason.startswith("soaks in staging until 2026-11-23 12:17 UTC")


def test_time_that_nobody_saw_does_not_count(soaking: tuple[Shop, Clock, Delivery]) -> None:
    shop, clock, _ = soaking
    soak_for(shop, clock, 5)
    clock.pass_(8 * 60)  # the laptop is closed for a night
    waiting = look(shop)
    assert waiting.reason == "soaks in staging until 2026-11-23 20:13 UTC, 15m without interruption"
    assert soak_for(shop, clock, 7).status is Status.WAITING
    assert soak_for(shop, clock, 1).status is Status.DELIVERED


def test_a_look_that_fails_is_no_time_in_health(
    soaking: tuple[Shop, Clock, Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, clock, _ = soaking
    heroku = shop.services.heroku
    for _ in range(3):
        clock.pass_(10)
        with monkeypatch.context() as patch:
            patch.setattr(heroku._session, "base_url", "http://127.0.0.1:1")
            waiting = look(shop)
        assert waiting.reason.startswith("could not look: cannot reach http://127.0.0.1:1: ")
    clock.pass_(1)
    assert look(shop).reason == "soaks in staging until 2026-11-23 12:44 UTC, 15m without interruption"


def build_of(shop: Shop, commit: str) -> None:
    """Deploy a commit into staging past herodeploy, as a push would."""
    from herodeploy.flows.watch import upload

    heroku, app = shop.services.heroku, shop.app("staging")
    build = heroku.builds.create(app, upload(shop.services, commit), commit)
    until(shop.services, lambda: heroku.builds.get(app, build.id).release_id)
    restart_of(shop)
