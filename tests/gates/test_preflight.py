from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from herodeploy.domain.gate import Facts, Observation, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import preflight
from herodeploy.gates.evaluate import recheck_at

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MakeFacts = Callable[..., Facts]
RELEASE = {"version": 5, "status": "succeeded", "slug_id": "s1"}
CLEAR: dict[str, Any] = {
    "commit": "0123456789abcdef",
    "upstream": {
        "app": "shop-staging",
        "stack": "heroku-24",
        "buildpacks": ["heroku/python"],
        "config": ["DATABASE_URL", "KEY"],
        "formation": {"web": 1, "worker": 2, "clock": 0},
        "release": RELEASE,
        "current": RELEASE,
        "addons": [{"service": "heroku-postgresql", "config_vars": ["DATABASE_URL"]}],
    },
    "slug": {"process_types": ["clock", "console", "web", "worker"], "stack": "heroku-24"},
    "targets": [
        {
            "app": "shop",
            "stack": "heroku-24",
            "build_stack": "heroku-24",
            "buildpacks": [],
            "config": ["DATABASE_URL", "KEY", "MORE"],
            "formation": {"web": 2, "worker": 1, "clock": 0},
            "maintenance": False,
            "addons": ["heroku-postgresql"],
            "commit": "fedcba9876543210",
            "migrations": [],
        }
    ],
}


def ask(facts: MakeFacts, change: Callable[[Any, Any, Any], object], **options: Any) -> Verdict:
    """Ask after a change to what was seen: of upstream, the slug and the target."""
    data = copy.deepcopy(CLEAR)
    change(data["upstream"], data["slug"], data["targets"][0])
    spec = GateSpec("preflight", options)
    return preflight.ask(facts(observations={"preflight": Observation(NOON, data)}), spec, NOON)


def test_it_passes_where_nothing_is_in_the_way(facts: MakeFacts) -> None:
    verdict = ask(facts, lambda up, slug, to: None)
    assert (verdict.answer, verdict.reason) == ("PASS", "nothing is in the way of promoting to shop")
    assert verdict.facts == {"findings": [], "warnings": []}


def test_it_waits_for_a_first_look(facts: MakeFacts) -> None:
    assert preflight.ask(facts(), GateSpec("preflight"), NOON).answer == "WAIT"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda up, slug, to: up.update(release={**RELEASE, "status": "expired"}),
            "v5 of shop-staging is expired: herodeploy deliver",
        ),
        (
            lambda up, slug, to: up.update(release={**RELEASE, "slug_id": None}),
            "v5 of shop-staging has no slug: herodeploy deliver",
        ),
        (
            lambda up, slug, to: up.update(current={"version": 7, "status": "succeeded", "slug_id": "s2"}),
            (
                "shop-staging runs v7, another artifact, in the place of v5: "
                "deliver that one, or heroku rollback v5 --app shop-staging"
            ),
        ),
        (
            lambda up, slug, to: to.update(maintenance=True),
            "shop is in maintenance mode: heroku maintenance:off --app shop",
        ),
        (
            lambda up, slug, to: to.update(config=["DATABASE_URL"]),
            "shop lacks the config var KEY of shop-staging: heroku config:set KEY=... --app shop",
        ),
        (
            lambda up, slug, to: to.update(config=[]),
            (
                "shop lacks the config vars DATABASE_URL, KEY of shop-staging: "
                "heroku config:set DATABASE_URL=... KEY=... --app shop"
            ),
        ),
        # What an add-on would set is not told twice.
        (
            lambda up, slug, to: to.update(config=["KEY"], addons=[]),
            "shop has no heroku-postgresql, which shop-staging has: heroku addons:create heroku-postgresql --app shop",
        ),
        (
            lambda up, slug, to: up["addons"].append({"service": "scheduler", "config_vars": []}),
            "shop has no scheduler, which shop-staging has: heroku addons:create scheduler --app shop",
        ),
        (
            lambda up, slug, to: to["formation"].update(worker=0),
            "worker has no dynos in shop, but 2 in shop-staging: heroku ps:scale worker=2 --app shop",
        ),
        (
            lambda up, slug, to: to["formation"].update(web=0),
            "web has no dynos in shop, but 1 in shop-staging: heroku ps:scale web=1 --app shop",
        ),
    ],
)
def test_what_can_be_mended_waits_and_is_looked_at_again(
    facts: MakeFacts, change: Callable[[Any, Any, Any], object], reason: str
) -> None:
    verdict = ask(facts, change)
    assert (verdict.answer, verdict.reason) == ("WAIT", reason)
    assert (verdict.until, recheck_at([verdict])) == (None, NOON + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (
            lambda up, slug, to: slug.update(stack="heroku-26"),
            "shop is on heroku-24, and the slug was built for heroku-26: heroku stack:set heroku-26 --app shop",
        ),
        (
            lambda up, slug, to: to.update(buildpacks=["heroku/nodejs", "heroku/python"]),
            (
                "shop builds with heroku/nodejs, heroku/python, shop-staging with heroku/python: "
                "heroku buildpacks:clear --app shop"
            ),
        ),
        (
            lambda up, slug, to: to["formation"].pop("worker"),
            "worker is new to shop and will have no dynos there: then heroku ps:scale worker=2 --app shop",
        ),
        (
            # It is a process type, too, but nobody scales it.
            lambda up, slug, to: (
                slug["process_types"].append("release"),
                up["formation"].update(release=1),
                to["formation"].update(release=0),
            ),
            "the release phase runs in shop: then herodeploy targets --output shop",
        ),
        (
            lambda up, slug, to: to.update(migrations=[f"db/migrate/{n}.rb" for n in range(5)]),
            (
                "migrations come to shop, and no release phase runs them (db/migrate/0.rb, db/migrate/1.rb, "
                "db/migrate/2.rb and 2 more): git diff fedcba98 01234567"
            ),
        ),
        (
            lambda up, slug, to: to.update(migrations=None),
            (
                "shop runs fedcba98, which is not in this clone, so nobody can tell whether migrations come: "
                "git fetch --all"
            ),
        ),
    ],
)
def test_a_warning_is_told_with_the_pass(
    facts: MakeFacts, change: Callable[[Any, Any, Any], object], warning: str
) -> None:
    verdict = ask(facts, change)
    told = f"nothing is in the way of promoting to shop, but: {warning}"
    assert (verdict.answer, verdict.reason, verdict.until) == ("PASS", told, None)
    assert verdict.warnings == (warning,)


@pytest.mark.parametrize(
    "change",
    [
        # The next build of shop is for that stack; only building could change more.
        lambda up, slug, to: (slug.update(stack="heroku-26"), to.update(build_stack="heroku-26")),
        # A database's second name has a colour in it.
        lambda up, slug, to: up["config"].append("HEROKU_POSTGRESQL_PINK_URL"),
        # Somebody else's Redis serves as well.
        lambda up, slug, to: (
            up["config"].append("REDIS_URL"),
            up["addons"].append({"service": "heroku-redis", "config_vars": ["REDIS_URL"]}),
            to["config"].append("REDIS_URL"),
        ),
        # An app's first release scales web to 1.
        lambda up, slug, to: (to.update(formation={}), slug.update(process_types=["web"])),
        # The same artifact in a newer release, as after a change of config.
        lambda up, slug, to: up.update(current={"version": 6, "status": "succeeded", "slug_id": "s1"}),
    ],
)
def test_what_is_fine_after_all(facts: MakeFacts, change: Callable[[Any, Any, Any], object]) -> None:
    assert ask(facts, change).reason == "nothing is in the way of promoting to shop"


def test_each_finding_has_the_level_that_is_written(facts: MakeFacts) -> None:
    def missing(up: Any, slug: Any, to: Any) -> None:
        to.update(config=[], maintenance=True, stack="heroku-22", build_stack=None)

    verdict = ask(facts, missing, config="warn", maintenance="ignore", stack="block")
    assert (verdict.answer, verdict.reason.split(":")[0]) == (
        "WAIT",
        "shop is on heroku-22, and the slug was built for heroku-24",
    )
    [config, stack] = verdict.facts["findings"]  # type: ignore[misc]
    assert (config["finding"], config["level"], stack["finding"], stack["level"]) == (
        "config",
        "warn",
        "stack",
        "block",
    )
    assert ask(facts, missing, config="warn", maintenance="warn").answer == "PASS"


def test_names_may_be_left_out(facts: MakeFacts) -> None:
    def missing(up: Any, slug: Any, to: Any) -> None:
        up["config"] += ["DEBUG_SQL", "DEBUG_MAIL"]
        up["addons"].append({"service": "mailtrap", "config_vars": []})

    assert ask(facts, missing, ignore_config=["DEBUG_*"], ignore_addons=["mailtrap"]).answer == "PASS"
    assert "DEBUG_SQL" in ask(facts, missing, ignore_config=["*_MAIL"]).reason


def test_a_new_process_type_cannot_block_as_nobody_could_mend_it(facts: MakeFacts) -> None:
    assert ask(facts, lambda up, slug, to: to["formation"].pop("worker"), processes="block").answer == "PASS"


@pytest.mark.parametrize("commit", ["fedcba9876543210", None])
def test_migrations_that_nobody_can_rule_out_block_where_migrations_do(facts: MakeFacts, commit: str | None) -> None:
    def unknown(up: Any, slug: Any, to: Any) -> None:
        to.update(migrations=None, commit=commit)

    assert ask(facts, unknown).answer == "PASS"
    verdict = ask(facts, unknown, migrations="block")
    assert (verdict.answer, verdict.facts["warnings"]) == ("WAIT", [])
    assert "nobody can tell whether migrations come: git fetch --all" in verdict.reason
    assert ask(facts, unknown, migrations="ignore").reason == "nothing is in the way of promoting to shop"


def test_every_target_is_looked_at(facts: MakeFacts) -> None:
    data = copy.deepcopy(CLEAR)
    data["targets"].append({**data["targets"][0], "app": "shop-us", "maintenance": True})
    seen = Observation(NOON, data)
    verdict = preflight.ask(facts(observations={"preflight": seen}), GateSpec("preflight"), NOON)
    assert verdict.reason == "shop-us is in maintenance mode: heroku maintenance:off --app shop-us"
    easy = dataclasses.replace(seen, data={**data, "targets": data["targets"][:1]})
    assert preflight.ask(facts(observations={"preflight": easy}), GateSpec("preflight"), NOON).answer == "PASS"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("db/migrate/20261123_add.rb", True),
        ("db/queue_migrate/1.rb", True),
        ("shop/orders/migrations/0002_total.py", True),
        ("alembic/versions/3f_add.py", True),
        ("prisma/migrations/20261123/migration.sql", True),
        ("priv/repo/migrations/1_add.exs", True),
        ("src/main/resources/db/migration/V2__add.sql", True),
        ("shop/orders/migrations/__init__.py", False),
        ("shop/versions/one.py", False),
        ("docs/migration.md", False),
        ("emigrate/one.py", False),
    ],
)
def test_what_is_a_migration(path: str, found: bool) -> None:
    assert preflight.is_migration(path, {}) is found


def test_migrations_may_lie_elsewhere() -> None:
    options = {"migration_paths": ["sql/*.sql"]}
    assert preflight.is_migration("sql/2026/1.sql", options)
    assert not preflight.is_migration("db/migrate/1.rb", options)


def test_a_release_phase_in_many_apps_is_one_short_sentence(facts: MakeFacts) -> None:
    data = copy.deepcopy(CLEAR)
    data["slug"]["process_types"].append("release")
    data["targets"] = [{**data["targets"][0], "app": f"shop-{n}"} for n in range(20)]
    seen = Observation(NOON, data)
    verdict = preflight.ask(facts(observations={"preflight": seen}), GateSpec("preflight"), NOON)
    assert verdict.warnings == (
        "the release phase runs in shop-0, shop-1, shop-2 and 17 more: then herodeploy targets --output APP",
    )
