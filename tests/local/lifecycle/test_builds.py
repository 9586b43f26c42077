from __future__ import annotations

import errno
import hashlib
import io
import tarfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from herodeploy.local.build import builder

Source = Callable[..., dict[str, str]]


def test_a_source_becomes_a_slug_a_release_and_a_web_dyno(local: Any, source: Source, conforms: Any) -> None:
    app = local.app()
    build = local.build(app, source("first"), "8748a04e9d5e1b2c", version_description="Say hello")
    output = build.pop("output")
    assert build["status"] == "succeeded", output
    conforms("build", build)
    assert "Released v3" in output
    release = local.settled(app, build["release"]["id"])
    conforms("release", release)
    assert (release["version"], release["description"], release["status"]) == (3, "Deploy 8748a04e", "succeeded")
    assert release["slug"] == build["slug"]
    slug = local.get(f"/apps/{app['id']}/slugs/{build['slug']['id']}")
    conforms("slug", slug)
    assert (slug["commit"], slug["commit_description"]) == ("8748a04e9d5e1b2c", "Say hello")
    assert slug["process_types"] == {"web": "python3 serve.py"}
    assert local.visit(app, "/path?x=1").text == "first - /path?x=1"
    blob = httpx.get(slug["blob"]["url"]).content
    assert slug["checksum"] == "SHA256:" + hashlib.sha256(blob).hexdigest()
    assert slug["size"] == len(blob)
    with tarfile.open(fileobj=io.BytesIO(blob)) as tar:
        assert "./app/serve.py" in tar.getnames()


def test_the_router_answers_by_host_name_too(local: Any, source: Source) -> None:
    app = local.app("by-name")
    local.deploy(app, source("named"))
    answer = httpx.get(local.url + "/", headers={"Host": f"by-name.localhost:{local.url.rpartition(':')[2]}"})
    assert answer.text == "named - /"


MIRROR = """\
import http.server, json, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(self.headers.items()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""


def test_headers_pass_the_router_once(local: Any) -> None:
    """By host name as by the app's own port: one Date, the app's, and each proxy once in X-Forwarded-For."""
    app = local.app()
    local.deploy(app, {"Procfile": "web: python3 mirror.py\n", "mirror.py": MIRROR})
    given = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    by_name = httpx.get(local.url, headers=given | {"Host": f"{app['name']}.localhost"}, timeout=60)
    by_port = httpx.get(local.address(app), headers=given, timeout=60)
    for answer in (by_name, by_port):
        assert len(answer.headers.get_list("Date", split_commas=False)) == 1
        seen = {name.lower(): value for name, value in answer.json()}
        assert seen["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"
        assert seen["x-forwarded-proto"] == "http"


def test_the_first_deploy_starts_web_and_later_ones_keep_the_formation(local: Any, source: Source) -> None:
    app = local.app()
    local.deploy(app, source(Procfile="web: python3 serve.py\nworker: sleep 60\n"))
    assert quantities(local, app) == {"web": 1, "worker": 0}
    local.patch(f"/apps/{app['id']}/formation", {"updates": [{"type": "worker", "quantity": 2}]})
    local.patch(f"/apps/{app['id']}/formation/web", {"quantity": 0})
    local.deploy(app, source(Procfile="web: python3 serve.py\nworker: sleep 60\nclock: sleep 60\n"))
    assert quantities(local, app) == {"web": 0, "worker": 2, "clock": 0}
    local.deploy(app, source())
    assert quantities(local, app) == {"web": 0}


def test_what_no_buildpack_knows_fails_and_releases_nothing(local: Any, conforms: Any) -> None:
    app = local.app()
    build = local.build(app, {"README": "nothing to run"})
    output = build.pop("output")
    conforms("build", build)
    assert (build["status"], build["release"], build["slug"]) == ("failed", None, None)
    assert output.strip()
    assert len(local.get(f"/apps/{app['id']}/releases")) == 2


def test_a_source_that_was_never_uploaded_fails_with_a_plain_sentence(local: Any) -> None:
    app = local.app()
    url = local.post("/sources")["source_blob"]["get_url"]
    begun = local.post(f"/apps/{app['id']}/builds", {"source_blob": {"url": url}})
    assert "never uploaded" in local.read(begun["output_stream_url"])
    assert local.get(f"/apps/{app['id']}/builds/{begun['id']}")["status"] == "failed"


def test_a_source_elsewhere_is_fetched_or_the_reason_is_told(local: Any, source: Source) -> None:
    app = local.app()
    local.deploy(app, source())
    slug = local.current(app)["slug"]["id"]
    elsewhere = f"{local.url}/blobs/slugs/{slug}"
    begun = local.post(f"/apps/{app['id']}/builds", {"source_blob": {"url": elsewhere}})
    local.read(begun["output_stream_url"])
    assert local.get(f"/apps/{app['id']}/builds/{begun['id']}")["status"] == "succeeded"
    begun = local.post(f"/apps/{app['id']}/builds", {"source_blob": {"url": f"{local.url}/blobs/slugs/none"}})
    assert "answered 404" in local.read(begun["output_stream_url"])


def test_a_wrong_checksum_fails_the_build(local: Any, source: Source) -> None:
    build = local.build(local.app(), source(), checksum="SHA256:" + "0" * 64)
    assert build["status"] == "failed"
    assert "checksum" in build["output"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "nonsense",
        "https://user:pass@example.com/x.tgz",
        "http://127.0.0.1:99999/x.tgz",
        "http://127.0.0.1:port/x.tgz",
        "http://[::1/x.tgz",
        "http://xn--/x.tgz",
        "http://a\0b/x.tgz",
    ],
)
def test_an_address_that_cannot_be_a_source_is_refused(local: Any, url: str) -> None:
    app = local.app()
    problem = local.post(f"/apps/{app['id']}/builds", {"source_blob": {"url": url}}, 422)
    assert problem["id"] == "invalid_params"
    assert "pass@" not in problem["message"]
    assert local.get(f"/apps/{app['id']}/builds") == []


def test_an_app_builds_one_at_a_time_in_order(local: Any, source: Source) -> None:
    app = local.app()
    urls = [local.upload(source(text)) for text in ("one", "two", "three")]
    path = f"/apps/{app['id']}/builds"
    builds = [local.post(path, {"source_blob": {"url": url, "version": str(n)}}) for n, url in enumerate(urls)]
    for build in builds:
        local.read(build["output_stream_url"])
    versions = [local.get(f"/apps/{app['id']}/releases/{n}")["description"] for n in (3, 4, 5)]
    assert versions == ["Deploy 0", "Deploy 1", "Deploy 2"]
    assert local.visit(app).text.startswith("three")
    newest = local.get(path, Range="created_at ..; max=15, order=desc")
    assert {build["id"] for build in newest} == {build["id"] for build in builds}
    assert len(local.get(path, Range="started_at ..; max=2")) == 2


def test_a_cancelled_build_has_failed(local: Any, tmp_path: Any) -> None:
    pack = tmp_path / "slow"
    (pack / "bin").mkdir(parents=True)
    for name, text in {"detect": "echo slow", "compile": "echo compiling; sleep 60", "release": "echo"}.items():
        (pack / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (pack / "bin" / name).chmod(0o755)
    app = local.app()
    url = local.upload({"x": "y"})
    body = {"source_blob": {"url": url}, "buildpacks": [{"url": str(pack)}]}
    build = local.post(f"/apps/{app['id']}/builds", body)
    with httpx.stream("GET", build["output_stream_url"], timeout=30) as stream:
        for line in stream.iter_lines():
            if "compiling" in line:
                break
    assert local.delete(f"/apps/{app['id']}/builds/{build['id']}")["status"] == "failed"
    assert "cancelled" in local.read(build["output_stream_url"])
    assert local.deploy(app, {"Procfile": "web: sleep 60\n"})["status"] == "succeeded"
    assert local.delete(f"/apps/{app['id']}/build-cache") == {}


def test_a_full_disk_fails_the_build_with_a_plain_sentence_and_the_platform_goes_on(
    local: Any, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_room(request: Any, output: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    app = local.app()
    with monkeypatch.context() as patch:
        patch.setattr(builder, "build", no_room)
        build = local.build(app, source())
    assert build["status"] == "failed"
    assert "The disk is full" in build["output"]
    assert local.deploy(app, source())["status"] == "succeeded"


def test_a_full_disk_refuses_an_upload(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_room(*args: Any) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    put_url = local.post("/sources")["source_blob"]["put_url"]
    monkeypatch.setattr("herodeploy.local.api.sources._receive", no_room)
    answer = httpx.put(put_url, content=b"x")
    assert (answer.status_code, answer.json()["id"]) == (507, "insufficient_storage")


def test_output_can_be_taken_up_where_it_broke(local: Any, source: Source) -> None:
    build = local.build(local.app(), source())
    url, whole = build["output_stream_url"], build["output"].encode()
    part = httpx.get(url, headers={"Range": "bytes=10-"})
    assert (part.status_code, part.content) == (206, whole[10:])
    events = httpx.get(url, headers={"Accept": "text/event-stream"}).text
    lines = [line.removeprefix("data: ") for line in events.split("\n") if line.startswith("data: ")]
    assert "\n".join(lines) + "\n" == build["output"]
    second = events.split("\n\n")[1].split("\n")[0].removeprefix("id: ")
    rest = httpx.get(url, headers={"Accept": "text/event-stream", "Last-Event-Id": second}).text
    assert events.endswith(rest)
    assert events.count("data: ") == rest.count("data: ") + 2
    assert httpx.get(f"{local.url}/streams/none").status_code == 404


def quantities(local: Any, app: Any) -> dict[str, int]:
    return {row["type"]: row["quantity"] for row in local.get(f"/apps/{app['id']}/formation")}
