"""What each app got, and promotions of some apps, of what failed, of another release."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import VerifySpec
from herodeploy.errors import PlatformError, Refused, UsageError
from herodeploy.flows import mode, promote, rollback
from herodeploy.flows.choose import Wish
from herodeploy.flows.kept import Kept
from herodeploy.flows.targets import output_of, released, targets
from herodeploy.heroku import redact

Shop = Any
PROCFILE = (
    'web: exec python3 -m http.server "$PORT" --bind 127.0.0.1\n'
    'release: echo "migrating $PLACE at postgres://shop:hunter2@db.example.com/shop" && test "$UNREADY" != yes\n'
)


@pytest.fixture
def three(make: Any) -> Shop:
    """Three production apps, two of them in one wave; staging has a release, which waits."""
    shop = make({"Procfile": PROCFILE}, applied=False)
    staging, production = shop.services.spec.stages
    name = shop.services.spec.name
    apps = (f"{name}-eu", f"{name}-us", f"{name}-jp")
    production = dataclasses.replace(production, apps=apps, waves=(apps[:2], apps[2:]))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(staging, production))
    shop.apply()
    for app in apps:
        shop.services.heroku.config_vars.update(app, {"PLACE": app})
    shop.waiting = shop.deliver()
    return shop


def standing(shop: Shop, of: str = "production") -> dict[str, tuple[int, str]]:
    """Wave and status of each app."""
    return {target.app: (target.wave, target.status) for target in targets(shop.services, of)}


def test_each_target_is_kept_with_its_output_and_without_its_secrets(three: Shop) -> None:
    eu, us, jp = three.services.spec.stages[1].apps
    promote.promote(three.services)

    assert standing(three) == {eu: (1, "succeeded"), us: (1, "succeeded"), jp: (2, "succeeded")}
    kept = targets(three.services, "production")
    assert output_of(kept, us) == f"migrating {us} at postgres://[REDACTED]@db.example.com/shop"
    assert {target.version for target in kept} == {three.versions(us)[-1][0]}
    assert {target.slug_id for target in kept} == {three.waiting.slug_id}
    lines = [(note.app, note.beside) for note in three.notes if note.kind == "output" and us in note.text]
    assert lines == [(us, True)], "streamed, each line with its app"
    assert not any("hunter2" in note.text for note in three.notes)
    with pytest.raises(UsageError, match="no target here"):
        output_of(kept, "shop")


def test_the_app_that_builds_is_a_target_too(three: Shop) -> None:
    builder = three.app("staging")
    assert standing(three, "staging") == {builder: (0, "succeeded")}
    assert standing(three, three.waiting.id) == standing(three, "staging")
    assert "migrating" in output_of(targets(three.services), builder)
    assert [target.move for target in targets(three.services)] == [f"{three.waiting.id}/staging"]


def test_what_got_no_release_is_still_told_what_it_was_to_get(three: Shop) -> None:
    us = three.services.spec.stages[1].apps[1]
    promote.promote(three.services)
    moved = targets(three.services, "production")
    never = {"id": None, "slug_id": None, "version": None, "error": "the release was refused"}
    move = SimpleNamespace(id=moved[0].move)
    released(three.services, move, {us: never}, {})
    [failed] = [target for target in targets(three.services, "production") if target.app == us]
    assert (failed.status, failed.slug_id) == ("failed", three.waiting.slug_id)
    wish = Wish(to="production", retry_failed=True)
    assert promote.plan(three.services, wish).slug_id == three.waiting.slug_id


def test_after_a_move_that_failed_half_way_only_what_it_reached_goes_back(three: Shop) -> None:
    eu, us, jp = three.services.spec.stages[1].apps
    promote.promote(three.services)
    first = {app: three.slug(app) for app in (eu, us, jp)}
    had = {app: three.versions(app)[-1] for app in (us, jp)}
    three.commit(index_dot_html="two\n")
    newer = three.deliver()
    three.services.heroku.config_vars.update(eu, {"UNREADY": "yes"})
    with pytest.raises(Refused, match=f"failed in {eu}: release command failed"):
        promote.promote(three.services)
    assert three.slug(us) == newer.slug_id
    had[jp] = three.versions(jp)[-1]

    shown = rollback.rollback(three.services, "production")
    assert [app.app for app in shown.apps] == [us]
    assert {app: three.slug(app) for app in (eu, us, jp)} == first
    assert three.versions(jp)[-1] == had[jp], "it was not reached, and stays"
    with pytest.raises(UsageError, match="every app of production runs"):
        rollback.rollback(three.services, "production", to=three.waiting.commit[:10])


def test_a_delivery_that_errored_and_goes_on_has_each_target_once(three: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    mode.switch(three.services, Mode.DEPLOYMENT, None)
    looks = three.services.heroku.dynos

    def fault(*arguments: Any) -> Any:
        if "-jp" in arguments[0]:
            raise PlatformError("HTTP 503")
        return type(looks).list(looks, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(looks, "list", fault)
        with pytest.raises(PlatformError):
            three.advance(three.waiting)
    eu, us, jp = three.services.spec.stages[1].apps
    assert standing(three) == {eu: (1, "succeeded"), us: (1, "succeeded"), jp: (2, "released")}

    [delivered] = three.resume()
    assert (delivered.status, delivered.attempt) == (Status.DELIVERED, 2)
    shown = targets(three.services, three.waiting.id)
    assert [(target.app, target.status) for target in shown] == [
        (three.app("staging"), "succeeded"),
        *((app, "succeeded") for app in (eu, us, jp)),
    ]
    assert "migrating" in output_of(shown, jp), "kept when it was released, by the first try"


def test_a_failed_wave_stops_the_next_and_its_targets_are_tried_again(three: Shop) -> None:
    eu, us, jp = three.services.spec.stages[1].apps
    three.services.heroku.config_vars.update(us, {"UNREADY": "yes"})
    with pytest.raises(Refused, match=f"failed in {us}: release command failed") as refused:
        promote.promote(three.services)
    assert refused.value.hint == (
        "see what each app got: herodeploy targets production; "
        "try again what failed: herodeploy promote production --retry-failed; "
        "or go back: herodeploy rollback production"
    )
    assert standing(three) == {eu: (1, "released"), us: (1, "failed"), jp: (2, "skipped")}
    assert three.slug(jp) is None

    three.services.heroku.config_vars.update(us, {"UNREADY": None})
    three.commit(index_dot_html="two\n")
    newer = three.deliver()
    before = three.versions(eu)
    view = promote.promote(three.services, wish=Wish(only=(us, jp), retry_failed=True))

    assert set(view.apps) == {us, jp}
    assert {three.slug(app) for app in (eu, us, jp)} == {three.waiting.slug_id} != {newer.slug_id}
    assert three.versions(eu) == before, "what was left out is left alone"
    assert standing(three) == {us: (1, "succeeded"), jp: (2, "succeeded")}
    with pytest.raises(UsageError, match="failed nowhere"):
        promote.plan(three.services, Wish(retry_failed=True))


def test_the_way_back_is_named_where_something_came_into_the_stage(three: Shop) -> None:
    _, us, jp = three.services.spec.stages[1].apps
    again = "try again what failed: herodeploy promote production --retry-failed"
    three.services.heroku.config_vars.update(us, {"UNREADY": "yes"})
    with pytest.raises(Refused, match="release command failed") as refused:
        promote.promote(three.services, wish=Wish(only=(us,)))
    assert refused.value.hint == f"see what each app got: herodeploy targets production; {again}"

    staging, production = three.services.spec.stages
    production = dataclasses.replace(production, verify=VerifySpec(path=None, command="exit 1"))
    three.services.spec = dataclasses.replace(three.services.spec, stages=(staging, production))
    with pytest.raises(Refused, match="`exit 1` says no") as refused:
        promote.promote(three.services, wish=Wish(only=(jp,)))
    assert refused.value.hint.endswith(f"; {again}; or go back: herodeploy rollback production")


def test_one_app_alone_closes_no_delivery_but_all_of_them_do(three: Shop) -> None:
    eu, us, jp = three.services.spec.stages[1].apps
    store, key = three.services.store, three.waiting.id
    promote.promote(three.services, wish=Wish(only=(us,)))
    assert [three.slug(app) is None for app in (eu, us, jp)] == [True, False, True]
    assert store.delivery(key).status is Status.WAITING
    assert not store.is_verified(three.services.pipeline().id, "production", three.waiting.slug_id, (eu, us, jp))
    promote.promote(three.services, wish=Wish(only=(eu, jp)))
    assert store.delivery(key).status is Status.DELIVERED
    with pytest.raises(UsageError, match="no app 'nowhere'"):
        promote.promote(three.services, wish=Wish(only=("nowhere",)))


def test_what_is_planned_is_what_is_done(three: Shop) -> None:
    eu, us, jp = three.services.spec.stages[1].apps
    promote.promote(three.services, wish=Wish(only=(us,)))
    kinds = three.kinds()

    plan = promote.plan(three.services, Wish())

    waves = [[(target.app, target.has_it) for target in wave.targets] for wave in plan.waves]
    assert waves == [[(eu, False), (us, True)], [(jp, False)]]
    assert (plan.whole, plan.there, plan.commit) == (True, False, three.waiting.commit)
    assert three.kinds() == kinds, "a plan changes nothing"
    assert three.slug(eu) is None
    before = three.versions(us)
    promote.promote(three.services)
    assert promote.plan(three.services, Wish()).there
    assert three.versions(us) == before
    assert {three.slug(app) for app in (eu, us, jp)} == {plan.slug_id}


def test_an_older_release_can_be_promoted_and_one_that_cannot_is_told(three: Shop) -> None:
    version = three.versions(three.app("staging"))[-1][0]
    three.commit(index_dot_html="two\n")
    three.deliver()
    promote.promote(three.services, wish=Wish(release=f"v{version}"))
    assert three.slug(three.app("production")) == three.waiting.slug_id
    for wrong in ("v1", "v99"):
        with pytest.raises(UsageError, match="release v") as told:
            promote.plan(three.services, Wish(release=wrong))
        assert f"v{version}" in told.value.hint
    with pytest.raises(UsageError, match="is no release"):
        promote.plan(three.services, Wish(release="newest"))


def test_a_cut_promotion_of_one_app_is_not_taken_for_one_of_all(three: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    eu, us, _ = three.services.spec.stages[1].apps
    promotions = three.services.heroku.promotions
    post = promotions.create

    def cut(*arguments: Any) -> Any:
        post(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(promotions, "create", cut)
    with pytest.raises(KeyboardInterrupt):
        promote.promote(three.services, wish=Wish(only=(us,)))
    monkeypatch.undo()
    promote.promote(three.services)
    assert not any("carrying on" in text for text in three.told("info"))
    assert three.slug(eu) == three.slug(us) == three.waiting.slug_id
    assert [kind for kind in three.kinds() if kind.startswith("promotion.")][-2:] == [
        "promotion.started",
        "promotion.succeeded",
    ]


def test_only_the_end_of_long_output_is_kept() -> None:
    kept = Kept(limit=20)
    for number in range(10):
        kept.take(f"line {number}\n")
    assert str(kept) == "[8 earlier lines are not kept]\nline 8\nline 9"
    kept.take("x" * 50)
    assert str(kept) == "[10 earlier lines are not kept]\n" + "x" * 19


def test_kept_output_has_no_secrets_and_nothing_that_a_database_refuses() -> None:
    kept = Kept()
    kept.take("Authorization: Bearer abcdef\0 and HRKU-0123456789abcdefghijkl for https://me:secret@example.com/x?y")
    assert str(kept) == "Authorization: [REDACTED] and [REDACTED] for https://[REDACTED]@example.com/x?y"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("> Authorization: ApiKey abc", "> Authorization: [REDACTED]"),
        ("Authorization: AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=h, Signature=c", "Authorization: [REDACTED]"),
        ("{'Authorization': 'Digest username=\"me\"'}", "{'Authorization': '[REDACTED]"),
        ("< Set-Cookie: session=abc; Path=/", "< Set-Cookie: [REDACTED]"),
        ("X-Api-Key: abc", "X-Api-Key: [REDACTED]"),
        ("x-vault-token: s.abc", "x-vault-token: [REDACTED]"),
        ("the cookie jar is full", "the cookie jar is full"),
    ],
)
def test_headers_that_carry_secrets_are_not_kept(line: str, said: str) -> None:
    assert redact.output(line) == said


def test_a_delivery_says_what_its_targets_came_to(three: Shop) -> None:
    mode.switch(three.services, Mode.DEPLOYMENT, None)
    three.commit(index_dot_html="two\n")
    delivered = three.deliver()
    assert delivered.status is Status.DELIVERED
    assert [target.stage for target in targets(three.services, delivered.id)] == ["staging", *["production"] * 3]
