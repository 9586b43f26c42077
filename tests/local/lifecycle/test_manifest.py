from __future__ import annotations

import json
import re

import pytest

from herodeploy.local.lifecycle.manifest import AddonOrder, Manifest, ManifestInvalid, Scale, parse


def read(environment: str | None = None, **body: object) -> Manifest:
    return parse(json.dumps(body), environment)


def problems(environment: str | None = None, **body: object) -> list[str]:
    with pytest.raises(ManifestInvalid) as caught:
        read(environment, **body)
    return caught.value.errors


def test_a_missing_file_asks_for_nothing() -> None:
    assert parse(None) == Manifest()
    assert parse(None).config({"A": "1"}) == {"A": "1"}


def test_values_come_from_app_json_and_the_caller_wins() -> None:
    manifest = read(env={"A": "1", "B": {"value": "2"}, "C": {"required": False}, "D": {"required": True}})

    assert manifest.config({"B": "mine", "D": "4", "E": "5"}) == {"A": "1", "B": "mine", "D": "4", "E": "5"}


def test_a_var_without_value_is_required_unless_it_says_otherwise() -> None:
    manifest = read(env={"A": {"description": "a"}, "B": {"required": True}, "C": {"required": False}})

    with pytest.raises(ManifestInvalid) as caught:
        manifest.config({})
    assert caught.value.errors == ["config var A is required", "config var B is required"]


def test_secrets_are_64_hex_digits_and_new_each_time() -> None:
    manifest = read(env={"KEY": {"generator": "secret"}})

    first, second = manifest.config({})["KEY"], manifest.config({})["KEY"]

    assert re.fullmatch("[0-9a-f]{64}", first)
    assert first != second
    assert manifest.config({"KEY": "mine"}) == {"KEY": "mine"}


def test_an_empty_value_is_a_value() -> None:
    assert read(env={"A": "", "B": {"value": ""}}).config({}) == {"A": "", "B": ""}


def test_an_environment_replaces_whole_keys_and_leaves_the_others() -> None:
    body = {
        "env": {"A": "1", "B": "2"},
        "scripts": {"postdeploy": "./seed"},
        "formation": {"web": {"quantity": 2}},
        "environments": {
            "test": {"env": {"B": "test"}, "scripts": {"test": "./check"}, "formation": {"test": {"quantity": 3}}},
            "review": {"scripts": {"pr-predestroy": {"command": "./bye", "size": "basic"}}},
        },
    }

    base, test, review = read(**body), read("test", **body), read("review", **body)

    assert base.config({}) == {"A": "1", "B": "2"}
    assert test.config({}) == {"B": "test"}
    assert test.scripts == {"test": "./check"}
    assert (test.test_nodes, base.test_nodes) == (3, 1)
    assert review.config({}) == {"A": "1", "B": "2"}
    assert review.scripts == {"pr-predestroy": "./bye"}
    assert review.formation == {"web": Scale(2)}


def test_buildpacks_and_addons_keep_their_order() -> None:
    manifest = read(
        buildpacks=[{"url": "heroku/nodejs"}, {"url": "https://example.com/b.git"}],
        addons=["heroku-postgresql:essential-0", {"plan": "heroku-redis", "as": "CACHE"}],
    )

    assert manifest.buildpacks == ("heroku/nodejs", "https://example.com/b.git")
    assert manifest.addons == (AddonOrder("heroku-postgresql:essential-0"), AddonOrder("heroku-redis", "CACHE"))


def test_never_more_than_32_nodes() -> None:
    assert read(formation={"test": {"quantity": 99}}).test_nodes == 32
    assert read(formation={"test": {"quantity": 0}}).test_nodes == 1


@pytest.mark.parametrize("text", ["{", "[]", '"x"', ""])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ManifestInvalid, match=r"app\.json"):
        parse(text)


def test_every_wrong_value_is_named_with_its_place() -> None:
    assert problems(
        env={"A": 1, "B": {"value": 2}, "C": {"generator": "dice"}, "D": {"required": "yes"}, "no-name": ""},
        scripts={"postdeploy": 3},
        formation={"web": {"quantity": "two"}, "worker": 1},
        buildpacks=[{}],
        addons={},
        stack=24,
    ) == [
        "env.A must be a string or an object",
        "env.B.value must be a string",
        "env.C.generator must be 'secret'",
        "env.D.required must be true or false",
        "env.no-name is no name for a config var",
        "scripts.postdeploy must be a command",
        "formation.web.quantity must be a whole number, 0 or more",
        "formation.worker must be an object",
        "buildpacks[0] must have a url",
        "addons must be an array",
        "stack must be a string",
    ]


def test_errors_in_an_environment_name_it() -> None:
    assert problems("test", environments={"test": {"env": []}}) == ["environments.test.env must be an object"]
    assert problems("test", environments={"test": 1}) == ["environments.test must be an object"]
    assert problems(addons=[{"plan": "heroku-redis", "as": 1}]) == ["addons[0].as must be a string"]
    assert problems("test", environments=[]) == ["environments must be an object"]


def test_values_never_show_in_a_repr() -> None:
    assert "hunter2" not in repr(read(env={"PASSWORD": "hunter2"}))
