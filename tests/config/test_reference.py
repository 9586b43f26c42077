from __future__ import annotations

import jsonschema
import pytest
import yaml

from herodeploy.config import model, reference, schema

ALL = (*(section for _, section in reference.SECTIONS),)


def test_the_schema_accepts_the_example_and_refuses_an_unknown_key() -> None:
    made = schema.json_schema()
    jsonschema.Draft202012Validator.check_schema(made)
    example = yaml.safe_load(reference.EXAMPLE) | {"x-own": [1]}
    jsonschema.validate(example, made)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(example | {"own": 1}, made)


def test_the_schema_knows_gates_that_are_written_short() -> None:
    made = schema.json_schema()
    example = yaml.safe_load(reference.EXAMPLE)
    gates = example["stages"]["production"]["gates"]
    for gate in ({"soak": "15m"}, {"soak": {"for": "15m", "error_rate": "0.5%"}}, {"upstream": "all"}):
        gates[:] = [gate]
        jsonschema.validate(example, made)
    for gate in ({"soak": "soon"}, {"soak": {"every": "1m"}}, {"upstream": "some"}):
        gates[:] = [gate]
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(example, made)


def test_no_paragraph_is_taken_for_code() -> None:
    """Markdown makes code of what stands four spaces in, as later lines of a docstring do."""
    prose = reference.markdown().split("```")[::2]
    assert [line for part in prose for line in part.splitlines() if line.startswith("    ")] == []


@pytest.mark.parametrize("section", ALL)
def test_every_key_is_described(section: type[model.Section]) -> None:
    assert section.__doc__
    for name, field in section.model_fields.items():
        assert field.description, name
        assert f"| `{field.alias or name}` |" in reference.markdown()
