"""Two herodeploys on one pipeline: the second one says who is at it, or waits for its turn."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance
Person = Any


@pytest.fixture
def busy(shop: Person) -> Iterator[tuple[Person, subprocess.Popen[str], Callable[[], None]]]:
    """A delivery is in its tests, until the function is called."""
    go: Path = shop.root.parent / "go"
    shop.herodeploy("deliver")
    tests = f"echo began; until test -e {go}; do sleep 0.1; done"
    shop.replace("herodeploy.yml", "  provider: heroku", f"  provider: command\n  command: '{tests}' #")
    shop.commit("Test thoroughly", index_dot_html="two\n")
    process = subprocess.Popen(
        shop.command("deliver"),
        cwd=shop.root,
        env=shop.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert any("began" in line for line in process.stderr)
    yield shop, process, go.touch
    go.touch()
    process.stderr.read()
    process.wait(60)
    process.stderr.close()


def test_the_second_one_waits_for_its_turn(busy: tuple[Person, Any, Callable[[], None]]) -> None:
    shop, first, go = busy
    told = f"waiting: another herodeploy (process {first.pid}) works on this pipeline"
    ended = shop.herodeploy("promote", "--lock-wait", "1s", code=3)
    assert ended.err.splitlines()[:2] == [
        told,
        f"Error: another herodeploy (process {first.pid}) works on this pipeline, still",
    ]
    second = subprocess.Popen(
        shop.command("promote", "--lock-wait", "4m"),
        cwd=shop.root,
        env=shop.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert second.stderr is not None
    assert second.stderr.readline() == f"{told}\n"
    go()
    out, err = second.communicate(timeout=120)
    assert second.returncode == 0, err
    assert out.startswith("promoted shop-staging v")
    assert shop.fetch("shop-production", "/index.html") == (200, "two\n"), "what the first one put into staging"
