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


@pytest.mark.parametrize("section", ALL)
def test_every_key_is_described(section: type[model.Section]) -> None:
    assert section.__doc__
    for name, field in section.model_fields.items():
        assert field.description, name
        assert f"| `{name}` |" in reference.markdown()
