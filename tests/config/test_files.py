from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herodeploy.config import appjson, json_nodes, procfile
from herodeploy.errors import ConfigError

ROOT = Path(__file__).parents[2]


def test_a_procfile_is_read() -> None:
    text = "# what runs\nweb: gunicorn shop.wsgi --bind 0.0.0.0:$PORT\r\n\nrelease:python manage.py migrate\n"
    assert procfile.parse(text) == {
        "web": "gunicorn shop.wsgi --bind 0.0.0.0:$PORT",
        "release": "python manage.py migrate",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("web: a\nworker b\n", "Procfile:2: 'worker b' is no 'type: command' line"),
        ("web:\n", "Procfile:1: 'web:' has no command"),
        ("web: a\n\nweb: b\n", "Procfile:3: process type 'web' is given twice; first on line 1"),
        ("# nothing\n", "Procfile: no process type is given"),
    ],
)
def test_a_mistake_in_a_procfile_names_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        procfile.parse(text)
    assert caught.value.message == message
    assert caught.value.hint


def test_an_app_json_is_read() -> None:
    read = appjson.parse(
        json.dumps(
            {
                "$schema": "https://example.com/schema",
                "name": "shop",
                "env": {"A": "1", "SECRET": {"generator": "secret"}, "MAYBE": {"required": False}},
                "addons": ["heroku-postgresql:essential-0", {"plan": "heroku-redis", "as": "CACHE"}],
                "formation": {"web": {"quantity": 2, "size": "standard-1x"}},
                "buildpacks": [{"url": "heroku/python"}],
                "scripts": {"postdeploy": "make seed", "pr-predestroy": {"command": "make bye", "size": "basic"}},
                "environments": {"test": {"scripts": {"test-setup": "make deps", "test": "pytest"}}},
            }
        )
    )
    assert read.unknown == ()
    assert read.test_command == "pytest"
    assert read.env is not None
    assert (read.env["A"].value, read.env["SECRET"].generator, read.env["MAYBE"].required) == ("1", "secret", False)
    assert read.addons is not None
    assert [(addon.plan, addon.alias) for addon in read.addons] == [
        ("heroku-postgresql:essential-0", None),
        ("heroku-redis", "CACHE"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n\t"env": {\n\t\t"A": 1\n\t}\n}', "app.json:3: env.A must be text or a mapping"),
        ('{"scripts": {"postdeploy": {"size": "x"}}}', "app.json:1: scripts.postdeploy.command is missing"),
        ('{"addons": [{"as": "X"}]}', "app.json:1: addons[0].plan is missing"),
        ('{"env": {"A": {"generator": "uuid"}}}', "app.json:1: env.A.generator is 'uuid'"),
        ('{"formation": {"web": {"quantity": -1}}}', "app.json:1: formation.web.quantity is -1"),
        ('{\n"a": 1,\n"a": 2}', "app.json:3:1: key 'a' is given twice; first on line 2"),
        ('{"name": "shop",\n}', "app.json:"),
        ("", "app.json:1:1: broken JSON"),
        ('{"name": "\\ud800"}', "app.json: broken JSON: an escape"),
        ("[]", "app.json:1: the file must be an object"),
        ("[" * 100_000, "app.json"),
    ],
)
def test_a_mistake_in_app_json_names_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        appjson.parse(text)
    assert caught.value.message.startswith(message)


def test_unknown_keys_are_told_with_their_lines() -> None:
    read = appjson.parse('{\n"nam": "shop",\n"env": {"A": {\n"vale": "1"}}}')
    assert [line.partition(" (")[0] for line in read.unknown] == [
        "app.json:2: unknown key 'nam'",
        "app.json:4: unknown key 'vale' in env.A",
    ]
    assert "did you mean 'name'?" in read.unknown[0]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    )
)
def test_the_walk_over_json_agrees_with_the_standard_library(value: object) -> None:
    for indent in (None, 2, "\t"):
        assert json_nodes.read(json.dumps(value, indent=indent), "x").plain() == value


def test_our_own_examples_parse() -> None:
    assert procfile.parse((ROOT / "Procfile.example").read_text(), "Procfile.example")["web"]
    example = appjson.parse((ROOT / "app.json.example").read_text(), "app.json.example")
    assert example.unknown == ()
    assert example.test_command


def test_the_demo_apps_files_parse() -> None:
    app = ROOT / "herodeploy" / "demo" / "app"
    assert set(procfile.parse((app / "Procfile").read_text())) == {"web", "release"}
    assert appjson.parse((app / "app.json").read_text()).unknown == ()
