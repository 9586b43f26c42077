from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.schema import published_requests

from herodeploy.local.api import published, requests

SCHEMA = Path(__file__).resolve().parents[4] / "shared" / "heroku" / "schema.json"


def test_what_heroku_has_and_this_platform_has_not_is_said_so(local: Any) -> None:
    answer = local.http.get("/spaces")
    assert (answer.status_code, answer.json()["id"]) == (501, "not_implemented")
    assert "GET /spaces" in answer.json()["message"]
    assert answer.json()["url"].endswith("#what-of-herokus-api-is-served")
    assert local.http.get("/nothing-of-the-kind").status_code == 404
    assert local.http.get("/spaces", headers={"Authorization": ""}).status_code == 401


def test_the_list_is_that_of_the_schema() -> None:
    if not SCHEMA.exists():
        pytest.skip("the published schema is not here (../shared/heroku/schema.json)")
    schema = json.loads(SCHEMA.read_text("utf-8"))
    links = [
        (name, link["method"], _plain(link["href"]), link["title"])
        for name, definition in sorted(schema["definitions"].items())
        for link in definition.get("links", [])
    ]
    listed = [(each.resource, each.method, each.path, each.title) for each in published.endpoints()]
    assert listed == links


def test_requests_are_judged_by_the_schema() -> None:
    if not SCHEMA.exists():
        pytest.skip("the published schema is not here (../shared/heroku/schema.json)")
    written = ",\n".join(
        f"{json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(published_requests().items())
    )
    assert requests.FILE.read_text("utf-8") == f"{{\n{written}\n}}\n"
    assert set(requests.LENIENCIES) <= set(published_requests())


def test_what_the_schema_forbids_is_refused_without_the_value(local: Any) -> None:
    answer = local.http.post("/apps", json={"region": {"id": "a secret"}})
    assert answer.status_code == 422
    assert answer.json() == {"id": "invalid_params", "message": "region is not what Heroku's API takes there."}
    answer = local.http.post("/pipelines", json={"name": "shop", "owner": {"id": "me", "type": "user"}})
    assert (answer.status_code, answer.json()["message"]) == (422, "owner.id must be a uuid.")


def _plain(href: str) -> str:
    return re.sub(r"\{\(([^)]*)\)\}", lambda match: "{" + match[1].split("%2F")[2] + "}", href)
