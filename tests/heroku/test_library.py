"""heroku3 rides on our session and nothing of it shows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from herodeploy.domain.release import Build, Dyno, Formation, Slug
from herodeploy.domain.secret import Secret
from herodeploy.errors import InvalidRequest, NotFound, PlatformError, PlatformUnreachable, UsageError
from herodeploy.heroku.client import Heroku
from herodeploy.heroku.session import Session

from .conftest import TOKEN, Platform, reply, reset

APP = {
    "id": "a-1",
    "name": "shop",
    "web_url": "https://shop.example.com/",
    "stack": {"id": "s-1", "name": "heroku-24"},
    "maintenance": False,
    "created_at": "2012-01-01T12:00:00Z",
}
RELEASE = {
    "id": "r-5",
    "app": {"id": "a-1", "name": "shop"},
    "version": 5,
    "status": "succeeded",
    "current": True,
    "slug": {"id": "g-1"},
    "description": "Deploy 12345678",
    "eligible_for_rollback": True,
    "output_stream_url": None,
    "user": {"id": "u-1", "email": "ada@example.com"},
    "created_at": "2016-02-11T08:32:08+00:00",
}
BUILD = {
    "id": "b-1",
    "app": {"id": "a-1"},
    "status": "pending",
    "output_stream_url": "https://example.com/x",
    "source_blob": {"url": "https://example.com/s", "version": "c0ffee"},
    "slug": None,
    "release": None,
    "buildpacks": None,
    "user": None,
    "created_at": "2012-01-01T12:00:00Z",
}


def test_building_it_makes_no_call_and_keeps_our_headers_and_address(session: Session, platform: Platform) -> None:
    assert repr(session.library) == f"Library({platform.url!r})"
    assert platform.seen == []
    platform.on("GET /apps/shop", reply(body=APP))
    Heroku(session).apps.get("shop")
    assert platform.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert platform.seen[0].headers["Accept"].endswith("version=3")


def test_two_platforms_live_side_by_side(session: Session, platform: Platform) -> None:
    other = Session("https://api.heroku.com", Secret(TOKEN))
    assert session.library._heroku_url == platform.url
    assert other.library._heroku_url == "https://api.heroku.com"
    other.close()


def test_it_is_loaded_at_first_use_only() -> None:
    code = "import sys; import herodeploy.heroku.client; print('heroku3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_pages_are_followed_without_a_word(
    heroku: Heroku, platform: Platform, capfd: pytest.CaptureFixture[str]
) -> None:
    platform.on("GET /apps", reply(206, [APP], {"Next-Range": "id ]a-1.."}), reply(200, [{**APP, "name": "aaa"}]))
    assert [app.name for app in heroku.apps.list()] == ["aaa", "shop"]
    assert capfd.readouterr() == ("", "")


def test_a_taken_name_is_refused_and_the_others_app_is_not_adopted(
    heroku: Heroku, platform: Platform, capfd: pytest.CaptureFixture[str]
) -> None:
    refused = {"id": "invalid_params", "message": "Name is already taken"}
    platform.on("POST /apps", reply(422, refused, {"Request-Id": "req-1"}))
    platform.on("GET /apps/shop", reply(body=APP))
    with pytest.raises(InvalidRequest, match="Name is already taken") as caught:
        heroku.apps.create("shop")
    assert caught.value.request_id == "req-1"
    assert len(platform.seen) == 1
    assert capfd.readouterr() == ("", "")


def test_a_create_whose_answer_is_lost_is_not_repeated(heroku: Heroku, platform: Platform) -> None:
    platform.on("POST /apps", reset)
    with pytest.raises(PlatformUnreachable):
        heroku.apps.create("shop")
    assert len(platform.seen) == 1


def test_heroku_chooses_what_is_not_given(heroku: Heroku, platform: Platform) -> None:
    platform.on("POST /apps", reply(201, APP))
    assert heroku.apps.create().id == "a-1"
    heroku.apps.create("shop", "heroku-24")
    assert [seen.json for seen in platform.seen] == [{}, {"name": "shop", "stack": "heroku-24"}]


@pytest.mark.parametrize("name", ["Shop", "1shop", "ab", "shop-", "a" * 31, "shop uk", "shop\n", ""])
def test_a_name_that_no_app_can_have_is_refused_before_any_call(heroku: Heroku, platform: Platform, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be an app's name"):
        heroku.apps.create(name)
    assert platform.seen == []


def test_an_app_that_is_not_there(heroku: Heroku, platform: Platform) -> None:
    assert heroku.apps.find("shop") is None
    with pytest.raises(NotFound):
        heroku.apps.get("shop")
    with pytest.raises(NotFound):
        heroku.apps.get("a/../b?c")
    assert platform.seen[-1].path == "/apps/a%2F..%2Fb%3Fc"


def test_both_forms_of_time_are_read(heroku: Heroku, platform: Platform) -> None:
    platform.on("GET /apps/shop", reply(body=APP))
    platform.on("GET /apps/shop/releases/5", reply(body=RELEASE))
    assert heroku.apps.get("shop").created_at.isoformat() == "2012-01-01T12:00:00+00:00"
    assert heroku.releases.get("shop", 5).created_at.isoformat() == "2016-02-11T08:32:08+00:00"


@pytest.mark.parametrize("release", [5, "5", "v5"])
def test_a_release_has_what_heroku3_does_not_know(heroku: Heroku, platform: Platform, release: int | str) -> None:
    told = {**RELEASE, "output_stream_url": "https://example.com/x", "eligible_for_rollback": False}
    platform.on("GET /apps/shop/releases/5", reply(body=told))
    found = heroku.releases.get("shop", release)
    assert (found.output_stream_url, found.eligible_for_rollback) == ("https://example.com/x", False)
    assert (found.app_id, found.app_name, found.slug_id, found.user) == ("a-1", "shop", "g-1", "ada@example.com")


def test_the_newest_releases_come_first(heroku: Heroku, platform: Platform) -> None:
    older = {**RELEASE, "version": 4, "current": False, "slug": None, "user": None}
    platform.on("GET /apps/shop/releases", reply(206, [older, RELEASE], {"Next-Range": "version [3.."}))
    assert [release.version for release in heroku.releases.list("shop", limit=2)] == [5, 4]
    assert platform.seen[0].headers["Range"] == "version ..; max=2, order=desc"
    assert len(platform.seen) == 1


def test_the_current_release_is_found_below_many_failed_ones(heroku: Heroku, platform: Platform) -> None:
    failed = [{**RELEASE, "version": n, "status": "failed", "current": False} for n in range(40, 5, -1)]
    platform.on("GET /apps/shop/releases", reply(206, failed[:25]), reply(200, [*failed, RELEASE]))
    current = heroku.releases.current("shop")
    assert current is not None
    assert current.version == 5
    platform.on("GET /apps/new/releases", reply(200, []))
    assert heroku.releases.current("new") is None


def test_a_rollback_returns_its_own_release(heroku: Heroku, platform: Platform) -> None:
    platform.on("POST /apps/shop/releases", reply(201, {**RELEASE, "version": 6}))
    assert heroku.releases.rollback("shop", "v4").version == 6
    assert [seen.json for seen in platform.seen] == [{"release": "4"}]


def test_a_build_is_described_and_read(heroku: Heroku, platform: Platform) -> None:
    platform.on("POST /apps/shop/builds", reply(201, BUILD))
    done = {**BUILD, "status": "succeeded", "slug": {"id": "g-1"}, "release": {"id": "r-5"}}
    platform.on("GET /apps/shop/builds/b-1", reply(body=done))
    made = heroku.builds.create("shop", "https://example.com/s", "c0ffee", description="Say hello")
    assert (made.status, made.version, made.slug_id, made.release_id) == ("pending", "c0ffee", None, None)
    assert platform.seen[0].json == {
        "source_blob": {"url": "https://example.com/s", "version": "c0ffee", "version_description": "Say hello"}
    }
    found = heroku.builds.get("shop", "b-1")
    assert isinstance(found, Build)
    assert (found.status, found.slug_id, found.release_id, found.app_id) == ("succeeded", "g-1", "r-5", "a-1")


def test_slugs_have_their_process_types(heroku: Heroku, platform: Platform) -> None:
    body = {"id": "g-1", "commit": "c0ffee", "process_types": {"web": "serve"}, "stack": {"name": "heroku-24"}}
    platform.on("GET /apps/shop/slugs/g-1", reply(body=body))
    assert heroku.slugs.get("shop", "g-1") == Slug("g-1", "c0ffee", {"web": "serve"}, "heroku-24")


def test_config_vars_are_secrets(heroku: Heroku, platform: Platform) -> None:
    platform.on("GET /apps/shop/config-vars", reply(body={"KEY": "s3cret"}))
    platform.on("PATCH /apps/shop/config-vars", reply(body={"KEY": "n3w"}))
    found = heroku.config_vars.get("shop")
    assert found["KEY"].reveal() == "s3cret"
    assert "s3cret" not in repr(found)
    assert heroku.config_vars.update("shop", {"KEY": Secret("n3w"), "OLD": None})["KEY"].reveal() == "n3w"
    assert platform.seen[1].json == {"KEY": "n3w", "OLD": None}


def test_quantity_and_size_are_set_in_one_call(heroku: Heroku, platform: Platform) -> None:
    line = {"id": "f-1", "type": "web", "quantity": 2, "size": "Basic", "command": "serve"}
    platform.on("PATCH /apps/shop/formation", reply(body=[line]))
    platform.on("GET /apps/shop/formation", reply(body=[line]))
    expected = [Formation("web", 2, "Basic", "serve")]
    assert heroku.formation.scale("shop", {"web": (2, "basic"), "worker": (0, None)}) == expected
    assert heroku.formation.list("shop") == expected
    assert platform.seen[0].json == {
        "updates": [{"type": "web", "quantity": 2, "size": "basic"}, {"type": "worker", "quantity": 0}]
    }


def test_dynos(heroku: Heroku, platform: Platform) -> None:
    item = {
        "id": "d-1",
        "name": "web.1",
        "type": "web",
        "state": "up",
        "release": {"id": "r-5", "version": 5},
        "command": "serve",
    }
    platform.on("GET /apps/shop/dynos", reply(body=[item]))
    platform.on("POST /apps/shop/dynos", reply(201, {**item, "name": "run.1234", "type": "run", "state": "starting"}))
    for path in ("/apps/shop/dynos", "/apps/shop/dynos/web.1"):
        platform.on(f"DELETE {path}", reply(202, {}))
    assert heroku.dynos.list("shop") == [Dyno("d-1", "web.1", "web", "up", 5, "serve")]
    assert heroku.dynos.run_detached("shop", "./manage.py migrate").name == "run.1234"
    heroku.dynos.restart("shop")
    heroku.dynos.restart("shop", "web.1")
    assert [f"{seen.method} {seen.path}" for seen in platform.seen[2:]] == [
        "DELETE /apps/shop/dynos",
        "DELETE /apps/shop/dynos/web.1",
    ]


def test_what_it_raises_by_itself_becomes_ours(session: Session) -> None:
    from heroku3.api import MaxRangeExceeded

    def exceed(_: object) -> None:
        raise MaxRangeExceeded("1001")

    with pytest.raises(UsageError, match="1001"):
        session.library.read("releases", exceed)


@pytest.mark.parametrize("body", [{}, [], None, "x", {**RELEASE, "version": "many"}, {**RELEASE, "app": None}])
def test_a_reply_that_is_not_as_documented_is_named(heroku: Heroku, platform: Platform, body: object) -> None:
    platform.on("GET /apps/shop/releases/5", reply(200, body if not isinstance(body, str) else [body]))
    with pytest.raises(PlatformError, match="the platform's release "):
        heroku.releases.get("shop", 5)
