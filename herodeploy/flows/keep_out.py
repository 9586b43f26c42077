"""After an automatic rollback: the stage is locked, and the commits that it took back are marked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from herodeploy.domain.lock import Lock, TakenBack
from herodeploy.errors import RepositoryError
from herodeploy.flows.baseline import Baseline
from herodeploy.flows.locks import lock_json
from herodeploy.flows.services import Services
from herodeploy.flows.waves import Move

BY = "herodeploy"


def keep_out(services: Services, move: Move, back: Mapping[str, Baseline], reason: str) -> None:
    """Lock the stage and mark the commits that a move had brought; said twice, it is done once.

    Parameters:
        back: what the apps had before, and have again.
        reason: why the move failed.
    """
    commit = _commit(services, move)
    what = f"{commit[:8] if commit else 'what came'} was rolled back: {reason}"
    # Before the platform is asked for more: it may be in trouble.
    _lock(services, move, what)
    commits = _brought(services, back, commit) if commit is not None else set()
    at, stage = services.clock(), move.stage.name
    services.store.locks.take_back(
        [TakenBack(move.pipeline_id, stage, each, what, at, move.delivery_id) for each in sorted(commits)]
    )


def _commit(services: Services, move: Move) -> str | None:
    delivery = services.store.delivery(move.delivery_id) if move.delivery_id is not None else None
    return delivery.commit if delivery is not None else services.slug(next(iter(move.releases)), move.slug_id).commit


def _lock(services: Services, move: Move, what: str) -> None:
    stage = move.stage.name
    # The same move has the same lock, however often it is carried on.
    key = hashlib.sha256(move.id.encode()).hexdigest()[:8]
    lock = Lock(key, move.pipeline_id, stage, BY, what, services.clock())
    text, data = f"locked {stage}: {what}", lock_json(lock)
    event = services.event("lock.set", text, stage=stage, delivery_id=move.delivery_id, data=data, by=BY)
    services.store.locks.add(lock, event)
    services.tell("warning", f"{stage} is locked; let changes in again: herodeploy unlock {stage}", leg=stage)


def _brought(services: Services, back: Mapping[str, Baseline], commit: str) -> set[str]:
    """Return the commits that came with `commit`, itself among them."""
    olds = {services.slug(app, before["slug_id"]).commit for app, before in back.items()}
    return {commit, *(each for old in olds for each in _between(services, old, commit))}


def _between(services: Services, old: str | None, new: str) -> list[str]:
    """Return the commits that `new` has and `old` has not, where this repository knows both."""
    if old is None:
        return []
    try:
        return services.repo.between(old, new)
    except RepositoryError:
        return []
