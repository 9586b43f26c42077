"""The standing worker, as people at shells meet it."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from support.workers import working

pytestmark = pytest.mark.acceptance
Person = Any
READY = r"works on shop; stop it with Ctrl-C\n"


def test_while_a_worker_stands_by_commands_say_what_they_want_and_it_does_it(shop: Person) -> None:
    with working(shop) as worker:
        worker.until(READY)
        told = shop.herodeploy("deliver")
        assert f"process {worker.process.pid}, the worker of this pipeline, carries 20" in told.err
        assert "runs in staging: shop-staging v" in told.err
        assert "waiting at production" in told.out
        assert "[staging] | " in worker.said, "the output of the build is the worker's to tell"
        assert "[staging] | " not in told.err

        approved = shop.herodeploy("approve", shop.waiting(), "--no-wait")
        assert "carries 20" in approved.err
        worker.until("runs in production")
        assert shop.fetch("shop-production", "/index.html") == (200, "one\n")

        shop.commit("Two", index_dot_html="two\n")
        assert shop.herodeploy("deliver", "--json").json()["status"] == "waiting"
        switched = shop.herodeploy("mode", "deployment", "--why", "quicker")
        assert "the worker of this pipeline, looks again at what waits" in switched.err
        worker.until(r"(?s)runs in production.*runs in production")
        shop.herodeploy("rollback", "production")
        assert shop.fetch("shop-production", "/index.html") == (200, "one\n"), "between turns people act by hand"

        assert worker.end() == 0
        assert worker.said.endswith("stopped; what is open stays as it is, for the next worker or herodeploy resume\n")
        assert "Traceback" not in worker.said


def test_one_that_fails_ends_the_command_that_follows_it_with_no(shop: Person) -> None:
    with working(shop) as worker:
        worker.until(READY)
        shop.git("rm", "--quiet", "Procfile")
        shop.commit("Break it")
        told = shop.herodeploy("deliver", code=1)
        assert "failed at test" in told.out
        assert worker.end(signal.SIGINT) == 0


def test_a_killed_worker_loses_nothing(shop: Person) -> None:
    with working(shop) as worker:
        worker.until(READY)
        shop.herodeploy("deliver", "--no-wait")
        worker.until(r"building \w+")
        worker.end(signal.SIGKILL)
    assert shop.herodeploy("status", "--json").json()["deliveries"][0]["status"] == "running"
    with working(shop) as worker:
        worker.until(r"waits for an approval")
        assert len(shop.ask("/apps/shop-staging/builds")) == 1
        assert worker.end() == 0


@pytest.mark.parametrize("kind", ["unavailable", "rate-limit"])
def test_a_platform_in_trouble_at_its_start_does_not_end_it(shop: Person, kind: str) -> None:
    shop.herodeploy("local", "fault", kind, "--count", "0")
    with working(shop) as worker:
        worker.until(r"(?s)it is tried again.*it is tried again")
        shop.herodeploy("local", "faults", "--clear")
        worker.until(READY)
        assert "waiting at production" in shop.herodeploy("deliver").out
        assert worker.end() == 0


def test_of_two_workers_one_works_and_the_other_takes_over(shop: Person) -> None:
    with working(shop, "first") as first:
        first.until(READY)
        with working(shop, "second") as second:
            second.until(rf"process {first.process.pid} works on shop; standing by")
            first.end(signal.SIGKILL)
            second.until(READY)
            assert "waiting at production" in shop.herodeploy("deliver").out
            assert f"process {second.process.pid}," in shop.herodeploy("resume", "--no-wait").err


def test_a_changed_file_is_read_again_and_a_wrong_one_is_not(shop: Person) -> None:
    with working(shop) as worker:
        worker.until(READY)
        shop.herodeploy("deliver")
        good = (shop.root / "herodeploy.yml").read_text()
        (shop.root / "herodeploy.yml").write_text(good + "nonsense: 1\n")
        shop.herodeploy("resume", code=2)
        with_gate = good.replace("  production:\n", "  production:\n    gates:\n      - approval: {count: 2}\n")
        (shop.root / "herodeploy.yml").write_text(with_gate)
        shop.herodeploy("resume")
        worker.until(r"herodeploy.yml has changed and is read again")
        worker.until(r"waits for 2 approvals, 0 given")
