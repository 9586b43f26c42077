"""What `apply` would do, decided as data: the wanted pipeline against what is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from herodeploy.domain.pipeline import PipelineSpec, Stage
from herodeploy.domain.snapshot import plain


class Step:
    """One thing that `apply` does."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """What it does, for people."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        values = {each.name: plain(getattr(self, each.name)) for each in fields(self)}  # type: ignore[arg-type] # each is a dataclass
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()
        return {"action": name, "text": self.text, **values}


@dataclass(frozen=True, slots=True)
class CreatePipeline(Step):
    """Make the pipeline."""

    name: str

    @property
    def text(self) -> str:
        """What it does, for people."""
        return f"create pipeline {self.name}"


@dataclass(frozen=True, slots=True)
class CreateApp(Step):
    """Make an app; `config` names the config vars that app.json gives it."""

    app: str
    config: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What it does, for people."""
        return f"create app {self.app}" + (f" with {', '.join(self.config)} of app.json" if self.config else "")


@dataclass(frozen=True, slots=True)
class Couple(Step):
    """Put an app into the pipeline."""

    app: str
    stage: Stage

    @property
    def text(self) -> str:
        """What it does, for people."""
        return f"add {self.app} to {self.stage}"


@dataclass(frozen=True, slots=True)
class Recouple(Step):
    """Move an app to another stage of the pipeline."""

    app: str
    coupling_id: str
    was: Stage
    stage: Stage

    @property
    def text(self) -> str:
        """What it does, for people."""
        return f"move {self.app} from {self.was} to {self.stage}"


@dataclass(frozen=True, slots=True)
class EnableReviewApps(Step):
    """Let the pipeline make review apps."""

    repo: str

    @property
    def text(self) -> str:
        """What it does, for people."""
        return f"enable review apps of {self.repo}"


Action = CreatePipeline | CreateApp | Couple | Recouple | EnableReviewApps


@dataclass(frozen=True, slots=True)
class CoupledApp:
    """An app as it is: in which pipeline and stage, if in any."""

    name: str
    pipeline_id: str | None = None
    coupling_id: str | None = None
    stage: Stage | None = None


@dataclass(frozen=True, slots=True)
class Existing:
    """What is there.

    Parameters:
        apps: of those that herodeploy.yml names, the ones that exist.
        review_enabled: whether the pipeline makes review apps.
        review_repo: the repository to enable them for, or None to leave them be.
    """

    pipeline_id: str | None
    apps: Mapping[str, CoupledApp] = field(default_factory=dict)
    review_enabled: bool = False
    review_repo: str | None = None
    config: tuple[str, ...] = ()


def plan_apply(spec: PipelineSpec, existing: Existing) -> list[Action]:
    """Return what is left to do, in order; nothing when all is as herodeploy.yml wants it."""
    actions: list[Action] = []
    if existing.pipeline_id is None:
        actions.append(CreatePipeline(spec.name))
    for stage in spec.stages:
        for name in stage.apps:
            app = existing.apps.get(name)
            if app is None:
                actions.append(CreateApp(name, existing.config))
            if app is None or app.stage is None or app.coupling_id is None:
                actions.append(Couple(name, stage.kind))
            elif app.stage != stage.kind:
                actions.append(Recouple(name, app.coupling_id, app.stage, stage.kind))
    if existing.review_repo is not None and not existing.review_enabled:
        actions.append(EnableReviewApps(existing.review_repo))
    return actions


def elsewhere(existing: Existing) -> list[str]:
    """Return the apps that belong to another pipeline; an app is in one at most."""
    apps = existing.apps.values()
    return [app.name for app in apps if app.pipeline_id is not None and app.pipeline_id != existing.pipeline_id]
