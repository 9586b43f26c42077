"""The gates of herodeploy.yml as a model, a section each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, Literal, get_args

from pydantic import ConfigDict, Field, model_validator

from herodeploy.config.calendar_values import Ranges, Timezone
from herodeploy.config.http_values import Body, Expression, Filled, Url
from herodeploy.config.values import Duration, Section, Share, refuse


class GateSection(Section):
    """What every gate may say."""

    shorthand: ClassVar[str | None] = None
    """The key that may be written alone: ``soak: 15m`` is ``soak: {for: 15m}``."""

    name: str | None = Field(
        default=None,
        min_length=1,
        description="Tells gates of one kind in one stage apart: this is how verdicts and overrides call it.",
    )


class CiGate(GateSection):
    """The tests of this commit passed. Always asked; writing it down changes nothing."""


class UpstreamGate(GateSection):
    """This very artifact was verified in the stage before. Always asked. `upstream: all` is `{verified_in: all}`."""

    shorthand: ClassVar[str | None] = "verified_in"

    verified_in: Literal["last", "all", "any"] = Field(
        default="last",
        description="In which of the stages before: the last of them, all, or any.",
    )


class LockGate(GateSection):
    """Nobody has locked this stage, its pipeline or everything. Always asked; writing it down changes nothing."""


class HoldGate(GateSection):
    """No person put an older release here, and this commit was not taken back from here. Always asked."""


class ApprovalGate(GateSection):
    """Enough people said yes to this very artifact."""

    count: int = Field(default=1, ge=1, le=20, description="How many people must say yes.")
    by_other: bool = Field(default=False, description="Whether the author of the commit's own yes does not count.")
    expires: Duration | None = Field(
        default=None, description="How long a yes counts after it was given. For ever when left out."
    )
    grace: Duration | None = Field(
        default=None,
        description="How long a yes counts for the same artifact in another delivery too. Not at all when left out.",
    )
    optional: bool = Field(
        default=True,
        description="Whether deployment mode removes this gate. `false` keeps it, so there can be no deployment mode.",
    )


class WindowGate(GateSection):
    """Changes enter the stage only at these times."""

    allow: Ranges = Field(
        description="When changes may enter: a range or a list of them. Days and times of a week "
        "(`Mon-Thu 09:00-16:00`), dates (`2026-12-20..2027-01-03`), or an RRULE with `start` and `duration`."
    )
    timezone: Timezone = Field(default="UTC", description="The IANA time zone of these times, such as Europe/Berlin.")


class FreezeGate(GateSection):
    """Nothing enters the stage at these times, whatever a window allows. Asked, too, when a person promotes by hand."""

    deny: Ranges = Field(description="When nothing may enter: ranges as of `window`.")
    timezone: Timezone = Field(default="UTC", description="The IANA time zone of these times, such as Europe/Berlin.")
    why: str | None = Field(default=None, min_length=1, description="What people are told, such as `peak season`.")


class HttpGate(GateSection):
    """A web address answers as it should. `${NAME}` is the value of an environment variable."""

    url: Url = Field(description="The address that is asked, http or https. Redirects are not followed.")
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH"] = Field(default="GET", description="How it is asked.")
    headers: dict[str, Filled] = Field(
        default_factory=dict,
        max_length=50,
        description="Sent with it, such as `{Authorization: 'Bearer ${QA_TOKEN}'}`.",
    )
    body: Body | None = Field(default=None, description="Sent with it: text, or a mapping or list as JSON.")
    success_when: Expression = Field(
        default="200 <= status < 300",
        description="Pass when this is true of `status`, `body` (JSON, or else text) and `headers` (names in small "
        "letters), such as `body.state == 'ready'`.",
    )
    failure_when: Expression | None = Field(
        default=None, description="Fail when this is true, whatever `success_when` says. Never when left out."
    )
    every: Duration = Field(default=timedelta(minutes=1), description="Ask again after this, while neither is true.")
    timeout: Duration = Field(default=timedelta(hours=1), description="Fail when neither was true for this long.")


class CommandGate(GateSection):
    """A command says yes: in a clean copy of the commit, on the machine where herodeploy runs."""

    run: str = Field(
        min_length=1,
        description="The shell command. Exit status 0 means yes, 75 means ask again later, any other one no.",
    )
    timeout: Duration = Field(default=timedelta(minutes=10), description="One that takes longer is stopped, and a no.")
    every: Duration = Field(default=timedelta(minutes=1), description="After exit status 75, ask again after this.")


class BatchGate(GateSection):
    """Few commits at once, and not too often."""

    max_commits: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="How many commits may enter at once; more of them wait for a person. Any number when left out.",
    )
    every: Duration | None = Field(
        default=None, description="How long after the last move into the stage the next one may be."
    )


class PluginGate(GateSection):
    """A gate of another package; the package says which options it has."""

    model_config = ConfigDict(extra="allow")


class ChecksGate(GateSection):
    """GitHub's checks of this commit are green: check runs and commit statuses.

    All that have reported count, but for what is hidden or allowed to fail. Names may be patterns, such as `ci/*`.
    """

    require: list[str] = Field(
        default_factory=list,
        description="These must have reported and be green. One that never reported is missing, and the gate waits.",
    )
    allow_failure: list[str] = Field(default_factory=list, description="These are told and in nobody's way.")
    hide: list[str] = Field(default_factory=list, description="These are as if they were not there.")
    blocking: list[str] = Field(
        default_factory=list,
        description="These are in the way, too, while they are red on an earlier commit that this stage has not run.",
    )
    repository: str | None = Field(
        default=None,
        pattern=r"^[\w.-]+/[\w.-]+$",
        description="The repository on GitHub, `owner/name`. That of the git remote `origin` when left out.",
    )


class SoakGate(GateSection):
    """It has been healthy in the stage before for that long without interruption. `soak: 15m` is `soak: {for: 15m}`."""

    shorthand: ClassVar[str | None] = "for"

    length: Duration = Field(alias="for", description="How long it must have been healthy; trouble begins it anew.")
    every: Duration = Field(
        default=timedelta(minutes=1),
        description="How often it is looked at meanwhile. Between two looks no more than twice as long counts.",
    )
    error_rate: Share = Field(
        default="1%",
        description="Healthy up to this share of requests that end as a router error (H10 to H21) or 5xx between two "
        "looks.",
    )


Level = Literal["block", "warn", "ignore"]


class PreflightGate(GateSection):
    """Promoting would not break for a reason that can be seen now. `block` waits until it is mended, `warn` only tells.

    Of config vars only the names are compared.
    """

    source: Level = Field(default="block", description="The release to promote failed, expired, or runs no more.")
    maintenance: Level = Field(default="block", description="An app of this stage is in maintenance mode.")
    config: Level = Field(default="block", description="Config vars of the app before that an app here lacks.")
    addons: Level = Field(default="block", description="Add-ons of the app before that an app here has no kind of.")
    processes: Level = Field(
        default="block",
        description="Process types that run before and have no dynos here. New types only warn, whatever is written.",
    )
    stack: Level = Field(default="warn", description="The slug was built for another stack than an app here is on.")
    buildpacks: Level = Field(default="warn", description="An app here is set to other buildpacks than the one before.")
    release_phase: Level = Field(default="warn", description="A release phase will run.")
    migrations: Level = Field(default="warn", description="Database migrations are among the files that changed.")
    ignore_config: list[str] = Field(
        default_factory=list, description="Config vars that may be missing; patterns such as `DEBUG_*`."
    )
    ignore_addons: list[str] = Field(
        default_factory=list, description="Services of add-ons that may be missing; patterns such as `mailtrap`."
    )
    migration_paths: list[str] | None = Field(
        default=None,
        description="Which files are migrations; patterns such as `sql/*`. What the usual frameworks do when left out.",
    )


class GateItem(Section):
    """One gate: a single key, the gate's kind, with its options below it. Other packages may bring more kinds."""

    model_config = ConfigDict(extra="allow")

    ci: CiGate | None = Field(default=None, description="The tests of this commit passed.")
    upstream: UpstreamGate | None = Field(default=None, description="This artifact was verified in the stage before.")
    lock: LockGate | None = Field(default=None, description="Nobody has locked this stage.")
    hold: HoldGate | None = Field(default=None, description="No person put an older release here.")
    approval: ApprovalGate | None = Field(default=None, description="People said yes to this artifact.")
    window: WindowGate | None = Field(default=None, description="It is a time at which changes may enter.")
    freeze: FreezeGate | None = Field(default=None, description="It is no time at which nothing may enter.")
    http: HttpGate | None = Field(default=None, description="A web address answers as it should.")
    command: CommandGate | None = Field(default=None, description="A command says yes.")
    batch: BatchGate | None = Field(default=None, description="Few commits at once, and not too often.")
    checks: ChecksGate | None = Field(default=None, description="GitHub's checks of this commit are green.")
    soak: SoakGate | None = Field(default=None, description="It has been healthy in the stage before for long enough.")
    preflight: PreflightGate | None = Field(
        default=None, description="Nothing can be seen that promoting would break on."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_kind(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {value: {}}
        if isinstance(value, dict) and len(value) != 1:
            raise refuse(
                f"names {len(value)} gates; each gate is an item of its own", "such as `- approval: {count: 1}`"
            )
        if isinstance(value, dict):
            return {
                kind: cls._checked(str(kind), {} if options is None else options) for kind, options in value.items()
            }
        return value

    @classmethod
    def _checked(cls, kind: str, options: Any) -> Any:
        if kind in cls.model_fields:
            return _spelt_out(kind, options)
        from herodeploy.config.plugin_gates import options_of

        return PluginGate.model_validate(options_of(kind, options))

    @property
    def kind(self) -> str:
        """The gate's kind."""
        return next(iter(self.model_fields_set))

    @property
    def options(self) -> GateSection:
        """What is written under it."""
        found: GateSection = (self.model_extra or {}).get(self.kind) or getattr(self, self.kind)
        return found

    @property
    def name(self) -> str:
        """What tells it apart from the stage's other gates."""
        return self.options.name or self.kind


def _spelt_out(kind: str, options: Any) -> Any:
    key = next((section.shorthand for name, section in sections() if name == kind), None)
    return options if key is None or isinstance(options, dict) else {key: options}


def sections() -> list[tuple[str, type[GateSection]]]:
    """Return each kind of gate and the section of its options, in the order of the model."""
    found = []
    for kind, field in GateItem.model_fields.items():
        section = next(each for each in get_args(field.annotation) if each is not type(None))
        found.append((kind, section))
    return found
