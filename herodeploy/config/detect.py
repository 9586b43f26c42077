"""What a repository is written in and how it starts and is tested; never invented, each answer has its evidence."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from herodeploy.config import appjson, names, procfile
from herodeploy.config.load import read_text, shown_path
from herodeploy.errors import ConfigError

Language = Literal["python", "node"]
PYTHON_FILES = ("requirements.txt", "pyproject.toml", "Pipfile", "poetry.lock", "uv.lock", "setup.py", "manage.py")
NPM_NO_TESTS = "no test specified"
SKIPPED = {"node_modules", "venv", ".venv", ".git", "site-packages", "build", "dist"}


@dataclass(frozen=True, slots=True)
class Findings:
    """What was seen in a repository.

    Parameters:
        name: a pipeline name made of the remote's or folder's name, or None when nothing valid is left of it.
        kind: what was recognised, for people: ``Django``, ``Node.js``; None when nothing was.
        processes: the Procfile to propose, by process type; empty when it is not certain.
        test: the command that runs the tests, or None when none was found.
        test_setup: what installs what the tests need beyond the app's own requirements.
        procfile, app_json: what stands there already, or None.
        notes: what a person should know, such as a requirement that is missing.
    """

    root: Path
    name: str | None
    language: Language | None = None
    kind: str | None = None
    processes: Mapping[str, str] = field(default_factory=dict)
    test: str | None = None
    test_setup: str | None = None
    procfile: Mapping[str, str] | None = None
    app_json: appjson.AppJson | None = None
    notes: tuple[str, ...] = ()


def look(root: Path, *, remote: str | None = None) -> Findings:
    """Look at the repository in `root`.

    Parameters:
        remote: its remote's URL; names the pipeline rather than the folder does.

    Raises:
        ConfigError: its Procfile, app.json, package.json or pyproject.toml is broken.
    """
    found = _python(root) or _node(root) or _Seen()
    there = procfile.parse(read_text(root / "Procfile"), "Procfile") if (root / "Procfile").exists() else None
    manifest = appjson.parse(read_text(root / "app.json"), "app.json") if (root / "app.json").exists() else None
    return Findings(
        root=root,
        name=pipeline_name(root, remote),
        language=found.language,
        kind=found.kind or ("Procfile" if there else None),
        processes=found.processes,
        test=(manifest.test_command if manifest else None) or found.test,
        test_setup=found.test_setup,
        procfile=there,
        app_json=manifest,
        notes=(*found.notes, *(manifest.unknown if manifest else ()), *_procfile_notes(there, found)),
    )


def pipeline_name(root: Path, remote: str | None) -> str | None:
    """Return a valid pipeline name from the remote's last part, else from the folder, that leaves room for stages."""
    room = 30 - len("-production")
    if remote:
        last = re.split(r"[/:\\]", remote.rstrip("/"))[-1].removesuffix(".git")
        if name := names.valid(last, room=room):
            return name
    return names.valid(root.resolve().name, room=room)


@dataclass(slots=True)
class _Seen:
    language: Language | None = None
    kind: str | None = None
    processes: dict[str, str] = field(default_factory=dict)
    test: str | None = None
    test_setup: str | None = None
    notes: list[str] = field(default_factory=list)


def _procfile_notes(there: Mapping[str, str] | None, found: _Seen) -> list[str]:
    if there is None:
        return []
    notes = []
    if "web" not in there:
        notes.append("the Procfile has no web process: the app will answer no requests")
    if "release" in found.processes and "release" not in there:
        notes.append(f"the Procfile has no release line; perhaps add `release: {found.processes['release']}`")
    return notes


def _python(root: Path) -> _Seen | None:
    if not any((root / name).exists() for name in PYTHON_FILES):
        return None
    wanted = _python_requirements(root)
    seen = _Seen("python", "Python")
    if (root / "manage.py").exists():
        _django(root, wanted, seen)
    else:
        _python_web(root, wanted, seen)
    _python_tests(root, wanted, seen)
    return seen


def _django(root: Path, wanted: str, seen: _Seen) -> None:
    seen.kind = "Django"
    module = _django_wsgi(root)
    if module is not None:
        seen.processes = {"web": f"gunicorn {module}", "release": "python manage.py migrate --noinput"}
        if not _requires(wanted, "gunicorn"):
            seen.notes.append("gunicorn is not among the requirements; the web process needs it: add it")
    seen.test = "python manage.py test"


def _django_wsgi(root: Path) -> str | None:
    """Return the dotted WSGI module: beside the settings that manage.py names, or the only one there is."""
    named = re.search(r"DJANGO_SETTINGS_MODULE['\"]\s*,\s*['\"]([\w.]+)['\"]", _text(root / "manage.py"))
    if named:
        parts = named[1].split(".")
        for length in range(len(parts) - 1, 0, -1):
            if Path(root, *parts[:length], "wsgi.py").exists():
                return ".".join([*parts[:length], "wsgi"])
    found = [path for path in root.glob("*/wsgi.py") if path.parent.name not in SKIPPED]
    return f"{found[0].parent.name}.wsgi" if len(found) == 1 else None


def _python_web(root: Path, wanted: str, seen: _Seen) -> None:
    for name in ("wsgi", "app", "main", "application"):
        text = _text(root / f"{name}.py")
        if made := re.search(r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:flask\.)?Flask\(", text, re.M):
            seen.kind = "Flask"
            _serve(seen, wanted, "gunicorn", f"gunicorn {name}:{made[1]}")
            return
        if made := re.search(r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:fastapi\.)?(FastAPI|Starlette)\(", text, re.M):
            seen.kind = made[2]
            _serve(seen, wanted, "uvicorn", f"uvicorn {name}:{made[1]} --host 0.0.0.0 --port $PORT")
            return
    text = _text(root / "wsgi.py")
    if made := re.search(r"^(?:def |)(application|app)\b", text, re.M):
        _serve(seen, wanted, "gunicorn", f"gunicorn wsgi:{made[1]}")


def _serve(seen: _Seen, wanted: str, server: str, command: str) -> None:
    seen.processes = {"web": command}
    if not _requires(wanted, server):
        seen.notes.append(f"{server} is not among the requirements; the web process needs it: add it")


def _python_tests(root: Path, wanted: str, seen: _Seen) -> None:
    if seen.kind == "Django" and not _requires(wanted, "pytest-django"):
        return
    extra = [
        path
        for path in (*sorted(root.glob("requirements*dev*.txt")), *sorted(root.glob("requirements*test*.txt")))
        if _requires(_text(path), "pytest")
    ]
    project = _toml(root / "pyproject.toml")
    configured = (
        "pytest" in project.get("tool", {}) or (root / "pytest.ini").exists() or (root / "conftest.py").exists()
    )
    if _requires(wanted, "pytest"):
        seen.test = "pytest"
    elif extra:
        seen.test, seen.test_setup = "pytest", f"pip install -r {extra[0].name}"
    elif configured:
        seen.test, seen.test_setup = "pytest", "pip install pytest"
    elif any("unittest" in _text(path) for path in (*root.glob("test*.py"), *root.glob("tests/test*.py"))):
        seen.test = "python -m unittest discover" + (
            " -s tests -t ." if (root / "tests").is_dir() else " -p 'test*.py'"
        )


def _python_requirements(root: Path) -> str:
    """Return all texts in which a requirement of the app itself may stand."""
    project = _toml(root / "pyproject.toml").get("project", {})
    dependencies = project.get("dependencies", []) if isinstance(project, dict) else []
    lines = [str(each) for each in dependencies] if isinstance(dependencies, list) else []
    return "\n".join([_text(root / "requirements.txt"), *lines, _text(root / "Pipfile")])


def _requires(text: str, package: str) -> bool:
    return re.search(rf"^\s*\"?{re.escape(package)}(?![\w.-])", text, re.M | re.I) is not None


def _node(root: Path) -> _Seen | None:
    path = root / "package.json"
    if not path.exists():
        return None
    seen = _Seen("node", "Node.js")
    scripts = _package(path).get("scripts")
    scripts = scripts if isinstance(scripts, dict) else {}
    if scripts.get("start"):
        seen.processes = {"web": "npm start"}
    elif (root / "server.js").exists():
        seen.processes = {"web": "node server.js"}
    test = scripts.get("test")
    if isinstance(test, str) and test and NPM_NO_TESTS not in test:
        seen.test = "npm test"
    if not any((root / lock).exists() for lock in ("package-lock.json", "yarn.lock", "pnpm-lock.yaml")):
        seen.notes.append("there is no lockfile; commit package-lock.json so that each build installs the same")
    return seen


def _package(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        message = f"broken JSON: {error.msg[0].lower()}{error.msg[1:]}"
        raise ConfigError(message, file=shown_path(path), line=error.lineno, column=error.colno) from None
    return read if isinstance(read, dict) else {}


def _toml(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"broken TOML: {error}", file=shown_path(path)) from None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
