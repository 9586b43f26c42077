"""The JSON Schema of herodeploy.yml, for editors; made from the model."""

from __future__ import annotations

from typing import Any

from herodeploy.config.gate_model import sections
from herodeploy.config.model import Root


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12)."""
    schema = Root.model_json_schema()
    schema["patternProperties"] = {"^x-": {}}
    gate = schema["$defs"]["GateItem"]
    gate["minProperties"] = gate["maxProperties"] = 1
    for kind, section in sections():
        if section.shorthand is not None:
            alone = schema["$defs"][section.__name__]["properties"][section.shorthand]
            short = {key: alone[key] for key in ("type", "pattern", "enum") if key in alone}
            gate["properties"][kind]["anyOf"].insert(0, short)
    items = schema["$defs"]["StageSection"]["properties"]["gates"]
    # Other packages may bring more kinds, which this schema cannot know.
    theirs = "A gate of another package."
    gate["additionalProperties"] = {"type": ["object", "null"], "description": theirs}
    own = {"enum": sorted(gate["properties"])}
    items["items"] = {"anyOf": [items["items"], own, {"type": "string", "description": theirs}]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "herodeploy.yml", **_untitled(schema)}


def _untitled(value: Any) -> Any:
    """Drop the titles that pydantic makes of names; editors would show them instead of the descriptions."""
    if isinstance(value, list):
        return [_untitled(each) for each in value]
    if isinstance(value, dict):
        return {key: _untitled(each) for key, each in value.items() if not (key == "title" and isinstance(each, str))}
    return value
