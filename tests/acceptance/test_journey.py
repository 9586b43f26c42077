"""The stories of the demo, each by itself, as a person at a shell sees them."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance
Person = Any


def greeting(someone: Person, app: str) -> str | None:
    status, body = someone.fetch(app)
    return json.loads(body)["greeting"] if status == 200 else None


def test_a_second_apply_changes_nothing(shop: Person) -> None:
    assert shop.herodeploy("apply", "--json").json()["actions"] == []
    shop.replace("herodeploy.yml", "[shop-production]", "[shop-production, shop-uk]")
    actions = shop.herodeploy("apply", "--dry-run", "--json").json()["actions"]
    assert [each["action"] for each in actions] == ["create-app", "couple"]


def test_a_branch_becomes_a_review_app_and_goes_again(greeter: Person) -> None:
    greeter.git("switch", "--quiet", "--create", "warmer")
    greeter.replace("greeter.py", '"Hello"', '"Welcome"')
    greeter.commit("Greet more warmly")
    app = greeter.herodeploy("review", "create", "--branch", "warmer", "--json").json()["app"]
    assert greeting(greeter, app) == "Welcome, world!"

    greeter.replace("greeter.py", '"Welcome"', '"Good day"')
    greeter.commit("Greet formally")
    again = greeter.herodeploy("review", "create", "warmer", "--json").json()
    assert again["app"] == app
    assert greeting(greeter, app) == "Good day, world!"

    listed = greeter.herodeploy("review", "list", "--json").json()["review_apps"]
    assert [row["branch"] for row in listed] == ["warmer"]
    greeter.herodeploy("review", "destroy", "warmer", "--yes")
    assert greeter.fetch(app)[0] == 404
    assert greeter.herodeploy("review", "list", "--json").json()["review_apps"] == []


def test_delivery_waits_then_the_same_slug_goes_to_production(greeter: Person) -> None:
    greeter.herodeploy("deliver")
    assert greeting(greeter, "greeter-staging") == "Hello, world!"
    assert greeting(greeter, "greeter-production") is None

    greeter.herodeploy("approve", greeter.waiting(), "--comment", "fine")
    assert greeting(greeter, "greeter-production") == "Hello, world!"
    assert greeter.slug("greeter-staging") == greeter.slug("greeter-production") is not None
    kinds = [event["kind"] for event in greeter.herodeploy("history", "--json").json()["events"]]
    assert any("approv" in kind for kind in kinds)


def test_deployment_mode_goes_through_by_itself_and_is_recorded(greeter: Person) -> None:
    greeter.herodeploy("mode", "deployment", "--why", "trust")
    told = greeter.herodeploy("mode", "--json").json()
    assert (told["mode"], told["why"]) == ("deployment", "trust")
    assert told["by"]
    assert told["at"]
    greeter.herodeploy("deliver")
    assert greeting(greeter, "greeter-production") == "Hello, world!"


def test_a_failing_test_is_stopped_by_ci(greeter: Person) -> None:
    greeter.replace("greeter.py", '"Hello"', '"Oi"')
    greeter.commit("Greet rudely")
    ended = greeter.herodeploy("deliver", code=1)
    assert "FAILED" in ended.err + ended.out, "the tests' own output is streamed"
    assert greeter.slug("greeter-staging") is None


def test_a_failing_release_phase_leaves_the_old_release_serving(greeter: Person) -> None:
    greeter.herodeploy("mode", "deployment", "--why", "quicker")
    greeter.herodeploy("deliver")
    greeter.replace("release.py", '("SECRET_KEY",)', '("SECRET_KEY", "LICENCE")')
    greeter.commit("Want a setting that nobody has made")
    ended = greeter.herodeploy("deliver", code=1)
    assert "LICENCE is not set" in ended.err + ended.out, "release-phase output is streamed"
    assert greeter.releases("greeter-staging")[-1]["status"] == "failed"
    assert greeting(greeter, "greeter-staging") == "Hello, world!"


def test_what_does_not_boot_is_stopped_on_staging(greeter: Person) -> None:
    greeter.replace("serve.py", "import application", "import app")
    greeter.commit("Rename what is served")
    greeter.herodeploy("mode", "deployment", "--why", "quicker")
    ended = greeter.herodeploy("deliver", code=1)
    assert "ImportError" in ended.err + ended.out, "the app's last words are shown"
    assert greeter.slug("greeter-production") is None


def test_a_bad_release_is_rolled_back(greeter: Person) -> None:
    greeter.herodeploy("mode", "deployment", "--why", "quicker")
    greeter.herodeploy("deliver")
    good = greeter.slug("greeter-production")
    greeter.replace("greeter.py", '"Hello"', '"Good day"')
    greeter.commit("Greet formally")
    greeter.herodeploy("deliver")
    assert greeting(greeter, "greeter-production") == "Good day, world!"
    before = len(greeter.releases("greeter-production"))

    greeter.herodeploy("rollback", "production", "--why", "too formal")

    assert greeting(greeter, "greeter-production") == "Hello, world!"
    assert greeter.slug("greeter-production") == good
    assert len(greeter.releases("greeter-production")) == before + 1


def test_promote_is_the_push_button_alone(shop: Person) -> None:
    shop.herodeploy("deliver")
    shop.herodeploy("promote")
    assert shop.slug("shop-production") == shop.slug("shop-staging")
    assert shop.fetch("shop-production", "/index.html") == (200, "one\n")
    version = shop.releases("shop-production")[-1]["version"]
    assert shop.herodeploy("promote").out == f"production runs it already (v{version})\n"
    kinds = [event["kind"] for event in shop.herodeploy("history", "--json").json()["events"]]
    assert kinds.count("promotion.succeeded") == 1


def test_a_newer_commit_supersedes_a_waiting_one(shop: Person) -> None:
    shop.herodeploy("deliver")
    older = shop.waiting()
    shop.commit("Two", index_dot_html="two\n")
    shop.herodeploy("deliver")
    rows = {row["id"]: row["status"] for row in shop.herodeploy("status", "--json").json()["deliveries"]}
    assert rows[older] == "superseded"
    assert sorted(rows.values()) == ["superseded", "waiting"]
    shop.herodeploy("approve", older, code=2)


def test_ci_run_alone(greeter: Person) -> None:
    greeter.herodeploy("ci", "run")
    greeter.replace("greeter.py", '"Hello"', '"Oi"')
    greeter.commit("Greet rudely")
    greeter.herodeploy("ci", "run", code=1)
