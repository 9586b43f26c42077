"""What an app should run, and what the platform tells about each dyno."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """The desired state of one app.

    Parameters:
        slug: None while nothing was deployed: then nothing runs.
        config: config vars of the release.
        process_types: type -> command, of the slug.
        quantities: type -> how many dynos.
        sizes: type -> dyno size.
        extra_env: variables that the platform adds, dyno metadata for one.
        preboot: web dynos of the release before go on until those of this one have started.
    """

    app_id: str
    app_name: str
    release_id: str
    release_version: int
    slug: Path | None
    config: Mapping[str, str]
    process_types: Mapping[str, str]
    quantities: Mapping[str, int]
    sizes: Mapping[str, str]
    extra_env: Mapping[str, str] = field(default_factory=dict)
    preboot: bool = False

    def runs_the_same(self, other: Plan) -> bool:
        """Tell whether the plans differ in scale alone, so that running dynos may stay."""
        return self._unscaled() == other._unscaled()

    def _unscaled(self) -> Plan:
        return replace(self, quantities={}, sizes={}, preboot=False)

    def size(self, type: str) -> str:  # noqa: A002 # Heroku's word
        """Return the dyno size of a process type."""
        return self.sizes.get(type, "basic")

    def formation(self) -> dict[str, str]:
        """Return what should run as dyno name -> process type, ``web.1`` -> ``web``."""
        if self.slug is None:
            return {}
        return {
            f"{kind}.{number}": kind
            for kind in self.process_types
            for number in range(1, self.quantities.get(kind, 0) + 1)
        }


@dataclass
class DynoView:
    """A dyno as the API shows it; `state` is starting, up, crashed, down or complete."""

    id: str
    app_id: str
    name: str
    type: str
    command: str
    size: str
    state: str
    release_id: str
    release_version: int
    created_at: datetime
    updated_at: datetime
    port: int
