"""What the local platform does not do on its own: doubtful answers of the families that are ours."""

from __future__ import annotations

import pytest

from herodeploy.domain.secret import Secret
from herodeploy.errors import Forbidden, PlatformError, PlatformUnreachable
from herodeploy.heroku.client import Heroku

from .conftest import Platform, reply, reset

PROMOTION = {
    "id": "m-1",
    "pipeline": {"id": "p-1"},
    "source": {"app": {"id": "a-1"}, "release": {"id": "r-5"}},
    "status": "pending",
}
FORBIDDEN = reply(403, {"id": "forbidden", "message": "You do not have access to the pipeline."})


def test_a_promotion_names_the_exact_release(heroku: Heroku, platform: Platform) -> None:
    platform.on("POST /pipeline-promotions", reply(201, PROMOTION))
    heroku.promotions.create("p-1", "a-1", "r-5", ["a-2", "a-3"])
    heroku.promotions.create("p-1", "a-1", None, ["a-2"])
    assert [seen.json["source"] for seen in platform.seen] == [
        {"app": {"id": "a-1"}, "release": {"id": "r-5"}},
        {"app": {"id": "a-1"}},
    ]
    assert platform.seen[0].json["targets"] == [{"app": {"id": "a-2"}}, {"app": {"id": "a-3"}}]


def test_a_promotion_whose_answer_is_lost_is_not_repeated(heroku: Heroku, platform: Platform) -> None:
    platform.on("POST /pipeline-promotions", reset)
    with pytest.raises(PlatformUnreachable, match="POST /pipeline-promotions"):
        heroku.promotions.create("p-1", "a-1", "r-5", ["a-2"])
    assert len(platform.seen) == 1


def test_a_pipeline_that_heroku_swept_away_counts_as_deleted(heroku: Heroku, platform: Platform) -> None:
    platform.on("DELETE /pipelines/p-1", FORBIDDEN)
    platform.on("GET /pipelines", reply(body=[]))
    assert heroku.pipelines.delete("p-1") is False


def test_a_pipeline_of_other_people_does_not(heroku: Heroku, platform: Platform) -> None:
    platform.on("DELETE /pipelines/p-1", FORBIDDEN)
    platform.on("GET /pipelines", reply(body=[{"id": "p-1", "name": "shop"}]))
    with pytest.raises(Forbidden, match="You do not have access"):
        heroku.pipelines.delete("p-1")


def test_a_pipeline_is_looked_up_by_its_whole_name(heroku: Heroku, platform: Platform) -> None:
    both = [{"id": "p-1", "name": "shop"}, {"id": "p-2", "name": "shop"}, {"id": "p-3", "name": "shop-uk"}]
    platform.on("GET /pipelines?eq%5Bname%5D=shop", reply(body=both))
    assert [pipeline.id for pipeline in heroku.pipelines.find("shop")] == ["p-1", "p-2"]
    assert platform.seen[0].headers["Accept"] == "application/vnd.heroku+json; version=3.pipelines"


def test_a_reply_that_lacks_a_field_is_named(heroku: Heroku, platform: Platform) -> None:
    platform.on("GET /pipeline-promotions/m-1", reply(body={**PROMOTION, "source": {}}))
    with pytest.raises(PlatformError, match="the platform's promotion lacks the field 'app'"):
        heroku.promotions.get("m-1")
    platform.on("GET /pipeline-promotions/m-1", reply(body=[]))
    with pytest.raises(PlatformError, match="the platform's promotion is not as documented"):
        heroku.promotions.get("m-1")


def test_many_apps_are_filtered_in_one_call(heroku: Heroku, platform: Platform) -> None:
    platform.on("POST /filters/apps", reset, reply(body=[]))
    assert heroku.apps.filter(["a-1", "a-2"]) == []
    assert heroku.apps.filter([]) == []
    assert [seen.json for seen in platform.seen] == [{"in": {"id": ["a-1", "a-2"]}}] * 2


def test_a_webhooks_secret_is_told_once_and_not_shown(heroku: Heroku, platform: Platform) -> None:
    hook = {"id": "w-1", "include": ["api:release"], "level": "sync", "url": "https://example.com/hook"}
    platform.on("POST /apps/shop/webhooks", reply(201, hook, {"Heroku-Webhook-Secret": "s3cret"}))
    made = heroku.webhooks.create(
        "shop", include=["api:release"], url="https://example.com/hook", secret=Secret("mine")
    )
    assert made.secret == Secret("s3cret")
    assert "s3cret" not in repr(made)
    assert platform.seen[0].json["secret"] == "mine"


def test_review_app_errors_are_found_in_either_field(heroku: Heroku, platform: Platform) -> None:
    item = {
        "id": "v-1",
        "pipeline": {"id": "p-1"},
        "branch": "x",
        "status": "errored",
        "app": None,
        "message": None,
        "error_status": "no app.json",
        "created_at": "2012-01-01T12:00:00Z",
    }
    platform.on("GET /review-apps/v-1", reply(body=item))
    found = heroku.review_apps.get("v-1")
    assert found
    assert (found.app_id, found.message) == (None, "no app.json")
