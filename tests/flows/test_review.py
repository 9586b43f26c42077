"""Review apps, made by the platform and by herodeploy."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
import time
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from herodeploy.domain.pipeline import ReviewSpec
from herodeploy.domain.secret import Secret
from herodeploy.errors import PlatformError, Refused, UsageError
from herodeploy.flows import managed_review, native_review, review, status, sweep
from herodeploy.flows.services import utc_now
from herodeploy.flows.waiting import until
from herodeploy.heroku.client import Heroku
from herodeploy.heroku.session import Session
from herodeploy.local.lifecycle import app_setups

from .conftest import TOKEN

Shop = Any
DAY = timedelta(days=1)
ANSWERS_501 = (
    "import os, http.server as h; "
    'h.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), h.BaseHTTPRequestHandler).serve_forever()'
)


@pytest.fixture(params=["native", "managed"])
def reviewed(request: pytest.FixtureRequest, make: Any) -> Shop:
    """A shop with a feature branch."""
    shop = make(review=ReviewSpec(request.param))
    shop.git("switch", "--quiet", "--create", "feature/Nice_page")
    shop.commit(index_dot_html="nice\n")
    return shop


def page(shop: Shop, app: str) -> str:
    host = shop.services.heroku.base_url
    request = urllib.request.Request(f"{host}/index.html", headers={"Host": f"{app}.localhost:{host.split(':')[-1]}"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return str(reply.read().decode())


def test_made_updated_listed_and_destroyed(reviewed: Shop) -> None:
    services = reviewed.services
    made = review.create(services, services.repo.resolve("feature/Nice_page"))
    assert page(reviewed, made.app) == "nice\n"
    assert made.strategy == services.spec.review.strategy

    again = review.create(services, services.repo.resolve("feature/Nice_page"))
    assert again.app == made.app
    assert len(services.heroku.builds.list(made.app)) == 1, "the same commit is not built twice"

    reviewed.commit(index_dot_html="nicer\n")
    newer = review.create(services, services.repo.resolve("feature/Nice_page"))
    assert newer.app == made.app
    assert page(reviewed, made.app) == "nicer\n"

    [shown] = status.snapshot(services).review_apps
    assert (shown.branch, shown.app, shown.status) == ("feature/Nice_page", made.app, "created")
    [listed] = review.list_(services)
    assert (listed.branch, listed.app, listed.status, listed.commit) == (
        "feature/Nice_page",
        made.app,
        "created",
        newer.commit,
    )
    review.destroy(services, "feature/Nice_page")
    assert review.list_(services) == []
    assert services.heroku.apps.find(made.app) is None
    with pytest.raises(UsageError, match="no review app"):
        review.destroy(services, "feature/Nice_page")


def test_stale_ones_are_swept(reviewed: Shop) -> None:
    services = reviewed.services
    with pytest.raises(UsageError, match=r"no review\.ttl"):
        sweep.sweep(services)
    services.spec = dataclasses.replace(services.spec, review=dataclasses.replace(services.spec.review, ttl=DAY))
    made = review.create(services, services.repo.head())
    assert sweep.sweep(services, gone=True) == []

    services.clock = lambda: utc_now() + DAY
    [stale] = sweep.sweep(services, dry_run=True)
    assert (stale.view.app, stale.why.startswith("no new build since ")) == (made.app, True)
    assert services.heroku.apps.find(made.app) is not None
    # As built a moment ago, in an app that is older than that.
    services.clock = lambda: max(build.created_at for build in services.heroku.builds.list(made.app)) + DAY
    assert sweep.sweep(services) == []

    services.clock = lambda: utc_now() + DAY
    assert [each.view.app for each in sweep.sweep(services)] == [made.app]
    assert services.heroku.apps.find(made.app) is None
    assert sweep.sweep(services) == []
    assert "review.destroyed" in reviewed.kinds()


def test_one_whose_branch_is_gone_is_swept_only_when_asked(reviewed: Shop) -> None:
    services = reviewed.services
    services.spec = dataclasses.replace(services.spec, review=dataclasses.replace(services.spec.review, ttl=DAY))
    made = review.create(services, services.repo.head())
    reviewed.git("switch", "--quiet", "main")
    reviewed.git("branch", "--quiet", "-D", "feature/Nice_page")
    assert sweep.sweep(services) == []
    [swept] = sweep.sweep(services, gone=True)
    assert (swept.view.app, swept.why) == (made.app, "branch feature/Nice_page is gone")
    assert review.list_(services) == []


def test_one_that_cannot_be_built_is_refused_and_can_be_made_again(reviewed: Shop) -> None:
    services = reviewed.services
    procfile = (reviewed.root / "Procfile").read_text()
    reviewed.git("rm", "--quiet", "Procfile")
    with pytest.raises(Refused, match="could not be made"):
        review.create(services, reviewed.commit())
    assert any("Procfile" in line or "app" in line.lower() for line in reviewed.told("output"))
    made = review.create(services, reviewed.commit(Procfile=procfile))
    assert page(reviewed, made.app) == "nice\n"


def test_one_that_crashes_is_refused(reviewed: Shop) -> None:
    with pytest.raises(Refused, match="crashed"):
        review.create(reviewed.services, reviewed.commit(Procfile="web: echo farewell; exit 1\n"))
    assert any("farewell" in line for line in reviewed.told("output"))


@pytest.mark.parametrize("verified", [True, False])
def test_one_whose_log_cannot_be_read_is_refused_for_its_own_reason(
    make: Any, local: Any, monkeypatch: pytest.MonkeyPatch, verified: bool
) -> None:
    shop = make(review=ReviewSpec("managed"))
    shop = shop.like(connect=lambda: Heroku(Session(local.url, Secret(TOKEN), sleep=lambda _: None)))
    if not verified:
        monkeypatch.setattr(review, "ANSWERS_WITHIN", timedelta(seconds=0))
        staging, production = shop.services.spec.stages
        stages = (dataclasses.replace(staging, verify=None), production)
        shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages)
    control = local._running.control
    fault = control.fault("error", "POST /apps/{app}/log-sessions", count=None)
    says = "exit 1" if verified else f"exec python3 -c '{ANSWERS_501}'"
    with pytest.raises(Refused, match="crashed" if verified else "does not answer"):
        review.create(shop.services, shop.commit(Procfile=f"web: {says}\n"))
    control.clear_faults(fault["id"])
    assert any(text.startswith("the log of ") for text in shop.told("warning"))


def test_one_without_a_web_process_is_refused_at_once(reviewed: Shop) -> None:
    with pytest.raises(Refused, match=r"declares no web process \(worker only\)"):
        review.create(reviewed.services, reviewed.commit(Procfile="worker: sleep 100\n"))
    assert [line for line in reviewed.told("output") if "heroku[router]" in line] == []


def test_one_that_is_not_gone_in_time_is_not_said_to_be(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = make(review=ReviewSpec("native"))
    made = review.create(shop.services, shop.services.repo.head())
    monkeypatch.setattr(native_review, "GONE_WITHIN", timedelta(0))
    monkeypatch.setattr(native_review, "_is_gone", lambda *_: False)
    with pytest.raises(PlatformError, match="still being destroyed"):
        review.destroy(shop.services, made.branch)
    assert "review.destroyed" not in shop.kinds()


def test_there_is_room_for_so_many(make: Any) -> None:
    shop = make(review=ReviewSpec("managed", max=1))
    review.create(shop.services, shop.services.repo.head())
    shop.git("switch", "--quiet", "--create", "two")
    with pytest.raises(Refused, match=r"review\.max"):
        review.create(shop.services, shop.services.repo.head())


def test_a_managed_name_is_one_that_heroku_takes() -> None:
    name = managed_review.app_name("id", "a-very-long-pipeline-name", "Feature/Über_all_and-more")
    assert len(name) <= 30
    assert name.startswith("a-very-long-feature-")
    assert name != managed_review.app_name("id", "a-very-long-pipeline-name", "Feature/Über_all_and-mora")


def cut_in(monkeypatch: pytest.MonkeyPatch, module: Any, function: str, act: Callable[[], object]) -> None:
    """Let `act` be cut as it calls that function."""

    def cut(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, function, cut)
        with pytest.raises(KeyboardInterrupt):
            act()


def telling(services: Any, asked_again: threading.Event) -> Any:
    """Services that tell when somebody waits with them."""

    def pause(seconds: float) -> None:
        asked_again.set()
        time.sleep(seconds)  # between two looks at the platform, which tells nobody

    return dataclasses.replace(services, pause=pause)


def test_a_creation_that_was_cut_is_waited_for_and_not_made_twice(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = make(review=ReviewSpec("managed"))
    shop.git("branch", "nice")
    change, name = shop.services.repo.resolve("nice"), managed_review._name(shop.services, "nice")
    asked_again, read = threading.Event(), app_setups.read_manifest

    async def read_late(*arguments: Any, **named: Any) -> Any:
        await asyncio.to_thread(asked_again.wait, 30)
        return await read(*arguments, **named)

    monkeypatch.setattr(app_setups, "read_manifest", read_late)
    cut_in(monkeypatch, managed_review, "watch_setup", lambda: review.create(shop.services, change))
    assert shop.services.heroku.builds.list(name) == []

    made = review.create(telling(shop.services, asked_again), change)
    assert made.app == name
    assert f"{name} is being made" in shop.told("wait")
    assert len(shop.services.heroku.builds.list(name)) == 1
    assert shop.kinds()[-3:] == ["review.creating", "review.setting_up", "review.created"]


def test_a_creation_that_was_cut_and_failed_after_its_release_is_made_anew(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make({"app.json": '{"scripts": {"postdeploy": "true"}}'}, review=ReviewSpec("managed"))
    shop.git("branch", "nice")
    change, name = shop.services.repo.resolve("nice"), managed_review._name(shop.services, "nice")
    asked_again, ended = threading.Event(), []

    async def fails_late(*_: Any) -> int:
        await asyncio.to_thread(asked_again.wait, 30)
        ended.append(1 if not ended else 0)
        return ended[-1]

    monkeypatch.setattr(app_setups, "run_script", fails_late)
    cut_in(monkeypatch, managed_review, "watch_setup", lambda: review.create(shop.services, change))
    until(shop.services, lambda: managed_review._is_settled(shop.services, name) or None)

    made = review.create(telling(shop.services, asked_again), change)
    assert (made.app, ended) == (name, [1, 0])
    assert page(shop, made.app) == "one\n"


def test_a_destruction_that_was_cut_is_recorded_when_it_is_asked_for_again(
    reviewed: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = reviewed.services
    made = review.create(services, services.repo.resolve("feature/Nice_page"))

    cut_in(monkeypatch, review, "_record_destroyed", lambda: review.destroy(services, made.branch))
    assert review.list_(services) == []

    assert review.destroy(services, made.branch).app == made.app
    assert reviewed.kinds()[-2:] == ["review.destroying", "review.destroyed"]
    with pytest.raises(UsageError, match="no review app of"):
        review.destroy(services, made.branch)
