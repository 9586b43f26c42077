"""A shop whose production has two apps."""

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
