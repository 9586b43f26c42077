"""What a promotion by hand will do, decided as data: what `--dry-run` prints is what is carried out."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from herodeploy.domain.pipeline import App, StageSpec
from herodeploy.domain.release import Release


@dataclass(frozen=True, slots=True)
class PlannedTarget:
    """An app that is to get the artifact.

    Parameters:
        version: of the release that serves there; None where none does.
        has_it: whether that is the artifact already: then it is verified and no more.
    """

    app: str
    version: int | None
    has_it: bool


@dataclass(frozen=True, slots=True)
class PlannedWave:
    """Apps that get it side by side."""

    number: int
    targets: tuple[PlannedTarget, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What would be against it now.

    Parameters:
        by: a gate's name, or ``stage`` where a delivery is on its way into it.
    """

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class PromotionPlan:
    """One exact release on its way into a stage.

    Parameters:
        stage: with the chosen apps and their waves alone.
        whole: whether that is all of the stage.
        is_way_back: whether it is older than what is there.
        never_verified: the releases there of which nobody knows that they were good, such as ``v3 of shop-eu``.
        refused_by: what would refuse it, as things are; whoever carries a plan out asks anew.
    """

    stage: StageSpec
    whole: bool
    source_app: str
    source_app_id: str
    release_id: str
    release_version: int
    slug_id: str
    commit: str | None
    waves: tuple[PlannedWave, ...]
    is_way_back: bool = False
    never_verified: tuple[str, ...] = ()
    refused_by: tuple[Refusal, ...] = ()

    @property
    def what(self) -> str:
        """What goes where, for people."""
        commit = self.commit[:8] if self.commit else "unknown commit"
        apps = "" if self.whole else f" ({', '.join(self.stage.apps)})"
        return f"{self.source_app} v{self.release_version} ({commit}) to {self.stage.name}{apps}"

    @property
    def there(self) -> bool:
        """Whether every chosen app has it already."""
        return all(target.has_it for wave in self.waves for target in wave.targets)

    @property
    def then(self) -> list[str]:
        """What happens to each wave afterwards, for people."""
        verify = self.stage.verify
        check = ", and it ".join(["its dynos are up", *(verify.checks if verify else [])])
        soak = self.stage.wave_soak
        waits = (
            [f"between waves, {soak.total_seconds():.0f}s must pass and each is verified again"]
            if soak and len(self.waves) > 1
            else []
        )
        pause = [f"automatic promotion into {self.stage.name} pauses, as it is older than what is there"]
        fails = f"where that fails, {self._back}"
        return [*(pause if self.is_way_back else []), f"each release is verified: {check}", *waits, fails]

    @property
    def _back(self) -> str:
        """What becomes of those that were moved, where one of them is no good."""
        if self.stage.on_failure != "rollback":
            return "it stops there"
        if self.is_way_back:
            return "nothing is put back, as this is itself the way back"
        if self.never_verified:
            where = f"{' or '.join(self.never_verified)}, which was never verified in {self.stage.name}"
            return f"every app gets its previous release back, but none does once it has taken the place of {where}"
        return "every app gets its previous release back"

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        verify = self.stage.verify
        return {
            "stage": self.stage.name,
            "whole": self.whole,
            "source_app": self.source_app,
            "release_id": self.release_id,
            "release_version": self.release_version,
            "slug_id": self.slug_id,
            "commit": self.commit,
            "waves": [asdict(wave) for wave in self.waves],
            "verify": None
            if verify is None
            else {"path": verify.path, "status": verify.status, "command": verify.command},
            "wave_soak": self.stage.wave_soak.total_seconds() if self.stage.wave_soak is not None else None,
            "on_failure": self.stage.on_failure,
            "is_way_back": self.is_way_back,
            "never_verified": list(self.never_verified),
            "refused_by": [asdict(each) for each in self.refused_by],
        }


def plan_promotion(
    stage: StageSpec,
    source: App,
    release: Release,
    commit: str | None,
    serving: Mapping[str, Mapping[str, Any]],
    only: Collection[str],
) -> PromotionPlan:
    """Return what has to be done so that the chosen apps of a stage have one release of the source app.

    Parameters:
        stage: as configured.
        serving: of each chosen app the ``version`` and ``slug_id`` that serve there.
        only: the chosen apps.
    """
    narrowed = narrow(stage, only)
    waves = tuple(
        PlannedWave(number, tuple(_target(app, serving[app], release.slug_id) for app in wave))
        for number, wave in enumerate(narrowed.waves, 1)
    )
    return PromotionPlan(
        stage=narrowed,
        whole=len(narrowed.apps) == len(stage.apps),
        source_app=source.name,
        source_app_id=source.id,
        release_id=release.id,
        release_version=release.version,
        slug_id=release.slug_id or "",
        commit=commit,
        waves=waves,
    )


def narrow(stage: StageSpec, only: Collection[str]) -> StageSpec:
    """Return a stage that has some of its apps alone, in their waves."""
    waves = (tuple(app for app in wave if app in only) for wave in stage.waves)
    apps = tuple(app for app in stage.apps if app in only)
    return dataclasses.replace(stage, apps=apps, waves=tuple(wave for wave in waves if wave))


def _target(app: str, serving: Mapping[str, Any], slug_id: str | None) -> PlannedTarget:
    return PlannedTarget(app, serving["version"], serving["slug_id"] == slug_id)
