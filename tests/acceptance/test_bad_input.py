"""What is wrong is met with one clear sentence, the right exit code and nothing lost."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance
Person = Any
Make = Callable[..., Person]

NO, USAGE, PLATFORM, INTERRUPTED = 1, 2, 3, 130
MARKER = "zq7-marker-kept-to-oneself"
APP = {
    "Procfile": 'web: python3 -m http.server "$PORT" --bind 127.0.0.1\n',
    "index.html": "one\n",
    "app.json": '{"environments": {"test": {"scripts": {"test": "true"}}}}\n',
}
SLOW_TESTS = '{"environments": {"test": {"scripts": {"test": "echo began; sleep 600"}}}}\n'
YAML = """\
pipeline: shop
platform: local
mode: delivery

ci:
  provider: heroku

stages:
  staging:
    apps: [shop-staging]
    verify: {path: /}
  production:
    apps: [shop-production]
    waves: [[shop-production]]
"""


def complaint(ended: Any) -> str:
    """Return the one error that a command ended with."""
    assert ended.out == ""
    errors = [line for line in ended.err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, ended.err
    assert ended.err[ended.err.index("Error: ") :].count("\n") <= 3, ended.err
    return str(ended.err[ended.err.index("Error: ") :])


@pytest.fixture
def described(person: Make) -> Person:
    """A repository with a herodeploy.yml; nothing runs yet."""
    return person({**APP, "herodeploy.yml": YAML})


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("apps: [shop-staging]", "apps: [shop-staging", "herodeploy.yml:11:11", ("broken YAML", "line 10")),
        ("    verify: ", "\tverify: ", "herodeploy.yml:11:1", ("broken YAML", "no tabs")),
        ("    verify: ", "    verfiy: ", "herodeploy.yml:11", ("'verfiy'", "'verify'")),
        ("{path: /}", "{paht: /}", "herodeploy.yml:11", ("'paht'", "'path'")),
        ("stages:", "stagse:", "herodeploy.yml:8", ("'stagse'", "'stages'")),
        ("platform: local", "platform: lcal", "herodeploy.yml:2", ("'lcal'", "'local'")),
        (
            "[[shop-production]]",
            "[[shop-production], [shop-uk]]",
            "herodeploy.yml:14",
            ("stages.production.waves names app 'shop-uk' that no stage lists",),
        ),
        ("[shop-staging]", "[Shop_Staging]", "herodeploy.yml:10", ("'Shop_Staging'", "'shop-staging'")),
        ("{path: /}", "{path: /, within: soon}", "herodeploy.yml:11", ("'soon'", "60s")),
        ("    verify: ", "    gates: [{aproval: {}}]\n    verify: ", "herodeploy.yml:11", ("aproval", "'approval'")),
        ("mode: delivery", "mode: delivery\nmode: deployment", "herodeploy.yml:4", ("'mode'", "line 3")),
        (YAML, "", "herodeploy.yml", ("empty", "herodeploy init")),
    ],
)
def test_a_mistake_in_the_file(described: Person, old: str, new: str, place: str, words: tuple[str, ...]) -> None:
    described.replace("herodeploy.yml", old, new)
    said = complaint(described.herodeploy("status", code=USAGE))
    assert re.match(rf"Error: {re.escape(place)}(:\d+)?: ", said), said
    assert all(word in said for word in words), said


def test_waves_with_an_unknown_app_in_the_documented_form(described: Person) -> None:
    described.replace("herodeploy.yml", "[[shop-production]]", "[[shop-production], [shop-uk]]")
    said = complaint(described.herodeploy("deliver", code=USAGE))
    form = r"Error: herodeploy\.yml:14(:\d+)?: stages\.production\.waves names app 'shop-uk' that no stage lists\n"
    assert re.match(form, said), said


def test_no_repository(described: Person) -> None:
    shutil.rmtree(described.root / ".git")
    for words in (("status",), ("deliver",), ("init", "--yes"), ("apply",)):
        said = complaint(described.herodeploy(*words, code=USAGE))
        assert f"{described.root} is not in a git repository" in said
        assert "git init" in said


def test_no_commits(described: Person) -> None:
    described.git("update-ref", "-d", "HEAD")
    said = complaint(described.herodeploy("deliver", code=USAGE))
    assert "no commits" in said
    assert "git commit" in said


def test_no_file_and_no_such_folder(described: Person) -> None:
    said = complaint(described.herodeploy("status", "--config", "other.yml", code=USAGE))
    assert "other.yml" in said
    assert "herodeploy init" in said
    assert "nowhere" in complaint(described.herodeploy("status", "-C", "nowhere", code=USAGE))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("statsu",), ("'statsu'", "herodeploy status")),
        (("deliver", "--foo"), ("--foo", "herodeploy deliver --help")),
        (("approve",), ("DELIVERY", "herodeploy approve --help")),
        (("mode", "deploy"), ("'deploy'", "'delivery', 'deployment'")),
        (("local", "start", "--port", "99999"), ("--port", "65535")),
        (("review", "destroy", "nix"), ("nobody is there to ask", "--yes")),
        (("status", "--platform", "aws"), ("'aws'", "heroku, local")),
        (("deliver", "nosuch"), ("'nosuch'", "main")),
        (("init", "--platform", "local", "--yes"), ("herodeploy.yml", "--force")),
    ],
)
def test_wrong_words(described: Person, words: tuple[str, ...], said: tuple[str, ...]) -> None:
    before = (described.root / "herodeploy.yml").read_text()
    got = complaint(described.herodeploy(*words, code=USAGE))
    assert all(each in got for each in said), got
    assert (described.root / "herodeploy.yml").read_text() == before


def test_a_pipeline_that_is_not_there_yet(described: Person) -> None:
    assert "herodeploy apply" in complaint(described.herodeploy("deliver", code=USAGE))


def test_unknown_things_and_things_done_twice(shop: Person) -> None:
    def refused(*words: str) -> str:
        return complaint(shop.herodeploy(*words, code=USAGE))

    assert "never been deployed" in refused("rollback", "production")
    assert "has no release to promote" in refused("promote")
    assert "'nowhere'" in refused("rollback", "nowhere")
    assert "staging, production" in refused("promote", "nowhere")
    assert "receives no promotion" in refused("promote", "staging")
    assert "'nix'" in refused("review", "destroy", "nix", "--yes")

    shop.herodeploy("deliver")
    delivery = shop.waiting()
    assert "'zzz'" in refused("approve", "zzz")
    assert "'zzz'" in refused("history", "zzz")
    assert "empty" in refused("approve", ""), "an empty variable of a script approves nothing"
    assert shop.slug("shop-production") is None

    shop.herodeploy("approve", delivery)
    assert "delivered" in refused("approve", delivery)
    assert "delivered" in refused("reject", delivery)
    assert len([each for each in shop.releases("shop-production") if each["slug"]]) == 1
    assert "no earlier good release" in refused("rollback", "production")
    assert "'v99'" in refused("rollback", "production", "--to", "v99")


def test_a_rejected_delivery_ends(shop: Person) -> None:
    shop.herodeploy("deliver")
    delivery = shop.waiting()
    shop.herodeploy("reject", delivery, "--comment", "not on a Friday")
    row = shop.herodeploy("status", "--json").json()["deliveries"][0]
    assert row["status"] == "failed"
    assert "not on a Friday" in row["reason"]
    complaint(shop.herodeploy("approve", delivery, code=USAGE))
    assert shop.slug("shop-production") is None


def test_a_dirty_folder_and_a_detached_head_deliver_the_commit(shop: Person) -> None:
    (shop.root / "index.html").write_text("never committed\n")
    shop.git("checkout", "--quiet", "--detach")
    ended = shop.herodeploy("deliver")
    assert "Warning: not part of the commit, and not delivered: index.html" in ended.err
    assert shop.fetch("shop-staging", "/index.html") == (200, "one\n")
    assert (shop.root / "index.html").read_text() == "never committed\n"

    said = complaint(shop.herodeploy("review", "create", code=USAGE))
    assert "is on no branch" in said
    assert "--branch" in said


def test_nothing_that_a_buildpack_knows(shop: Person) -> None:
    shop.git("rm", "--quiet", "Procfile")
    shop.commit("Lose the Procfile")
    shop.replace("herodeploy.yml", "provider: heroku", "provider: none")
    ended = shop.herodeploy("deliver", code=NO)
    assert "No buildpack recognises this app" in ended.err
    assert "no Procfile" in ended.err
    assert "the build of" in ended.out
    assert shop.slug("shop-staging") is None


def test_an_app_name_that_somebody_has(described: Person) -> None:
    described.herodeploy("local", "start")
    described.ask("/apps", "POST", {"name": "shop-staging"})
    described.ask("/pipelines", "POST", {"name": "other"})
    other = described.ask("/pipelines/other")
    app = described.ask("/apps/shop-staging")
    coupling = {"app": app["id"], "pipeline": other["id"], "stage": "staging"}
    described.ask("/pipeline-couplings", "POST", coupling)
    said = complaint(described.herodeploy("apply", code=None))
    assert "shop-staging" in said
    assert "other" in said


def test_a_port_in_use(described: Person) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = complaint(described.herodeploy("local", "start", "--port", port, code=PLATFORM))
    assert f"port {port} of 127.0.0.1 is in use" in said
    assert "--port" in said
    assert described.herodeploy("local", "status", code=NO).out.startswith("not running")


def test_wrong_and_missing_tokens_and_foreign_hosts(shop: Person) -> None:
    host = shop.platform_env()["HEROKU_HOST"]

    def said(code: int, **env: str) -> str:
        got = complaint(shop.herodeploy("deliver", "--platform", "heroku", code=code, **env))
        assert MARKER not in got
        return got

    wrong = said(PLATFORM, HEROKU_HOST=host, HEROKU_API_KEY=MARKER)
    assert "Invalid credentials" in wrong
    assert "HTTP 401" in wrong
    assert 'HEROKU_API_KEY is not that platform\'s token; take its own: eval "$(herodeploy local env)"' in wrong
    assert "heroku login" not in wrong
    missing = said(USAGE, HEROKU_HOST=host)
    assert "no token" in missing
    assert 'eval "$(herodeploy local env)"' in missing
    foreign = said(USAGE, HEROKU_HOST="https://heroku.example.com", HEROKU_API_KEY=MARKER)
    assert "HEROKU_HOST" in foreign
    assert "'heroku.example.com'" in foreign
    assert "without encryption" in said(USAGE, HEROKU_HOST="http://api.heroku.com", HEROKU_API_KEY=MARKER)
    gone = said(PLATFORM, HEROKU_HOST="http://127.0.0.1:1", HEROKU_API_KEY=MARKER)
    assert "cannot reach http://127.0.0.1:1" in gone
    assert shop.herodeploy("status", "--json").json()["deliveries"] == []


def test_a_token_file_that_was_changed_is_told_with_the_way_out(shop: Person) -> None:
    (shop.root.parent / "state" / "herodeploy" / "local" / "token").write_text(MARKER)
    said = complaint(shop.herodeploy("status", code=PLATFORM))
    assert "HTTP 401" in said
    assert "-> start it anew, with the token of its folder: herodeploy local stop; herodeploy local start" in said
    assert MARKER not in said
    shop.herodeploy("local", "stop")
    shop.herodeploy("local", "start")
    shop.herodeploy("status")


def background(someone: Person) -> str:
    """What the command in the background has said."""
    return str((someone.root.parent / "background.log").read_text())


def until_said(someone: Person, process: subprocess.Popen[str], words: str) -> None:
    """Wait until the command in the background says something."""
    ends = time.monotonic() + 60
    while words not in background(someone):
        assert process.poll() is None, background(someone)
        assert time.monotonic() < ends, background(someone)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)


@pytest.fixture
def in_tests(shop: Person) -> Iterator[tuple[Person, subprocess.Popen[str]]]:
    """A delivery whose tests take long, and are under way."""
    shop.commit("Test thoroughly", app_dot_json=SLOW_TESTS)
    process = shop.start("deliver")
    try:
        until_said(shop, process, "began")
        yield shop, process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.parametrize(("where", "time_of"), [("test", 1), ("release", 1), ("release", 2), ("web", 1)])
def test_the_platform_is_stopped_in_the_middle(shop: Person, where: str, time_of: int) -> None:
    times = shop.root.parent / "times"
    slow = f"echo >> {times}; test $(wc -l < {times}) -ne {time_of} || {{ echo began; sleep 60; }}"
    if where == "test":
        shop.replace("app.json", '"true"', f'"{slow}"')
    elif where == "release":
        shop.replace("Procfile", "web: ", f"release: {slow}\nweb: ")
    else:
        shop.replace("Procfile", "web: ", f"web: {slow}; exec ")
    shop.commit("Take long, once")
    shop.herodeploy("mode", "deployment", "--why", "quicker")
    process, port = shop.start("deliver"), shop.running["port"]
    try:
        until_said(shop, process, "shop-staging: verifying" if where == "web" else "began")
        shop.herodeploy("local", "stop")
        assert process.wait(60) == PLATFORM, background(shop)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    said = background(shop)
    assert "Traceback" not in said
    assert "carry it on: herodeploy resume" in said
    assert said.count("Error: ") == 1
    with another_on(port):
        assert shop.herodeploy("status", "--json").json()["deliveries"][0]["status"] == "errored"
    assert shop.running["port"] != port

    shop.herodeploy("resume")
    assert shop.herodeploy("status", "--json").json()["deliveries"][0]["status"] == "delivered"
    assert shop.slug("shop-production") == shop.slug("shop-staging") is not None
    good = [each for each in shop.releases("shop-production") if each["slug"] and each["status"] == "succeeded"]
    assert len(good) == 1


@contextlib.contextmanager
def another_on(port: int) -> Iterator[None]:
    """Have a program listen on a port, where none does yet."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


def test_ctrl_c_says_how_to_go_on(in_tests: tuple[Person, subprocess.Popen[str]]) -> None:
    shop, process = in_tests
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == INTERRUPTED, "a test run of 600 s does not hold it"
    said = background(shop)
    assert "Traceback" not in said
    assert "carry it on: herodeploy resume" in said
    assert shop.herodeploy("status", "--json").json()["deliveries"][0]["status"] == "running"


def test_a_second_herodeploy_on_the_pipeline_is_told_to_come_back(
    in_tests: tuple[Person, subprocess.Popen[str]],
) -> None:
    shop, process = in_tests
    for words, again in (
        (("deliver",), "herodeploy deliver, or herodeploy resume (--lock-wait 10m waits for it)"),
        (
            ("deliver", "main", "--retry"),
            "herodeploy deliver main --retry, or herodeploy resume (--lock-wait 10m waits for it)",
        ),
        (("resume",), "herodeploy resume"),
        (
            ("promote", "--override", "--reason", "a b"),
            "herodeploy promote --override --reason 'a b' (--lock-wait 10m waits for it)",
        ),
        (
            ("promote", "--only=shop-eu", "--only", "shop-us", "--release=v2"),
            "herodeploy promote --only shop-eu --only shop-us --release v2 (--lock-wait 10m waits for it)",
        ),
        (("promote", "--retry-failed"), "herodeploy promote --retry-failed (--lock-wait 10m waits for it)"),
        (
            ("rollback", "production", "--to", "v1"),
            "herodeploy rollback production --to v1 (--lock-wait 10m waits for it)",
        ),
    ):
        assert complaint(shop.herodeploy(*words, code=PLATFORM)) == (
            f"Error: another herodeploy (process {process.pid}) works on this pipeline\n"
            f"  -> wait for it to end, or stop it with Ctrl-C; then again: {again}\n"
        )
    assert len(shop.herodeploy("status", "--json").json()["deliveries"]) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of few megabytes; only root on Linux can make one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if sys.platform != "linux" or os.geteuid() != 0 or mount is None:
        pytest.skip("only root on Linux can make a small disk to fill")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"this machine mounts nothing: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_fills_up_during_a_build(small_disk: Path, person: Make) -> None:
    someone = person({**APP, "herodeploy.yml": YAML.replace("provider: heroku", "provider: none")})
    someone.env["HERODEPLOY_LOCAL_DATA"] = str(small_disk / "local")
    someone.herodeploy("apply")
    (someone.root / "film.bin").write_bytes(os.urandom(7_000_000))
    someone.commit("Add a film")
    ended = someone.herodeploy("deliver", code=None)
    assert ended.code in (NO, PLATFORM), ended.err
    assert "disk" in ended.err
    assert "full" in ended.err
    assert someone.slug("shop-staging") is None

    someone.git("rm", "--quiet", "film.bin")
    someone.commit("Leave the film out")
    someone.herodeploy("deliver")
    assert someone.fetch("shop-staging", "/index.html") == (200, "one\n")


def test_no_secret_comes_out(shop: Person) -> None:
    for app in ("shop-staging", "shop-production"):
        shop.ask(f"/apps/{app}/config-vars", "PATCH", {"SECRET": MARKER})
    shop.replace("Procfile", "web: ", "release: true\nweb: ")
    shop.commit("Release something")
    token = shop.platform_env()["HEROKU_API_KEY"]
    said = []
    for words in (
        ("apply",),
        ("apply", "--json"),
        ("deliver",),
        ("status",),
        ("status", "--json"),
        ("promote",),
        ("rollback", "production"),
        ("history",),
        ("history", "--json"),
        ("review", "create"),
        ("review", "list", "--json"),
        ("review", "destroy", "main", "--yes"),
        ("ci", "run"),
        ("mode",),
        ("resume",),
        ("approve", "zzz"),
        ("rollback", "nowhere"),
        ("local", "status", "--json"),
        ("local", "logs", "shop-staging"),
        ("local", "logs", "nowhere"),
    ):
        ended = person_says(shop, *words)
        said.append(ended)
    host = shop.platform_env()["HEROKU_HOST"]
    for address in (host, "http://127.0.0.1:1", "https://heroku.example.com"):
        env = {"HEROKU_HOST": address, "HEROKU_API_KEY": MARKER}
        said.append(person_says(shop, "status", "--platform", "heroku", **env))
    for text in said:
        assert MARKER not in text
        assert token not in text
    kept = shop.root.parent / "state" / "herodeploy"
    shop.herodeploy("local", "stop")
    for path in kept.rglob("*"):
        # The local platform itself must know them, as Heroku does: its records and its token file.
        if path.is_file() and path.name not in ("token",) and not path.name.startswith("state.db"):
            content = path.read_bytes()
            assert MARKER.encode() not in content, path
            assert token.encode() not in content, path
    store = sqlite3.connect(kept / "herodeploy.db")
    assert store.execute("select count(*) from deliveries").fetchone() == (1,)
    store.close()


def person_says(someone: Person, *words: str, **env: str) -> str:
    """Run a command with --debug and return all it says; tracebacks are welcome here."""
    done = subprocess.run(
        someone.command("--debug", *words), cwd=someone.root, env=someone.env | env, capture_output=True, text=True
    )
    return done.stdout + done.stderr
