"""herodeploy.yml to the domain's `PipelineSpec`."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from herodeploy.config import yaml_nodes
from herodeploy.config.checks import OF_CHECKS, check, kind_of
from herodeploy.config.gate_model import GateItem
from herodeploy.config.model import CiSection, Root, StageSection, VerifySection
from herodeploy.config.nodes import Node
from herodeploy.config.problems import complain, of_validation
from herodeploy.domain.pipeline import CiSpec, GateSpec, PipelineSpec, ReviewSpec, Stage, StageSpec, VerifySpec
from herodeploy.errors import ConfigError


def load(path: Path) -> PipelineSpec:
    """Read a herodeploy.yml.

    Raises:
        ConfigError: it is not there, cannot be read, or says something that cannot be.
    """
    return parse(read_text(path), shown_path(path))


def parse(text: str, file: str) -> PipelineSpec:
    """Return what `text` describes.

    Parameters:
        file: how errors name the file.

    Raises:
        ConfigError: with every mistake found, the first one's line ahead.
    """
    node = yaml_nodes.read(text, file)
    return _spec(_validated(node, file), node, file)


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        ConfigError: it is not there, no text, or may not be read.
    """
    file = shown_path(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError("there is no such file", file=file, hint=_way_out(path)) from None
    except IsADirectoryError:
        raise ConfigError("that is a folder", file=file) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError("the file is not UTF-8 text", file=file, line=line, hint="save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"cannot read it: {error.strerror}", file=file) from None


def shown_path(path: Path) -> str:
    """Return a path as the user would name it: from where they stand, when it lies below."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _way_out(path: Path) -> str:
    other = path.with_suffix(".yaml")
    if path.suffix == ".yml" and other.exists():
        return f"rename {other.name} to {path.name}, or give it with --config"
    return "herodeploy init writes one"


def _validated(node: Node, file: str) -> Root:
    if not isinstance(node.value, dict):
        raise ConfigError(
            "the file must be a mapping that begins with `pipeline:`",
            file=file,
            line=node.place.line,
            hint="herodeploy init writes one",
        )
    own = {key: value for key, value in node.value.items() if not key.startswith("x-")}
    try:
        root = Root.model_validate(Node(own, node.place).plain())
    except ValidationError as error:
        complain(of_validation(error, Root), node, file)
        raise
    complain(check(root), node, file)
    return root


def _spec(root: Root, node: Node, file: str) -> PipelineSpec:
    """Return a valid model in the domain's words; `node` says where its gates stand."""
    return PipelineSpec(
        name=root.pipeline,
        platform=root.platform,
        mode=root.mode,
        ci=_ci(root.ci),
        review=ReviewSpec(root.review.strategy, root.review.ttl, root.review.max),
        stages=tuple(_stage(name, stage, node, file) for name, stage in root.stages.items()),
    )


def _ci(ci: CiSection) -> CiSpec:
    checks = ci.model_dump(exclude_unset=True, include=set(OF_CHECKS))
    return CiSpec(ci.provider, ci.command, ci.timeout, checks)


def _stage(name: str, stage: StageSection, node: Node, file: str) -> StageSpec:
    waves = stage.waves if stage.waves is not None else [stage.apps]
    return StageSpec(
        name=name,
        kind=Stage(kind_of(name, stage)),
        apps=tuple(stage.apps),
        waves=tuple(tuple(wave) for wave in waves),
        branch=stage.branch,
        verify=_verify(stage.verify) if stage.verify else None,
        gates=tuple(
            _gate(gate, (file, node.place_of(("stages", name, "gates", position)).line))
            for position, gate in enumerate(stage.gates)
        ),
        on_failure=stage.on_failure,
        wave_soak=stage.wave_soak,
    )


def _verify(verify: VerifySection) -> VerifySpec:
    return VerifySpec(verify.path, verify.status, verify.within, verify.passes, verify.command, verify.timeout)


def _gate(gate: GateItem, place: tuple[str, int]) -> GateSpec:
    return GateSpec(gate.kind, gate.options.model_dump(exclude_unset=True, by_alias=True), place)
