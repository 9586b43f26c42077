"""Habits of the code that no linter knows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "herodeploy"
HEAVY = {"dbos", "github", "sqlalchemy", "requests", "starlette", "pydantic", "heroku3", "alembic", "uvicorn", "yaml"}


def test_no_module_of_the_package_looks_like_a_test() -> None:
    assert not list(PACKAGE.rglob("test_*.py"))


def test_only_the_console_prints() -> None:
    printing = [
        path.relative_to(PACKAGE)
        for path in PACKAGE.rglob("*.py")
        if "\n        print(" in (text := path.read_text()) or "\n    print(" in text
    ]
    assert [path for path in printing if path.parts[0] not in ("demo", "local")] == [Path("cli/console.py")]


def test_the_version_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['herodeploy', '--version']\n"
        "from herodeploy.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    version, *modules = said.split("\n")
    assert version.startswith("herodeploy ")
    assert HEAVY.isdisjoint(name.split(".")[0] for name in modules[0].split())
