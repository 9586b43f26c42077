from __future__ import annotations

from typing import Any

from support.platforms import Local


def as_(local: Local, token: str, path: str = "/account") -> int:
    return local.http.get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def authorize(local: Local, **more: Any) -> Any:
    return local.post("/oauth/authorizations", {"scope": ["global"], **more})


def test_an_authorization_is_a_token_until_it_is_revoked(local: Local, conforms: Any) -> None:
    made = authorize(local, description="a robot")
    conforms("oauth-authorization", made)
    token = made["access_token"]["token"]
    assert as_(local, token) == 200
    listed = local.get("/oauth/authorizations")
    assert token not in str(listed)
    assert {row["description"] for row in listed} == {"The local platform's own token", "a robot"}
    assert local.get("/oauth/authorizations/~") in listed
    path = f"/oauth/authorizations/{made['id']}"
    assert local.patch(path, {"client": {}, "description": "another"})["description"] == "another"
    renewed = local.call("POST", f"{path}/actions/regenerate-tokens", None, 200)["access_token"]["token"]
    assert (as_(local, token), as_(local, renewed)) == (401, 200)
    local.delete(path)
    assert as_(local, renewed) == 401
    local.call("GET", path, status=404)


def test_it_expires(local: Local) -> None:
    made = authorize(local, expires_in=60)
    token = made["access_token"]["token"]
    assert 0 < made["access_token"]["expires_in"] <= 60
    assert as_(local, token) == 200
    local.control.advance(61)
    assert as_(local, token) == 401
    assert made["id"] not in str(local.get("/oauth/authorizations"))


def test_the_platforms_own_token_stays(local: Local) -> None:
    local.delete("/oauth/authorizations/~", 403)
    local.call("POST", "/oauth/authorizations/~/actions/regenerate-tokens", None, 422)
    assert local.delete("/oauth/sessions/~", 404)["resource"] == "session"
    local.call("POST", "/oauth/authorizations", {"scope": ["everything"]}, 422)
    first = local.get("/oauth/authorizations/~")
    local.control.advance(61)
    assert local.get("/oauth/authorizations/~") == first
    assert local.get("/oauth/authorizations") == [first]


def test_a_token_is_kept_as_a_hash_and_outlives_the_platform(run_platform: Any, tmp_path: Any) -> None:
    with run_platform(tmp_path) as local:
        token = authorize(local)["access_token"]["token"]
    assert token.encode() not in b"".join(file.read_bytes() for file in tmp_path.glob("state.db*"))
    with run_platform(tmp_path) as local:
        assert as_(local, token) == 200
        assert as_(local, token, "/_local/control/faults") == 401
