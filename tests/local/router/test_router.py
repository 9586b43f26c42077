from __future__ import annotations

import asyncio
import http.client
import io
import re
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from herodeploy.local.dynos.supervisor import Plan, Supervisor
from herodeploy.local.logs import Logs
from herodeploy.local.router import https
from herodeploy.local.router.router import AppPorts, Route, Router
from herodeploy.local.settings import Settings

APP = """
import os, signal, socket, sys, threading, time

EXTRA = "".join(line + "\\r\\n" for line in (
    "Connection: x-secret", "X-Secret: 1", "X-Own: 2", "Set-Cookie: a=1", "Set-Cookie: b=2",
))

def serve(sock):
    file = sock.makefile("rb")
    method, target, _ = file.readline().decode().split(" ")
    headers = []
    while (line := file.readline().decode().rstrip()):
        headers.append(line)
    size = next((int(h.split(":")[1]) for h in headers if h.lower().startswith("content-length:")), 0)
    def reply(status, body, extra=""):
        head = f"HTTP/1.1 {status}\\r\\nContent-Length: {len(body)}\\r\\n{extra}\\r\\n"
        sock.sendall(head.encode() + (b"" if method == "HEAD" else body))
    path = target.partition("?")[0]
    if path == "/headers":
        reply("200 OK", "\\n".join([f"{method} {target}", *headers]).encode(), EXTRA)
    elif path == "/echo":
        body = b""
        if any(h.lower() == "transfer-encoding: chunked" for h in headers):
            while (length := int(file.readline(), 16)):
                body += file.read(length)
                file.readline()
            file.readline()
        else:
            body = file.read(size)
        reply("201 Created", body)
    elif path == "/chunked":
        sock.sendall(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
        sock.sendall(b"3\\r\\none\\r\\n")
        open("waiting", "w").close()
        while not os.path.exists("go"):
            time.sleep(0.01)
        sock.sendall(b"3\\r\\ntwo\\r\\n0\\r\\n\\r\\n")
    elif path == "/go":
        open("go", "w").close()
        reply("200 OK", b"")
    elif path == "/until-close":
        sock.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nall of it")
    elif path == "/early":
        reply("413 Too Large", b"no")
    elif path == "/hang-up":
        pass
    elif path == "/garbage":
        sock.sendall(b"garbage in, garbage out\\r\\n\\r\\n")
    elif path == "/silent":
        time.sleep(1000)
    elif path == "/stall":
        sock.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\nsome")
        time.sleep(1000)
    elif path == "/cut":
        sock.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\nsome")
    elif path == "/gone":
        print("waiting for the client", flush=True)
        print("client " + ("left" if sock.recv(1) == b"" else "said more"), flush=True)
    elif path.startswith("/safe"):
        told = {h.partition(": ")[0].lower(): h.partition(": ")[2] for h in headers}
        here = "https://" + told["host"]
        if told["x-forwarded-proto"] == "http":
            reply("301 Moved", b"", f"Location: {here}{target}\\r\\n")
        elif path == "/safe/elsewhere":
            reply("302 Found", b"", f"Location: {here}/safe?x\\r\\n")
        else:
            reply("200 OK", (told.get("origin", "") + " " + told["x-forwarded-port"]).encode())
    else:
        reply("200 OK", os.environ["DYNO"].encode())
    sock.shutdown(socket.SHUT_RDWR)
    sock.close()

if "GRACE" in os.environ:  # an app that ends what it began, as a good one does
    signal.signal(signal.SIGTERM, lambda *_: threading.Timer(float(os.environ["GRACE"]), os._exit, [143]).start())
listener = socket.create_server(("0.0.0.0", int(os.environ["PORT"])), backlog=50)
while True:
    sock, _ = listener.accept()
    threading.Thread(target=lambda s=sock: serve(s), daemon=True).start()
"""


@dataclass
class Town:
    """A router with one app, on its own event loop in a thread, so that clients may be plain blocking ones."""

    settings: Settings
    slug: Path
    loop: asyncio.AbstractEventLoop
    route: dict[str, Any] = field(default_factory=dict)
    port: int = 0

    async def open(self) -> None:
        self.logs = Logs(self.settings.logs)
        self.supervisor = Supervisor(self.settings, self.logs)
        self.router = Router(self.settings, self.supervisor, self.logs, self._lookup)
        self.app_ports = AppPorts(self.router)
        self.port = await self.app_ports.open("shop")

    async def close(self) -> None:
        await self.app_ports.close_all()
        await self.supervisor.close()
        await self.router.close()

    def scale(self, command: str, quantity: int) -> None:
        self.route["web_quantity"] = quantity
        plan = Plan("app-1", "shop", "r1", 1, self.slug, {}, {"web": command}, {"web": quantity}, {})
        self.run(self.supervisor.converge(plan))

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def get(self, path: str = "/", method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Any, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def lines(self, dyno: str = "router", source: str = "heroku") -> list[str]:
        async def read() -> list[str]:
            return self.logs.tail("app-1", 1500, source=source, dyno=dyno)

        return [line.partition(": ")[2] for line in self.run(read())]

    def until(self, condition: Callable[[], object]) -> None:
        pause = threading.Event()
        for _ in range(6000):
            if condition():
                return
            pause.wait(0.01)
        raise AssertionError("it did not come true in a minute")

    def _lookup(self, name: str) -> Route | None:
        if name != "shop":
            return None
        values = {"deployed": True, "maintenance": False, "web_quantity": 1, **self.route}
        return Route(app_id="app-1", app_name="shop", **values)


@pytest.fixture
def make_town(tmp_path: Path) -> Iterator[Callable[..., Town]]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    towns: list[Town] = []

    def build(**settings: float) -> Town:
        slug = tmp_path / "slug.tgz"
        with tarfile.open(slug, "w:gz") as tar:
            member = tarfile.TarInfo("./app/app.py")
            member.size = len(APP.encode())
            tar.addfile(member, io.BytesIO(APP.encode()))
        towns.append(Town(Settings(tmp_path / "data", **settings), slug, loop))  # type: ignore[arg-type]
        towns[-1].run(towns[-1].open())
        return towns[-1]

    yield build
    for town in towns:
        town.run(town.close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    town = make_town()
    town.scale("exec python3 app.py", 1)
    return town


def test_a_request_waits_for_the_starting_dyno_and_is_logged(town: Town) -> None:
    status, headers, body = town.get("/?q=1")
    assert (status, body) == (200, b"web.1")
    assert headers["Via"] == "1.1 herodeploy"
    town.until(town.lines)
    (line,) = town.lines()
    assert re.fullmatch(
        rf'at=info method=GET path="/\?q=1" host=127\.0\.0\.1:{town.port} request_id=[0-9a-f-]{{36}} fwd="127\.0\.0\.1"'
        r" dyno=web\.1 connect=\d+ms service=\d+ms status=200 bytes=5 protocol=http",
        line,
    )


def test_headers_of_the_request(town: Town) -> None:
    given = {
        "X_Forwarded_For": "1.2.3.4",
        "Connection": "close, x-hop",
        "X_Hop": "1",
        "TE": "trailers",
        "X_Mine": "yes",
    }
    _, headers, body = town.get("/headers?a=%20b", X_Request_ID="0123456789abcdef0123", **given)
    first, *rest = body.decode().split("\n")
    seen = {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)}
    assert first == "GET /headers?a=%20b"
    assert seen["x-forwarded-for"] == "1.2.3.4, 127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"
    assert seen["x-forwarded-port"] == str(town.port)
    assert seen["x-request-id"] == "0123456789abcdef0123"
    assert seen["x-request-start"].isdigit()
    assert len(seen["x-request-start"]) == 13
    assert seen["host"] == f"127.0.0.1:{town.port}"
    assert seen["x-mine"] == "yes"
    assert not {"x-hop", "te"} & set(seen)
    assert headers["X-Own"] == "2"
    assert headers["X-Secret"] is None
    assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]


def test_an_app_that_insists_on_https_is_told_that_it_has_it(town: Town) -> None:
    here = f"http://127.0.0.1:{town.port}"
    status, headers, _ = town.get("/safe?a=1")
    assert (status, headers["Location"], headers["Cache-Control"]) == (307, f"{here}/safe?a=1", "no-store")
    status, _, body = town.get("/safe?a=1", "POST", b"", Origin=here)
    assert (status, body.decode()) == (200, f"https://127.0.0.1:{town.port} 443")
    assert town.get("/safe", Origin="http://other.example")[2] == b"http://other.example 443"
    status, headers, _ = town.get("/safe/elsewhere")
    assert (status, headers["Location"]) == (302, f"{here}/safe?x")
    assert sum("redirects to https" in line for line in town.lines()) == 1


@pytest.mark.parametrize(
    ("location", "insists"),
    [
        ("https://shop.localhost:5000/a?b", True),
        ("https://shop.localhost/a?b", True),
        ("HTTPS://Shop.localhost:5000/a?b", True),
        ("https://shop.localhost:5000/login", False),
        ("https://other.example/a?b", False),
        ("http://shop.localhost:5000/a?b", False),
        ("/a?b", False),
    ],
)
def test_what_is_taken_for_insisting_on_https(location: str, insists: bool) -> None:
    headers = [(b"Location", location.encode())]
    assert https.insists(301, headers, "shop.localhost:5000", b"/a?b") is insists
    assert not https.insists(200, headers, "shop.localhost:5000", b"/a?b")


def test_short_request_ids_are_replaced(town: Town) -> None:
    _, _, body = town.get("/headers", X_Request_ID="short")
    assert re.search(r"(?im)^x-request-id: [0-9a-f-]{36}$", body.decode())


def test_bodies_pass_both_ways(town: Town) -> None:
    data = bytes(range(256)) * 8192
    assert town.get("/echo", "POST", data)[::2] == (201, data)
    assert town.get("/echo", "PUT", iter([b"one", b"two"]))[::2] == (201, b"onetwo")
    assert town.get("/until-close")[::2] == (200, b"all of it")


def test_head_has_no_body(town: Town) -> None:
    status, headers, body = town.get("/", "HEAD")
    assert (status, headers["Content-Length"], body) == (200, "5", b"")


def test_answers_stream(town: Town) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", town.port, timeout=20)
    try:
        connection.request("GET", "/chunked")
        response = connection.getresponse()
        assert response.read(3) == b"one"
        town.get("/go")
        assert response.read() == b"two"
    finally:
        connection.close()


def test_an_answer_before_the_body_is_taken(town: Town) -> None:
    assert town.get("/early", "POST", b"x" * 100_000)[0] == 413


def test_requests_are_balanced(make_town: Callable[..., Town]) -> None:
    town = make_town()
    town.scale("exec python3 app.py", 2)
    town.until(lambda: {town.get()[2] for _ in range(5)} == {b"web.1", b"web.2"})


@pytest.mark.parametrize(
    ("path", "code", "settings"),
    [("/hang-up", "H13", {}), ("/garbage", "H17", {}), ("/silent", "H12", {"first_byte_timeout": 0.3})],
    ids=["H13", "H17", "H12"],
)
def test_a_dyno_that_does_not_answer(
    make_town: Callable[..., Town], path: str, code: str, settings: dict[str, float]
) -> None:
    town = make_town(**settings)
    town.scale("exec python3 app.py", 1)
    status, headers, body = town.get(path)
    assert status == 503
    assert code.encode() in body
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"at=error code={code} desc=" in town.lines()[-1]
    assert "dyno=web.1" in town.lines()[-1]
    assert "status=503" in town.lines()[-1]


@pytest.mark.parametrize(
    ("path", "code", "settings"), [("/stall", "H15", {"idle_timeout": 0.3}), ("/cut", "H18", {})], ids=["H15", "H18"]
)
def test_an_answer_that_breaks_off_is_not_taken_for_whole(
    make_town: Callable[..., Town], path: str, code: str, settings: dict[str, float]
) -> None:
    town = make_town(**settings)
    town.scale("exec python3 app.py", 1)
    with pytest.raises(http.client.IncompleteRead):
        town.get(path)
    assert f"at=error code={code}" in town.lines()[-1]


def test_a_client_that_leaves_frees_the_dyno(town: Town) -> None:
    with socket.create_connection(("127.0.0.1", town.port)) as client:
        client.sendall(b"GET /gone HTTP/1.1\r\nHost: localhost\r\n\r\n")
        town.until(lambda: "waiting for the client" in town.lines("web.1", "app"))
    town.until(lambda: "client left" in town.lines("web.1", "app"))
    town.until(lambda: any("code=H18" in line and "sock=client" in line for line in town.lines()))


@pytest.mark.parametrize(
    ("route", "status", "code"),
    [
        ({"web_quantity": 0}, 503, "H14"),
        ({"maintenance": True}, 503, "H80"),
        ({"deployed": False, "web_quantity": 0}, 502, "H81"),
    ],
)
def test_pages_without_a_dyno(make_town: Callable[..., Town], route: dict[str, Any], status: int, code: str) -> None:
    town = make_town()
    town.route = route
    answer = town.get()
    assert answer[0] == status
    assert code.encode() in answer[2]
    level = "info" if code == "H80" else "error"
    assert town.lines()[-1].startswith(f"at={level} code={code} ")


def test_crashed_app_is_h10(make_town: Callable[..., Town]) -> None:
    town = make_town()
    town.scale("exit 1", 1)
    status, _, body = town.get()
    assert status == 503
    assert b"H10" in body


def test_app_that_does_not_come_up_is_h20(make_town: Callable[..., Town]) -> None:
    town = make_town(queue_timeout=0.2)
    town.scale("exec sleep 1000", 1)
    status, _, body = town.get()
    assert status == 503
    assert b"H20" in body


def test_dyno_that_stopped_listening_is_h21(make_town: Callable[..., Town]) -> None:
    town = make_town()
    once = "import os, socket, time; s = socket.create_server(('', int(os.environ['PORT']))); s.accept(); s.close()"
    town.scale(f'exec python3 -c "{once}; print(1, flush=True); time.sleep(1000)"', 1)
    town.until(lambda: town.lines("web.1", "app"))
    status, _, body = town.get()
    assert status == 503
    assert b"H21" in body


def test_requests_queue_while_a_release_replaces_the_dynos(make_town: Callable[..., Town]) -> None:
    town = make_town()
    command = "GRACE=3 exec python3 app.py"  # longer than any request is under way, on a busy machine, too
    town.scale(command, 1)
    assert town.get()[0] == 200
    replies: list[int] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            replies.append(town.get()[0])

    asking = threading.Thread(target=ask)
    asking.start()
    plan = Plan("app-1", "shop", "r2", 2, town.slug, {}, {"web": command}, {"web": 1}, {})
    town.run(town.supervisor.converge(plan))
    town.until(lambda: any("exited with status 143" in line for line in town.lines("web.1")))
    town.get()
    done.set()
    asking.join()
    assert set(replies) == {200}


def test_unknown_app_and_foreign_host(town: Town) -> None:
    assert town.get(Host="evil.example")[0] == 421
    port = town.run(town.app_ports.open("other"))
    town.port = port
    status, _, body = town.get()
    assert status == 404
    assert b"other" in body


def test_a_port_is_kept_and_given_back(town: Town) -> None:
    port = town.port
    assert town.get()[0] == 200  # nothing is being started any more, so no half-started process holds the socket
    assert town.run(town.app_ports.open("shop")) == port
    town.run(town.app_ports.close("shop"))
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    assert town.run(town.app_ports.open("shop", port)) == port
    assert town.get()[0] == 200
    with pytest.raises(OSError):
        town.run(town.app_ports.open("third", port))
