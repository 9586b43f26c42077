"""The examples that deploy herodeploy itself to Heroku are real."""

from __future__ import annotations

from pathlib import Path

from herodeploy.config import appjson, procfile

ROOT = Path(__file__).parents[1]


def test_the_example_procfile_is_one() -> None:
    file = ROOT / "Procfile.example"
    assert set(procfile.parse(file.read_text(), file.name)) == {"web", "release"}


def test_the_example_app_json_is_one() -> None:
    file = ROOT / "app.json.example"
    manifest = appjson.parse(file.read_text(), file.name)
    assert manifest.name == "herodeploy"
    assert manifest.env is not None
    assert not manifest.env["HEROKU_API_KEY"].required
