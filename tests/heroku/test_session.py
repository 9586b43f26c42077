from __future__ import annotations

import logging
import socket
import traceback
from pathlib import Path

import pytest

from herodeploy.domain.secret import Secret
from herodeploy.errors import (
    ApiError,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    PlatformError,
    PlatformUnreachable,
    RateLimited,
    ServerFault,
    TwoFactorRequired,
    Unauthorized,
    UsageError,
)
from herodeploy.heroku.retry import ATTEMPTS
from herodeploy.heroku.session import Session

from .conftest import TOKEN, Platform, chunked, reply, reset


def test_a_request_carries_token_version_and_name(session: Session, platform: Platform) -> None:
    platform.on("GET /account", reply(body={"email": "ada@example.com"}))
    assert session.get("/account") == {"email": "ada@example.com"}
    headers = platform.seen[0].headers
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Accept"] == "application/vnd.heroku+json; version=3"
    assert headers["User-Agent"].startswith("herodeploy/")


def test_netrc_and_proxies_of_the_surroundings_do_not_touch_requests_to_this_machine(
    session: Session, platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ada password other\n")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    platform.on("GET /account", reply(body={}))
    session.get("/account")
    assert platform.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("status", "error_id", "kind"),
    [
        (400, "bad_request", InvalidRequest),
        (401, "unauthorized", Unauthorized),
        (402, "delinquent", ApiError),
        (403, "forbidden", Forbidden),
        (403, "two_factor", TwoFactorRequired),
        (404, "not_found", NotFound),
        (406, "not_acceptable", ApiError),
        (409, "conflict", Conflict),
        (422, "invalid_params", InvalidRequest),
        (429, "rate_limit", RateLimited),
        (500, "internal", ServerFault),
        (503, "unavailable", ServerFault),
        (302, "found", ApiError),
    ],
)
def test_each_refusal_keeps_herokus_own_words(
    session: Session, platform: Platform, status: int, error_id: str, kind: type[ApiError]
) -> None:
    body = {"id": error_id, "message": "In Heroku's own words."}
    platform.on("PATCH /apps/shop", reply(status, body, {"Request-Id": "req-1"}))
    with pytest.raises(ApiError) as caught:
        session.patch("/apps/shop", {})
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.error_id, error.request_id) == (status, error_id, "req-1")
    assert str(error) == f"In Heroku's own words. (PATCH /apps/shop, HTTP {status}, {error_id}, Request-Id req-1)"


@pytest.mark.parametrize(
    "body", ["<html><h1>Application error</h1></html>", "", b"\xff\xfe", "[]", '"x"', '{"message": 1}']
)
def test_a_refusal_that_is_not_json_is_still_told(session: Session, platform: Platform, body: str | bytes) -> None:
    platform.on("GET /apps/shop", reply(503, body))
    with pytest.raises(ServerFault, match="the platform gave no reason") as caught:
        session.get("/apps/shop")
    assert len(platform.seen) == ATTEMPTS
    assert caught.value.status == 503


def test_a_reply_that_is_not_json_is_told(session: Session, platform: Platform) -> None:
    platform.on("GET /account", reply(200, "<html>Please log in to the hotel's network</html>"))
    with pytest.raises(PlatformError, match="was answered with text/html where JSON was due"):
        session.get("/account")


def test_429_is_waited_out_even_for_writes(session: Session, platform: Platform, naps: list[float]) -> None:
    limited = reply(429, {"id": "rate_limit", "message": "Your account reached the API rate limit"})
    platform.on("POST /apps", limited, reply(429, {}, {"Retry-After": "7"}), reply(201, {"id": "1"}))
    assert session.post("/apps", {}) == {"id": "1"}
    assert naps == [2.0, 7.0]


def test_a_retry_after_may_be_a_date_and_nonsense_is_passed_over(
    session: Session, platform: Platform, naps: list[float]
) -> None:
    platform.on(
        "GET /account",
        reply(429, {}, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        reply(503, {}, {"Retry-After": "soon"}),
        reply(429, {}, {"Retry-After": "86400"}),
        reply(200, {}),
    )
    session.get("/account")
    assert naps[0] == 0.0
    assert 0 <= naps[1] <= 8
    assert naps[2] == 60.0


@pytest.mark.parametrize("trouble", [reset, reply(500, {}), reply(503, "<html>"), reply(502, {})])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_may_be_repeated_is(session: Session, platform: Platform, method: str, trouble: object) -> None:
    platform.on(f"{method} /apps/shop", trouble, trouble, reply(200, {"ok": True}))  # type: ignore[arg-type]
    assert session.json(method, "/apps/shop") == {"ok": True}
    assert len(platform.seen) == 3


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_write_in_doubt_is_not_repeated_and_says_so(session: Session, platform: Platform, method: str) -> None:
    platform.on(f"{method} /apps", reset)
    with pytest.raises(PlatformUnreachable, match="cannot reach") as caught:
        session.json(method, "/apps", body={})
    assert len(platform.seen) == 1
    assert caught.value.hint == "it is not known whether the platform carried it out; look before repeating it"
    platform.on(f"{method} /apps", reply(503, {"id": "x", "message": "Busy"}))
    with pytest.raises(ServerFault):
        session.json(method, "/apps", body={})
    assert len(platform.seen) == 2


def test_a_write_takes_a_fresh_connection_and_reads_share_one(session: Session, platform: Platform) -> None:
    platform.on("GET /account", reply(body={}))
    platform.on("POST /apps", reply(201, {}))
    for _ in range(2):
        session.get("/account")
        session.post("/apps", {})
    reads = {seen.client for seen in platform.asked("GET /account")}
    writes = {seen.client for seen in platform.asked("POST /apps")}
    assert len(reads) == 1
    assert len(writes) == 2
    assert not reads & writes


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_listening_is_tried_again_and_then_told(naps: list[float], method: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    session = Session(f"http://127.0.0.1:{port}", Secret(TOKEN), sleep=naps.append)
    with pytest.raises(PlatformUnreachable) as caught:
        session.json(method, "/apps")
    session.close()
    assert str(caught.value) == f"cannot reach http://127.0.0.1:{port}: connection refused ({method} /apps)"
    assert caught.value.hint == "is the local platform running? `herodeploy local start`"
    assert len(naps) == ATTEMPTS - 1


def test_a_silent_platform_is_given_up(platform: Platform, naps: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        session = Session(url, Secret(TOKEN), sleep=naps.append, timeout=(0.05, 0.05))
        with pytest.raises(PlatformUnreachable, match=r"no answer in time|timed out"):
            session.get("/account")
        session.close()


def test_a_delete_whose_answer_was_lost_is_no_error(session: Session, platform: Platform) -> None:
    platform.on("DELETE /apps/shop", reset, reply(404, {"id": "not_found", "message": "Couldn't find that app."}))
    assert session.delete("/apps/shop") is False


def test_the_token_stays_at_home_when_redirected_elsewhere(session: Session, platform: Platform) -> None:
    elsewhere = platform.url.replace("127.0.0.1", "localhost") + "/moved"
    platform.on("GET /account", reply(302, {}, {"Location": elsewhere}))
    platform.on("GET /moved", reply(200, {"moved": True}))
    assert session.get("/account") == {"moved": True}
    assert "Authorization" not in platform.asked("GET /moved")[0].headers


def test_circles_are_noticed(session: Session, platform: Platform) -> None:
    platform.on("GET /account", reply(302, {}, {"Location": "/account"}))
    with pytest.raises(PlatformError, match="redirected in circles"):
        session.get("/account")


def test_ranges_are_followed_to_the_end(session: Session, platform: Platform) -> None:
    platform.on(
        "GET /things",
        reply(206, [1, 2], {"Next-Range": "id ]2..; max=2"}),
        reply(206, [3, 4], {"Next-Range": "id ]4..; max=2"}),
        reply(200, [5]),
    )
    assert session.list("/things") == [1, 2, 3, 4, 5]
    assert [seen.headers["Range"] for seen in platform.seen] == ["id ..; max=1000", "id ]2..; max=2", "id ]4..; max=2"]


def test_a_limit_ends_the_following(session: Session, platform: Platform) -> None:
    platform.on("GET /things", reply(206, [1, 2, 3], {"Next-Range": "version ]3.."}))
    assert session.list("/things", "version", limit=2, descending=True) == [1, 2]
    assert [seen.headers["Range"] for seen in platform.seen] == ["version ..; max=2, order=desc"]


def test_a_server_that_always_names_a_next_range_does_not_catch_us(session: Session, platform: Platform) -> None:
    platform.on("GET /things", reply(206, [1], {"Next-Range": "id ]1.."}))
    assert session.list("/things") == [1, 1]
    platform.on("GET /others", reply(200, [1], {"Next-Range": "id ]1.."}))
    assert session.list("/others") == [1]


def test_a_list_that_is_none_is_told(session: Session, platform: Platform) -> None:
    platform.on("GET /things", reply(200, {"id": "1"}))
    with pytest.raises(PlatformError, match="not a list"):
        session.list("/things")


def test_an_upload_carries_no_token_and_is_repeated_from_its_start(
    session: Session, platform: Platform, tmp_path: Path
) -> None:
    file = tmp_path / "source.tgz"
    file.write_bytes(b"x" * 100_000)
    platform.on("PUT /blob?Signature=s1gned", reset, reply(503, "<xml>"), reply(200, ""))
    session.upload(f"{platform.url}/blob?Signature=s1gned", file)
    assert [len(seen.body) for seen in platform.seen] == [100_000] * 3
    assert "Authorization" not in platform.seen[0].headers
    assert "Content-Type" not in platform.seen[0].headers


def test_signatures_and_tokens_are_in_no_error_log_or_traceback(
    session: Session, platform: Platform, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "source.tgz"
    file.write_bytes(b"x")
    platform.on("PUT /blob?Signature=s1gned", reply(403, "<xml>"))
    told = []
    with caplog.at_level(logging.DEBUG):
        for url in (f"{platform.url}/blob?Signature=s1gned", "http://127.0.0.1:9/blob?Signature=s1gned"):
            with pytest.raises(PlatformError) as caught:
                session.upload(url, file)
            told.append("".join(traceback.format_exception(caught.value)))
        logging.getLogger("urllib3.connectionpool").debug("Authorization: Bearer %s and %s", TOKEN, TOKEN)
    everything = "\n".join([*told, caplog.text, repr(session), str(session), repr(vars(session))])
    assert "urllib3" in caplog.text
    assert TOKEN not in everything
    assert "s1gned" not in everything


def test_a_token_that_no_header_can_carry_is_refused_unseen(platform: Platform) -> None:
    with pytest.raises(UsageError) as caught:
        Session(platform.url, Secret("s3cret\r\nX: y"))
    assert "s3cret" not in str(caught.value)


def test_an_address_that_is_none_is_told(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "source.tgz"
    file.write_bytes(b"x")
    with pytest.raises(UsageError, match="not a web address"):
        session.upload("nowhere", file)


def test_an_answer_cut_in_the_middle_is_asked_for_again(session: Session, platform: Platform) -> None:
    platform.on("GET /account", chunked(b'{"em', cut=True), reply(200, {"email": "x"}))
    assert session.get("/account") == {"email": "x"}
