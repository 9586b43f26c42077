"""When a release counts as good: its own dynos, its own answers."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support import platforms

from herodeploy.domain.delivery import Status
from herodeploy.domain.pipeline import VerifySpec
from herodeploy.errors import PlatformError, PlatformUnreachable
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


SAYS = """
test "$HERODEPLOY_APP" = "{app}" && test "$HERODEPLOY_COMMIT" = "{commit}" && test "$HERODEPLOY_STAGE" = staging \\
    && test -n "$HERODEPLOY_URL" && test "$HERODEPLOY_RELEASE" = v{version} && test -z "$HEROKU_API_KEY" \\
    && test -f index.html && echo "key is $SOME_API_KEY"
"""


def test_a_command_gets_the_facts_and_has_the_last_word(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEROKU_API_KEY", "not-for-commands")
    monkeypatch.setenv("SOME_API_KEY", "hunter-of-secrets")
    waiting = shop.deliver()
    what = subject(shop, shop.app("staging"))
    says = SAYS.format(app=what.app, commit=waiting.commit, version=what.version)
    assert verify(shop.services, what, VerifySpec(path=None, command=says), leg="staging") is None
    assert shop.told("output")[-1] == "key is [REDACTED]"
    for command, timeout, reason in (
        ("exit 3", 60, "`exit 3` says no to v"),
        ("echo long; sleep 60", 0.2, "took longer than 0s"),
    ):
        spec = VerifySpec(path=None, command=command, timeout=timedelta(seconds=timeout))
        assert reason in verify(shop.services, what, spec, leg="staging")


@pytest.mark.parametrize("command", ["exit 75", "no-such-command-anywhere", "./index.html"])
def test_a_command_that_cannot_tell_has_not_said_no(shop: Shop, command: str) -> None:
    shop.services.spec = dataclasses.replace(
        shop.services.spec,
        stages=tuple(
            dataclasses.replace(stage, verify=VerifySpec(path=None, command=command), on_failure="rollback")
            for stage in shop.services.spec.stages
        ),
    )
    with pytest.raises(PlatformError, match="ended with exit status"):
        shop.deliver()
    [errored] = shop.services.store.open_deliveries(shop.services.pipeline().id)
    assert errored.status is Status.ERRORED
    assert shop.slug(shop.app("staging")) is not None, "nothing is put back"


def test_an_app_without_web_is_verified_by_a_command_alone(make: Any) -> None:
    shop = make({"Procfile": "worker: exec sleep 1000\n"})
    staging, production = shop.services.spec.stages
    staging = dataclasses.replace(staging, verify=VerifySpec(path=None, command="true"))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(staging, production))
    assert shop.deliver().status is Status.WAITING
