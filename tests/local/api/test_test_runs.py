from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from herodeploy.local.api import testruns

PAUSE = threading.Event()

TAP = """\
echo TAP version 13
echo 1..2
echo "ok 1 - greets"
echo "not ok 2 - counts # TODO later"
"""


@pytest.fixture
def pipe(local: Any) -> Any:
    return local.post("/pipelines", {"name": "shop"})


def files(test: str = "true", **environment: Any) -> dict[str, str]:
    body = {"environments": {"test": {"scripts": {"test": test}, **environment}}}
    return {"Procfile": "web: false\n", "app.json": json.dumps(body)}


def begin(local: Any, pipe: Any, source: Any, status: int = 201, **more: Any) -> Any:
    body = {
        "pipeline": pipe["id"],
        "commit_branch": "main",
        "commit_message": "Greet",
        "commit_sha": "0123456789abcdef",
        "source_blob_url": local.upload(source),
        **more,
    }
    return local.post("/test-runs", body, status)


def settled(local: Any, run: Any) -> Any:
    while (now := local.get(f"/test-runs/{run['id']}"))["status"] in ("pending", "creating", "building", "running"):
        PAUSE.wait(0.02)
    return now


def nodes(local: Any, run: Any) -> list[Any]:
    return list(local.get(f"/test-runs/{run['id']}/test-nodes"))


def output(local: Any, run: Any) -> str:
    return str(local.read(nodes(local, run)[0]["output_stream_url"]))


def test_tests_that_pass(local: Any, pipe: Any, conforms: Any) -> None:
    begun = begin(local, pipe, files("echo tested in $(basename $HOME)"))
    conforms("test-run", begun)
    assert (begun["number"], begun["commit_sha"], begun["commit_branch"]) == (1, "0123456789abcdef", "main")
    run = settled(local, begun)
    conforms("test-run", run)
    (node,) = nodes(local, run)
    conforms("test-node", node)
    assert (run["status"], run["message"]) == ("succeeded", None)
    assert (node["status"], node["exit_code"], node["index"]) == ("succeeded", 0, 0)
    assert "tested in app" in output(local, run)
    assert "Procfile" in local.read(node["setup_stream_url"])
    assert local.get(f"/pipelines/{pipe['id']}/test-runs/1") == run


def test_tests_that_fail(local: Any, pipe: Any) -> None:
    run = settled(local, begin(local, pipe, files("echo 1 != 2; exit 3")))
    (node,) = nodes(local, run)
    assert run["status"] == "failed"
    assert (node["status"], node["exit_code"], node["error_status"]) == ("failed", 3, None)
    assert "1 != 2" in output(local, run)


def test_runs_are_numbered_in_each_pipeline_and_listed_by_number(local: Any, pipe: Any) -> None:
    other = local.post("/pipelines", {"name": "other"})
    runs = [settled(local, begin(local, pipe, files())) for _ in range(3)]
    assert [run["number"] for run in runs] == [1, 2, 3]
    assert settled(local, begin(local, other, files()))["number"] == 1
    path = f"/pipelines/{pipe['id']}/test-runs"
    assert [run["number"] for run in local.get(path)] == [1, 2, 3]
    newest = local.call("GET", path, status=206, Range="number ..; order=desc,max=1")
    assert newest == [runs[-1]]
    local.call("GET", f"{path}/4", status=404)
    local.call("GET", f"{path}/latest", status=404)


def test_the_environment(local: Any, pipe: Any) -> None:
    local.patch(f"/pipelines/{pipe['id']}/stage/test/config-vars", {"B": "stage"})
    source = files("env | sort", env={"A": "json", "B": "json", "KEY": {"generator": "secret"}})
    run = settled(local, begin(local, pipe, source))
    env = dict(line.split("=", 1) for line in output(local, run).splitlines() if "=" in line)
    assert (env["A"], env["B"], len(env["KEY"])) == ("json", "stage", 64)
    assert (env["CI"], env["HEROKU_TEST_RUN_ID"]) == ("true", run["id"])
    assert env["HEROKU_TEST_RUN_COMMIT_VERSION"] == "0123456789abcdef"
    assert env["HEROKU_TEST_RUN_BRANCH"] == "main"
    assert (env["CI_NODE_INDEX"], env["CI_NODE_TOTAL"]) == ("0", "1")


def test_several_nodes(local: Any, pipe: Any) -> None:
    source = files(
        "echo node $CI_NODE_INDEX of $CI_NODE_TOTAL; test $CI_NODE_INDEX != 1", formation={"test": {"quantity": 3}}
    )
    run = settled(local, begin(local, pipe, source))
    found = nodes(local, run)
    assert run["status"] == "failed"
    assert [(node["index"], node["status"]) for node in found] == [(0, "succeeded"), (1, "failed"), (2, "succeeded")]
    for node in found:
        assert f"node {node['index']} of 3" in local.read(node["output_stream_url"])


def test_nodes_run_at_once_each_in_a_folder_of_its_own(local: Any, pipe: Any, tmp_path: Any) -> None:
    """They wait for each other, which they could not one after another, and see nothing of each other."""
    meet = f"touch {tmp_path}/$CI_NODE_INDEX; until test -e {tmp_path}/0 -a -e {tmp_path}/1; do sleep 0.02; done"
    scripts = {"test-setup": "echo $CI_NODE_INDEX >> mine", "test": f"{meet}; echo mine is $(cat mine)"}
    run = settled(local, begin(local, pipe, files(scripts=scripts, formation={"test": {"quantity": 2}})))
    assert run["status"] == "succeeded"
    for node in nodes(local, run):
        assert f"mine is {node['index']}" in local.read(node["output_stream_url"])


def test_cases_belong_to_their_node(local: Any, pipe: Any) -> None:
    script = 'echo 1..1; echo "ok 1 - on node $CI_NODE_INDEX"'
    run = settled(local, begin(local, pipe, files(script, formation={"test": {"quantity": 2}})))
    of_node = {node["id"]: node["index"] for node in nodes(local, run)}
    cases = local.get(f"/test-runs/{run['id']}/test-cases")
    assert len(cases) == 2
    for case in cases:
        assert case["description"] == f"on node {of_node[case['test_node']['id']]}"


def test_the_cache_is_the_pipelines_unless_it_is_to_be_cleared(local: Any, pipe: Any, tmp_path: Any) -> None:
    for name, text in {
        "detect": "echo counting",
        "compile": 'echo x >> "$2/count"; echo runs: $(wc -l < "$2/count")',
    }.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    source = files(buildpacks=[{"url": f"file://{tmp_path}"}])

    def runs(**more: Any) -> str:
        run = settled(local, begin(local, pipe, source, **more))
        assert run["status"] == "succeeded"
        lines = local.read(nodes(local, run)[0]["setup_stream_url"]).splitlines()
        return str(next(line for line in lines if line.startswith("runs: ")))

    assert [runs(), runs(), runs(clear_cache=True)] == ["runs: 1", "runs: 2", "runs: 1"]


def test_cases_come_out_of_tap(local: Any, pipe: Any, conforms: Any) -> None:
    run = settled(local, begin(local, pipe, files("sh tap.sh") | {"tap.sh": TAP}))
    cases = local.get(f"/test-runs/{run['id']}/test-cases")
    for case in cases:
        conforms("test-case", case)
    assert [(case["number"], case["description"], case["passed"], case["directive"]) for case in cases] == [
        (1, "greets", True, ""),
        (2, "counts", False, "TODO later"),
    ]


@pytest.mark.parametrize(
    ("source", "reason", "error_status"),
    [
        ({"README": "nothing to build"}, "", "building"),
        ({"Procfile": "web: x\n", "app.json": "{"}, "invalid app.json: app.json is no valid JSON", "creating"),
        (files(env={"FOO": {}}), "invalid app.json: config var FOO is required", "creating"),
        ({"Procfile": "web: x\n"}, "there is no test command", "running"),
        (files(scripts={"test-setup": "exit 3", "test": "true"}), "the test-setup command ended", "running"),
    ],
)
def test_what_hinders_tests_is_errored_with_the_reason(
    local: Any, pipe: Any, conforms: Any, source: Any, reason: str, error_status: str
) -> None:
    run = settled(local, begin(local, pipe, source))
    (node,) = nodes(local, run)
    conforms("test-run", run)
    conforms("test-node", node)
    assert (run["status"], node["status"], node["exit_code"]) == ("errored", "errored", None)
    assert node["error_status"] == error_status
    assert node["message"].startswith(reason)
    said = local.read(node["setup_stream_url"]) + local.read(node["output_stream_url"])
    assert reason.lower() in said.lower()


def test_cancelling(local: Any, pipe: Any, conforms: Any, tmp_path: Any) -> None:
    begun = begin(local, pipe, files(f"touch {tmp_path}/begun; sleep 1000; touch {tmp_path}/never"))
    while not (tmp_path / "begun").exists():
        PAUSE.wait(0.02)
    assert nodes(local, begun)[0]["status"] == "running"
    run = local.patch(f"/test-runs/{begun['id']}", {"status": "cancelled", "message": "enough"})
    conforms("test-run", run)
    assert (run["status"], run["message"]) == ("cancelled", "enough")
    output(local, run)
    assert settled(local, begun) == run
    assert nodes(local, run)[0]["status"] == "cancelled"
    assert not (tmp_path / "never").exists()
    assert local.patch(f"/test-runs/{begun['id']}", {"status": "cancelled", "message": "again"}) == run
    local.call("PATCH", f"/test-runs/{begun['id']}", {"status": "succeeded", "message": ""}, 422)


def test_cancelling_ends_every_node(local: Any, pipe: Any, tmp_path: Any) -> None:
    beat = f"while :; do echo x >> {tmp_path}/beats-$CI_NODE_INDEX; sleep 0.01; done"
    begun = begin(local, pipe, files(f"({beat}) & wait", formation={"test": {"quantity": 2}}))
    beats = [tmp_path / "beats-0", tmp_path / "beats-1"]
    while not all(file.exists() for file in beats):
        PAUSE.wait(0.02)
    run = local.patch(f"/test-runs/{begun['id']}", {"status": "cancelled", "message": "enough"})
    for node in nodes(local, run):
        assert (node["status"], node["exit_code"]) == ("cancelled", None)
        local.read(node["output_stream_url"])  # ends with the last process
    sizes = [file.stat().st_size for file in beats]
    PAUSE.wait(0.1)
    assert [file.stat().st_size for file in beats] == sizes


def test_cancelling_before_the_tests_began(local: Any, pipe: Any, tmp_path: Any) -> None:
    for name, text in {"detect": "echo slow", "compile": f"touch {tmp_path}/compiling; exec sleep 1000"}.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    begun = begin(local, pipe, files(buildpacks=[{"url": str(tmp_path)}]))
    while not (tmp_path / "compiling").exists():
        PAUSE.wait(0.02)
    assert local.get(f"/test-runs/{begun['id']}")["status"] == "building"
    run = local.patch(f"/test-runs/{begun['id']}", {"status": "cancelled", "message": ""})
    assert run["status"] == nodes(local, run)[0]["status"] == "cancelled"
    local.read(nodes(local, run)[0]["setup_stream_url"])
    assert settled(local, begin(local, pipe, files()))["status"] == "succeeded"


def test_missing_addons_are_told(local: Any, pipe: Any) -> None:
    run = settled(local, begin(local, pipe, files(addons=["heroku-redis:mini"])))
    assert "heroku-redis:mini" in run["warning_message"]


def test_what_cannot_be_run_is_refused(local: Any, pipe: Any) -> None:
    begin(local, pipe, files(), 422, source_blob_url="ftp://example.com/x")
    begin(local, pipe, files(), 422, commit_sha="")
    begin(local, pipe, files(), 404, pipeline="none-such")
    for path in ("/test-runs/none-such", "/test-runs/none-such/test-nodes", "/pipelines/none-such/test-runs"):
        local.call("GET", path, status=404)


def test_a_destroyed_pipeline_takes_its_runs_with_it(local: Any, pipe: Any, tmp_path: Any) -> None:
    begun = begin(local, pipe, files(f"touch {tmp_path}/begun; sleep 1000"))
    while not (tmp_path / "begun").exists():
        PAUSE.wait(0.02)
    local.delete(f"/pipelines/{pipe['id']}")
    local.call("GET", f"/test-runs/{begun['id']}", status=404)


def test_what_a_dead_platform_cut_off(run_platform: Any, tmp_path: Any) -> None:
    with run_platform(tmp_path / "data") as local:
        pipe = local.post("/pipelines", {"name": "shop"})
        done = settled(local, begin(local, pipe, files()))
        cut = begin(local, pipe, files(f"touch {tmp_path}/begun; sleep 1000"))
        while not (tmp_path / "begun").exists():
            PAUSE.wait(0.02)
    with run_platform(tmp_path / "data") as local:
        assert local.get(f"/test-runs/{done['id']}") == done
        after = local.get(f"/test-runs/{cut['id']}")
        assert after["status"] == "errored"
        assert nodes(local, cut)[0]["status"] == "errored"
        assert settled(local, begin(local, pipe, files()))["number"] == 3


def test_the_heroku_cli_gets_the_output_by_https_once_tls_is_spoken(local: Any, pipe: Any) -> None:
    """It reads it by https and in no other way; other clients go on as before."""
    run = begin(local, pipe, files())
    path = f"/test-runs/{run['id']}/test-nodes"
    local.post("/_local/tls", status=200)
    url = nodes(local, run)[0]["output_stream_url"]
    assert url.startswith("http://")
    theirs = local.get(path, **{"User-Agent": "heroku-cli/11.10.0 linux-x64"})[0]["output_stream_url"]
    assert theirs == url.replace("http://", "https://")


def test_a_look_at_a_run_that_goes_on_is_held_until_it_changes(
    local: Any, pipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Heroku CLI looks without a pause. Held for ever, it would not come back but for the change."""
    monkeypatch.setattr(testruns, "HELD", 1e6)
    gate = tmp_path / "go"
    run = begin(local, pipe, files(f"until test -e {gate}; do sleep 0.05; done"))
    look = f"/pipelines/{pipe['id']}/test-runs/{run['number']}"
    while local.get(f"/test-runs/{run['id']}")["status"] != "running":
        PAUSE.wait(0.02)
    with ThreadPoolExecutor() as pool:
        held = pool.submit(local.get, look)
        gate.touch()
        assert held.result(60)["status"] == "succeeded"
    assert local.get(look)["status"] == "succeeded"
