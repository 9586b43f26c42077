from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from herodeploy.config import durations, names, reference
from herodeploy.config.load import load, parse
from herodeploy.domain.pipeline import CiSpec, GateSpec, ReviewSpec, Stage, VerifySpec
from herodeploy.errors import ConfigError

SHOP = """\
pipeline: shop
platform: local
mode: deployment
ci: {provider: command, command: make test, timeout: 15m}
review: {strategy: managed, ttl: 5d, max: 10}
x-check: &check {path: /healthz, within: 1h30m, command: ./smoke.sh, timeout: 2m}
stages:
  staging:
    apps: [shop-staging]
    branch: main
    verify:
      <<: *check
      status: 204
  production:
    apps: [shop-eu, shop-us]
    waves: [[shop-eu], [shop-us]]
    gates:
      - approval: {count: 2, by_other: true, expires: 4h}
      - ci
      - upstream:
    on_failure: rollback
"""


def error_of(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text, "herodeploy.yml")
    return caught.value


def test_ci_may_go_by_checks() -> None:
    written = "provider: checks, require: [test], hide: ['renovate/*'], repository: acme/shop"
    spec = parse(SHOP.replace("provider: command, command: make test", written), "herodeploy.yml")
    checks = {"require": ["test"], "hide": ["renovate/*"], "repository": "acme/shop"}
    assert spec.ci == CiSpec("checks", None, timedelta(minutes=15), checks)


def test_a_gate_may_be_written_short() -> None:
    long = parse(SHOP.replace("- ci", "- soak: {for: 15m, every: 30s, error_rate: 0.5%}"), "herodeploy.yml")
    short = parse(SHOP.replace("- ci", "- soak: 15m"), "herodeploy.yml")
    for_ = timedelta(minutes=15)
    assert short.stages[-1].gates[1] == GateSpec("soak", {"for": for_})
    assert long.stages[-1].gates[1] == GateSpec(
        "soak", {"for": for_, "every": timedelta(seconds=30), "error_rate": "0.5%"}
    )


def test_everything_is_read() -> None:
    spec = parse(SHOP, "herodeploy.yml")
    staging, production = spec.stages
    assert (spec.name, spec.platform, spec.mode) == ("shop", "local", "deployment")
    assert spec.ci == CiSpec("command", "make test", timedelta(minutes=15))
    assert spec.review == ReviewSpec("managed", timedelta(days=5), 10)
    assert (staging.kind, staging.branch, staging.waves) == (Stage.STAGING, "main", (("shop-staging",),))
    assert staging.verify == VerifySpec("/healthz", 204, timedelta(minutes=90), 2, "./smoke.sh", timedelta(minutes=2))
    assert production.waves == (("shop-eu",), ("shop-us",))
    assert production.gates == (
        GateSpec("approval", {"count": 2, "by_other": True, "expires": timedelta(hours=4)}),
        GateSpec("ci"),
        GateSpec("upstream"),
    )
    assert (production.verify, production.on_failure) == (None, "rollback")


def test_waves_may_soak_and_nothing_need_be_requested() -> None:
    soaks = SHOP.replace("[shop-us]]", "[shop-us]]\n    wave_soak: 10m\n    verify: {path: null, command: 'true'}")
    production = parse(soaks, "herodeploy.yml").stages[1]
    assert production.wave_soak == timedelta(minutes=10)
    assert (production.verify.path, production.verify.command) == (None, "true")


def test_little_is_needed() -> None:
    spec = parse("pipeline: shop\nstages: {production: {apps: [shop]}}", "herodeploy.yml")
    assert (spec.platform, spec.mode, spec.ci, spec.review) == ("heroku", "delivery", CiSpec(), ReviewSpec())


def test_the_reference_shows_a_file_that_loads() -> None:
    assert parse(reference.EXAMPLE, "herodeploy.yml").name == "shop"


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        (
            ("[shop-us]]", "[shop-uk]]"),
            "herodeploy.yml:16: stages.production.waves names app 'shop-uk' that no stage lists",
            "did you mean 'shop-us'",
        ),
        (
            ("[shop-us]]", "[shop-staging]]"),
            "herodeploy.yml:16: stages.production.waves names app 'shop-staging' that stage 'staging' lists",
            "add it to apps",
        ),
        (
            ("waves: [[shop-eu], [shop-us]]", "waves: [[shop-eu]]"),
            "herodeploy.yml:16: stages.production.waves leaves out app 'shop-us'",
            "add it to a wave",
        ),
        (
            ("branch: main", "branch: main\n    wave_soak: 10m"),
            "herodeploy.yml:11: stages.staging.wave_soak has no meaning: the first stage builds",
            "remove it",
        ),
        (
            ("waves: [[shop-eu], [shop-us]]", "wave_soak: 10m"),
            "herodeploy.yml:16: stages.production.wave_soak has no meaning: all apps are in one wave",
            "write `waves:`",
        ),
        (("branch: main", "brunch: main"), "herodeploy.yml:10: unknown key 'brunch' in stages.staging", "'branch'"),
        (("pipeline: shop", "pipelin: shop"), "herodeploy.yml:1: unknown key 'pipelin'", "did you mean 'pipeline'?"),
        (("- ci", "- sock: 15m"), "herodeploy.yml:19: unknown gate 'sock' in stages.production.gates[1]", "'soak'"),
        (("- ci", "- soak: soon"), "herodeploy.yml:19: stages.production.gates[1].soak.for is 'soon'", "60s, 15m"),
        (("- ci", "- soak"), "herodeploy.yml:19: stages.production.gates[1].soak.for is missing", "How long"),
        (
            ("- ci", "- soak: {for: 5m, error_rate: 101%}"),
            "herodeploy.yml:19: stages.production.gates[1].soak.error_rate is '101%', which is no share",
            "0.5%",
        ),
        (("- ci", "- aproval"), "herodeploy.yml:19: unknown gate 'aproval'", "did you mean 'approval'?"),
        (("- ci", "- approval"), "herodeploy.yml:19: stages.production.gates has gate 'approval' twice", "remove"),
        (
            ("- ci", "- command: {name: lock, run: make smoke}"),
            "herodeploy.yml:19: stages.production.gates calls a gate of kind command 'lock', as another one is called",
            "another `name:`",
        ),
        (("- ci", "- http: {name: stage, url: 'https://x'}"), "calls a gate of kind http 'stage'", "another `name:`"),
        (("- ci", "- upstream: some"), "stages.production.gates[1].upstream.verified_in is 'some'", "last, all, any"),
        (("platform: local", "platform: herku"), "herodeploy.yml:2: platform is 'herku'", "did you mean 'heroku'?"),
        (("  staging:", "  stagin:"), "herodeploy.yml:8: stages.stagin.kind is missing", "development, staging"),
        (
            ("[shop-staging]", "[Shop_Staging]"),
            "herodeploy.yml:9: stages.staging.apps[0] is 'Shop_Staging'",
            "'shop-st",
        ),
        (("pipeline: shop", "pipeline: 7shops"), "herodeploy.yml:1: pipeline is '7shops', a pipeline name", "'shops'"),
        (
            ("[shop-staging]", "[shop-eu]"),
            "herodeploy.yml:15: stages.production.apps lists app 'shop-eu', which stage 'staging' lists already",
            "one place",
        ),
        (("[shop-staging]", "shop-staging"), "stages.staging.apps is 'shop-staging'; it must be a list", None),
        (("5d", "5"), "herodeploy.yml:5: review.ttl is 5, which is no length of time", "60s, 15m"),
        (("15m", "soon"), "herodeploy.yml:4: ci.timeout is 'soon', which is no length of time", "60s, 15m"),
        (("max: 10", "max: 0"), "herodeploy.yml:5: review.max is 0; it must be greater than or equal to 1", None),
        (("make test", ""), "herodeploy.yml:4: ci.command is missing", "shell command"),
        (("provider: command", "provider: heroku"), "herodeploy.yml:4: ci.command has no meaning", "provider: command"),
        (
            ("make test", "make test, require: [test]"),
            "herodeploy.yml:4: ci.require has no meaning",
            "provider: checks",
        ),
        (("/healthz", "healthz"), "is 'healthz'; it must begin with /", "/healthz"),
        (("mode: deployment", "mode: on"), "herodeploy.yml:3: mode is true", "delivery, deployment"),
        (("on_failure: rollback", "branch: main"), "stages.production.branch has no meaning", "remove it"),
        (
            ("branch: main", "gates: [upstream]"),
            "herodeploy.yml:10: stages.staging.gates has gate 'upstream', but no stage comes before",
            "remove it",
        ),
        (
            ("expires: 4h", "optional: false"),
            "herodeploy.yml:18: stages.production.gates has an approval with `optional: false`, which forbids",
            "write `mode: delivery`",
        ),
        (
            ("- ci", "- batch"),
            "herodeploy.yml:19: stages.production.gates has gate 'batch' without a limit",
            "every: 30m",
        ),
        (
            ("branch: main", "gates: [preflight]"),
            "herodeploy.yml:10: stages.staging.gates has gate 'preflight', but no stage comes before",
            "remove it",
        ),
        (
            ("- ci", "- preflight: {config: blok}"),
            "herodeploy.yml:19: stages.production.gates[1].preflight.config is 'blok'",
            "did you mean 'block'?",
        ),
        (("  staging:", "  staging:\n    kind: production"), "", None),
    ],
)
def test_a_mistake_names_place_value_and_way_out(change: tuple[str, str], message: str, hint: str | None) -> None:
    text = SHOP.replace(*change, 1)
    assert text != SHOP
    if not message:
        assert parse(text, "herodeploy.yml").first.kind is Stage.PRODUCTION
        return
    error = error_of(text)
    assert message in error.message
    assert error.line is not None
    assert hint is None or hint in (error.hint or "")


def test_a_gate_knows_where_it_is_written() -> None:
    text = SHOP.replace("- ci\n", "- ci:\n          name: tests\n")
    assert [gate.place for gate in parse(text, "a.yml").stages[1].gates] == [("a.yml", n) for n in (18, 19, 21)]
    assert GateSpec("ci", place=("a.yml", 1)) == GateSpec("ci")


def test_stages_stand_in_herokus_order() -> None:
    text = "pipeline: shop\nstages:\n  production: {apps: [shop-a]}\n  staging: {apps: [shop-b]}\n"
    assert "herodeploy.yml:4: stages.staging is of kind staging and stands after production" in error_of(text).message


def test_every_mistake_is_told_at_once_in_order() -> None:
    text = SHOP.replace("mode: deployment", "mode: fast").replace("branch: main", "brunch: main")
    assert error_of(text).message.splitlines() == [
        "herodeploy.yml:3: mode is 'fast' (one of: delivery, deployment)",
        "herodeploy.yml:10: unknown key 'brunch' in stages.staging (did you mean 'branch'?)",
    ]


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("pipeline: [shop\nstages: {}\n", "herodeploy.yml:2:7", "begun on line 1"),
        ("pipeline: shop\n\tstages: {}\n", "herodeploy.yml:2:1", "'\\t'"),
        ("pipeline: shop: eu\n", "herodeploy.yml:1:15", "mapping values"),
        ("a: 1\nb: 2\na: 3\n", "herodeploy.yml:3:1", "key 'a' is given twice; first on line 1"),
        ("a: &a [*a]\n", "herodeploy.yml:1:4", "alias"),
        ("a: !shop x\n", "herodeploy.yml:1:4", "!shop"),
        ("a: b\nc: d\x00\n", "herodeploy.yml:2:5", "does not allow"),
        ("a: 2026-13-45\n", "herodeploy.yml:1:4", "'2026-13-45' is no value"),
        ("a: 1\n---\nb: 2\n", "herodeploy.yml:2:1", "another document"),
    ],
)
def test_broken_yaml_names_line_and_column(text: str, place: str, word: str) -> None:
    error = error_of(text)
    assert error.message.startswith(f"{place}: ")
    assert word in error.message


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "shop\n", "pipeline: shop\nstages:\n", "stages: []\n"])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    assert error_of(text).message.startswith("herodeploy.yml")


@given(st.text(alphabet="abc:-[]{}\n \t&*'\"#|>!x", max_size=60))
def test_whatever_is_written_the_answer_is_a_spec_or_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError):
        parse(text, "herodeploy.yml")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_values_of_any_kind_are_met_with_words(value: object) -> None:
    import json

    names_an_app = isinstance(value, list) and any(
        isinstance(each, str) and names.APP.fullmatch(each) for each in value
    )
    assume(not names_an_app and value != "stop")
    for text in (SHOP.replace("rollback", json.dumps(value)), SHOP.replace("[shop-staging]", json.dumps(value))):
        with pytest.raises(ConfigError):
            parse(text, "herodeploy.yml")


def test_a_missing_file_says_what_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"^herodeploy\.yml: there is no such file") as caught:
        load(tmp_path / "herodeploy.yml")
    assert caught.value.hint == "herodeploy init writes one"
    (tmp_path / "herodeploy.yaml").write_text(SHOP)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "herodeploy.yml")
    assert "rename herodeploy.yaml" in (caught.value.hint or "")


def test_bytes_that_are_no_text_are_told_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "herodeploy.yml").write_bytes(b"pipeline: shop\n# \xff\n")
    with pytest.raises(ConfigError, match=re.escape("herodeploy.yml:2: the file is not UTF-8 text")):
        load(tmp_path / "herodeploy.yml")


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "herodeploy.yml").write_text(SHOP, encoding="utf-8-sig")
    assert load(tmp_path / "herodeploy.yml").name == "shop"


@given(st.integers(min_value=1, max_value=300 * 86400))
def test_durations_survive_being_written(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert durations.parse(durations.write(length)) == length
