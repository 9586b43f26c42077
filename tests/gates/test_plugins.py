"""Gates of other packages: found when they are needed, checked, and named when they break."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.packages import lay_down

from herodeploy.config.load import parse
from herodeploy.config.schema import json_schema
from herodeploy.domain.gate import Answer, Facts, Observation, Question, Verdict
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import ConfigError, UsageError
from herodeploy.gates import api, plugins, registry
from herodeploy.gates.evaluate import evaluate, recheck_at

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
IMPORTS = "from herodeploy.gates.api import Answer, Cost, Gate, Verdict\n"
MOON = f"""\
{IMPORTS}
def ask(facts, spec, now):
    return Verdict("moon", Answer.PASS, f"the moon is {{spec.options.get('phase', 'new')}}")

GATE = Gate("moon", ask, options={{"phase", "moon"}})
"""
SHOP = """\
pipeline: shop
stages:
  production:
    apps: [shop]
    gates:
      - {gate}
"""
NUMBERS = itertools.count()
Bring = Callable[..., None]
MakeFacts = Callable[..., Facts]


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bring:
    """Install a package of that code for this test."""
    monkeypatch.setattr(plugins, "_found", {})

    def lay(code: str = MOON, kind: str = "moon", package: str = "acme-gates", at: str = "GATE") -> None:
        module = f"acme_gates_{next(NUMBERS)}"
        monkeypatch.syspath_prepend(lay_down(tmp_path / module, package, module, code, {kind: f"{module}:{at}"}))

    return lay


def read(gate: str) -> GateSpec:
    return parse(SHOP.replace("{gate}", gate), "herodeploy.yml").stages[0].gates[0]


def mistake(gate: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(gate)
    return caught.value


def test_what_authors_import_is_there() -> None:
    assert all(hasattr(api, name) for name in api.__all__)
    assert api.Gate is registry.Gate


def test_a_gate_of_a_package_is_asked_like_any_other(bring: Bring, facts: MakeFacts) -> None:
    bring()
    spec = read("moon: {phase: full, name: night}")
    assert (spec.kind, spec.name, dict(spec.options)) == ("moon", "night", {"name": "night", "phase": "full"})
    verdict = evaluate(facts(spec, mode=Mode.DEPLOYMENT), NOON)[-1]
    assert (verdict.kind, verdict.name, verdict.answer) == ("moon", "night", "PASS")
    assert verdict.reason == "the moon is full"
    assert read("moon") == read("moon:") == GateSpec("moon")


def test_no_package_is_looked_at_for_gates_of_our_own(bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    bring("raise SystemExit(3)", kind="approval")
    monkeypatch.setattr(plugins, "find", None)
    monkeypatch.setattr(plugins, "kinds", None)
    assert read("approval").kind == "approval"
    assert registry.gate("approval") is registry.GATES["approval"]


@pytest.mark.parametrize(
    ("gate", "message", "hint"),
    [
        ("moon: {fase: full}", "gates[0].moon.fase is no option of gate 'moon'", "did you mean 'phase'?"),
        ("moon: full", "gates[0].moon is 'full'; it must be a mapping", None),
        ("moon: {name: 3}", "name is 3; it must be text", "put it in quotes"),
        ("mon", "unknown gate 'mon' in stages.production.gates[0]", "did you mean 'moon'?"),
    ],
)
def test_a_mistake_names_place_value_and_way_out(bring: Bring, gate: str, message: str, hint: str | None) -> None:
    bring()
    error = mistake(gate)
    assert error.message.startswith("herodeploy.yml:6: ")
    assert message in error.message
    assert hint is None or hint in (error.hint or "")


MODEL = f"""\
{IMPORTS}
from pydantic import BaseModel, ConfigDict, Field, field_validator

class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    phase: str
    nights: list[int] = Field(default=[1], max_length=3)

    @field_validator("phase")
    @classmethod
    def _known(cls, value):
        if value == "blue":
            raise ValueError("Moons are never blue")
        if value == "dark":
            raise RuntimeError("eclipse")
        return value

def ask(facts, spec, now):
    return Verdict("moon", Answer.PASS, "fine")

GATE = Gate("moon", ask, model=Options)
"""


@pytest.mark.parametrize(
    ("gate", "message", "hint"),
    [
        ("moon", "gates[0].moon.phase is missing", None),
        ("moon: {phase: blue}", "gates[0].moon.phase is 'blue': moons are never blue", None),
        ("moon: {phase: full, nights: [1, x]}", "moon.nights[1] is 'x': input should be a valid integer", None),
        ("moon: {phase: full, night: 1}", "moon.night is no option of gate 'moon'", "did you mean 'nights'?"),
        ("moon: {phase: dark}", "gates[0] cannot be read: gate 'moon' broke: RuntimeError: eclipse", None),
    ],
)
def test_options_are_checked_by_the_packages_model(bring: Bring, gate: str, message: str, hint: str | None) -> None:
    bring(MODEL)
    assert read("moon: {phase: full, name: x}").options == {"name": "x", "phase": "full"}
    error = mistake(gate)
    assert error.message.startswith("herodeploy.yml:6: stages.production.")
    assert message in error.message
    assert hint is None or hint in (error.hint or "")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("x = (", "SyntaxError"),
        ("OTHER = 1", "AttributeError"),
        ("GATE = print", "its entry point names a builtin_function_or_method, not a herodeploy.gates.api.Gate"),
        (f"{IMPORTS}GATE = Gate('sun', print)", "it calls itself 'sun'"),
        (f"{IMPORTS}GATE = Gate('moon', None)", "its ask and look must be functions"),
        (f"{IMPORTS}GATE = Gate('moon', print, look=3)", "its ask and look must be functions"),
        (f"{IMPORTS}GATE = Gate('moon', print, cost=9)", "its cost is 9, not one of herodeploy.gates.api.Cost"),
        (f"{IMPORTS}GATE = Gate('moon', print, look=print)", "it has a look, so its cost must be Cost.LOOKS"),
        (f"{IMPORTS}GATE = Gate('moon', print, options='phase')", "its options must be a set of names"),
        (f"{IMPORTS}GATE = Gate('moon', print, model=dict)", "its model is no pydantic model"),
    ],
)
def test_one_that_cannot_be_used_is_named_with_its_package(bring: Bring, code: str, why: str) -> None:
    bring(code)
    error = mistake("moon")
    assert error.message.startswith(
        f"herodeploy.yml:6: stages.production.gates[0] cannot be read: "
        f"gate 'moon' of package acme-gates 1.2 cannot be used: {why}"
    )
    assert error.hint == "repair the package, or remove it"
    with pytest.raises(UsageError, match=r"acme-gates 1\.2"):
        registry.gate("moon")


def test_two_packages_with_one_kind_are_both_named(bring: Bring) -> None:
    bring()
    bring(package="other-gates")
    assert "several packages bring a gate 'moon'" in mistake("moon").message
    assert "acme-gates 1.2" in mistake("moon").message
    assert "other-gates 1.2" in mistake("moon").message


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("raise ValueError('no moon')", "ValueError: no moon"),
        ("raise SystemExit", "SystemExit"),
        ("return None", "it answered with no verdict of PASS, WAIT or FAIL"),
        ("return Verdict('moon', 'MAYBE', 'x')", "it answered with no verdict of PASS, WAIT or FAIL"),
        ("return Verdict('moon', Answer.OVERRIDDEN, 'x')", "it answered with no verdict of PASS, WAIT or FAIL"),
        ("return Verdict('moon', Answer.PASS, '')", "its verdict has no reason"),
        ("return Verdict('moon', Answer.WAIT, 'x', until=now.replace(tzinfo=None))", "no datetime with a time zone"),
        ("return Verdict('moon', Answer.PASS, 'x', facts={'at': now})", "its facts must be plain JSON values"),
        ("return Verdict('moon', Answer.PASS, 'x', facts={'n': float('nan')})", "its facts must be plain JSON values"),
        ("return Verdict('moon', Answer.PASS, '\\n')", "its verdict has no reason"),
        ("raise ValueError('no\\0 moon\\n' + 'x' * 9999)", "ValueError: no moon xxxx"),
        ("return Verdict('moon', Answer.WAIT, 'x', facts={'look_again_at': 'soon'})", "is no time in ISO 8601"),
        ("return Verdict('moon', Answer.WAIT, 'x', facts={'look_again_at': '2026-11-23T12:00'})", "has no time zone"),
    ],
)
def test_one_that_breaks_waits_and_is_named(bring: Bring, facts: MakeFacts, body: str, why: str) -> None:
    bring(f"{IMPORTS}def ask(facts, spec, now):\n    {body}\n\nGATE = Gate('moon', ask)\n")
    verdict = evaluate(facts(GateSpec("moon"), mode=Mode.DEPLOYMENT), NOON)[-1]
    assert verdict.answer is Answer.WAIT
    assert verdict.reason.startswith("gate 'moon' of package acme-gates 1.2 broke: ")
    assert why in verdict.reason
    assert verdict.until == NOON + timedelta(minutes=1)


@pytest.mark.parametrize(("said", "again"), [("PASS", None), ("WAIT", NOON), ("FAIL", None)])
def test_an_answer_may_be_its_word(bring: Bring, facts: MakeFacts, said: str, again: datetime | None) -> None:
    answer = f"Verdict('moon', '{said}', 'it is', until=now, actor='me', comment=1, said='x')"
    bring(f"{IMPORTS}GATE = Gate('moon', lambda facts, spec, now: {answer})\n")
    verdicts = evaluate(facts(GateSpec("moon"), mode=Mode.DEPLOYMENT), NOON)
    assert verdicts[-1] == Verdict("moon", Answer(said), "it is", NOON, name="moon")
    assert verdicts[-1].answer is Answer(said)
    assert recheck_at(verdicts) == again


def test_a_reason_is_a_line_that_can_be_kept_and_shown(bring: Bring, facts: MakeFacts) -> None:
    reason = "'\\x1b[2Jdark\\0\\ud800\\n' + 'x' * 9999"
    bring(f"{IMPORTS}GATE = Gate('moon', lambda *_: Verdict('moon', Answer.PASS, {reason}))\n")
    said = evaluate(facts(GateSpec("moon"), mode=Mode.DEPLOYMENT), NOON)[-1].reason
    assert (said[:10], len(said), said.isprintable()) == ("[2Jdark xx", plugins.LONGEST, True)


def test_what_it_prints_is_no_part_of_the_result(
    bring: Bring, facts: MakeFacts, capsys: pytest.CaptureFixture[str]
) -> None:
    bring(
        f"{IMPORTS}print('loaded')\n"
        "def ask(*_):\n    print('asked')\n    return Verdict('moon', Answer.PASS, 'full')\n"
        "def look(_):\n    print('looked')\n    return {}\n"
        "GATE = Gate('moon', ask, cost=Cost.LOOKS, look=look)\n"
    )
    look = registry.gate("moon").look
    assert look is not None
    look(Question(facts(), GateSpec("moon"), None, NOON))
    evaluate(facts(GateSpec("moon"), mode=Mode.DEPLOYMENT), NOON)
    printed = capsys.readouterr()
    assert (printed.out, printed.err.split()) == ("", ["loaded", "looked", "asked"])


def test_one_that_never_ends_holds_nobody_up(bring: Bring, facts: MakeFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "WITHIN", timedelta(milliseconds=10))
    bring(
        f"{IMPORTS}import threading\n"
        "def look(question):\n    question.spec.options['until'].wait()\n    return {'phase': 'full'}\n"
        "GATE = Gate('moon', print, cost=Cost.LOOKS, look=look)\n"
    )
    until = threading.Event()
    look, question = registry.gate("moon").look, Question(facts(), GateSpec("moon", {"until": until}), None, NOON)
    assert look is not None
    with pytest.raises(UsageError, match=r"acme-gates 1\.2 broke: it looked for more than"):
        look(question)
    with pytest.raises(UsageError, match=r"acme-gates 1\.2 looks still"):
        look(question)
    [stray] = [each for each in threading.enumerate() if isinstance(each, plugins._Looking)]
    until.set()
    stray.join()
    monkeypatch.setattr(plugins, "WITHIN", timedelta(minutes=1))
    assert look(question) == {"phase": "full"}


def test_a_look_gives_plain_values(bring: Bring, facts: MakeFacts) -> None:
    bring(
        f"{IMPORTS}GATE = Gate('moon', print, cost=Cost.LOOKS, look=lambda question: question.spec.options['seen'])\n"
    )
    look = registry.gate("moon").look
    assert look is not None

    def seen(value: Any) -> Any:
        return look(Question(facts(), GateSpec("moon", {"seen": value}), None, NOON))

    assert seen({"a": (1, 2)}) == {"a": [1, 2]}
    with pytest.raises(UsageError, match=r"acme-gates 1\.2 broke: its look must be plain JSON values"):
        seen({"at": NOON})


def test_facts_are_kept_as_they_were_observed(facts: MakeFacts) -> None:
    spec = GateSpec("moon", {"name": "night"})
    observed = Observation(NOON, {"phase": "full"})
    assert facts(observations={spec.memory: observed}).observed(spec) == observed
    assert isinstance(Verdict("moon", Answer.PASS, "x"), api.Verdict)


def test_the_schema_allows_kinds_that_it_cannot_know() -> None:
    from jsonschema import Draft202012Validator

    schema = Draft202012Validator(json_schema())

    def valid(gate: object) -> bool:
        stages = {"production": {"apps": ["shop"], "gates": [gate]}}
        return schema.is_valid({"pipeline": "shop", "stages": stages})

    assert valid({"moon": {"phase": "full"}})
    assert valid({"moon": None})
    assert valid("moon")
    assert not valid({"moon": 3})
    assert not valid({"moon": {}, "sun": {}})
    assert not valid({"approval": {"count": 0}})
