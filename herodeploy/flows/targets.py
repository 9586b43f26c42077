"""Which app got what: the targets of a move, noted as they come about, and shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from herodeploy.domain.target import Target
from herodeploy.errors import HerodeployError, UsageError
from herodeploy.flows.approval import find
from herodeploy.flows.services import Services

if TYPE_CHECKING:
    from herodeploy.flows.waves import Move


def targets(services: Services, of: str | None = None) -> list[Target]:
    """Return what moves came to in each app.

    Parameters:
        of: a stage, for the newest move into it; or a delivery, for all of its moves. Each stage's newest by default.

    Raises:
        UsageError: it is neither.
    """
    pipeline_id, stages = services.pipeline().id, [stage.name for stage in services.spec.stages]
    if of is not None and of not in stages:
        try:
            return services.store.targets.of_delivery(find(services, of).id)
        except UsageError as error:
            raise UsageError(error.message, hint=f"{error.hint}; or a stage: {', '.join(stages)}") from None
    meant = stages if of is None else [of]
    return [target for stage in meant for target in services.store.targets.of_last_move(pipeline_id, stage)]


def output_of(shown: list[Target], app: str) -> str:
    """Return the release-phase output of an app in the last of these moves that it is in.

    Raises:
        UsageError: it is in none.
    """
    mine = [target for target in shown if target.app == app]
    if not mine:
        apps = sorted({target.app for target in shown})
        hint = f"one of: {', '.join(apps)}" if apps else "nothing has been promoted yet"
        raise UsageError(f"{app} is no target here", hint=hint)
    return mine[-1].output


def way_out(services: Services, stage: str) -> str:
    """Return what a person can do whose promotion has failed."""
    last = services.store.targets.of_last_move(services.pipeline().id, stage)
    see = f"see what each app got: herodeploy targets {stage}"
    if any(target.status == "put back" for target in last):
        return see
    again = f"{see}; try again what failed: herodeploy promote {stage} --retry-failed"
    return f"{again}; or go back: herodeploy rollback {stage}" if _came(services, last) else again


def _came(services: Services, last: Sequence[Target]) -> bool:
    """Whether an app runs what was promoted: one whose release failed does not, one that fails verification does."""
    if any(target.status in ("released", "succeeded") for target in last):
        return True
    for target in last:
        with suppress(HerodeployError):
            current = services.heroku.releases.current(target.app) if target.version is not None else None
            if current is not None and current.version == target.version:
                return True
    return False


def begin(services: Services, move: Move) -> None:
    """Note what a move sets out to do."""
    at, numbers = services.clock(), {app: n for n, wave in enumerate(move.stage.waves, 1) for app in wave}
    services.store.targets.begin(
        [
            Target(
                at,
                move.pipeline_id,
                move.stage.name,
                move.id,
                move.delivery_id,
                numbers[app],
                app,
                slug_id=move.slug_id,
            )
            for app in move.stage.apps
            if app not in move.releases
        ]
    )


def built(services: Services, app: str, payload: Mapping[str, Any], got: Mapping[str, Any], output: str) -> None:
    """Note what the app that builds got; `payload` as of `deploy.deploy`."""
    stage, pipeline_id = payload["stage"]["name"], payload["pipeline_id"]
    target = Target(services.clock(), pipeline_id, stage, payload["move"], payload["delivery_id"], 0, app)
    services.store.targets.begin([target])
    error = None if got["status"] == "succeeded" else "release command failed"
    _released(services, payload["move"], {app: {**got, "error": error}}, {app: output})


def released(
    services: Services, move: Move, settled: Mapping[str, Mapping[str, Any]], outputs: Mapping[str, str]
) -> None:
    """Note what each app of a wave got."""
    _released(services, move.id, settled, outputs)


def _released(
    services: Services, move: str, settled: Mapping[str, Mapping[str, Any]], outputs: Mapping[str, str]
) -> None:
    changes = {
        app: {
            "status": "failed" if got["error"] else "released",
            # A release that never came about has none, and what was meant for the app is still to be told.
            **({"slug_id": got["slug_id"]} if got["slug_id"] else {}),
            "release_id": got["id"],
            "version": got["version"],
            "error": got["error"],
            # Of a release that was there already it was kept when it came about.
            **({"output": outputs[app]} if outputs.get(app) else {}),
        }
        for app, got in settled.items()
    }
    services.store.targets.update(move, changes)


def verified(services: Services, move: Move, reasons: Mapping[str, str | None]) -> None:
    """Note which releases run, and why the others do not."""
    changes = {
        app: {"status": "succeeded" if reason is None else "failed", "error": reason} for app, reason in reasons.items()
    }
    services.store.targets.update(move.id, changes)


def failed(services: Services, move: Move, reasons: Mapping[str, str]) -> None:
    """Note why apps got nothing."""
    changes = {app: {"status": "failed", "error": reason} for app, reason in reasons.items()}
    services.store.targets.update(move.id, changes)


def put_back(services: Services, move: Move, settled: Mapping[str, Mapping[str, Any]]) -> None:
    """Note which apps have their previous release again."""
    changes = {app: {"status": "put back"} for app, got in settled.items() if not got["reason"]}
    services.store.targets.update(move.id, changes)
