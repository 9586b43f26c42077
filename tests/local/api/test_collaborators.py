from __future__ import annotations

from typing import Any


def test_collaborators(local: Any, conforms: Any) -> None:
    app = local.app()
    path = f"/apps/{app['id']}/collaborators"
    (owner,) = local.get(path)
    made = local.post(path, {"user": "ann@example.com"})
    for row in (owner, made):
        conforms("collaborator", row)
        assert local.get(f"{path}/{row['user']['email']}") == local.get(f"{path}/{row['id']}") == row
    for user in ("ann@example.com", "local@localhost", "~", "nobody", ""):
        local.call("POST", path, {"user": user}, 422)
    assert local.get("/users/ann@example.com")["id"] == made["user"]["id"]
    local.delete(f"{path}/{owner['id']}", 422)
    assert local.delete(f"{path}/ann@example.com") == made
    local.call("GET", f"{path}/ann@example.com", status=404)
    local.call("GET", "/users/ann@example.com", status=404)
