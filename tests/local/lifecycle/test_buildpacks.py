"""Buildpacks of the user's own, from setting them to what they leave in dynos, through the API alone."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

PAUSE = threading.Event()
GATE = "until test -e {gate}; do sleep 0.02; done"


@pytest.fixture
def pack(tmp_path: Path) -> Callable[..., Path]:
    """Make a buildpack in a folder."""

    def make(name: str, **steps: str) -> Path:
        folder = tmp_path / name
        (folder / "bin").mkdir(parents=True)
        for step, script in ({"detect": f"echo {name}", "compile": ""} | steps).items():
            file = folder / "bin" / step.replace("_", "-")
            file.write_text(f"#!/bin/sh\n{script}\n")
            file.chmod(0o755)
        return folder

    return make


@pytest.fixture
def repository(tmp_path: Path) -> Callable[[Path], str]:
    """Make a git repository of a folder and return its URL."""

    def make(folder: Path) -> str:
        git = ["git", "-C", str(folder)]
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
            subprocess.run([*git, *words], check=True)
        bare = folder.with_suffix(".git")
        subprocess.run(["git", "clone", "-q", "--bare", str(folder), str(bare)], check=True)
        return f"file://{bare}"

    return make


def install(local: Any, app: Any, *buildpacks: object) -> Any:
    """Do what `heroku buildpacks:set` and `:add` do."""
    updates = [{"buildpack": str(buildpack)} for buildpack in buildpacks]
    return local.call("PUT", f"/apps/{app['id']}/buildpack-installations", {"updates": updates}, 200, Range="")


def until(condition: Callable[[], object]) -> None:
    for _ in range(3000):
        if condition():
            return
        PAUSE.wait(0.02)
    raise AssertionError("it never happened")


def run(local: Any, app: Any, command: str) -> str:
    """Run a one-off dyno and return what it wrote to the log until it said done."""
    dyno = local.post(f"/apps/{app['id']}/dynos", {"command": f"{command}; echo done"})
    lines: list[str] = []

    def ended() -> bool:
        session = local.post(f"/apps/{app['id']}/log-sessions", {"dyno": dyno["name"], "source": "app", "lines": 100})
        lines[:] = [line.partition(": ")[2] for line in httpx.get(session["logplex_url"]).text.splitlines()]
        return "done" in lines

    until(ended)
    return "\n".join(lines)


def test_several_by_path_and_by_git_url_in_order(
    local: Any, conforms: Any, pack: Callable[..., Path], repository: Callable[[Path], str]
) -> None:
    first = pack(
        "first",
        compile='mkdir -p "$1/.profile.d"; echo "export FROM_FIRST=$(cat "$3/WORD")" > "$1/.profile.d/first.sh"\n'
        'echo "export TOOL=saw" > "$(dirname "$0")/../export"; echo "first has ${WORD:-no word}"',
        release='echo "default_process_types: {web: first}"',
    )
    url = repository(
        pack("second", compile='echo "second has $TOOL"', release='echo "default_process_types: {worker: sleep 1000}"')
    )
    app = local.app()
    local.patch(f"/apps/{app['id']}/config-vars", {"WORD": "hello"})
    rows = install(local, app, first, url)
    for row in rows:
        conforms("buildpack-installation", row)
    assert [row["buildpack"]["url"] for row in rows] == [str(first), url]
    build = local.build(app, {"x": "y"})
    assert build["status"] == "succeeded", build["output"]
    conforms("build", {key: value for key, value in build.items() if key != "output"})
    assert [each["url"] for each in build["buildpacks"]] == [str(first), url]
    said = build["output"].splitlines()
    assert said.index("first has no word") < said.index("second has saw")
    slug = local.get(f"/apps/{app['id']}/slugs/{build['slug']['id']}")
    assert slug["process_types"] == {"worker": "sleep 1000"}, "the last one's"
    assert slug["buildpack_provided_description"] == "second"
    assert "hello" in run(local, app, "echo $FROM_FIRST")


def test_the_cache_is_kept_for_the_app_until_it_is_purged(
    local: Any, pack: Callable[..., Path], tmp_path: Path
) -> None:
    count = 'echo x >> "$2/count"; echo "builds: $(wc -l < "$2/count")"'
    app, other = local.app(), local.app()
    for each in (app, other):
        install(local, each, pack(f"counting-{each['name']}", compile=count))

    def builds(of: Any) -> int:
        lines = local.build(of, {"x": "y"})["output"].splitlines()
        return next(int(line.split()[-1]) for line in lines if line.startswith("builds: "))

    assert [builds(app), builds(app), builds(other)] == [1, 2, 1]
    local.delete(f"/apps/{app['id']}/build-cache")
    assert [builds(app), builds(other)] == [1, 2]


def test_a_purge_during_a_build_waits_for_its_end(local: Any, pack: Callable[..., Path], tmp_path: Path) -> None:
    wait = GATE.format(gate=tmp_path / "go")
    slow = pack("slow", compile=f'ls "$2"; touch {tmp_path}/compiling "$2/kept"; {wait}; test -e "$2/kept"')
    app = local.app()
    install(local, app, slow)
    url = local.upload({"x": "y"})
    begun = local.post(f"/apps/{app['id']}/builds", {"source_blob": {"url": url}})
    until((tmp_path / "compiling").exists)
    local.delete(f"/apps/{app['id']}/build-cache")
    later = local.post(f"/apps/{app['id']}/builds", {"source_blob": {"url": url}})
    (tmp_path / "go").touch()
    assert "kept" not in local.read(begun["output_stream_url"])
    assert "kept" not in local.read(later["output_stream_url"])
    for build in (begun, later):
        assert local.get(f"/apps/{app['id']}/builds/{build['id']}")["status"] == "succeeded"


def test_one_that_does_not_recognise_the_app_fails_the_build(local: Any, pack: Callable[..., Path]) -> None:
    app = local.app()
    install(local, app, pack("picky", detect="exit 1"))
    build = local.build(app, {"Procfile": "web: x\n"})
    assert (build["status"], build["release"]) == ("failed", None)
    assert "picky does not recognise this app" in build["output"]


def test_a_compile_that_fails_ends_as_herokus_does(local: Any, pack: Callable[..., Path]) -> None:
    app = local.app()
    install(local, app, pack("broken", compile="exit 1"))
    build = local.build(app, {"Procfile": "web: x\n"})
    assert build["output"].splitlines()[-2:] == [
        " !     Push rejected, failed to compile broken app.",
        " !     Push failed",
    ]


def app_json(url: str) -> dict[str, str]:
    body = {"buildpacks": [{"url": url}], "environments": {"test": {"scripts": {"test": "cat made"}}}}
    return {"app.json": json.dumps(body)}


def test_review_apps_and_test_runs_take_those_of_app_json(
    local: Any, pack: Callable[..., Path], repository: Callable[[Path], str]
) -> None:
    steps = {
        "release": "echo 'default_process_types: {worker: sleep 1000}'",
        "test_compile": 'echo for tests > "$1/made"',
    }
    url = repository(pack("ours", compile='echo for dynos > "$1/made"', **steps))
    pipe = local.post("/pipelines", {"name": "shop"})
    blob = {"url": local.upload(app_json(url)), "version": None}
    review = local.post("/review-apps", {"branch": "x", "pipeline": pipe["id"], "source_blob": blob})
    until(lambda: local.get(f"/review-apps/{review['id']}")["status"] not in ("pending", "creating"))
    review = local.get(f"/review-apps/{review['id']}")
    assert review["status"] == "created", review
    installed = local.get(f"/apps/{review['app']['id']}/buildpack-installations")
    assert [row["buildpack"]["url"] for row in installed] == [url]
    assert "for dynos" in run(local, review["app"], "cat made")
    body = {"commit_branch": "x", "commit_message": "x", "commit_sha": "x", "source_blob_url": blob["url"]}
    begun = local.post("/test-runs", {"pipeline": pipe["id"], **body})
    (node,) = local.get(f"/test-runs/{begun['id']}/test-nodes")
    assert "for tests" in local.read(node["output_stream_url"])
    assert "ours app detected" in local.read(node["setup_stream_url"])


def test_a_slug_over_the_platforms_limit_fails_with_herokus_lines(run_platform: Any, tmp_path: Path) -> None:
    with run_platform(tmp_path / "data", slug_limit=200) as local:
        build = local.build(local.app(), {"Procfile": "web: x\n", "big": "".join(map(str, range(1000)))})
    assert (build["status"], build["slug"], build["release"]) == ("failed", None, None)
    size, see, last = build["output"].splitlines()[-3:]
    assert size.startswith(" !     Compiled slug size: ")
    assert size.endswith("is too large (max is 0.2K).")
    assert (see, last) == (" !     See: http://devcenter.heroku.com/articles/slug-size", " !     Push failed")


def test_a_build_over_the_time_limit_is_stopped(run_platform: Any, pack: Callable[..., Path], tmp_path: Path) -> None:
    slow = pack("slow", compile="exec sleep 1000")
    with run_platform(tmp_path / "data", build_timeout=2) as local:
        app = local.app()
        install(local, app, slow)
        build = local.build(app, {"x": "y"})
        assert (build["status"], build["release"]) == ("failed", None)
        assert "It took longer than 2 seconds and was stopped." in build["output"]


def test_cancelling_a_build_ends_its_processes_and_lets_the_next_one_go_on(
    local: Any, pack: Callable[..., Path], tmp_path: Path
) -> None:
    beat = f"while :; do echo x >> {tmp_path}/beats; sleep 0.01; done"
    app = local.app()
    install(local, app, pack("slow", compile=f"({beat}) & echo begun; wait"))
    url = local.upload({"x": "y"})
    begun = local.post(f"/apps/{app['id']}/builds", {"source_blob": {"url": url}})
    until(lambda: (tmp_path / "beats").exists())
    waiting = local.post(f"/apps/{app['id']}/builds", {"source_blob": {"url": url}})
    assert local.delete(f"/apps/{app['id']}/builds/{waiting['id']}")["status"] == "failed"
    assert local.delete(f"/apps/{app['id']}/builds/{begun['id']}")["status"] == "failed"
    beats = (tmp_path / "beats").stat().st_size
    PAUSE.wait(0.1)
    assert (tmp_path / "beats").stat().st_size == beats
    assert "cancelled" in local.read(begun["output_stream_url"])
    install(local, app)
    assert local.deploy(app, {"Procfile": "worker: sleep 1000\n"})["status"] == "succeeded"
