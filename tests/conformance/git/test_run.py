"""heroku run: the real CLI at the other end of a dyno."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture
def ann(local: Any, person: Callable[..., Any]) -> Iterator[Any]:
    """A person whose app ``attended`` is deployed."""
    someone = person()
    local.post("/apps", {"name": "attended"})
    someone.git("push", f"{local.url}/attended.git", "main")
    yield someone
    local.delete("/apps/attended")


def test_output_and_exit_code(ann: Any) -> None:
    done = ann.heroku(
        "run", "-a", "attended", "-x", "--", "seq 1 3000; echo to stderr >&2; sh -c 'exit 7'", check=False
    )
    assert done.returncode == 7
    assert done.stdout.split() == [*map(str, range(1, 3001)), "to", "stderr"]


def test_input(ann: Any) -> None:
    words = ("run", "-a", "attended", "--exit-code", "--no-tty", "--", "tr a-z A-Z; echo $GREETING")
    done = ann.heroku(*words[:4], "--env", "GREETING=hi", *words[4:], input="some\nlines\n")
    assert done.stdout == "SOME\nLINES\nhi\n"


def test_detached(local: Any, ann: Any) -> None:
    told = ann.heroku("run:detached", "-a", "attended", "--", "echo on its own")
    assert "run." in told.stdout + told.stderr
    url = local.post("/apps/attended/log-sessions", {"tail": True, "lines": 100})["logplex_url"]
    with local.http.stream("GET", url) as tail:
        assert any(line.endswith("]: on its own") for line in tail.iter_lines())
