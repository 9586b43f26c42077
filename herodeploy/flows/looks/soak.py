"""How what soaks does in the stage before: whether it is still there, answers, and has few errors in its log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.gate import Question
from herodeploy.domain.pipeline import StageSpec, VerifySpec
from herodeploy.domain.release import Release
from herodeploy.errors import UsageError
from herodeploy.flows.check import Subject, run_check
from herodeploy.flows.health import crashed, no_answer, read_log
from herodeploy.flows.services import Services
from herodeploy.gates import options
from herodeploy.gates.soak import ERROR_RATE, healthy_since

RECENT = 25
Data = dict[str, Any]


def look(services: Services, delivery: Delivery, question: Question) -> Mapping[str, object]:
    """Return how each app does, and since when all have done well.

    The log also tells what happened since the last look, so a crash or a burst of errors that nobody was there to see
    is found.
    """
    stage = services.spec.before(question.facts.stage.name)
    if stage is None:
        raise UsageError("soak wants a stage before this one")
    before: Mapping[str, Any] = question.previous.data if question.previous else {}
    known: Mapping[str, Any] = before.get("apps", {})
    rate = str(question.spec.options.get("error_rate", ERROR_RATE))
    apps = {app: _app(services, stage, app, delivery.slug_id, known.get(app, {}), rate) for app in stage.apps}
    left = [each["left"] for each in apps.values() if each["left"]]
    unhealthy = [reason for each in apps.values() for reason in each["unhealthy"]]
    since = healthy_since(before, question.now, question.spec, healthy=not left and not unhealthy)
    return {
        "looked_at": question.now.isoformat(),
        "healthy_since": since.isoformat() if since else None,
        "left": left,
        "unhealthy": unhealthy,
        "apps": {app: each["seen"] for app, each in apps.items()},
    }


def _app(
    services: Services, stage: StageSpec, name: str, slug_id: str | None, known: Mapping[str, Any], rate: str
) -> Data:
    releases = services.heroku.releases.list(name, limit=RECENT)
    current = next((each for each in releases if each.current), None) or services.heroku.releases.current(name)
    left = _left(name, releases, current, slug_id, known.get("version"))
    crashes: set[str] = set()
    unhealthy = []
    if current is not None and not left:
        crashes = crashed(services, name, current.version)
        if stage.verify is not None and not crashes:
            told = _verified_again(services, stage, stage.verify, name, current)
            unhealthy = [told] if told else []
    # After asking the app, so that its answers to that are in the log, too, and not held against it the next time.
    log = read_log(services, name, known.get("newest"))
    if crashes | log.crashed:
        unhealthy = [f"{', '.join(sorted(crashes | log.crashed))} crashed in {name}"]
    elif not unhealthy and log.rate > options.share(rate):
        unhealthy = [f"more than {rate} of the requests to {name} failed ({', '.join(sorted(log.errors))})"]
    seen = {**log.to_json(), "version": current.version if current else None}
    return {"seen": seen, "left": left, "unhealthy": [] if left else unhealthy}


def _verified_again(services: Services, stage: StageSpec, spec: VerifySpec, name: str, current: Release) -> str | None:
    """Return what the stage's verification says against an app; None where it passes."""
    app = services.heroku.apps.get(name)
    subject = Subject(name, app.web_url, current.version, current.slug_id)
    return no_answer(services, app, spec) or run_check(services, subject, spec, stage.name)


def _left(
    name: str, releases: Sequence[Release], current: Release | None, slug_id: str | None, known: int | None
) -> str | None:
    """Say that the artifact is not there any more, or was not for a while since version `known` was seen."""
    if current is None:
        return f"{name} runs nothing"
    if current.slug_id != slug_id:
        return f"{name} runs v{current.version}, another artifact"
    others = [each for each in releases if each.status == "succeeded" and each.slug_id not in (slug_id, None)]
    between = [each.version for each in others if known is not None and known < each.version < current.version]
    return f"{name} ran v{max(between)}, another artifact, meanwhile" if between else None
