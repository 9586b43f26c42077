"""The add-ons that an app.json asks for: some are provided, the others told of; none blocks anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.lifecycle import addon_plans, addons, attachments
from herodeploy.local.lifecycle.manifest import FILE, AddonOrder, Manifest
from herodeploy.local.postgres.unavailable import Unavailable
from herodeploy.local.wire.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from herodeploy.local.platform import Platform


async def carry_out(platform: Platform, app: records.App, manifest: Manifest) -> str | None:
    """Provide the add-ons of a new app; return a warning about those that it has to do without."""
    problems = []
    for order in manifest.addons:
        plan = addon_plans.find(order.plan)
        if plan is None or platform.state.apps.get(app.id) is None:
            continue
        try:
            await addons.create_addon(platform, app, plan, attachment=order.alias, confirm=app.name)
        except (Unavailable, ApiError) as problem:
            problems.append(f"{order.plan} could not be provided: {problem}")
    warning = _warning(manifest, problems)
    if warning:
        platform.log(app, warning)
    return warning


async def lend(
    platform: Platform, manifest: Manifest, nodes: Sequence[records.TestNode], config: Mapping[str, str]
) -> tuple[Lent, str | None]:
    """Provide the add-ons of a test run, each node its own; return them with a warning about those that are lacking.

    Parameters:
        config: the run's config vars, whose names are taken.
    """
    lent, problems = Lent(platform, config), []
    try:
        for node in nodes:
            for order in _served(manifest):
                lent.add(node, order, await addons.lend(platform, node.id))
    except (Unavailable, ApiError) as problem:
        problems.append(f"{addon_plans.POSTGRES} could not be provided: {problem}")
    except BaseException:
        lent.give_back()
        raise
    return lent, _warning(manifest, problems)


class Lent:
    """The add-ons of one test run, until they are given back."""

    def __init__(self, platform: Platform, taken: Mapping[str, str]) -> None:
        self._platform = platform
        self._taken = frozenset(taken)
        self._addons: list[records.Addon] = []
        self._config: dict[str, dict[str, str]] = {}

    def add(self, node: records.TestNode, order: AddonOrder, addon: records.Addon) -> None:
        """Note an add-on for a node, under the name that app.json gives it."""
        self._addons.append(addon)
        config = self._config.setdefault(node.id, {})
        name = attachments.as_name(order.alias) if order.alias else attachments.free_name({*self._taken, *config})
        config |= attachments.variables(addon, name)

    def config(self, node: records.TestNode) -> dict[str, str]:
        """Return the config vars that a node has from its add-ons."""
        return self._config.get(node.id, {})

    def give_back(self) -> None:
        """Begin to remove them."""
        for addon in self._addons:
            addons.discard(self._platform, addon)
        self._addons.clear()


def _served(manifest: Manifest) -> list[AddonOrder]:
    return [order for order in manifest.addons if addon_plans.find(order.plan) is not None]


def _warning(manifest: Manifest, problems: list[str]) -> str | None:
    """Say which add-ons an app or a test run has to do without; None where it has all."""
    missing = [order.plan for order in manifest.addons if addon_plans.find(order.plan) is None]
    told = []
    if missing:
        told.append(
            f"The local platform provides {addon_plans.POSTGRES} only; {FILE} asks for {', '.join(missing)}. "
            "What they would set, set as config vars."
        )
    return " ".join([*told, *problems]) or None
