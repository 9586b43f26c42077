"""git with the remote that the real CLI adds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_the_remote_that_the_cli_adds_takes_pushes(local: Any, person: Callable[..., Any], tmp_path: Path) -> None:
    ann = person("pushed")
    assert "| https://127.0.0.1:" in ann.heroku("apps:create", "pushed").stdout
    told = ann.git("push", "heroku", "main")
    assert "remote: -----> Building on the Heroku-24 stack" in told
    assert "remote: Verifying deploy... done." in told
    assert local.visit({"id": local.get("/apps/pushed")["id"]}).text.startswith("pushed")
    assert "Deploy " in ann.heroku("releases").stdout, "the CLI finds the app by the remote"
    ann.heroku("apps:rename", "renamed")
    assert "renamed.git" in ann.git("remote", "get-url", "heroku")
    ann.commit("Go on", index_html="again")
    ann.git("push", "heroku", "main")
    ann.heroku("git:clone", "-a", "renamed", str(tmp_path / "clone"))
    assert (tmp_path / "clone" / "index.html").read_text() == "again"
    ann.heroku("apps:destroy", "-a", "renamed", "--confirm", "renamed")
    assert "No such app" in ann.git(
        "ls-remote", "https://127.0.0.1:" + local.url.rpartition(":")[2] + "/renamed.git", code=128
    )
