"""Verification: the platform's word is not enough, the dynos must be up and the app must answer.

A promotion target says ``succeeded`` before its dynos boot, and a crash on boot is invisible to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from herodeploy.domain.pipeline import App, VerifySpec
from herodeploy.domain.release import Dyno
from herodeploy.errors import PlatformError, PlatformUnreachable
from herodeploy.flows.answers import PROBE_TIMEOUT, ask_until_steady
from herodeploy.flows.check import Subject, run_check
from herodeploy.flows.services import Services
from herodeploy.flows.waiting import wait_for

LOG_LINES = 15
LOG_LOOK_BACK = 200
ROUTER = " heroku[router]: "
UP = ("up", "idle")
SERVING = (*UP, "starting")
WEB = "web"
RELEASE_PHASE = "release"
__all__ = ["Subject", "answers_at_all", "show_log", "verify"]
# The platform scales web to 1 with an app's first release; whether before or after that is settled, nobody promises.
SCALED_WITHIN = timedelta(seconds=2)
SERVER_ERROR = 500
# Under preboot; three minutes are usual.
OLD_LEAVE_WITHIN = timedelta(minutes=10)


def verify(services: Services, subject: Subject, spec: VerifySpec | None, *, leg: str | None = None) -> str | None:
    """Return None once a release runs and answers, else the reason why it does not.

    Parameters:
        spec: what it has to answer and to pass; without one it is enough that the dynos are up.

    Raises:
        PlatformError: nobody could tell, which is no no.
        RepositoryError: this clone has not the commit that the command is to run in.
    """
    services.tell("step", f"verifying v{subject.version}", leg=leg, app=subject.app)
    reason = _why_not(services, subject, spec, leg)
    if reason is not None:
        show_log(services, subject.app, leg)
        services.tell("failed", reason, leg=leg, app=subject.app)
    else:
        services.tell("done", f"v{subject.version} runs{_answer_text(spec)}", leg=leg, app=subject.app)
    return reason


def answers_at_all(services: Services, app: App, within: timedelta) -> int | None:
    """Return the HTTP status of an app's root once it is no server error, or None when the time is up."""

    def look() -> int | None:
        try:
            status = services.heroku.probe(app, "/", PROBE_TIMEOUT)
        except PlatformUnreachable:
            return None
        return status if status is not None and status < SERVER_ERROR else None

    return wait_for(services, look, within=within)


def show_log(services: Services, app_name: str, leg: str | None) -> None:
    """Report the last lines of an app's log, without the router's, which tell of our own questions.

    A log that nobody hands out is told and no more: what it was to explain stands without it.
    """
    sink = services.sink(leg=leg, app=app_name)
    try:
        lines = services.heroku.logs.lines(app_name, lines=LOG_LOOK_BACK)
    except PlatformError as error:
        services.tell("warning", f"the log of {app_name} cannot be shown: {error.message}", leg=leg, app=app_name)
        return
    for line in [line for line in lines if ROUTER not in line][-LOG_LINES:]:
        sink(line)


def _why_not(services: Services, subject: Subject, spec: VerifySpec | None, leg: str | None) -> str | None:
    path = spec.path if spec is not None else None
    if path is not None and (reason := _has_no_web(services, subject, path)):
        return reason
    wanted = _wanted(services, subject, scaled=path is not None)
    if path is not None and wanted.get(WEB) == 0:
        # Asking until the time is up would say nothing more.
        return (
            f"web of {subject.app} is scaled to 0, so it cannot answer GET {path}; "
            f"scale it: heroku ps:scale web=1 --app {subject.app}"
        )
    reason, seen = _dynos_up(services, subject, wanted)
    if reason is None and spec is not None:
        if _old_webs(seen, subject):
            _wait_for_old_webs(services, subject)
        reason = _answers(services, subject, spec, wanted) if path is not None else None
        reason = reason or run_check(services, subject, spec, leg)
    return reason or _stopped(services, subject, wanted)


def _has_no_web(services: Services, subject: Subject, path: str) -> str | None:
    """Return why no request can ever be answered, if the Procfile says so."""
    if subject.slug_id is None:
        return None
    slug = services.slug(subject.app, subject.slug_id)
    if WEB in slug.process_types:
        return None
    others = ", ".join(sorted(set(slug.process_types) - {RELEASE_PHASE})) or RELEASE_PHASE
    return (
        f"the Procfile of {(slug.commit or slug.id)[:8]} declares no web process ({others} only), so {subject.app} "
        f"cannot answer GET {path}; add one, or remove verify from herodeploy.yml"
    )


def _wanted(services: Services, subject: Subject, *, scaled: bool) -> dict[str, int]:
    """Return how many dynos of each type are wanted.

    Parameters:
        scaled: web at 0 is looked at once more, for as long as it may change by itself.
    """
    wanted: dict[str, int] = {}

    def look() -> dict[str, int] | None:
        wanted.update({line.type: line.quantity for line in services.heroku.formation.list(subject.app)})
        return None if scaled and wanted.get(WEB) == 0 else wanted

    wait_for(services, look, within=SCALED_WITHIN)
    return wanted


def _dynos_up(services: Services, subject: Subject, wanted: Mapping[str, int]) -> tuple[str | None, Sequence[Dyno]]:
    """Return why there are not enough dynos of the release, if so, and all that there are, older ones among them."""
    seen: Sequence[Dyno] = ()

    def look() -> str | None:
        nonlocal seen
        seen = services.heroku.dynos.list(subject.app)
        ours = _ours(seen, subject, wanted)
        return _name_crashed(ours, subject) or ("" if _enough(ours, wanted) else None)

    reason = wait_for(services, look, within=services.boot_within)
    # Where the time is up, somebody may have scaled it down meanwhile.
    if reason is None and not _enough(_ours(seen, subject, wanted), _wanted(services, subject, scaled=False)):
        within = services.boot_within.total_seconds()
        reason = f"the dynos of v{subject.version} were not up within {within:.0f}s in {subject.app}"
    return reason or None, seen


def _old_webs(dynos: Sequence[Dyno], subject: Subject) -> bool:
    old = [each for each in dynos if each.type == WEB and each.release_version < subject.version]
    return any(each.state in SERVING for each in old)


def _wait_for_old_webs(services: Services, subject: Subject) -> None:
    """Wait until no web dyno of an older release is left: under preboot they answer on in the new ones' place.

    Raises:
        PlatformError: they do not leave, which says nothing about the new release.
    """

    def gone() -> bool | None:
        return None if _old_webs(services.heroku.dynos.list(subject.app), subject) else True

    if wait_for(services, gone, within=OLD_LEAVE_WITHIN) is None:
        raise PlatformError(
            f"web dynos of an older release than v{subject.version} still run in {subject.app}",
            hint=f"look at them, and then carry on: heroku ps --app {subject.app}",
        )


def _dynos(services: Services, subject: Subject, wanted: Mapping[str, int]) -> list[Dyno]:
    return _ours(services.heroku.dynos.list(subject.app), subject, wanted)


def _ours(dynos: Sequence[Dyno], subject: Subject, wanted: Mapping[str, int]) -> list[Dyno]:
    """Return those of this release or a newer one.

    A config change meanwhile makes a newer release of the same artifact; its dynos count as well.
    """
    return [dyno for dyno in dynos if dyno.release_version >= subject.version and dyno.type in wanted]


def _enough(dynos: list[Dyno], wanted: Mapping[str, int]) -> bool:
    up = Counter(dyno.type for dyno in dynos if dyno.state in UP)
    return all(up[kind] >= quantity for kind, quantity in wanted.items())


def _name_crashed(dynos: list[Dyno], subject: Subject) -> str | None:
    crashed = [dyno.name for dyno in dynos if dyno.state == "crashed"]
    return f"{', '.join(crashed)} of v{subject.version} crashed in {subject.app}" if crashed else None


def _answers(services: Services, subject: Subject, spec: VerifySpec, wanted: Mapping[str, int]) -> str | None:
    path = spec.path or "/"

    def crashed() -> str | None:
        return _name_crashed(_dynos(services, subject, wanted), subject)

    asked = ask_until_steady(services, subject, spec, path, spec.within, broken=crashed)
    if asked.steady or asked.broken:
        return asked.broken
    last = "nothing" if asked.heard is None else str(asked.heard)
    return (
        f"{subject.app} answered {last} to GET {path}, not {spec.status}, "
        f"within {spec.within.total_seconds():.0f}s{_way_out(last)}"
    )


def _way_out(last: str) -> str:
    other = last.isdigit() and int(last) < SERVER_ERROR
    return "; where that is right, change path or status of verify in herodeploy.yml" if other else ""


def _stopped(services: Services, subject: Subject, wanted: Mapping[str, int]) -> str | None:
    """Return why what ran a moment ago does not run any more, if so."""
    dynos = _dynos(services, subject, wanted)
    if dynos and all(dyno.release_version == subject.version for dyno in dynos):
        return _name_crashed(dynos, subject)
    return _taken_over(services, subject) or _name_crashed(dynos, subject)


def _taken_over(services: Services, subject: Subject) -> str | None:
    current = services.heroku.releases.current(subject.app)
    if current is None or current.version <= subject.version or current.slug_id == subject.slug_id:
        return None
    return f"v{current.version}, another artifact, took the place of v{subject.version} in {subject.app}"


def _answer_text(spec: VerifySpec | None) -> str:
    return "".join(f" and {check}" for check in spec.checks) if spec is not None else ""
