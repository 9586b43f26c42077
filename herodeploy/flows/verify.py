"""Verification: the platform's word is not enough, the dynos must be up and the app must answer.

A promotion target says ``succeeded`` before its dynos boot, and a crash on boot is invisible to it.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta

from herodeploy.domain.pipeline import App, VerifySpec
from herodeploy.domain.release import Dyno
from herodeploy.flows.services import Services
from herodeploy.flows.waiting import wait_for

PROBE_TIMEOUT = 10.0
LOG_LINES = 15
LOG_LOOK_BACK = 200
ROUTER = " heroku[router]: "
UP = ("up", "idle")
WEB = "web"
RELEASE_PHASE = "release"
# The platform scales web to 1 with an app's first release; whether before or after that is settled, nobody promises.
SCALED_WITHIN = timedelta(seconds=2)
SERVER_ERROR = 500


def verify(
    services: Services, app_name: str, version: int, spec: VerifySpec | None, *, leg: str | None = None
) -> str | None:
    """Return None once release `version` of an app runs and answers, else the reason why it does not.

    Parameters:
        spec: the HTTP check; without one it is enough that the dynos are up.
    """
    services.tell("step", f"verifying v{version}", leg=leg, app=app_name)
    reason = _cannot_answer(services, app_name, version, spec) if spec is not None else None
    if reason is None:
        reason = _dynos_up(services, app_name, version)
    if reason is None and spec is not None:
        reason = _answers(services, app_name, version, spec)
    if reason is None:
        reason = _taken_over(services, app_name, version) or _crashed(services, app_name, version)
    if reason is not None:
        show_log(services, app_name, leg)
        services.tell("failed", reason, leg=leg, app=app_name)
    else:
        services.tell("done", f"v{version} runs{_answer_text(spec)}", leg=leg, app=app_name)
    return reason


def answers_at_all(services: Services, app: App, within: timedelta) -> int | None:
    """Return the HTTP status of an app's root once it is no server error, or None when the time is up."""

    def look() -> int | None:
        status = services.heroku.probe(app, "/", PROBE_TIMEOUT)
        return status if status is not None and status < SERVER_ERROR else None

    return wait_for(services, look, within=within)


def show_log(services: Services, app_name: str, leg: str | None) -> None:
    """Report the last lines of an app's log, without the router's, which tell of our own questions."""
    sink = services.sink(leg=leg, app=app_name)
    lines = services.heroku.logs.lines(app_name, lines=LOG_LOOK_BACK)
    for line in [line for line in lines if ROUTER not in line][-LOG_LINES:]:
        sink(line)


def _cannot_answer(services: Services, app_name: str, version: int, spec: VerifySpec) -> str | None:
    """Return why no request can ever be answered, if so: asking until the time is up would say nothing more."""
    release = services.heroku.releases.get(app_name, str(version))
    if release.slug_id is None:
        return None
    slug = services.heroku.slugs.get(app_name, release.slug_id)
    if WEB not in slug.process_types:
        others = ", ".join(sorted(set(slug.process_types) - {RELEASE_PHASE})) or RELEASE_PHASE
        return (
            f"the Procfile of {(slug.commit or slug.id)[:8]} declares no web process ({others} only), so {app_name} "
            f"cannot answer GET {spec.path}; add one, or remove verify from herodeploy.yml"
        )

    def scaled() -> bool | None:
        quantities = [line.quantity for line in services.heroku.formation.list(app_name) if line.type == WEB]
        return None if quantities == [0] else True

    if wait_for(services, scaled, within=SCALED_WITHIN) is None:
        return (
            f"web of {app_name} is scaled to 0, so it cannot answer GET {spec.path}; "
            f"scale it: heroku ps:scale web=1 --app {app_name}"
        )
    return None


def _dynos_up(services: Services, app_name: str, version: int) -> str | None:
    def look() -> str | None:
        wanted, dynos = _formation(services, app_name, version)
        up = Counter(dyno.type for dyno in dynos if dyno.state in UP)
        enough = all(up[kind] >= quantity for kind, quantity in wanted.items())
        return _name_crashed(dynos, app_name, version) or ("" if enough else None)

    reason = wait_for(services, look, within=services.boot_within)
    if reason is None:
        return f"the dynos of v{version} were not up within {services.boot_within.total_seconds():.0f}s in {app_name}"
    return reason or None


def _crashed(services: Services, app_name: str, version: int) -> str | None:
    return _name_crashed(_formation(services, app_name, version)[1], app_name, version)


def _formation(services: Services, app_name: str, version: int) -> tuple[dict[str, int], list[Dyno]]:
    """Return how many dynos of each type are wanted, and those there are of this release or a newer one.

    A config change meanwhile makes a newer release of the same artifact; its dynos count as well.
    """
    wanted = {line.type: line.quantity for line in services.heroku.formation.list(app_name)}
    dynos = services.heroku.dynos.list(app_name)
    return wanted, [dyno for dyno in dynos if dyno.release_version >= version and dyno.type in wanted]


def _name_crashed(dynos: list[Dyno], app_name: str, version: int) -> str | None:
    crashed = [dyno.name for dyno in dynos if dyno.state == "crashed"]
    return f"{', '.join(crashed)} of v{version} crashed in {app_name}" if crashed else None


def _answers(services: Services, app_name: str, version: int, spec: VerifySpec) -> str | None:
    app = services.heroku.apps.get(app_name)
    ends = time.monotonic() + spec.within.total_seconds()
    in_a_row, last = 0, "nothing"
    while True:
        status = services.heroku.probe(app, spec.path, PROBE_TIMEOUT)
        in_a_row = in_a_row + 1 if status == spec.status else 0
        if in_a_row >= spec.passes:
            return None
        last = last if status is None else str(status)
        if in_a_row == 0 and (crashed := _crashed(services, app_name, version)):
            return crashed
        if time.monotonic() >= ends:
            return (
                f"{app_name} answered {last} to GET {spec.path}, not {spec.status}, "
                f"within {spec.within.total_seconds():.0f}s{_way_out(last)}"
            )
        services.pause(services.poll)


def _way_out(last: str) -> str:
    other = last.isdigit() and int(last) < SERVER_ERROR
    return "; where that is right, change path or status of verify in herodeploy.yml" if other else ""


def _taken_over(services: Services, app_name: str, version: int) -> str | None:
    current = services.heroku.releases.current(app_name)
    if current is None or current.version <= version:
        return None
    ours = services.heroku.releases.get(app_name, str(version))
    if ours.slug_id == current.slug_id:
        return None
    return f"v{current.version}, another artifact, took the place of v{version} in {app_name}"


def _answer_text(spec: VerifySpec | None) -> str:
    return f" and answers {spec.status} to GET {spec.path}" if spec is not None else ""
