from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from herodeploy.local.api import published

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


def _plain(href: str) -> str:
    return re.sub(r"\{\(([^)]*)\)\}", lambda match: "{" + match[1].split("%2F")[2] + "}", href)
