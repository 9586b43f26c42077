"""A shop whose production, or whose first stage, has two apps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

Shop = Any


def two_apps(make: Callable[..., Shop], *, waves: int = 1, **changes: Any) -> Shop:
    """A shop with eu and us in production, whose pipeline is not applied yet.

    Parameters:
        waves: 1 or 2.
        changes: of production.
    """
    shop = make(applied=False)
    staging, production = shop.services.spec.stages
    apps = tuple(f"{shop.services.spec.name}-{place}" for place in ("eu", "us"))
    grouped = (apps,) if waves == 1 else (apps[:1], apps[1:])
    production = dataclasses.replace(production, apps=apps, waves=grouped, **changes)
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(staging, production))
    return shop


def two_in_the_first(make: Callable[..., Shop]) -> Shop:
    """A shop whose first stage has a mirror of the app that builds; its pipeline is not applied yet."""
    shop = make(applied=False)
    staging, production = shop.services.spec.stages
    apps = (*staging.apps, f"{shop.services.spec.name}-mirror")
    staging = dataclasses.replace(staging, apps=apps, waves=(apps,))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(staging, production))
    return shop
