"""Nothing twice, nothing lost: every story killed at every outgoing call ends as the undisturbed one does.

So does every story on a platform of which a share of the calls fails; ``HERODEPLOY_TEST_SEEDS=100`` tells each that
often. The quickest story is swept always, all of them with ``HERODEPLOY_TEST_SWEEP=all`` (some ten minutes;
with 100 seeds some forty).

A sweep runs in a process of its own (see ``sweep/``), which forks one for each trial. To look into one point:
``python -m recovery.sweep kills roll-back-two-apps after 5``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recovery.sweep.stories import STORIES

pytestmark = pytest.mark.recovery
QUICKEST = "destroy-review-app-managed"
SWEPT = [
    pytest.param(
        story,
        marks=pytest.mark.skipif(
            story != QUICKEST and os.environ.get("HERODEPLOY_TEST_SWEEP") != "all",
            reason="takes minutes: HERODEPLOY_TEST_SWEEP=all",
        ),
    )
    for story in STORIES
]
SEEDS = int(os.environ.get("HERODEPLOY_TEST_SEEDS", "2"))
TESTS = Path(__file__).parents[1]
PLATFORM = {
    # Builds and dynos here are our own, and are made by the hundred.
    "HERODEPLOY_LOCAL_ISOLATION": "off",
    "HERODEPLOY_LOCAL_RATE_LIMIT": "10000000",
    "HERODEPLOY_LOCAL_RATE_REFILL": "10000000",
    "HERODEPLOY_LOCAL_STOP_TIMEOUT": "2",
}


@pytest.fixture
def sweep(record_property: Callable[[str, object], None]) -> Callable[..., dict[str, Any]]:
    """Run a sweep and have its figures printed at the end."""

    def run(*arguments: str) -> dict[str, Any]:
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        environment |= PLATFORM | {"PYTHONPATH": os.pathsep.join((str(TESTS.parent), str(TESTS)))}
        command = [sys.executable, "-m", "recovery.sweep", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1500)
        assert done.returncode == 0, done.stderr[-4000:]
        swept: dict[str, Any] = json.loads(done.stdout)
        told = f"{swept['points']} points, {len(swept['wrong'])} wrong, {swept['seconds']} s"
        record_property("sweep", f"{' '.join(arguments)}: {told}")
        return swept

    return run


@pytest.mark.timeout(1600)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("story", SWEPT)
def test_killed_at_every_call_it_ends_as_if_nothing_had_been(sweep: Any, story: str, moment: str) -> None:
    swept = sweep("kills", story, moment)
    assert swept["points"] > 5
    assert not swept["wrong"], "\n".join(swept["wrong"])


@pytest.mark.timeout(1600)
@pytest.mark.parametrize("story", SWEPT)
def test_with_failing_calls_it_ends_as_if_none_had_failed(sweep: Any, story: str) -> None:
    for percent in ("5", "20"):
        swept = sweep("faults", story, percent, str(SEEDS))
        assert not swept["wrong"], "\n".join(swept["wrong"])
