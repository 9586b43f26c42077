"""herodeploy.yml as a model; its JSON Schema and docs/configuration.md are made from the descriptions here."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from herodeploy.config import durations, names


def refuse(message: str, hint: str | None = None) -> PydanticCustomError:
    """Return an error whose `message` continues the path, such as ``is 'x', which ...``."""
    # Braces would be taken for a template.
    return PydanticCustomError("refused", "{text}", {"text": message, "hint": hint})


def _duration(value: object) -> timedelta:
    example = "write a number and a unit: 60s, 15m, 1h30m, 5d"
    if isinstance(value, bool) or not isinstance(value, str):
        unit = f"; perhaps {value}s" if isinstance(value, int) and not isinstance(value, bool) else ""
        raise refuse(f"is {shown(value)}, which is no length of time", example + unit)
    try:
        length = durations.parse(value)
    except ValueError:
        raise refuse(f"is {shown(value)}, which is no length of time", example) from None
    if length <= timedelta(0):
        raise refuse(f"is {shown(value)}; it must be longer than nothing", example)
    return length


def _app_name(value: object) -> object:
    if isinstance(value, str) and not names.APP.fullmatch(value):
        raise refuse(f"is '{value}', an app name that Heroku refuses ({names.APP_RULE})", _nearest(value))
    return value


def _pipeline_name(value: object) -> object:
    if isinstance(value, str) and not names.PIPELINE.fullmatch(value):
        raise refuse(f"is '{value}', a pipeline name that Heroku refuses ({names.PIPELINE_RULE})", _nearest(value))
    return value


def _nearest(value: str) -> str | None:
    nearest = names.valid(value)
    return f"such as '{nearest}'" if nearest else None


def _path(value: object) -> object:
    if isinstance(value, str) and (not value.startswith("/") or any(character.isspace() for character in value)):
        raise refuse(f"is '{value}'; it must begin with / and hold no blanks", "such as /healthz")
    return value


def shown(value: object) -> str:
    """Return a value as an error quotes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if not isinstance(value, str):
        return str(value)[:60]
    return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}...'"


DURATION_SCHEMA = {"type": "string", "pattern": durations.PATTERN}
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(durations.write, return_type=str, when_used="json"),
    WithJsonSchema(DURATION_SCHEMA),
]
AppName = Annotated[
    str, BeforeValidator(_app_name), WithJsonSchema({"type": "string", "pattern": f"^{names.APP.pattern}$"})
]
PipelineName = Annotated[
    str, BeforeValidator(_pipeline_name), WithJsonSchema({"type": "string", "pattern": f"^{names.PIPELINE.pattern}$"})
]
UrlPath = Annotated[str, BeforeValidator(_path)]


class Section(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CiSection(Section):
    """How a change is tested before anything is built."""

    provider: Literal["heroku", "command", "none"] = Field(
        default="heroku",
        description="`heroku`: a Heroku CI test run, which runs `environments.test` of app.json. "
        "`command`: a command on this machine, in a clean copy of the commit. `none`: changes are not tested.",
    )
    command: str | None = Field(
        default=None,
        description="With `provider: command`: the shell command; exit status 0 means passed.",
        min_length=1,
    )
    timeout: Duration = Field(default=timedelta(hours=1), description="Tests that take longer count as failed.")


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
    """How a new release is verified over HTTP, once its dynos are up."""

    path: UrlPath = Field(default="/", description="Requested below the app's web address.")
    status: int = Field(default=200, ge=100, le=599, description="The HTTP status that counts as healthy.")
    within: Duration = Field(default=timedelta(seconds=60), description="How long to keep trying.")
    passes: int = Field(default=2, ge=1, le=100, description="How many healthy answers are wanted in a row.")


class CiGate(Section):
    """The tests of this commit passed. Always asked; writing it down changes nothing."""


class UpstreamGate(Section):
    """This very artifact was verified in the stage before. Always asked; writing it down changes nothing."""


class ApprovalGate(Section):
    """Enough people said yes to this very artifact."""

    count: int = Field(default=1, ge=1, le=20, description="How many people must say yes.")
    by_other: bool = Field(default=False, description="Whether the author of the commit's own yes does not count.")
    expires: Duration | None = Field(
        default=None, description="How long a yes counts after it was given. For ever when left out."
    )
    optional: bool = Field(
        default=True, description="Whether deployment mode removes this gate. `false` keeps it in either mode."
    )


class GateItem(Section):
    """One gate: a single key, the gate's kind, with its options below it."""

    ci: CiGate | None = Field(default=None, description="The tests of this commit passed.")
    upstream: UpstreamGate | None = Field(default=None, description="This artifact was verified in the stage before.")
    approval: ApprovalGate | None = Field(default=None, description="People said yes to this artifact.")

    @model_validator(mode="before")
    @classmethod
    def _one_kind(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {value: {}}
        if isinstance(value, dict) and len(value) != 1:
            raise refuse(
                f"names {len(value)} gates; each gate is an item of its own", "such as `- approval: {count: 1}`"
            )
        if isinstance(value, dict):
            return {kind: {} if options is None else options for kind, options in value.items()}
        return value

    @property
    def kind(self) -> str:
        """The gate's kind."""
        return next(iter(self.model_fields_set))


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
        "One group of all when left out.",
    )
    verify: VerifySection | None = Field(
        default=None, description="HTTP check of each new release. When left out, its dynos must be up and no more."
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
