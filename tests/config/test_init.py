"""What is seen in a repository, and that the files made of it load."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from herodeploy.config import appjson, procfile
from herodeploy.config.detect import Findings, look, pipeline_name
from herodeploy.config.load import parse
from herodeploy.config.proposal import Answers, app_name, ci_is_off, proposal
from herodeploy.errors import ConfigError


def repository(root: Path, files: dict[str, str]) -> Findings:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return look(root)


def answers(findings: Findings, **changes: object) -> Answers:
    values: dict[str, object] = {
        "pipeline": "shop",
        "platform": "local",
        "staging": ("shop-staging",),
        "production": ("shop-production",),
        "test": findings.test,
        "branch": "main",
    }
    return Answers(**values | changes)  # type: ignore[arg-type]


DJANGO = {
    "manage.py": 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "getting.settings.production")\n',
    "getting/wsgi.py": "",
    "requirements.txt": "django>=5\ngunicorn==23\n",
}


def test_django(tmp_path: Path) -> None:
    found = repository(tmp_path, DJANGO)
    assert (found.kind, found.test, found.notes) == ("Django", "python manage.py test", ())
    assert found.processes == {"web": "gunicorn getting.wsgi", "release": "python manage.py migrate --noinput"}


def test_django_without_gunicorn_or_clear_module(tmp_path: Path) -> None:
    files = DJANGO | {"requirements.txt": "django\ngunicorn-extras\n"}
    assert "gunicorn is not among" in repository(tmp_path, files).notes[0]
    (tmp_path / "manage.py").write_text("")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "wsgi.py").write_text("")
    assert look(tmp_path).processes == {}


def test_an_existing_procfile_is_kept_and_its_gaps_are_told(tmp_path: Path) -> None:
    found = repository(tmp_path, DJANGO | {"Procfile": "worker: python work.py\n"})
    assert any("no web process" in note for note in found.notes)
    assert any("release: python manage.py migrate" in note for note in found.notes)
    assert tmp_path / "Procfile" not in proposal(found, answers(found))
    assert tmp_path / "Procfile" not in proposal(found, answers(found, force=True)), "it is how the app runs today"
    given = proposal(found, answers(found, web="./serve", force=True))
    assert given[tmp_path / "Procfile"] == "worker: python work.py\nweb: ./serve\n"


@pytest.mark.parametrize(
    ("files", "web"),
    [
        ({"app.py": "server = Flask(__name__)\n", "requirements.txt": "flask\ngunicorn"}, "gunicorn app:server"),
        (
            {"main.py": "app: FastAPI = FastAPI()\n", "requirements.txt": "fastapi\nuvicorn[standard]"},
            "uvicorn main:app --host 0.0.0.0 --port $PORT",
        ),
        ({"wsgi.py": "def application(environ, start_response): ...\n", "setup.py": ""}, "gunicorn wsgi:application"),
        ({"package.json": '{"scripts": {"start": "node ."}}'}, "npm start"),
        ({"package.json": "{}", "server.js": ""}, "node server.js"),
        ({"package.json": "{}"}, None),
        ({"requirements.txt": "numpy\n"}, None),
        ({"README": ""}, None),
    ],
)
def test_how_it_starts_is_never_invented(tmp_path: Path, files: dict[str, str], web: str | None) -> None:
    assert repository(tmp_path, files).processes.get("web") == web


@pytest.mark.parametrize(
    ("files", "test", "setup"),
    [
        ({"requirements.txt": "pytest"}, "pytest", None),
        ({"requirements.txt": "", "requirements-dev.txt": "pytest"}, "pytest", "pip install -r requirements-dev.txt"),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, "pytest", "pip install pytest"),
        ({"pyproject.toml": '[project]\ndependencies = ["pytest>=8"]\n'}, "pytest", None),
        ({"setup.py": "", "tests/test_a.py": "import unittest"}, "python -m unittest discover -s tests -t .", None),
        ({"requirements.txt": "", "test_nothing.py": ""}, None, None),
        ({"package.json": '{"scripts": {"test": "jest"}}'}, "npm test", None),
        ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'}, None, None),
        (
            {"app.json": '{"environments": {"test": {"scripts": {"test": "make t"}}}}', "requirements.txt": "pytest"},
            "make t",
            None,
        ),
        (DJANGO | {"requirements.txt": "django\npytest-django\npytest"}, "pytest", None),
    ],
)
def test_how_it_is_tested(tmp_path: Path, files: dict[str, str], test: str | None, setup: str | None) -> None:
    found = repository(tmp_path, files)
    assert (found.test, found.test_setup) == (test, setup)


@pytest.mark.parametrize("files", [DJANGO, {"package.json": '{"scripts": {"start": "x", "test": "y"}}'}, {"x": ""}])
@pytest.mark.parametrize("branch", ["main", "on", "feature/x-1", None, "we: ird"])
def test_what_is_proposed_loads(tmp_path: Path, files: dict[str, str], branch: str | None) -> None:
    found = repository(tmp_path, files)
    texts = {path.name: text for path, text in proposal(found, answers(found, web="./serve", branch=branch)).items()}
    spec = parse(texts["herodeploy.yml"], "herodeploy.yml")
    assert spec.first.branch == branch
    assert spec.ci.provider == ("heroku" if found.test else "none")
    assert procfile.parse(texts["Procfile"])["web"]
    manifest = appjson.parse(texts["app.json"])
    assert manifest.unknown == ()
    assert manifest.test_command == found.test
    assert max(map(len, texts["herodeploy.yml"].splitlines())) <= 120


def test_an_app_json_without_tests_is_left_alone_unless_forced(tmp_path: Path) -> None:
    found = repository(tmp_path, DJANGO | {"app.json": '{"name": "shop", "env": {"A": "1"}}'})
    files = proposal(found, answers(found))
    assert tmp_path / "app.json" not in files
    assert ci_is_off(found, answers(found))
    assert parse(files[tmp_path / "herodeploy.yml"], "x").ci.provider == "none"
    forced = proposal(found, answers(found, force=True))
    assert proposal(found, answers(found, amend=True)) == forced, "a person who was asked may agree to it"
    assert json.loads(forced[tmp_path / "app.json"]) == {
        "name": "shop",
        "env": {"A": "1"},
        "environments": {"test": {"scripts": {"test": "python manage.py test"}}},
    }
    assert parse(forced[tmp_path / "herodeploy.yml"], "x").ci.provider == "heroku"


@pytest.mark.parametrize(
    ("remote", "folder", "name"),
    [
        ("git@example.com:acme/The_Shop.git", "x", "the-shop"),
        ("https://example.com/acme/shop/", "x", "shop"),
        (None, "2024 Shop!", "shop"),
        ("https://example.com/42", "my.shop", "my-shop"),
        (None, "a-very-long-name-that-goes-on-and-on", "a-very-long-name"),
        (None, "python-getting-started", "python-getting"),
        (None, "one-two-three-four1-five", "one-two-three-four1"),
        (None, "incomprehensibilities-of-all", "incomprehensibiliti"),
        (None, "42", None),
    ],
)
def test_the_pipelines_name(tmp_path: Path, remote: str | None, folder: str, name: str | None) -> None:
    assert pipeline_name(tmp_path / folder, remote) == name


def test_app_names_fit() -> None:
    assert app_name("shop", "staging") == "shop-staging"
    assert len(app_name("s" * 30, "production")) == 30


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("package.json", "{", "broken JSON"),
        ("pyproject.toml", "[x", "broken TOML"),
        ("Procfile", "web", "Procfile:1"),
        ("app.json", "{", "app.json:1"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        repository(tmp_path, {name: text})
