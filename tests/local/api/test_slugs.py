from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx


def test_a_slug_of_ones_own_is_uploaded_and_released(
    local: Any, source: Callable[..., dict[str, str]], conforms: Any
) -> None:
    first, second = local.app(), local.app()
    built = local.deploy(first, source("mine"))
    blob = httpx.get(local.get(f"/apps/{first['id']}/slugs/{built['slug']['id']}")["blob"]["url"]).content
    slug = local.post(f"/apps/{second['id']}/slugs", {"process_types": {"web": "python3 serve.py"}, "commit": "abc"})
    conforms("slug", slug)
    assert slug["blob"]["method"] == "put"
    release = {"slug": slug["id"]}
    assert "never uploaded" in local.post(f"/apps/{second['id']}/releases", release, 422)["message"]
    assert httpx.put(slug["blob"]["url"], content=blob).status_code == 200
    assert httpx.put(slug["blob"]["url"], content=b"other").status_code == 409
    row = local.post(f"/apps/{second['id']}/releases", release)
    assert row["description"] == "deploy"
    assert local.visit(second).text == "mine - /"
    assert local.get(f"/apps/{second['id']}/slugs/{slug['id']}")["size"] == len(blob)


def test_what_is_no_slug_is_refused(local: Any) -> None:
    app = local.app()
    local.post(f"/apps/{app['id']}/slugs", {}, 422)
    local.post(f"/apps/{app['id']}/slugs", {"process_types": {"web": 1}}, 422)
    local.call("GET", f"/apps/{app['id']}/slugs/none", status=404)
    assert httpx.put(f"{local.url}/blobs/slugs/none", content=b"x").status_code == 404
    assert httpx.put(f"{local.url}/blobs/sources/none", content=b"x").status_code == 404
    assert httpx.get(f"{local.url}/blobs/sources/none").status_code == 404


def test_a_source_is_served_as_it_was_uploaded(local: Any, conforms: Any) -> None:
    made = local.post("/sources")
    conforms("source", made)
    url = made["source_blob"]["put_url"]
    assert httpx.get(url).status_code == 404
    assert httpx.put(url, content=b"any bytes").status_code == 200
    assert httpx.get(made["source_blob"]["get_url"]).content == b"any bytes"
    conforms("source", local.post(f"/apps/{local.app()['id']}/sources"))
