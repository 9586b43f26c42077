"""When a release counts as good: its own dynos, its own answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support import platforms

from herodeploy.domain.delivery import Status
from herodeploy.domain.pipeline import VerifySpec
from herodeploy.errors import PlatformUnreachable
from herodeploy.flows.verify import Subject, verify

from .conftest import Local, shops

Shop = Any
OK = {"Procfile": 'web: exec python3 -m http.server "$PORT" --bind 127.0.0.1\n'}


class Overlapping(Local):
    """Where old web dynos go on for a while beside the new ones, under preboot."""

    def start(self) -> None:
        self._running = platforms.start(self.data, port=self.port, stop_timeout=3.0, preboot_overlap=3.0)
        self.port = self._running.platform.settings.port


@pytest.fixture
def overlapping(tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    platform = Overlapping(tmp_path / "platform")
    platform.start()
    with shops(platform, tmp_path) as maker:
        yield maker
    platform.stop()


def subject(shop: Shop, app: str) -> Subject:
    """What an app runs."""
    release, found = shop.services.heroku.releases.current(app), shop.services.heroku.apps.get(app)
    return Subject(app, found.web_url, release.version, release.slug_id)


def test_old_dynos_that_answer_on_under_preboot_do_not_count(overlapping: Any) -> None:
    shop = overlapping(OK)
    app = shop.app("staging")
    shop.deliver()
    shop.services.heroku._session.patch(f"/apps/{app}/features/preboot", {"enabled": True})
    old = subject(shop, app)
    shop.commit(Procfile='web: mkdir empty && cd empty && exec python3 -m http.server "$PORT" --bind 127.0.0.1\n')
    seen: set[tuple[int, str]] = set()
    look = shop.services.heroku.dynos.list

    def watched(name: str) -> Any:
        dynos = look(name)
        seen.update((dyno.release_version, dyno.state) for dyno in dynos)
        return dynos

    shop.services.heroku.dynos.list = watched
    failed = shop.deliver()

    assert {(old.version, "up"), (old.version + 1, "up")} <= seen, "both ran side by side, and half of the answers are"
    assert failed.status is Status.FAILED
    assert "answered 404 to GET /index.html" in failed.reason


def test_where_nobody_can_be_asked_nobody_has_said_no(shop: Shop) -> None:
    shop.deliver()
    what = subject(shop, shop.app("staging"))
    spec = VerifySpec(path="/index.html", within=timedelta(seconds=0), passes=1)
    nowhere = Subject(what.app, "http://127.0.0.1:9/", what.version, what.slug_id)
    with pytest.raises(PlatformUnreachable):
        verify(shop.services, nowhere, spec)
    assert verify(shop.services, what, spec) is None


def test_the_same_release_is_verified_from_several_threads(shop: Shop) -> None:
    shop.deliver()
    what = subject(shop, shop.app("staging"))
    spec = VerifySpec(path="/index.html", within=timedelta(seconds=20), passes=3)
    reasons: list[str | None] = []
    threads = [threading.Thread(target=lambda: reasons.append(verify(shop.services, what, spec))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reasons == [None] * 8
