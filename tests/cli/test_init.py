"""``herodeploy init`` as a person runs it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from herodeploy.config.load import load
from herodeploy.config.procfile import parse

Shell = Any


def django(shell: Shell) -> None:
    shell.write(
        manage_dot_py='os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n',
        requirements_dot_txt="django\ngunicorn\n",
    )
    (shell.root / "shop").mkdir()
    (shell.root / "shop" / "wsgi.py").touch()


def test_it_writes_what_it_sees(repository: Shell) -> None:
    django(repository)
    ended = repository("init", "--platform", "local", "--yes")
    assert (ended.code, ended.out) == (0, "wrote herodeploy.yml\nwrote Procfile\nwrote app.json\n")
    assert ended.err.startswith("shop: Django\n")
    spec = load(repository.root / "herodeploy.yml")
    assert (spec.name, spec.platform, spec.first.branch) == ("shop", "local", "main")
    assert [stage.apps for stage in spec.stages] == [("shop-staging",), ("shop-production",)]
    assert parse((repository.root / "Procfile").read_text())["web"] == "gunicorn shop.wsgi"
    tests = json.loads((repository.root / "app.json").read_text())["environments"]["test"]["scripts"]
    assert tests == {"test": "python manage.py test"}


def test_the_pipeline_is_named_and_not_the_folder(repository: Shell) -> None:
    django(repository)
    repository.git("remote", "add", "origin", "https://git.example.com/ann/market.git")
    assert repository("init", "--yes").err.startswith("market: Django\n")
    assert load(repository.root / "herodeploy.yml").name == "market"
    assert repository("init", "--yes", "--force", "--name", "fair").err.startswith("fair: Django\n")


def test_nothing_is_replaced_without_force(repository: Shell) -> None:
    repository.write(herodeploy_dot_yml="mine\n", Procfile="web: mine\n", app_dot_json='{"name": "mine"}')
    ended = repository("init", "--yes")
    assert (ended.code, "--force" in ended.err) == (2, True)
    assert (repository.root / "herodeploy.yml").read_text() == "mine\n"
    forced = repository("init", "--yes", "--force")
    assert forced.out == "wrote herodeploy.yml\n"
    assert (repository.root / "Procfile").read_text() == "web: mine\n"


def test_flags_say_everything(repository: Shell) -> None:
    ended = repository(
        *("init", "--json", "--name", "market", "--platform", "heroku", "--staging", "market-try"),
        *("--production", "market-eu", "--production", "market-us", "--branch", "trunk", "--web", "./serve $PORT"),
        *("--test", "make test", "--verify", "/healthz", "--mode", "deployment"),
    )
    assert ended.code == 0
    assert json.loads(ended.out)["written"] == ["herodeploy.yml", "Procfile", "app.json"]
    spec = load(repository.root / "herodeploy.yml")
    assert (spec.name, spec.mode, spec.first.branch) == ("market", "deployment", "trunk")
    assert spec.stages[-1].apps == ("market-eu", "market-us")
    assert spec.first.verify is not None
    assert spec.first.verify.path == "/healthz"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "there is no Procfile, and nothing in the repository says how the app starts"),
        (["--web", "x", "--name", "Shop!"], "pipeline is 'Shop!', a pipeline name that Heroku refuses"),
        (["--web", "x", "--staging", "s"], "stages.staging.apps[0] is 's', an app name that Heroku refuses"),
        (["--web", "x", "--mode", "fast"], "mode is 'fast'"),
        (["--web", "x", "--platform", "mars"], "platform is 'mars'"),
        (["--web", "x", "--verify", "healthz"], "must begin with /"),
    ],
)
def test_what_cannot_be_is_met_before_anything_is_written(repository: Shell, flags: list[str], message: str) -> None:
    ended = repository("init", "--yes", *flags)
    assert (ended.code, message in ended.err) == (2, True), ended.err
    assert [path.name for path in repository.root.iterdir()] == [".git"]


def test_a_person_is_asked(repository: Shell, terminal: Callable[..., tuple[str, int]]) -> None:
    argv = [sys.executable, "-m", "herodeploy", "init"]
    typed = b"market\n./serve $PORT\nlocal\n\n"
    drawn, code = terminal(80, argv, typed, repository.root)
    assert code == 0, drawn
    assert "Pipeline name [shop]" in drawn
    spec = load(repository.root / "herodeploy.yml")
    assert (spec.name, spec.platform, spec.ci.provider) == ("market", "local", "none")
    assert (repository.root / "Procfile").read_text() == "web: ./serve $PORT\n"


def test_an_answer_that_cannot_be_is_told_at_once(repository: Shell, terminal: Callable[..., tuple[str, int]]) -> None:
    argv = [sys.executable, "-m", "herodeploy", "init", "--web", "x"]
    drawn, code = terminal(100, argv, b"Market!\nmarket\nhere\nlocal\n\n", repository.root)
    assert code == 0, drawn
    assert "'Market!' is no pipeline name: 3 to 30 small letters, digits and dashes" in drawn
    assert "'here' is neither heroku nor local" in drawn
    spec = load(repository.root / "herodeploy.yml")
    assert (spec.name, spec.platform) == ("market", "local")


def test_a_test_command_that_a_person_gives_is_put_into_app_json_if_they_agree(
    repository: Shell, terminal: Callable[..., tuple[str, int]]
) -> None:
    repository.write(Procfile="web: node index.js\n", app_dot_json='{"name": "Sample", "keywords": ["node"]}')
    argv = [sys.executable, "-m", "herodeploy", "init"]
    for agrees, provider in (b"n\n", "none"), (b"y\n", "heroku"):
        drawn, code = terminal(100, argv, b"\nlocal\nnode --check index.js\n" + agrees, repository.root)
        assert code == 0, drawn
        assert "app.json names no tests. Add `node --check index.js` to it?" in drawn
        assert load(repository.root / "herodeploy.yml").ci.provider == provider
        (repository.root / "herodeploy.yml").unlink()
    assert json.loads((repository.root / "app.json").read_text()) == {
        "name": "Sample",
        "keywords": ["node"],
        "environments": {"test": {"scripts": {"test": "node --check index.js"}}},
    }
