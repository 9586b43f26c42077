"""Would promoting break for a reason that can be seen now?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates.options import listed, matches

KIND = "preflight"
LEVELS = {
    "source": "block",
    "maintenance": "block",
    "config": "block",
    "addons": "block",
    "processes": "block",
    "stack": "warn",
    "buildpacks": "warn",
    "release_phase": "warn",
    "migrations": "warn",
}
"""What may be found, and what that means unless herodeploy.yml says otherwise; ``ignore`` is the third level."""

OPTIONS = frozenset({*LEVELS, "ignore_config", "ignore_addons", "migration_paths"})
LOOK_AGAIN = timedelta(minutes=5)
"""When it is looked again whether what blocks was mended."""

# Databases get these beside DATABASE_URL, in a colour that chance chose.
OWN_NAMES = ("HEROKU_POSTGRESQL_*_URL", "HEROKU_REDIS_*_URL")
MIGRATIONS = re.compile(r"(^|/)(migrations?|migrate|\w+_migrate|alembic/versions)/(?!(.*/)?__init__\.py$)")
WEB = "web"
RELEASE_PHASE = "release"
SHOWN = 3

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason.

    Parameters:
        finding: its kind, one of `LEVELS`.
        level: block or warn.
        app: the app that it is about, or several.
        text: a sentence that names it.
        way_out: what to do, mostly a command.
    """

    finding: str
    level: str
    app: str
    text: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.text}: {self.way_out}"


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:  # noqa: ARG001 - every gate is asked alike
    """Wait while something blocks, which can be mended without a new delivery; warnings are the reason of a pass.

    Options of `spec`: each kind of finding with its level; ``ignore_config`` and ``ignore_addons``, patterns of names
    that may be missing; ``migration_paths``, patterns of files, see `is_migration`.
    """
    seen = facts.observed(spec)
    if seen is None:
        return Verdict(KIND, Answer.WAIT, "nobody has looked yet")
    data: Data = seen.data
    found = list(findings(data, spec.options))
    targets = [str(target["app"]) for target in data["targets"]]
    warnings = [str(each) for each in found if each.level == "warn"]
    known: dict[str, object] = {"findings": [asdict(each) for each in found], "warnings": warnings}
    blocking = [str(each) for each in found if each.level == "block"]
    if blocking:
        known["look_again_at"] = (seen.at + LOOK_AGAIN).isoformat()
        return Verdict(KIND, Answer.WAIT, "; ".join(blocking), facts=known)
    clear = f"nothing is in the way of promoting to {', '.join(targets)}"
    reason = f"{clear}, but: {'; '.join(warnings)}" if warnings else clear
    return Verdict(KIND, Answer.PASS, reason, facts=known)


def is_migration(path: str, options: Mapping[str, Any]) -> bool:
    """Whether a file changes a database: by ``migration_paths``, else by the folders that frameworks use."""
    patterns = options.get("migration_paths")
    if patterns is not None:
        return matches(path, patterns)
    return MIGRATIONS.search(path) is not None


def findings(data: Data, options: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is in the way, first of the source, then of each target."""
    levels = {**LEVELS, **{kind: options[kind] for kind in LEVELS if kind in options}}
    for finding in _all(data, options):
        level = levels[finding.finding]
        if level != "ignore":
            # What cannot be mended before it is promoted would block for ever.
            allowed = "warn" if finding.level == "warn" else level
            yield Finding(finding.finding, allowed, finding.app, finding.text, finding.way_out)


def _all(data: Data, options: Mapping[str, Any]) -> Iterator[Finding]:
    upstream, slug = data["upstream"], data["slug"]
    yield from _source(upstream)
    for target in data["targets"]:
        lacking = list(_addons(upstream, target, options.get("ignore_addons", ())))
        yield from _maintenance(target)
        yield from _config(upstream, target, lacking, options.get("ignore_config", ()))
        yield from (_lacking_addon(upstream, target, addon) for addon in lacking)
        if slug is not None:
            yield from _processes(upstream, slug, target)
            yield from _stack(slug, target)
        yield from _buildpacks(upstream, target)
        if slug is not None:
            yield from _migrations(data["commit"], slug, target)
    if slug is not None and RELEASE_PHASE in slug["process_types"]:
        yield _release_phase([target["app"] for target in data["targets"]])


def _finding(kind: str, app: str, text: str, way_out: str, *, level: str = "block") -> Finding:
    return Finding(kind, level, app, text, way_out)


def _source(upstream: Data) -> Iterator[Finding]:
    app, release, current = upstream["app"], upstream["release"], upstream["current"]
    version = f"v{release['version']} of {app}"
    if release["slug_id"] is None:
        yield _finding("source", app, f"{version} has no slug", "herodeploy deliver")
    elif release["status"] != "succeeded":
        yield _finding("source", app, f"{version} is {release['status']}", "herodeploy deliver")
    elif current is None or current["slug_id"] != release["slug_id"]:
        runs = f"v{current['version']}, another artifact" if current else "nothing"
        way_out = f"deliver that one, or heroku rollback v{release['version']} --app {app}"
        yield _finding("source", app, f"{app} runs {runs}, in the place of v{release['version']}", way_out)


def _maintenance(target: Data) -> Iterator[Finding]:
    if target["maintenance"]:
        app = target["app"]
        yield _finding("maintenance", app, f"{app} is in maintenance mode", f"heroku maintenance:off --app {app}")


def _addons(upstream: Data, target: Data, ignored: Iterable[str]) -> Iterator[Data]:
    """Yield upstream's add-ons that the target has neither itself nor through config vars, once a service."""
    seen = set(target["addons"])
    for addon in upstream["addons"]:
        service, names = addon["service"], addon["config_vars"]
        provided = bool(names) and set(names) <= set(target["config"])
        if service not in seen and not provided and not matches(service, ignored):
            seen.add(service)
            yield addon


def _lacking_addon(upstream: Data, target: Data, addon: Data) -> Finding:
    app, service = target["app"], addon["service"]
    text = f"{app} has no {service}, which {upstream['app']} has"
    return _finding("addons", app, text, f"heroku addons:create {service} --app {app}")


def _config(upstream: Data, target: Data, lacking: list[Data], ignored: Iterable[str]) -> Iterator[Finding]:
    told = {name for addon in lacking for name in addon["config_vars"]}
    missing = set(upstream["config"]) - set(target["config"]) - told
    names = sorted(name for name in missing if not matches(name, (*OWN_NAMES, *ignored)))
    if names:
        app, several = target["app"], "s" if len(names) > 1 else ""
        text = f"{app} lacks the config var{several} {', '.join(names)} of {upstream['app']}"
        yield _finding(
            "config", app, text, f"heroku config:set {' '.join(f'{name}=...' for name in names)} --app {app}"
        )


def _processes(upstream: Data, slug: Data, target: Data) -> Iterator[Finding]:
    app = target["app"]
    for kind in sorted(set(slug["process_types"]) - {RELEASE_PHASE}):
        wanted, there = upstream["formation"].get(kind, 0), target["formation"].get(kind)
        first = kind == WEB and not target["formation"]  # scaled to 1 by the platform
        if not wanted or there or first:
            continue
        scale = f"heroku ps:scale {kind}={wanted} --app {app}"
        if there is None:
            text = f"{kind} is new to {app} and will have no dynos there"
            yield _finding("processes", app, text, f"then {scale}", level="warn")
        else:
            yield _finding("processes", app, f"{kind} has no dynos in {app}, but {wanted} in {upstream['app']}", scale)


def _stack(slug: Data, target: Data) -> Iterator[Finding]:
    app, wanted = target["app"], slug["stack"]
    if wanted and wanted not in (target["stack"], target["build_stack"]):
        text = f"{app} is on {target['stack']}, and the slug was built for {wanted}"
        yield _finding("stack", app, text, f"heroku stack:set {wanted} --app {app}")


def _buildpacks(upstream: Data, target: Data) -> Iterator[Finding]:
    # Who never chose any is right: promoting does not build.
    if target["buildpacks"] and target["buildpacks"] != upstream["buildpacks"]:
        app, theirs = target["app"], ", ".join(upstream["buildpacks"]) or "none"
        text = f"{app} builds with {', '.join(target['buildpacks'])}, {upstream['app']} with {theirs}"
        yield _finding("buildpacks", app, text, f"heroku buildpacks:clear --app {app}")


def _release_phase(apps: list[str]) -> Finding:
    output = f"then herodeploy targets --output {apps[0] if len(apps) == 1 else 'APP'}"
    return _finding("release_phase", ", ".join(apps), f"the release phase runs in {listed(apps, SHOWN)}", output)


def _migrations(commit: str, slug: Data, target: Data) -> Iterator[Finding]:
    app, files, before = target["app"], target["migrations"], target["commit"]
    if files is None:
        what = f"{before[:8]}, which is not in this clone" if before else "a commit that is not known"
        text = f"{app} runs {what}, so nobody can tell whether migrations come"
        yield _finding("migrations", app, text, "git fetch --all")
    elif files:
        runs = "" if RELEASE_PHASE in slug["process_types"] else ", and no release phase runs them"
        text = f"migrations come to {app}{runs} ({listed(files, SHOWN)})"
        yield _finding("migrations", app, text, f"git diff {before[:8]} {commit[:8]}")
