"""What a single value cannot show: names used twice, waves that do not fit their apps, keys in the wrong stage."""

from __future__ import annotations

from collections.abc import Iterator

from herodeploy.config.gate_model import GateItem
from herodeploy.config.model import Root, StageSection
from herodeploy.config.problems import Problem, nearest

KINDS = ("development", "staging", "production")
OF_CHECKS = ("require", "allow_failure", "hide", "repository")
OF_STAGE_BEFORE = ("upstream", "soak", "preflight")
OF_NO_GATE = "stage"
"""The name of the verdict about who is in the stage."""


def check(root: Root) -> Iterator[Problem]:
    """Yield what is wrong between values."""
    yield from _ci(root)
    yield from _app_names(root)
    yield from _kinds(root)
    for position, (name, stage) in enumerate(root.stages.items()):
        yield from _waves(root, name, stage)
        yield from _wave_soak(name, stage, first=position == 0)
        yield from _gates(name, stage, first=position == 0)
        if root.mode == "deployment":
            yield from _approvals(name, stage)
        if position and stage.branch:
            yield Problem(
                ("stages", name, "branch"),
                f"stages.{name}.branch has no meaning: only the first stage builds",
                "remove it",
            )


def _ci(root: Root) -> Iterator[Problem]:
    if root.ci.provider == "command" and root.ci.command is None:
        yield Problem(("ci",), "ci.command is missing", "`provider: command` wants the shell command that tests")
    if root.ci.provider != "command" and root.ci.command is not None:
        message = f"ci.command has no meaning with `provider: {root.ci.provider}`"
        yield Problem(("ci", "command"), message, "remove it, or write `provider: command`")

    for key in OF_CHECKS if root.ci.provider != "checks" else ():
        if key in root.ci.model_fields_set:
            message = f"ci.{key} has no meaning with `provider: {root.ci.provider}`"
            yield Problem(("ci", key), message, "remove it, or write `provider: checks`")


def _app_names(root: Root) -> Iterator[Problem]:
    listed: dict[str, str] = {}
    for name, stage in root.stages.items():
        for position, app in enumerate(stage.apps):
            path = ("stages", name, "apps", position)
            if app not in listed:
                listed[app] = name
            elif listed[app] == name:
                yield Problem(path, f"stages.{name}.apps lists app '{app}' twice", "remove one")
            else:
                message = f"stages.{name}.apps lists app '{app}', which stage '{listed[app]}' lists already"
                yield Problem(path, message, "an app has one place in a pipeline: remove one")


def kind_of(name: str, stage: StageSection) -> str:
    """Return Heroku's stage: as written, or the stage's own name."""
    return stage.kind or name


def _kinds(root: Root) -> Iterator[Problem]:
    reached, reached_by = 0, ""
    for name, stage in root.stages.items():
        kind = kind_of(name, stage)
        if kind not in KINDS:
            message = f"stages.{name}.kind is missing, and '{name}' is none of Heroku's stages"
            yield Problem(("stages", name), message, f"add `kind:` with one of: {', '.join(KINDS)}")
        elif KINDS.index(kind) < reached:
            message = (
                f"stages.{name} is of kind {kind} and stands after {reached_by}, which is of kind {KINDS[reached]}"
            )
            yield Problem(("stages", name), message, f"the order is: {', '.join(KINDS)}")
        else:
            reached, reached_by = KINDS.index(kind), name


def _waves(root: Root, name: str, stage: StageSection) -> Iterator[Problem]:
    if stage.waves is None:
        return
    homes = {app: other for other, section in root.stages.items() for app in section.apps}
    seen: set[str] = set()
    for number, wave in enumerate(stage.waves):
        if not wave:
            yield Problem(("stages", name, "waves", number), f"stages.{name}.waves[{number}] is empty", "remove it")
        for position, app in enumerate(wave):
            path = ("stages", name, "waves", number, position)
            if app in seen:
                yield Problem(path, f"stages.{name}.waves names app '{app}' twice", "an app is in one wave")
            elif app not in stage.apps:
                where = f"stage '{homes[app]}' lists" if app in homes else "no stage lists"
                message = f"stages.{name}.waves names app '{app}' that {where}"
                yield Problem(path, message, _instead(app, stage))
            seen.add(app)
    missing = [app for app in stage.apps if app not in seen]
    if missing and seen <= set(stage.apps):
        message = f"stages.{name}.waves leaves out app '{missing[0]}'"
        yield Problem(("stages", name, "waves"), message, "add it to a wave, or leave waves out for one wave of all")


def _wave_soak(name: str, stage: StageSection, *, first: bool) -> Iterator[Problem]:
    path = ("stages", name, "wave_soak")
    if stage.wave_soak is None:
        return
    if first:
        yield Problem(path, f"stages.{name}.wave_soak has no meaning: the first stage builds", "remove it")
    elif len(stage.waves or ()) < 2:
        message = f"stages.{name}.wave_soak has no meaning: all apps are in one wave"
        yield Problem(path, message, "remove it, or write `waves:`")


def _instead(app: str, stage: StageSection) -> str:
    meant = nearest(app, stage.apps)
    if meant.startswith("did you mean"):
        return f"{meant} Otherwise add it to apps"
    return f"add it to apps, or name {meant}"


def _gates(name: str, stage: StageSection, *, first: bool) -> Iterator[Problem]:
    seen: set[str] = set()
    for position, gate in enumerate(stage.gates):
        path = ("stages", name, "gates", position)
        if gate.name in seen:
            yield Problem(path, f"stages.{name}.gates has gate '{gate.name}' twice", "remove one, or give it a `name:`")
        if gate.name != gate.kind and gate.name in (*GateItem.model_fields, OF_NO_GATE):
            # Gates that nobody wrote are asked, too: an override of one must not be one of the other.
            message = f"stages.{name}.gates calls a gate of kind {gate.kind} '{gate.name}', as another one is called"
            yield Problem(path, message, "give it another `name:`")
        if gate.kind in OF_STAGE_BEFORE and first:
            message = f"stages.{name}.gates has gate '{gate.kind}', but no stage comes before the first"
            yield Problem(path, message, "remove it")
        if gate.batch is not None and gate.batch.max_commits is None and gate.batch.every is None:
            message = f"stages.{name}.gates has gate 'batch' without a limit"
            yield Problem(path, message, "such as `batch: {max_commits: 8, every: 30m}`")
        seen.add(gate.name)


def _approvals(name: str, stage: StageSection) -> Iterator[Problem]:
    """Yield the approvals that somebody must give in either mode: nothing would go there by itself."""
    for position, gate in enumerate(stage.gates):
        if gate.approval is not None and not gate.approval.optional:
            message = f"stages.{name}.gates has an approval with `optional: false`, which forbids `mode: deployment`"
            hint = "remove `optional: false`, or write `mode: delivery`"
            yield Problem(("stages", name, "gates", position), message, hint)
