"""Counting commits for the gate `batch`."""

from __future__ import annotations

from collections.abc import Mapping

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.gate import Question
from herodeploy.flows.services import Services


def look(services: Services, delivery: Delivery, question: Question) -> Mapping[str, object]:
    """Return when something entered the stage last, with which commit, and how many commits this one has beside it.

    Raises:
        RepositoryError: that commit is not in this repository.
    """
    last = services.store.last_verified(delivery.pipeline_id, question.facts.stage.name)
    if last is None:
        return {"last_at": None, "last_commit": None, "commits": None}
    seen = {"last_at": last.at.isoformat(), "last_commit": last.commit}
    if question.previous is not None and seen.items() <= question.previous.data.items():
        return question.previous.data
    counted = services.repo.count(last.commit, delivery.commit) if last.commit is not None else None
    return {**seen, "commits": counted}
