"""herodeploy.yml as a model; its JSON Schema and docs/configuration.md are made from the descriptions here."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from herodeploy.config.gate_model import GateItem
from herodeploy.config.values import AppName, Duration, PipelineName, Section, UrlPath


class CiSection(Section):
    """How a change is tested before anything is built."""

    provider: Literal["heroku", "checks", "command", "none"] = Field(
        default="heroku",
        description="`heroku`: a Heroku CI test run, which runs `environments.test` of app.json. "
        "`checks`: GitHub's checks of the commit. "
        "`command`: a command on this machine, in a clean copy of the commit. `none`: changes are not tested.",
    )
    command: str | None = Field(
        default=None,
        description="With `provider: command`: the shell command; exit status 0 means passed.",
        min_length=1,
    )
    timeout: Duration = Field(default=timedelta(hours=1), description="Tests that take longer count as failed.")
    require: list[str] = Field(
        default_factory=list,
        description="With `provider: checks`: these must have reported and be green. Names may be patterns, as `ci/*`.",
    )
    allow_failure: list[str] = Field(
        default_factory=list, description="With `provider: checks`: these are in nobody's way."
    )
    hide: list[str] = Field(
        default_factory=list, description="With `provider: checks`: these are as if they were not there."
    )
    repository: str | None = Field(
        default=None,
        pattern=r"^[\w.-]+/[\w.-]+$",
        description="With `provider: checks`: the repository on GitHub, `owner/name`. That of the git remote `origin` "
        "when left out.",
    )


class ReviewSection(Section):
    """Review apps: one short-lived app for each branch or pull request."""

    strategy: Literal["native", "managed", "auto"] = Field(
        default="auto",
        description="`native`: Heroku's own review apps. `managed`: app setups that herodeploy keeps track of, for any "
        "git host. `auto`: native where the pipeline has them enabled or the platform is local, managed elsewhere.",
    )
    ttl: Duration | None = Field(
        default=None,
        description="How long a review app may live without a new build; then `herodeploy review sweep` destroys it.",
    )
    max: int | None = Field(default=None, ge=1, description="How many review apps there may be at the same time.")


class VerifySection(Section):
    """How a new release is verified once its dynos are up: over HTTP, then by a command of yours."""

    path: UrlPath | None = Field(
        default="/", description="Requested below the app's web address. `null`: nothing is requested."
    )
    status: int = Field(default=200, ge=100, le=599, description="The HTTP status that counts as healthy.")
    within: Duration = Field(default=timedelta(seconds=60), description="How long to keep trying.")
    passes: int = Field(default=2, ge=1, le=100, description="How many healthy answers are wanted in a row.")
    command: str | None = Field(
        default=None,
        min_length=1,
        description="A shell command, run for each app in a clean copy of the commit, on the machine where herodeploy "
        "runs. It gets `HERODEPLOY_APP`, `HERODEPLOY_URL`, `HERODEPLOY_RELEASE` (such as v12), `HERODEPLOY_STAGE`, "
        "`HERODEPLOY_PIPELINE`, `HERODEPLOY_COMMIT` and `HERODEPLOY_SLUG`. Exit status 0 means good; 75, 126 and 127 "
        "mean that it could not tell, any other one that the release is bad.",
    )
    timeout: Duration = Field(default=timedelta(minutes=5), description="A command that takes longer counts as failed.")


class StageSection(Section):
    """One stage. The first one builds, each other one receives promotions from the stage before it."""

    apps: list[AppName] = Field(
        min_length=1,
        description="The stage's apps. Of the first stage, the first app builds and the others get its slug.",
    )
    kind: Literal["development", "staging", "production"] | None = Field(
        default=None, description="Heroku's stage of these apps. Needed only when the stage's name is none of Heroku's."
    )
    branch: str | None = Field(
        default=None,
        min_length=1,
        description="First stage only: the branch that is delivered. Any branch when left out.",
    )
    waves: list[list[AppName]] | None = Field(
        default=None,
        description="The apps again, in groups: each group is promoted and verified before the next. "
        "One group of all when left out. A stage that is locked meanwhile keeps the next group out.",
    )
    wave_soak: Duration | None = Field(
        default=None,
        description="How long each wave but the last must stay good before the next: it is verified again then. A "
        "dyno that crashes meanwhile fails the wave, as a failed verification does: at once where it lies crashed at "
        "one of the looks (each 30 seconds), else at the end, by the log.",
    )
    verify: VerifySection | None = Field(
        default=None, description="Check of each new release. When left out, its dynos must be up and no more."
    )
    gates: list[GateItem] = Field(
        default_factory=list,
        description="Questions asked before a change enters this stage, beside those always asked.",
    )
    on_failure: Literal["rollback", "stop"] = Field(
        default="stop",
        description="After a failed verification: `rollback` puts the previous release back, `stop` leaves it.",
    )


class Root(Section):
    """The whole file. Keys that begin with `x-` are yours: herodeploy skips them, YAML anchors may live there."""

    pipeline: PipelineName = Field(description="The pipeline's name on Heroku.")
    platform: Literal["heroku", "local"] = Field(
        default="heroku", description="`heroku`, or `local`: the platform that herodeploy starts on this machine."
    )
    mode: Literal["delivery", "deployment"] = Field(
        default="delivery",
        description="Where a new pipeline starts. `delivery`: a person approves production. `deployment`: it goes "
        "there by itself. `herodeploy mode` switches it later.",
    )
    ci: CiSection = Field(default_factory=CiSection, description="How a change is tested.")
    review: ReviewSection = Field(default_factory=ReviewSection, description="Review apps.")
    stages: dict[str, StageSection] = Field(min_length=1, description="The stages by name, in order.")
