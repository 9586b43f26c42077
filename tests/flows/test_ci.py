"""One test run of a commit, on the platform and by a command here."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.pipeline import CiSpec
from herodeploy.errors import PlatformError, Refused
from herodeploy.flows import ci
from herodeploy.flows.command import environment

Shop = Any
PLATFORM = CiSpec("heroku")


def test_the_platform_tests_exactly_this_commit(make: Any) -> None:
    shop = make(ci=PLATFORM)
    change = shop.services.repo.head()
    (shop.root / "index.html").write_text("rude, but not committed\n")
    result = ci.run(shop.services, change)
    assert (result.status, result.number, result.commit) == ("succeeded", 1, change.commit)
    assert any("one" in line for line in shop.told("output")), "the tests' output is streamed"


def test_failing_tests_are_refused(make: Any) -> None:
    shop = make(ci=PLATFORM)
    change = shop.commit(index_dot_html="rude\n")
    with pytest.raises(Refused, match="test run #1 failed: its tests ended with exit status 1"):
        ci.run(shop.services, change)
    failed = shop.deliver()
    assert (failed.status, failed.ci) == (Status.FAILED, "failed")
    assert shop.kinds(failed)[-1] == "ci.failed"


def test_a_setup_that_fails_is_no_answer_of_the_tests(make: Any) -> None:
    shop = make(ci=PLATFORM)
    shop.git("rm", "--quiet", "Procfile")
    with pytest.raises(Refused, match="test run #1 errored"):
        ci.run(shop.services, shop.commit())
    failed = shop.deliver()
    assert (failed.status, failed.ci) == (Status.FAILED, "errored"), "the platform has said no to this commit"
    event = shop.services.store.events(shop.services.pipeline().id, failed.id)[0]
    assert (event.kind, event.text) == ("ci.errored", failed.reason)
    assert failed.reason.startswith("test run #2 errored")


def test_one_that_takes_too_long_is_cancelled(make: Any) -> None:
    slow = {"app.json": '{"environments": {"test": {"scripts": {"test": "sleep 60"}}}}'}
    shop = make(slow, ci=CiSpec("heroku", timeout=timedelta(seconds=2)))
    with pytest.raises(Refused, match="took longer than 2s"):
        ci.run(shop.services, shop.services.repo.head())
    assert shop.services.heroku.test_runs.list(shop.services.pipeline().id)[0].status == "cancelled"


def test_a_command_runs_in_a_clean_checkout(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEROKU_API_KEY", "not-for-tests")
    shop = make(ci=CiSpec("command", "ls; echo key=$HEROKU_API_KEY ci=$CI; exit 3"))
    (shop.root / "stray").write_text("not committed")
    with pytest.raises(Refused, match="exit status 3"):
        ci.run(shop.services, shop.services.repo.head())
    *files, last = shop.told("output")
    assert sorted(files) == ["Procfile", "app.json", "index.html"]
    assert last == "key= ci=true"


def test_secrets_are_hidden_in_what_a_command_prints(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_TOKEN", "s3cret-t0ken")
    shop = make(ci=CiSpec("command", "echo ok $QA_TOKEN"))
    ci.run(shop.services, shop.services.repo.head())
    assert shop.told("output") == ["ok [REDACTED]"]
    assert "s3cret" not in repr(shop.notes)


def test_a_command_that_takes_too_long_is_stopped(make: Any) -> None:
    shop = make(ci=CiSpec("command", "sleep 60 | cat", timeout=timedelta(seconds=0.3)))
    with pytest.raises(Refused, match="took longer"):
        ci.run(shop.services, shop.services.repo.head())


def test_no_ci_is_skipped(make: Any) -> None:
    shop = make(ci=CiSpec("none"))
    assert ci.run(shop.services, shop.services.repo.head()).status == "skipped"
    assert shop.deliver().ci == "skipped"


def test_nothing_of_herodeploys_own_reaches_a_command() -> None:
    env = environment({"PATH": "/bin", "HEROKU_API_KEY": "x", "GIT_DIR": "y"}, "c0ffee")
    assert env == {"PATH": "/bin", "CI": "true", "HEROKU_TEST_RUN_COMMIT_VERSION": "c0ffee"}


def test_a_platform_stopped_during_tests_is_not_their_answer(own_shop: Callable[..., Any], tmp_path: Path) -> None:
    reached, closed = tmp_path / "reached", tmp_path / "closed"
    closed.touch()
    script = f"touch {reached}; while test -e {closed}; do sleep 0.05; done"
    files = {"app.json": json.dumps({"environments": {"test": {"scripts": {"test": script}}}})}
    platform, shop = own_shop(files=files, ci=PLATFORM)
    shop.durable = True

    def stop_when_reached() -> None:
        while not reached.exists():
            threading.Event().wait(0.02)
        platform.stop()

    stopper = threading.Thread(target=stop_when_reached)
    stopper.start()
    try:
        with pytest.raises(PlatformError):
            shop.deliver()
    finally:
        stopper.join()
    closed.unlink()
    platform.start()
    after = shop.like()
    [waiting] = after.resume()
    assert (waiting.status, waiting.ci) == (Status.WAITING, "succeeded")
    after.services.close()
