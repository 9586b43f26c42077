"""While a wave soaks: who sits before it, a worker that stands by, and a person who has seen enough."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from support.workers import working

pytestmark = pytest.mark.acceptance
Person = Any


@pytest.fixture
def soaks(shop: Person) -> Person:
    """Production has one release; a second app was added since, and an hour between the two."""
    shop.herodeploy("mode", "deployment")
    shop.herodeploy("deliver")
    waves = "apps: [shop-production, shop-us]\n    waves: [[shop-production], [shop-us]]\n    wave_soak: 1h"
    shop.replace("herodeploy.yml", "apps: [shop-production]", waves)
    shop.commit("Two", index_dot_html="two\n")
    shop.herodeploy("apply")
    return shop


def production(shop: Person) -> str:
    return str(shop.fetch("shop-production", "/index.html")[1])


def test_a_person_rolls_back_while_another_sits_before_it(soaks: Person) -> None:
    with subprocess.Popen(
        soaks.command("deliver"),
        cwd=soaks.root,
        env=soaks.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as deliver:
        assert deliver.stderr is not None
        assert any("soaks until" in line for line in deliver.stderr)
        assert production(soaks) == "two\n"
        refused = soaks.herodeploy("promote", code=3).err
        assert "or end it: herodeploy rollback production" in " ".join(refused.split())
        soaks.herodeploy("rollback", "production", "--why", "it is slow")
        out, _ = deliver.communicate(timeout=60)
    assert deliver.returncode == 1
    assert "rolled production back while a wave soaked: it is slow" in " ".join(out.split())
    assert production(soaks) == "one\n"
    assert soaks.releases("shop-us")[-1]["slug"] is None


def test_a_worker_has_no_turn_meanwhile_and_a_killed_one_loses_nothing(soaks: Person) -> None:
    with working(soaks, "first") as worker:
        worker.until("works on shop")
        soaks.herodeploy("deliver", "--no-wait")
        worker.until("soaks until")
        worker.process.kill()
        worker.process.wait()
    assert soaks.herodeploy("status", "--json").json()["deliveries"][0]["status"] == "running"
    with working(soaks, "second") as worker:
        worker.until("works on shop")
        soaks.herodeploy("rollback", "production")
        assert soaks.herodeploy("status", "--json").json()["deliveries"][0]["status"] == "failed"
        assert production(soaks) == "one\n"
        assert worker.end() == 0
