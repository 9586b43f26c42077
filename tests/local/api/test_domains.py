from __future__ import annotations

from typing import Any

import httpx
import pytest


def test_every_app_has_a_domain_and_may_have_others(local: Any, conforms: Any, source: Any) -> None:
    app = local.app()
    local.deploy(app, source("found"))
    path = f"/apps/{app['id']}/domains"
    (own,) = local.get(path)
    assert (own["kind"], own["hostname"]) == ("heroku", f"{app['name']}.localhost")
    made = local.post(path, {"hostname": "*.Example.org", "sni_endpoint": None})
    for row in (own, made):
        conforms("domain", row)
        assert local.get(f"{path}/{row['id']}") == local.get(f"{path}/{row['hostname']}") == row
    assert made["cname"] == own["hostname"]
    for host in ("a.example.org", "B.EXAMPLE.ORG:80"):
        assert httpx.get(local.url, headers={"Host": host}, timeout=60).text.startswith("found")
    assert httpx.get(local.url, headers={"Host": "a.b.example.org"}).status_code == 403
    local.delete(f"{path}/{own['id']}", 422)
    assert local.delete(f"{path}/{made['id']}") == made
    assert httpx.get(local.url, headers={"Host": "a.example.org"}).status_code == 403
    local.call("GET", f"{path}/{made['id']}", status=404)


@pytest.mark.parametrize("hostname", ["", "localhost", "127.0.0.1", "shop.localhost", "a b.com", "*", "x." + "y" * 64])
def test_names_that_cannot_be_one(local: Any, hostname: str) -> None:
    local.call("POST", f"/apps/{local.app()['id']}/domains", {"hostname": hostname, "sni_endpoint": None}, 422)


def test_a_domain_belongs_to_one_app(local: Any) -> None:
    app, other = local.app(), local.app()
    local.post(f"/apps/{app['id']}/domains", {"hostname": "one.example.org", "sni_endpoint": None})
    for each in (app, other):
        local.call("POST", f"/apps/{each['id']}/domains", {"hostname": "one.example.org", "sni_endpoint": None}, 422)
    local.call("POST", f"/apps/{app['id']}/domains", {"hostname": "two.example.org", "sni_endpoint": "cert"}, 422)
    local.delete(f"/apps/{app['id']}")
    local.post(f"/apps/{other['id']}/domains", {"hostname": "one.example.org", "sni_endpoint": None})


def test_webhooks_are_told_of_domains_and_collaborators(local: Any) -> None:
    app = local.app()
    include = ["api:domain", "api:collaborator"]
    hook = {"include": include, "level": "notify", "url": "http://127.0.0.1:1/"}
    local.post(f"/apps/{app['id']}/webhooks", hook)
    domain = local.post(f"/apps/{app['id']}/domains", {"hostname": "told.example.org", "sni_endpoint": None})
    local.delete(f"/apps/{app['id']}/domains/{domain['id']}")
    local.post(f"/apps/{app['id']}/collaborators", {"user": "ann@example.com"})
    local.delete(f"/apps/{app['id']}/collaborators/ann@example.com")
    events = local.get(f"/apps/{app['id']}/webhook-events")
    assert [(event["include"], event["payload"]["action"]) for event in events] == [
        ("api:domain", "create"),
        ("api:domain", "destroy"),
        ("api:collaborator", "create"),
        ("api:collaborator", "destroy"),
    ]
    assert events[0]["payload"]["data"] == domain
