"""A delivery that has begun to enter a stage and is not through: to end it there would leave the stage half-way."""

from __future__ import annotations

from collections.abc import Sequence

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.event import Event
from herodeploy.flows.baseline import RECENT, release_there
from herodeploy.flows.moves import LEG_STARTED, is_overtaken, last_of
from herodeploy.flows.services import Services

LATER = 2
"""Of an attempt after the first: a release that failed does not count for it."""


def begun(services: Services, delivery: Delivery) -> Event | None:
    """Return the event with which the leg began that a delivery is in, or waits to enter, in whichever attempt."""
    return last_of(services, delivery.at_stage, delivery.move, delivery.id, LEG_STARTED)


def brought(services: Services, delivery: Delivery) -> list[str]:
    """Return the apps that run, or are about to run, what a delivery has brought into the stage that it waits before.

    None does where another move into that stage has come since, as a rollback by hand.

    Raises:
        PlatformError: nobody can tell.
    """
    event = begun(services, delivery)
    if event is None or is_overtaken(services, delivery):
        return []
    slug_id, before = delivery.slug_id, event.data.get("baseline")
    if slug_id is None or not isinstance(before, dict):
        return []
    found = []
    for app, had in before.items():
        release = release_there(services.heroku.releases.list(app, limit=RECENT), slug_id, had, LATER)
        if release is not None and release.version > had["newest"]:
            found.append(app)
    return found


def sentence(delivery: Delivery, apps: Sequence[str]) -> str:
    """Say which apps run what a delivery has brought."""
    return f"{' and '.join(apps)} {'runs' if len(apps) == 1 else 'run'} {delivery.short} already"
