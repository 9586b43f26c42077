"""Two-factor authentication, against the local platform that asks for a code, and on a terminal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import platforms

from herodeploy.domain.secret import Secret
from herodeploy.errors import TwoFactorRequired
from herodeploy.heroku.client import Heroku
from herodeploy.local.rehearsal.client import Control

CODE = "123456"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with platforms.running(tmp_path_factory.mktemp("platform")) as client:
        yield client


@pytest.fixture
def control(local: Any) -> Iterator[Control]:
    control = Control(local.url, local.platform.control_token)
    yield control
    control.clear_faults()


@pytest.fixture
def connect(local: Any) -> Iterator[Callable[..., Heroku]]:
    """Connect as a person who types these codes; without any, nobody is there."""
    made: list[Heroku] = []

    def build(*codes: str) -> Heroku:
        typed = iter(codes)
        token = Secret(local.platform.token)
        made.append(Heroku.connect(local.url, token, ask_code=(lambda _again: next(typed)) if codes else None))
        return made[-1]

    yield build
    for each in made:
        each.close()


def test_an_app_is_authorized_once_and_the_request_sent_again(
    local: Any, control: Control, connect: Callable[..., Heroku]
) -> None:
    app = local.app()
    control.fault("two-factor", f"* /apps/{app['name']}*")
    heroku = connect("000000", CODE)
    heroku.config_vars.update(app["name"], {"A": "1"})
    assert heroku.config_vars.get(app["name"])["A"].reveal() == "1"
    authorized = [each["status"] for each in control.requests() if "pre-authorizations" in each["path"]]
    assert authorized == [403, 200]


def test_without_an_app_the_code_goes_with_the_request(
    local: Any, control: Control, connect: Callable[..., Heroku]
) -> None:
    control.fault("two-factor", "POST /pipelines")
    made = connect("1", CODE).pipelines.create("with-a-code")
    assert local.get(f"/pipelines/{made.id}")["name"] == "with-a-code"


def test_three_wrong_codes_are_enough(control: Control, connect: Callable[..., Heroku]) -> None:
    control.fault("two-factor", "*")
    with pytest.raises(TwoFactorRequired) as caught:
        connect("1", "2", "3").pipelines.create("never-made")
    assert caught.value.hint.startswith("3 codes were not taken")


@pytest.mark.parametrize("of_an_app", [True, False])
def test_who_is_asked_again_is_told_why(local: Any, control: Control, of_an_app: bool) -> None:
    app, again = local.app()["name"], []

    def ask(not_taken: bool) -> str:
        again.append(not_taken)
        return CODE if len(again) == 3 else "000000"

    control.fault("two-factor", f"* /apps/{app}*" if of_an_app else "POST /pipelines")
    with Heroku.connect(local.url, Secret(local.platform.token), ask_code=ask) as heroku:
        if of_an_app:
            heroku.apps.find(app)
        else:
            heroku.pipelines.create("at-last")
    assert again == [False, True, True]


def test_nobody_to_ask_is_an_error_with_a_way_out(control: Control, connect: Callable[..., Heroku]) -> None:
    control.fault("two-factor", "*")
    with pytest.raises(TwoFactorRequired) as caught:
        connect().pipelines.create("never-made")
    assert "terminal" in str(caught.value.hint)


def test_threads_that_meet_one_app_ask_once(local: Any, control: Control) -> None:
    app = local.app()
    control.fault("two-factor", f"* /apps/{app['name']}*")
    together = threading.Barrier(4)
    asked: list[str] = []

    def ask(again: bool) -> str:
        asked.append(CODE)
        return CODE

    def look() -> None:
        together.wait()
        heroku.apps.find(app["name"])

    with Heroku.connect(local.url, Secret(local.platform.token), ask_code=ask) as heroku:
        threads = [threading.Thread(target=look) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert asked == [CODE]
