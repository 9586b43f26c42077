"""What a pipeline is on the platform, and what herodeploy.yml wants it to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal


class Stage(StrEnum):
    """Heroku's kinds of stage, in the order a change passes them."""

    TEST = "test"
    REVIEW = "review"
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class App:
    """A Heroku app.

    Parameters:
        build_stack: what its next build is for, where known.
    """

    id: str
    name: str
    web_url: str | None
    stack: str
    maintenance: bool
    created_at: datetime
    build_stack: str | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A Heroku pipeline."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Coupling:
    """One app's place in a pipeline."""

    id: str
    app_id: str
    pipeline_id: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class AddOn:
    """An app's add-on.

    Parameters:
        service: such as ``heroku-postgresql``.
        config_vars: the names of those it sets.
    """

    name: str
    service: str
    config_vars: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifySpec:
    """How a deployed release is verified once its dynos are up.

    Parameters:
        path: requested below the app's web address; None where nothing is requested.
        status: the HTTP status that counts as healthy.
        within: how long to keep trying.
        passes: how many consecutive healthy answers are needed.
        command: a shell command that must succeed, too, and how long it may take.
    """

    path: str | None = "/"
    status: int = 200
    within: timedelta = timedelta(seconds=60)
    passes: int = 2
    command: str | None = None
    timeout: timedelta = timedelta(minutes=5)

    @property
    def checks(self) -> list[str]:
        """What a release has to do, for people."""
        asked = f"answers {self.status} to GET {self.path}" if self.path is not None else None
        return [check for check in (asked, f"passes `{self.command}`" if self.command else None) if check]


@dataclass(frozen=True, slots=True)
class GateSpec:
    """One gate as configured: its kind and the options written under it.

    Parameters:
        place: the file and the line, counted from 1, where it is written; for errors alone.
    """

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    place: tuple[str, int] | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """What tells it apart from others of its kind: the option ``name``, else the kind."""
        return str(self.options.get("name") or self.kind)

    @property
    def memory(self) -> str:
        """Under which what it saw is kept: of another kind under the same name it is another gate's."""
        return self.kind if self.name == self.kind else f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class StageSpec:
    """One stage as configured.

    Parameters:
        name: as written under ``stages``; several stages may share one kind.
        kind: Heroku's stage of its couplings.
        apps: app names; of the first stage, the first one builds and the others receive its slug.
        waves: the apps again, grouped into the order in which they receive a promotion.
        wave_soak: how long a wave must stay good before the next one.
        branch: of the first stage, the branch that herodeploy delivers from.
        verify: HTTP check after each deploy or promotion; None means only that the dynos must be up.
        gates: questions asked before a move into this stage.
        on_failure: after a failed verification, put the previous release back or leave things be.
    """

    name: str
    kind: Stage
    apps: tuple[str, ...]
    waves: tuple[tuple[str, ...], ...]
    branch: str | None = None
    verify: VerifySpec | None = None
    gates: tuple[GateSpec, ...] = ()
    on_failure: Literal["rollback", "stop"] = "stop"
    wave_soak: timedelta | None = None


@dataclass(frozen=True, slots=True)
class CiSpec:
    """How a change is tested: by a Heroku test run, by GitHub's checks, by a command here, or not at all.

    Parameters:
        checks: which of GitHub's checks count, as the options of the gate `checks`.
    """

    provider: Literal["heroku", "checks", "command", "none"] = "heroku"
    command: str | None = None
    timeout: timedelta = timedelta(hours=1)
    checks: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReviewSpec:
    """How review apps are made and how long they live."""

    strategy: Literal["native", "managed", "auto"] = "auto"
    ttl: timedelta | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """herodeploy.yml, read."""

    name: str
    platform: Literal["heroku", "local"]
    mode: Literal["delivery", "deployment"]
    ci: CiSpec
    review: ReviewSpec
    stages: tuple[StageSpec, ...]

    @property
    def first(self) -> StageSpec:
        """The stage that builds."""
        return self.stages[0]

    def stage(self, name: str) -> StageSpec | None:
        """Return the stage of that name."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def before(self, name: str) -> StageSpec | None:
        """Return the stage that promotes into the stage of that name."""
        earlier = self.earlier(name)
        return earlier[-1] if earlier else None

    def earlier(self, name: str) -> tuple[StageSpec, ...]:
        """Return all stages before the stage of that name, in order."""
        return self.stages[: [stage.name for stage in self.stages].index(name)]
