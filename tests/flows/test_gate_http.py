"""The gate http asks a real server on the way of a real delivery."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.gate import Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.flows.why import why

Shop = Any
MINUTE = timedelta(minutes=1)


@dataclass
class Site:
    """A web site that says what it is told to say, and what it was asked."""

    url: str
    status: int = 200
    body: object = None
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            found.asked.append((f"{self.command} {self.path}", dict(self.headers.items()), sent))
            raw = json.dumps(found.body).encode()
            self.send_response(found.status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Site(f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def gated(shop: Shop, options: dict[str, Any]) -> Clock:
    """Put the gate before production, in deployment mode, and time into the test's hands."""
    first, last = shop.services.spec.stages
    stages = (first, dataclasses.replace(last, gates=(GateSpec("http", options),)))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages, mode="deployment")
    clock = Clock()
    shop.services.clock = clock
    return clock


def verdict(shop: Shop, delivery: Delivery) -> Verdict:
    found = shop.services.store.gates.verdicts(delivery.id, "production")
    return next(each for each in found if each.kind == "http")


def test_it_asks_until_the_answer_is_yes(shop: Shop, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_TOKEN", "s3cret-t0ken")
    options = {
        "url": f"{site.url}/ready/${{HERODEPLOY_COMMIT}}?key=${{QA_TOKEN}}",
        "headers": {"Authorization": "Bearer ${QA_TOKEN}"},
        "success_when": "body.state == 'ready'",
        "failure_when": "status >= 500",
    }
    clock = gated(shop, options)
    site.body = {"state": "busy with s3cret-t0ken"}
    waiting = shop.deliver()
    commit = shop.services.repo.head().commit
    assert waiting.status is Status.WAITING
    assert waiting.reason == (
        f"GET {site.url}/ready/${{HERODEPLOY_COMMIT}} answered 200 (body.state is busy with [REDACTED]), "
        "which is neither yes nor no"
    )
    assert waiting.recheck_at == clock.now + MINUTE
    request, headers, _ = site.asked[0]
    assert (request, headers["Authorization"]) == (f"GET /ready/{commit}?key=s3cret-t0ken", "Bearer s3cret-t0ken")

    clock.now += MINUTE / 2
    shop.resume()
    assert len(site.asked) == 1, "asked again before its time"

    clock.now += MINUTE / 2
    site.body = {"state": "ready"}
    [delivered] = shop.resume()
    assert (delivered.status, len(site.asked)) == (Status.DELIVERED, 2)
    said = verdict(shop, delivered)
    assert (said.answer, said.facts["seen"]) == ("PASS", {"body.state": "ready"})
    kept = shop.services.store.gates.observations(delivered.id, "production")["http"]
    assert "s3cret" not in repr(kept) + repr(said)


def test_a_no_ends_the_delivery(shop: Shop, site: Site) -> None:
    gated(shop, {"url": site.url, "failure_when": "body.blocked"})
    site.body = {"blocked": True}
    failed = shop.deliver()
    assert (failed.status, failed.reason) == (Status.FAILED, f"GET {site.url}/ answered 200 (body.blocked is True)")


def test_without_an_answer_in_time_it_is_a_no(shop: Shop, site: Site) -> None:
    clock = gated(shop, {"url": site.url, "every": 10 * MINUTE, "timeout": 30 * MINUTE})
    site.status = 404
    waiting = shop.deliver()
    assert waiting.recheck_at == clock.now + 10 * MINUTE
    clock.now += 25 * MINUTE
    [waiting] = shop.resume()
    assert waiting.recheck_at == clock.now + 5 * MINUTE, "the end of its time comes first"
    clock.now += 5 * MINUTE
    [failed] = shop.resume()
    assert (failed.status, len(site.asked)) == (Status.FAILED, 3)
    assert failed.reason == f"GET {site.url}/ answered 404, and nothing better within 30m"


def test_a_yes_that_is_taken_back_starts_the_time_anew(shop: Shop, site: Site) -> None:
    clock = gated(shop, {"url": site.url, "timeout": 5 * MINUTE})
    first, last = shop.services.spec.stages
    button = GateSpec("approval", {"optional": False})
    stages = (first, dataclasses.replace(last, gates=(*last.gates, button)))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages)
    waiting = shop.deliver()
    assert verdict(shop, waiting).answer == "PASS"
    clock.now += 60 * MINUTE
    site.status = 404
    [waiting] = shop.resume()
    assert (waiting.status, verdict(shop, waiting).answer) == (Status.WAITING, "WAIT")
    clock.now += 5 * MINUTE
    [failed] = shop.resume()
    assert failed.status is Status.FAILED


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9/x?key=1", "could not look: cannot reach http://127.0.0.1:9: connection refused (GET /x)"),
        ("http://127.0.0.1:9/${QA_KEY}",
         "could not look: herodeploy.yml wants the environment variable QA_KEY, which is not set here"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_no_answer(shop: Shop, url: str, reason: str) -> None:
    clock = gated(shop, {"url": url, "timeout": MINUTE})
    waiting = shop.deliver()
    assert (waiting.status, waiting.reason, waiting.recheck_at) == (Status.WAITING, reason, clock.now + MINUTE)
    clock.now += 60 * MINUTE
    [waiting] = shop.resume()
    assert waiting.status is Status.WAITING


def test_what_has_no_answer_is_said_without_secrets(shop: Shop, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_TOKEN", "s3cret-t0ken")
    gated(shop, {"url": site.url, "success_when": "number(body.state) > 1"})
    site.body = {"state": "s3cret-t0ken"}
    waiting = shop.deliver()
    assert waiting.reason == (
        f"GET {site.url}/ answered 200 (`number(body.state) > 1` has no answer: could not convert string to float: "
        "'[REDACTED]'), which is neither yes nor no"
    )


def test_a_no_that_cannot_be_told_is_no_yes(shop: Shop, site: Site) -> None:
    clock = gated(shop, {"url": site.url, "failure_when": "body.failed > 0"})
    site.body = "down for maintenance"
    waiting = shop.deliver()
    assert waiting.status is Status.WAITING
    assert waiting.reason is not None
    assert "`body.failed > 0` has no answer: what is not there cannot be compared with a number" in waiting.reason
    site.body = {"failed": 0}
    clock.now += MINUTE
    assert shop.resume()[0].status is Status.DELIVERED


def test_what_is_no_number_in_json_is_kept_as_text(shop: Shop, site: Site) -> None:
    gated(shop, {"url": site.url, "success_when": "body.share < 0.01"})
    site.body = {"share": float("nan")}
    waiting = shop.deliver()
    assert verdict(shop, waiting).facts["seen"] == {"body.share": "nan"}
    json.dumps(why(shop.services, waiting.id).to_json(), allow_nan=False)


def test_a_question_that_was_changed_is_asked_at_once(shop: Shop, site: Site) -> None:
    gated(shop, {"url": site.url, "success_when": "body.state == 'done'"})
    site.body = {"state": "ready"}
    assert shop.deliver().status is Status.WAITING
    gated(shop, {"url": site.url, "success_when": "body.state == 'ready'"})
    assert shop.resume()[0].status is Status.DELIVERED


def test_a_body_is_sent_as_json(shop: Shop, site: Site) -> None:
    body = {"commit": "${HERODEPLOY_COMMIT}", "apps": ["${HERODEPLOY_APPS}"]}
    gated(shop, {"url": f"{site.url}/check", "method": "POST", "body": body})
    assert shop.deliver().status is Status.DELIVERED
    [(request, headers, sent)] = site.asked
    assert (request, headers["Content-Type"]) == ("POST /check", "application/json")
    commit = shop.services.repo.head().commit
    assert json.loads(sent) == {"commit": commit, "apps": [shop.app("production")]}
