"""What is swept: each story as the commands that a person gives, and what they give when one was cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .place import Platform, Shop, close_shop, eventually, open_shop

CONFIG = """\
pipeline: {{name}}
platform: local
mode: {mode}
ci: {ci}
review: {{{{strategy: {review}}}}}
stages:
  staging:
    apps: [{{name}}-staging]
    branch: main
  production:
    apps: {apps}
    waves: {waves}
    verify: {{{{path: /, within: 30s, passes: 1}}}}
    on_failure: {on_failure}{soak}
"""
ONE = "[[{name}-production]]"
TWO = "[[{name}-eu], [{name}-us]]"
AT_ONCE = "[[{name}-eu, {name}-us]]"
HERE = "{{provider: command, command: 'true'}}"
CANNOT = 2
"""Exit code of a command that is not to the point any more."""

Words = list[str]


@dataclass(frozen=True)
class Story:
    """One story.

    Parameters:
        prepare: brings a shop to where the story begins, undisturbed.
        commands: given one after another; each is made when its turn comes.
        carry_on: what is given after one of them was cut or errored, until one does it; none: the same again.
        code: how the last command ends.
        clear: takes away what a trial left, where the next one would stumble over it.
    """

    name: str
    config: Mapping[str, str]
    prepare: Callable[[Shop], None]
    commands: tuple[Callable[[Shop], Words], ...]
    resumable: bool = False
    begin: Callable[[Shop], None] = lambda shop: None
    clear: Callable[[Shop], None] = lambda shop: None
    apps: tuple[str, ...] = ("{name}-production",)
    waves: str = ONE
    code: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def open(self, platform: Platform) -> Shop:
        """Make a shop for it."""
        values = {"mode": "delivery", "ci": HERE, "review": "managed", "on_failure": "stop", "soak": "", **self.config}
        config = (
            CONFIG.format(waves=self.waves, apps=f"[{', '.join(self.apps)}]", **values)
            .replace("{{", "{")
            .replace("}}", "}")
        )
        config = config.replace("{name}", "\0").replace("{", "{{").replace("}", "}}").replace("\0", "{name}")
        shop = open_shop(platform, config, {"staging": ["{name}-staging"], "production": list(self.apps)})
        self.begin(shop)
        return shop

    def ends(self, number: int) -> int:
        """How that one of its commands ends."""
        return self.code if number == len(self.commands) - 1 else 0

    def close(self, shop: Shop) -> None:
        """Take the shop away."""
        self.clear(shop)
        close_shop(shop)


def commit(shop: Shop) -> None:
    shop.commit()


def waiting(shop: Shop) -> str | None:
    """The newest delivery, if it waits."""
    [(key, status)] = shop.rows("SELECT id, status FROM deliveries ORDER BY id DESC LIMIT 1") or [("", "")]
    return key if status == "waiting" else None


def approve(shop: Shop) -> Words:
    """The button, or a look at what is open where it was pressed already."""
    key = waiting(shop)
    return ["approve", key] if key else ["resume"]


def two_slugs(shop: Shop) -> None:
    [builder] = shop.apps["staging"]
    shop.notes["slugs"] = [shop.platform.build(builder, f"{number:040}") for number in (1, 2)]


def other_slug_in_staging(shop: Shop) -> None:
    """Let staging have what production has not; of two slugs every other one is the older, which holds production."""
    shop.forget_holds()
    shop.notes["slugs"].reverse()
    shop.platform.release(shop.apps["staging"][0], shop.notes["slugs"][0])


def bad_slug_in_production(shop: Shop) -> None:
    """Let production have the first slug and then the second one, to be rolled back from."""
    for app in shop.apps["production"]:
        if "ready" not in shop.notes:
            shop.platform.release(app, shop.notes["slugs"][0])
        shop.platform.release(app, shop.notes["slugs"][1])
    shop.notes["ready"] = True


def delivered_once(shop: Shop) -> None:
    """Let production have a release that was verified."""
    ended = shop.herodeploy("deliver")
    assert ended.code == 0, ended.out


def commit_that_crashes(shop: Shop) -> None:
    """Let the dynos of the next release of one app crash on boot."""
    commit(shop)
    shop.platform.control.fault("dyno", shop.apps["production"][-1], count=1)


def unlocked(shop: Shop) -> None:
    shop.platform.control.clear_faults()
    shop.herodeploy("unlock", "production")


def not_held(shop: Shop) -> None:
    """Every other trial promotes the older of two artifacts, which holds the stage."""
    shop.herodeploy("resume-auto", "production")


def new_branch(shop: Shop) -> None:
    shop.notes["branch"] = f"b{int(shop.notes.get('branch', 'b0')[1:]) + 1}"
    shop.git("branch", shop.notes["branch"])


def review_app_of_branch(shop: Shop) -> None:
    """Let there be a review app of a new branch, to be destroyed."""
    new_branch(shop)
    branch = shop.notes["branch"]
    if "native" in shop.config:
        blob = {"url": shop.platform.upload(), "version": shop.git("rev-parse", "HEAD")}
        body = {"branch": branch, "pipeline": shop.pipeline_id, "source_blob": blob}
        made = shop.platform.ask("POST", "/review-apps", body)
        eventually(lambda: shop.ask(f"/review-apps/{made['id']}")["status"] == "created")
        return
    app = shop.platform.ask("POST", "/apps", {})["id"]
    shop.platform.ask("PATCH", f"/apps/{app}/config-vars", {"HEROKU_BRANCH": branch})
    coupling = {"app": app, "pipeline": shop.pipeline_id, "stage": "review"}
    shop.platform.ask("POST", "/pipeline-couplings", coupling)


def no_review_apps(shop: Shop) -> None:
    """Take every review app away."""
    for review in shop.ask(f"/pipelines/{shop.pipeline_id}/review-apps"):
        shop.platform.ask("DELETE", f"/review-apps/{review['id']}")
    eventually(lambda: not shop.ask(f"/pipelines/{shop.pipeline_id}/review-apps"))
    for coupling in shop.ask(f"/pipelines/{shop.pipeline_id}/pipeline-couplings"):
        if coupling["stage"] == "review":
            shop.platform.ask("DELETE", f"/apps/{coupling['app']['id']}")


def review(strategy: str) -> list[Story]:
    """The stories of review apps of one kind."""
    common: dict[str, Any] = {"config": {"review": strategy}, "clear": no_review_apps}
    return [
        Story(
            f"create-review-app-{strategy}",
            prepare=new_branch,
            commands=(lambda shop: ["review", "create", "--branch", shop.notes["branch"]],),
            **common,
        ),
        Story(
            f"destroy-review-app-{strategy}",
            prepare=review_app_of_branch,
            commands=(lambda shop: ["review", "destroy", shop.notes["branch"], "--yes"],),
            **common,
        ),
    ]


STORIES = {
    story.name: story
    for story in (
        Story(
            "deliver-and-approve",
            {"ci": "{{provider: heroku}}"},
            prepare=commit,
            commands=(lambda shop: ["deliver"], approve),
            resumable=True,
        ),
        Story(
            "deliver-in-deployment-mode",
            {"mode": "deployment"},
            prepare=commit,
            commands=(lambda shop: ["deliver"],),
            resumable=True,
        ),
        Story(
            "deliver-and-put-back",
            {"mode": "deployment", "on_failure": "rollback"},
            begin=delivered_once,
            prepare=commit_that_crashes,
            commands=(lambda shop: ["deliver"],),
            clear=unlocked,
            code=1,
            resumable=True,
            apps=("{name}-eu", "{name}-us"),
            waves=TWO,
        ),
        Story(
            "deliver-to-two-waves-that-soak",
            {"mode": "deployment", "soak": "\n    wave_soak: 1s"},
            prepare=commit,
            commands=(lambda shop: ["deliver"],),
            resumable=True,
            apps=("{name}-eu", "{name}-us"),
            waves=TWO,
        ),
        Story(
            "promote-to-two-waves",
            {},
            begin=two_slugs,
            prepare=other_slug_in_staging,
            commands=(lambda shop: ["promote"],),
            clear=not_held,
            apps=("{name}-eu", "{name}-us"),
            waves=TWO,
        ),
        Story(
            "promote-to-two-apps-at-once",
            {},
            begin=two_slugs,
            prepare=other_slug_in_staging,
            commands=(lambda shop: ["promote"],),
            clear=not_held,
            apps=("{name}-eu", "{name}-us"),
            waves=AT_ONCE,
        ),
        Story(
            "roll-back-two-apps",
            {},
            begin=two_slugs,
            prepare=bad_slug_in_production,
            commands=(lambda shop: ["rollback", "production"],),
            clear=not_held,
            apps=("{name}-eu", "{name}-us"),
            waves=TWO,
        ),
        *review("managed"),
        *review("native"),
    )
}
