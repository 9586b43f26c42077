"""git push to an app: git's own client against git's own server, and what is built of it."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

Checkout = Callable[..., Any]
Source = Callable[..., dict[str, str]]

PAUSE = threading.Event()
WAIT = "until test -e {gate}; do sleep 0.05; done"


def buildpack(folder: Path, compile_: str) -> Path:
    """Return a buildpack that takes every app."""
    pack = folder / "pack"
    (pack / "bin").mkdir(parents=True)
    for name, text in {"detect": "echo Patient", "compile": compile_}.items():
        (pack / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (pack / "bin" / name).chmod(0o755)
    return pack


def use(local: Any, app: Any, pack: Path) -> None:
    body = {"updates": [{"buildpack": str(pack)}]}
    local.call("PUT", f"/apps/{app['id']}/buildpack-installations", body)


def test_a_push_is_built_released_and_served(local: Any, source: Source, checkout: Checkout) -> None:
    app = local.app()
    mine = checkout(local, app, source("pushed"))
    commit = mine.git("rev-parse", "HEAD").strip()
    told = mine.git("push", "heroku", "main")
    for line in (
        "remote: -----> Building on the Heroku-24 stack",
        "remote:        Released v3",
        "remote: Verifying deploy... done.",
        "* [new branch]      main -> main",
    ):
        assert line in told
    assert local.visit(app).text.startswith("pushed")
    release = local.current(app)
    assert (release["version"], release["description"]) == (3, f"Deploy {commit[:8]}")
    slug = local.get(f"/apps/{app['id']}/slugs/{release['slug']['id']}")
    assert (slug["commit"], slug["commit_description"]) == (commit, "Begin")
    assert "Everything up-to-date" in mine.git("push", "heroku", "main")
    assert local.current(app)["version"] == 3


def test_the_build_can_be_read_while_it_goes_on(local: Any, source: Source, checkout: Checkout, tmp_path: Path) -> None:
    app, gate = local.app(), tmp_path / "go"
    use(local, app, buildpack(tmp_path, f'echo "       waiting"; {WAIT.format(gate=gate)}; echo "       went on"'))
    pushing = checkout(local, app, source()).start("push", "heroku", "main")
    assert any("waiting" in line for line in pushing.stdout)
    gate.touch()
    assert "went on" in pushing.communicate(timeout=120)[0]
    assert pushing.returncode == 0


def test_a_failed_build_rejects_the_push(local: Any, source: Source, checkout: Checkout, tmp_path: Path) -> None:
    app = local.app()
    use(local, app, buildpack(tmp_path, "echo broken; exit 3"))
    mine = checkout(local, app, source())
    told = mine.git("push", "heroku", "main", code=1)
    for line in (
        "remote:  !     Push rejected, failed to compile Patient app",
        "remote:  !     Push failed",
        f"remote: !\tPush rejected to {app['name']}.",
        "! [remote rejected] main -> main (pre-receive hook declined)",
    ):
        assert line in told
    assert mine.git("ls-remote", "heroku") == ""
    assert local.current(app)["version"] == 2


def test_a_failed_release_phase_does_not_fail_the_push(local: Any, source: Source, checkout: Checkout) -> None:
    app = local.app()
    files = source(Procfile="web: python3 serve.py\nrelease: echo migrating; exit 3\n")
    told = checkout(local, app, files).git("push", "heroku", "main")
    assert "remote: Verifying deploy... done." in told
    assert "remote: migrating" in told
    assert "remote: Waiting for release.... failed." in told
    assert local.get(f"/apps/{app['id']}/releases")[-1]["status"] == "failed"


def test_other_branches_are_kept_and_not_built(local: Any, source: Source, checkout: Checkout, tmp_path: Path) -> None:
    app = local.app()
    mine = checkout(local, app, source())
    assert "remote: Pushed to non-main branch, skipping build." in mine.git("push", "heroku", "main:feat/x")
    assert local.get(f"/apps/{app['id']}/builds") == []
    assert "refs/heads/feat/x" in mine.git("ls-remote", "heroku")
    assert "[deleted]" in mine.git("push", "heroku", ":feat/x")


def test_master_is_built_too_and_clones_check_it_out(
    local: Any, source: Source, checkout: Checkout, tmp_path: Path
) -> None:
    app = local.app()
    mine = checkout(local, app, source("of master"))
    mine.git("push", "heroku", "main:master")
    assert local.visit(app).text.startswith("of master")
    mine.git("clone", "--quiet", mine.git("remote", "get-url", "heroku").strip(), str(tmp_path / "clone"))
    assert (tmp_path / "clone" / "Procfile").exists()


def test_only_the_token_opens_it(local: Any, source: Source, checkout: Checkout) -> None:
    app = local.app()
    assert "Authentication failed" in checkout(local, app, source(), token="guessed").git(
        "push", "heroku", "main", code=128
    )
    answer = httpx.get(f"{app['git_url']}/info/refs?service=git-receive-pack")
    assert (answer.status_code, answer.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    assert local.http.get(f"/{app['name']}.git/info/refs").status_code == 403
    assert local.http.get("/no-such-app.git/info/refs?service=git-upload-pack").status_code == 404
    assert httpx.post(f"{local.url}/_local/pushes/{'0' * 48}", json={"updates": []}).status_code == 404


def test_the_repository_goes_with_its_app(local: Any, source: Source, checkout: Checkout) -> None:
    app = local.app()
    mine = checkout(local, app, source())
    mine.git("push", "heroku", "main:kept")
    renamed = local.patch(f"/apps/{app['id']}", {"name": f"{app['name'][:20]}-new"})
    mine.git("ls-remote", "heroku", code=128)
    mine.git("remote", "set-url", "heroku", renamed["git_url"].replace("://", "://any:a-token-of-the-tests@"))
    assert "refs/heads/kept" in mine.git("ls-remote", "heroku")
    folder = local.data / "repositories" / f"{app['id']}.git"
    assert folder.is_dir()
    local.delete(f"/apps/{app['id']}")
    assert mine.git("ls-remote", "heroku", code=128)


def test_hooks_see_nothing_of_the_user(
    local: Any, source: Source, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_USER", "hush")
    app = local.app()
    mine = checkout(local, app, source())
    mine.git("ls-remote", "heroku")
    hook = local.data / "repositories" / f"{app['id']}.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nenv\nexit 1\n")
    told = mine.git("push", "heroku", "main", code=1)
    assert "remote: GIT_DIR=" in told
    assert "SECRET_OF_THE_USER" not in told
    assert "a-token-of-the-tests" not in told.replace(mine.git("remote", "get-url", "heroku").strip(), "")


def test_a_push_goes_on_when_its_client_is_gone(local: Any, source: Source, checkout: Checkout, tmp_path: Path) -> None:
    app, gate = local.app(), tmp_path / "go"
    use(local, app, buildpack(tmp_path, f'echo "       waiting"; {WAIT.format(gate=gate)}'))
    mine = checkout(local, app, source("alone"))
    pushing = mine.start("push", "heroku", "main")
    assert any("waiting" in line for line in pushing.stdout)
    os.killpg(pushing.pid, signal.SIGKILL)
    pushing.communicate()
    gate.touch()
    build = local.get(f"/apps/{app['id']}/builds")[0]
    local.read(build["output_stream_url"])
    assert local.get(f"/apps/{app['id']}/builds/{build['id']}")["status"] == "succeeded"
    assert local.visit(app).text.startswith("alone")
    while "refs/heads/main" not in mine.git("ls-remote", "heroku"):
        PAUSE.wait(0.05)


def test_what_a_build_gets_is_what_a_checkout_has(local: Any, source: Source, checkout: Checkout) -> None:
    """Also what `git archive` would leave out, executable files, and more than git sends in one piece."""
    app = local.app()
    big = secrets.token_hex(2_000_000)
    files = source(
        Procfile="web: python3 serve.py\nrelease: test -x run.sh && test -e left-out.txt && wc -c < big\n"
    ) | {".gitattributes": "left-out.txt export-ignore\n", "left-out.txt": "in\n", "run.sh": "true\n", "big": big}
    mine = checkout(local, app, files)
    (mine.root / "run.sh").chmod(0o755)
    mine.commit("Make it run", {})
    told = mine.git("push", "heroku", "main")
    assert f"remote: {len(big)}" in told
    assert "remote: Waiting for release.... done." in told
    assert list((local.data / "work" / "exports").iterdir()) == []
