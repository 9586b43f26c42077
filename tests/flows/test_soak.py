"""Between two waves: the clock runs, nothing is under way, and what was good is looked at again."""

from __future__ import annotations

import dataclasses
import re
import time
from typing import Any

import pytest
from support.two_waves import Clock, Shop, slugs, two_waves

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.errors import Refused
from herodeploy.flows import mode, promote
from herodeploy.flows.targets import targets

from .conftest import SERVE


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def two(make: Any, clock: Clock) -> Shop:
    return two_waves(make, clock)


def test_a_wave_soaks_before_the_next_and_is_verified_again(two: Shop, clock: Clock) -> None:
    eu, us = two.services.spec.stages[1].apps
    two.commit(index_dot_html="two\n")
    delivered = two.deliver()
    assert (delivered.status, delivered.recheck_at, delivered.reason) == (Status.DELIVERED, None, None)
    assert slugs(two) == [delivered.slug_id] * 2
    assert sum(clock.pauses) == pytest.approx(600, abs=2)
    verified = [
        (note.app, note.text) for note in two.notes if note.text.startswith("verifying") and note.leg != "staging"
    ]
    assert [app for app, _ in verified] == [eu, eu, us]
    assert "wave.soaking" in two.kinds(delivered)
    assert [target.status for target in targets(two.services, "production")] == ["succeeded"] * 2


def test_what_was_there_already_does_not_soak(two: Shop, clock: Clock) -> None:
    mode.switch(two.services, Mode.DELIVERY, None)
    assert promote.promote(two.services).already
    assert clock.pauses == []


def test_who_is_killed_while_a_wave_soaks_goes_on_with_the_same_clock(two: Shop, clock: Clock) -> None:
    eu, _ = two.services.spec.stages[1].apps
    two.commit(index_dot_html="two\n")

    def cut() -> None:
        if len(clock.pauses) == 90:
            raise KeyboardInterrupt

    clock.then = cut
    two.durable = True
    with pytest.raises(KeyboardInterrupt):
        two.deliver()
    [running] = two.services.store.open_deliveries(two.first.pipeline_id)
    assert (running.status, running.at_stage) == (Status.RUNNING, "production")
    soaks = re.fullmatch(r"wave 1 of 2 soaks until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", running.reason)
    assert soaks is not None, "to the second: it may be over within a minute"
    assert two.services.store.occupant(running.pipeline_id, "production") == running.id
    assert slugs(two) == [running.slug_id, two.first.slug_id]
    before = two.versions(eu)

    again = two.like(clock=clock.now, pause=clock.pause)
    assert [each.status for each in again.resume()] == [Status.DELIVERED]
    assert sum(clock.pauses) == pytest.approx(600, abs=10)
    assert again.versions(eu) == before, "the first wave is not promoted again"
    assert slugs(again) == [running.slug_id] * 2
    assert again.services.store.occupant(running.pipeline_id, "production") is None


@pytest.fixture
def crashing(two: Shop, clock: Clock) -> Shop:
    """A commit whose dyno in the first wave crashes at the second pause of its soak."""
    eu, us = two.services.spec.stages[1].apps
    two.commit(Procfile=f'web: test "$LATER" != crash && {SERVE}\n')
    two.services.heroku.config_vars.update(us, {"LATER": None})

    def crash() -> None:
        if len(clock.pauses) == 2:
            two.services.heroku.config_vars.update(eu, {"LATER": "crash"})
            while not any(dyno.state == "crashed" for dyno in two.services.heroku.dynos.list(eu)):
                time.sleep(0.05)  # the platform tells nobody

    clock.then = crash
    return two


def well_again(shop: Shop) -> None:
    """Let the dyno that crashed be up again."""
    eu = shop.services.spec.stages[1].apps[0]
    shop.services.heroku.config_vars.update(eu, {"LATER": None})
    while not any(dyno.state == "up" for dyno in shop.services.heroku.dynos.list(eu)):
        time.sleep(0.05)  # the platform tells nobody


def test_a_dyno_that_crashes_while_its_wave_soaks_ends_it(crashing: Shop, clock: Clock) -> None:
    eu, us = crashing.services.spec.stages[1].apps
    failed = crashing.deliver()
    assert failed.status is Status.FAILED
    assert failed.reason.startswith(f"web.1 crashed in {eu} while wave 1 soaked")
    assert sum(clock.pauses) < 100, "long before its time"
    assert slugs(crashing) == [crashing.first.slug_id] * 2
    assert {target.app: target.status for target in targets(crashing.services, "production")} == {
        eu: "put back",
        us: "skipped",
    }
    assert any("crashed" in line for line in crashing.told("output")), "its log is shown"


def test_a_dyno_that_crashed_is_a_failure_also_when_it_is_up_again(crashing: Shop) -> None:
    report = crashing.services.report

    def tell(note: Any) -> None:
        report(note)
        if note.kind == "leg" and note.text.startswith("promote") and "wave.soaking" in crashing.kinds():
            well_again(crashing)

    crashing.services.report = tell
    failed = crashing.deliver()
    assert failed.status is Status.FAILED
    assert slugs(crashing) == [crashing.first.slug_id] * 2


def test_a_dyno_that_crashed_between_two_looks_is_found_in_the_log(crashing: Shop, clock: Clock) -> None:
    eu, crash = crashing.services.spec.stages[1].apps[0], clock.then

    def crash_and_be_well_again() -> None:
        crash()
        if len(clock.pauses) == 2:
            well_again(crashing)

    clock.then = crash_and_be_well_again
    failed = crashing.deliver()
    assert failed.status is Status.FAILED
    assert failed.reason.startswith(f"web.1 crashed in {eu} while wave 1 soaked")
    assert sum(clock.pauses) > 500, "it looked well until the end"
    assert slugs(crashing) == [crashing.first.slug_id] * 2


def killed_after_the_crash(shop: Shop, act: Any) -> Any:
    """Let `act` be cut once a crash is told, and the dyno be up again; return the shop of the next process."""
    report = shop.services.report

    def tell(note: Any) -> None:
        report(note)
        if note.kind == "failed":
            raise KeyboardInterrupt

    shop.services.report = tell
    with pytest.raises(KeyboardInterrupt):
        act()
    well_again(shop)
    return shop.like(clock=shop.services.clock, pause=shop.services.pause, report=report)


def test_who_is_killed_after_the_crash_still_knows_of_it(crashing: Shop) -> None:
    again = killed_after_the_crash(crashing, crashing.deliver)
    assert [each.status for each in again.resume()] == [Status.FAILED]
    assert slugs(again) == [crashing.first.slug_id] * 2


def test_who_is_killed_after_the_crash_by_hand_still_knows_of_it(crashing: Shop) -> None:
    mode.switch(crashing.services, Mode.DELIVERY, None)
    crashing.deliver()
    again = killed_after_the_crash(crashing, lambda: promote.promote(crashing.services))
    with pytest.raises(Refused, match=r"crashed in .* while wave 1 soaked"):
        promote.promote(again.services)
    assert slugs(again) == [crashing.first.slug_id] * 2


def test_what_is_no_dyno_of_the_wave_does_not_end_its_soak(two: Shop, clock: Clock) -> None:
    look = two.services.heroku.dynos.list

    def with_others(app: str) -> Any:
        [web] = look(app)
        crashed = dataclasses.replace(web, state="crashed")
        once = dataclasses.replace(crashed, name="run.4711", type="run")
        old = dataclasses.replace(crashed, name="web.2", release_version=web.release_version - 1)
        return [web, once, old]

    two.services.heroku.dynos.list = with_others
    two.commit(index_dot_html="two\n")
    delivered = two.deliver()
    assert delivered.status is Status.DELIVERED
    assert sum(clock.pauses) == pytest.approx(600, abs=2)


def test_a_promotion_by_hand_soaks_too_and_goes_on_where_it_was_cut(two: Shop, clock: Clock) -> None:
    eu, _ = two.services.spec.stages[1].apps
    mode.switch(two.services, Mode.DELIVERY, None)
    two.commit(index_dot_html="two\n")
    waiting = two.deliver()

    def cut() -> None:
        raise KeyboardInterrupt

    clock.then = cut
    with pytest.raises(KeyboardInterrupt):
        promote.promote(two.services)
    assert slugs(two) == [waiting.slug_id, two.first.slug_id]
    clock.then, before = (lambda: None), two.versions(eu)
    promote.promote(two.services)
    assert slugs(two) == [waiting.slug_id] * 2
    assert two.versions(eu) == before
    assert sum(clock.pauses) == pytest.approx(600, abs=10)
    assert two.kinds().count("wave.soaking") == 2, "once for the first delivery, once for this"


def test_what_is_bad_after_its_soak_goes_back(two: Shop, clock: Clock) -> None:
    eu, _ = two.services.spec.stages[1].apps
    mode.switch(two.services, Mode.DELIVERY, None)
    two.commit(index_dot_html="two\n")
    two.deliver()

    def scale_down() -> None:
        two.services.heroku.formation.scale(eu, {"web": (0, None)})

    clock.then = scale_down
    with pytest.raises(Refused, match="scaled to 0"):
        promote.promote(two.services)
    assert slugs(two) == [two.first.slug_id] * 2
