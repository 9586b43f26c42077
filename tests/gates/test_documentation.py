"""docs/gates.md has a section for every kind of gate, with a herodeploy.yml that uses it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from herodeploy.config.load import parse
from herodeploy.config.schema import json_schema
from herodeploy.domain.pipeline import GateSpec, StageSpec
from herodeploy.gates.evaluate import evaluate
from herodeploy.gates.registry import GATES

from .conftest import facts_at

PAGE = (Path(__file__).parents[2] / "docs" / "gates.md").read_text()
SECTIONS = dict(re.findall(r"^## `([\w-]+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
KINDS = [pytest.param(kind, id=kind) for kind in GATES]


def examples(kind: str) -> list[str]:
    found = re.findall(r"^```yaml\n(.*?)^```", SECTIONS.get(kind, ""), re.MULTILINE | re.DOTALL)
    return [text for text in found if text.startswith("pipeline:")]


def test_there_is_a_section_for_each_kind_and_no_other() -> None:
    assert sorted(SECTIONS) == sorted(GATES)


@pytest.mark.parametrize("kind", KINDS)
def test_it_stands_in_the_table_of_kinds(kind: str) -> None:
    assert f"\n| [`{kind}`](#{kind}) | " in PAGE


@pytest.mark.parametrize("kind", KINDS)
def test_its_example_loads_and_asks_it(kind: str) -> None:
    assert examples(kind)
    for text in examples(kind):
        written = [(stage, gate) for stage, gate in gates(text) if gate.kind == kind]
        assert written
        for stage, gate in written:
            assert gate.name in asked(text, stage)
        assert not GATES[kind].options or any(gate.options for _, gate in written), "an example shows options"


@pytest.mark.parametrize("kind", KINDS)
def test_editors_take_its_example(kind: str) -> None:
    schema = Draft202012Validator(json_schema())
    for text in examples(kind):
        assert [error.message for error in schema.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("kind", KINDS)
def test_its_options_are_explained(kind: str) -> None:
    section = SECTIONS[kind]
    assert [option for option in sorted(GATES[kind].options) if f"`{option}`" not in section] == []


def gates(text: str) -> list[tuple[StageSpec, GateSpec]]:
    spec = parse(text, "herodeploy.yml")
    return [(stage, gate) for stage in spec.stages for gate in stage.gates]


def asked(text: str, stage: StageSpec) -> list[str]:
    """Return the names of the gates that give a verdict when a change is before that stage."""
    facts = facts_at(parse(text, "herodeploy.yml"), stage)
    return [verdict.name for verdict in evaluate(facts, datetime(2026, 11, 23, 12, tzinfo=UTC))]
