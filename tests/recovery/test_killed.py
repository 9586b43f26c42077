"""SIGKILL in each part of a delivery: the resumed delivery ends as an undisturbed one does.

The app holds itself up at a named place (hold.sh) while a ``.closed`` file lies in a folder outside the repository, so
the kill hits exactly that part, with no clock involved.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recovery.holding import begin, files, wait_for

pytestmark = pytest.mark.recovery
Person = Any

PARTS = ["test", "build", "release-staging", "web-staging", "release-production", "web-production"]


@pytest.fixture
def held(person: Callable[..., Person], gates: Path) -> Person:
    """A person whose app can be held up, in deployment mode."""
    someone = person(files(gates))
    begin(someone, gates)
    someone.herodeploy("mode", "deployment", "--why", "nobody is here to press")
    return someone


def left_behind(someone: Person) -> dict[str, Any]:
    """What the platform has after a delivery, without what differs from run to run."""
    pipeline = someone.ask("/pipelines?eq[name]=shop")[0]["id"]
    return {
        "test runs": [run["status"] for run in someone.ask(f"/pipelines/{pipeline}/test-runs")],
        "builds": [build["status"] for build in someone.ask("/apps/shop-staging/builds")],
        "releases": {
            app: [(release["version"], release["status"]) for release in someone.releases(app)]
            for app in ("shop-staging", "shop-production")
        },
        "one slug": someone.slug("shop-staging") == someone.slug("shop-production"),
        "serves": someone.fetch("shop-production", "/index.html"),
        "delivery": [row["status"] for row in someone.herodeploy("status", "--json").json()["deliveries"]],
    }


@pytest.mark.timeout(900)  # a delivery, and then six that are killed and carried on, one after the other
def test_killed_in_any_part_it_ends_the_same(held: Person, gates: Path) -> None:
    held.herodeploy("deliver")
    undisturbed = left_behind(held)
    assert undisturbed["delivery"] == ["delivered"]
    assert undisturbed["one slug"]

    expected = undisturbed
    for count, part in enumerate(PARTS, start=2):
        held.commit(f"Change {count}", index_dot_html=f"{count}\n")
        (gates / f"{part}.closed").touch()
        victim = held.start("deliver")
        wait_for(gates / f"{part}.reached", held)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        (gates / f"{part}.closed").unlink()

        held.herodeploy("resume")

        expected = one_more(expected, f"{count}\n")
        assert left_behind(held) == expected, part


def one_more(before: dict[str, Any], page: str) -> dict[str, Any]:
    """What one more undisturbed delivery leaves."""
    return before | {
        "test runs": [*before["test runs"], "succeeded"],
        "builds": [*before["builds"], "succeeded"],
        "releases": {
            app: [*releases, (releases[-1][0] + 1, "succeeded")] for app, releases in before["releases"].items()
        },
        "serves": (200, page),
        "delivery": [*before["delivery"], "delivered"],
    }


def test_the_next_deliver_carries_on_too(held: Person, gates: Path) -> None:
    (gates / "build.closed").touch()
    victim = held.start("deliver")
    wait_for(gates / "build.reached", held)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    (gates / "build.closed").unlink()

    held.herodeploy("deliver")

    left = left_behind(held)
    assert (left["builds"], left["delivery"]) == (["succeeded"], ["delivered"])


def test_interrupted_it_says_how_to_go_on(held: Person, gates: Path) -> None:
    (gates / "test.closed").touch()
    someone = held.start("deliver")
    wait_for(gates / "test.reached", held)
    someone.send_signal(signal.SIGINT)
    assert someone.wait(timeout=60) == 130
    said = (held.root.parent / "background.log").read_text()
    assert "herodeploy resume" in said
    assert "Traceback" not in said
    (gates / "test.closed").unlink()
    held.herodeploy("resume")
    assert left_behind(held)["delivery"] == ["delivered"]


def test_a_platform_that_dies_is_told_and_the_delivery_goes_on_later(held: Person, gates: Path) -> None:
    (gates / "test.closed").touch()
    someone = held.start("deliver")
    wait_for(gates / "test.reached", held)
    held.herodeploy("local", "stop")
    assert someone.wait(timeout=90) == 3
    said = (held.root.parent / "background.log").read_text()
    assert "herodeploy resume" in said
    assert "Traceback" not in said
    (gates / "test.closed").unlink()
    held.herodeploy("resume")
    assert left_behind(held)["delivery"] == ["delivered"]
