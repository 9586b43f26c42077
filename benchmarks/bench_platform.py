"""What the local platform costs: `python benchmarks/bench_platform.py`. Prints figures beside limits; judges none.

The platform runs in a process of its own on one core, the client on another (where there are two). Beside each figure
stands what cannot be beaten: a bare Starlette route on the same server, the app asked directly.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

SECONDS = 4.0
CONNECTIONS = 8
BUILDS = 10
DYNOS = 5  # an app
ASKERS = 20
RATE = 100  # questions a second of all askers together: few enough that they are not the load
APPS = 50
IDLE = 10.0
TOKEN = "bench"

PLATFORM = """
import os, sys, json
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from herodeploy.local import LocalPlatform
with LocalPlatform(sys.argv[1], token="bench", rate_limit=1e9) as platform:
    print(json.dumps({"url": platform.url, "pid": os.getpid()}), flush=True)
    sys.stdin.read()
"""
BARE = """
import os, sys, json, socket, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
sock.bind(("127.0.0.1", 0))
sock.listen()
print(json.dumps({"url": "http://127.0.0.1:%d" % sock.getsockname()[1], "pid": os.getpid()}), flush=True)
app = Starlette(routes=[Route("/account", lambda request: JSONResponse({"email": "local@localhost"}))])
uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")).run(sockets=[sock])
"""
SERVE = """
import asyncio, os
async def answer(reader, writer):
    while await reader.readuntil(b"\\r\\n\\r\\n"):
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
async def main():
    async with await asyncio.start_server(answer, "0.0.0.0", int(os.environ["PORT"])) as server:
        await server.serve_forever()
asyncio.run(main())
"""


def main() -> None:
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(f"{'what':<44}{'measured':>26}   limit")
    with started(BARE) as bare:
        show("GET of a bare Starlette route", load(bare["url"], "/account"), "(what cannot be beaten)")
    with tempfile.TemporaryDirectory(prefix="herodeploy-bench") as folder, started(PLATFORM, folder) as platform:
        url = platform["url"]
        call(url, "POST", "/apps", {"name": "one-of-them"})
        show("GET /apps/one-of-them", load(url, "/apps/one-of-them"), ">= 1500/s, p99 < 10 ms")
        builds(url)
        routing(url)
        starving(url)
    with tempfile.TemporaryDirectory(prefix="herodeploy-bench") as folder, started(PLATFORM, folder) as platform:
        idle(platform)


def builds(url: str) -> None:
    """From POST of a build to a succeeded release."""
    took = []
    for _ in range(BUILDS):
        source = upload(url, {"Procfile": "worker: sleep 1000\n"})
        began = time.perf_counter()
        build(url, "one-of-them", source)
        took.append((time.perf_counter() - began) * 1000)
    figures = f"{median(took):.0f} ({max(took):.0f}) ms"
    print(f"{'no-op build, POST to release, median (max)':<44}{figures:>26}   <= 300 ms")


def routing(url: str) -> None:
    """What the router adds to a request of an app."""
    mark = uuid.uuid4().hex
    call(url, "POST", "/apps", {"name": "routed"})
    call(url, "PATCH", "/apps/routed/config-vars", {"MARK": mark})
    build(url, "routed", upload(url, {"Procfile": "web: python3 serve.py\n", "serve.py": SERVE}))
    address = next(app["address"] for app in call(url, "GET", "/_local/apps") if app["name"] == "routed")
    urllib.request.urlopen(address, timeout=60).read()
    direct = f"http://127.0.0.1:{dyno_port(mark)}"
    own, routed = asyncio.run(latencies(direct, "/")), asyncio.run(latencies(address.rstrip("/"), "/"))
    print(f"{'app asked directly, p50':<44}{f'{median(own):.2f} ms':>26}   (what cannot be beaten)")
    print(f"{'app through the router, p50':<44}{f'{median(routed):.2f} ms':>26}")
    print(f"{'the router adds, p50':<44}{f'{median(routed) - median(own):.2f} ms':>26}   <= 3 ms")


def starving(url: str) -> None:
    """Ten builds and fifty dynos at once: how long the API takes meanwhile."""
    source = upload(url, {"Procfile": "worker: sleep 1000\n"})
    names = [f"busy-{number}" for number in range(10)]
    for name in names:
        call(url, "POST", "/apps", {"name": name})
        build(url, name, source)
    took = asyncio.run(while_busy(url, names, source))
    took.sort()
    figures = f"p50 {median(took):.0f}, p99 {took[int(len(took) * 0.99)]:.0f}, max {took[-1]:.0f} ms"
    print(f"{'GET while 10 builds and 50 dynos start':<44}{figures:>26}   p99 < 250 ms ({len(took)} GETs)")


async def while_busy(url: str, names: list[str], source: str) -> list[float]:
    """Return how long each GET took from the builds' and dynos' order until all builds are done and all dynos up.

    Questions come at a fixed rate, and each is timed from the moment when it was due: while the platform stalls, those
    that have to wait for their turn count, too.
    """

    def work() -> None:
        for name in names:
            call(url, "PATCH", f"/apps/{name}/formation", {"updates": [{"type": "worker", "quantity": DYNOS}]})
        begun = [(name, call(url, "POST", f"/apps/{name}/builds", {"source_blob": {"url": source}})) for name in names]
        for name, made in begun:
            finished(url, name, made)
        for name in names:
            all_up(url, name)

    asks = [await asker(url, "/apps/one-of-them") for _ in range(ASKERS)]
    busy = asyncio.ensure_future(asyncio.to_thread(work))
    took: list[float] = []
    began = time.perf_counter()

    async def keep_on(ask: Callable[[], Awaitable[float]], due: float) -> None:
        while not busy.done():
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await ask()
            took.append((time.perf_counter() - due) * 1000)
            due += ASKERS / RATE

    await asyncio.gather(*(keep_on(ask, began + number / RATE) for number, ask in enumerate(asks)))
    await busy
    return took


def idle(platform: dict[str, Any]) -> None:
    """Fifty apps, no dynos, nobody who asks."""
    for number in range(APPS):
        call(platform["url"], "POST", "/apps", {"name": f"idle-{number}"})
    before = cpu_seconds(platform["pid"])
    time.sleep(IDLE)  # what is measured is that nothing happens
    share = (cpu_seconds(platform["pid"]) - before) / IDLE * 100
    status = Path(f"/proc/{platform['pid']}/status").read_text()
    memory = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    print(f"{f'idle with {APPS} apps':<44}{f'{share:.1f} % CPU, {memory:.0f} MiB':>26}   < 1 % CPU, < 120 MiB")


def load(url: str, path: str) -> tuple[float, list[float]]:
    """Ask as fast as several connections can; return requests a second and each one's milliseconds."""
    return asyncio.run(_load(url, path))


async def _load(url: str, path: str) -> tuple[float, list[float]]:
    took: list[float] = []
    asks = [await asker(url, path) for _ in range(CONNECTIONS)]
    began = time.perf_counter()

    async def keep_on(ask: Callable[[], Awaitable[float]]) -> None:
        while time.perf_counter() - began < SECONDS:
            took.append(await ask())

    await asyncio.gather(*(keep_on(ask) for ask in asks))
    return len(took) / (time.perf_counter() - began), took


async def latencies(url: str, path: str) -> list[float]:
    ask = await asker(url, path)
    return [await ask() for _ in range(1000)]


async def asker(url: str, path: str) -> Callable[[], Awaitable[float]]:
    """Return a function that asks once on a connection of its own and returns the milliseconds it took."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()

    async def ask() -> float:
        began = time.perf_counter()
        writer.write(head)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.split(b" ", 2)[1] == b"200", answer
        length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        return (time.perf_counter() - began) * 1000

    return ask


def show(what: str, measured: tuple[float, list[float]], limit: str) -> None:
    rate, took = measured
    took.sort()
    figures = f"{rate:.0f}/s, p99 {took[int(len(took) * 0.99)]:.1f} ms"
    print(f"{what:<44}{figures:>26}   {limit}")


def build(url: str, app: str, source: str) -> None:
    finished(url, app, call(url, "POST", f"/apps/{app}/builds", {"source_blob": {"url": source}}))


def finished(url: str, app: str, made: dict[str, Any]) -> None:
    urllib.request.urlopen(made["output_stream_url"], timeout=120).read()
    made = call(url, "GET", f"/apps/{app}/builds/{made['id']}")
    assert made["status"] == "succeeded", made
    assert call(url, "GET", f"/apps/{app}/releases/{made['release']['id']}")["status"] == "succeeded"


def all_up(url: str, app: str) -> None:
    """Wait until every dyno of an app runs its newest release."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        newest = max(release["version"] for release in call(url, "GET", f"/apps/{app}/releases"))
        dynos = call(url, "GET", f"/apps/{app}/dynos")
        if [(dyno["state"], dyno["release"]["version"]) for dyno in dynos] == [("up", newest)] * DYNOS:
            return
        time.sleep(0.05)  # the API has no event for it
    raise SystemExit(f"the dynos of {app} did not come up: {[dyno['state'] for dyno in dynos]}")


def upload(url: str, files: dict[str, str]) -> str:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    blob = call(url, "POST", "/sources")["source_blob"]
    urllib.request.urlopen(urllib.request.Request(blob["put_url"], buffer.getvalue(), method="PUT"), timeout=60).read()
    return str(blob["get_url"])


def call(url: str, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Authorization": f"Bearer {TOKEN}"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def dyno_port(mark: str) -> int:
    """Return the port of the web dyno that has this config var."""
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            environment = (process / "environ").read_bytes().split(b"\0")
            values = dict(pair.split(b"=", 1) for pair in environment if b"=" in pair)
            if values.get(b"MARK") == mark.encode():
                return int(values[b"PORT"])
    raise SystemExit("no process of the web dyno found")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def median(values: list[float]) -> float:
    return statistics.median(values)


@contextlib.contextmanager
def started(program: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """Run a program that says where it answers, until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        try:
            yield json.loads(child.stdout.readline())
        finally:
            child.stdin.close()
            if "uvicorn.Server" in program:
                child.terminate()


if __name__ == "__main__":
    main()
