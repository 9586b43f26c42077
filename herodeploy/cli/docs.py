"""``herodeploy docs``: the generated documents of herodeploy's own repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from herodeploy.cli import console
from herodeploy.cli.options import HERE, Directory
from herodeploy.errors import Refused

docs = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@docs.command("docs", hidden=True)
def run(
    directory: Directory = HERE,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit code 1 when one is stale.")] = False,
) -> None:
    """Write docs/configuration.md, docs/cli.md and docs/herodeploy.schema.json anew."""
    stale = [path for path, text in documents(directory).items() if not _same(path, text)]
    if check and stale:
        names = ", ".join(str(path) for path in stale)
        raise Refused(f"stale: {names}", hint="write them anew: herodeploy docs")
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(documents(directory)[path], encoding="utf-8")
        console.say(f"wrote {path}")


def documents(root: Path) -> dict[Path, str]:
    """Return the generated documents by path."""
    from herodeploy.cli import reference as commands
    from herodeploy.config import reference as configuration
    from herodeploy.config import schema

    folder = root / "docs"
    return {
        folder / "configuration.md": configuration.markdown(),
        folder / "cli.md": commands.markdown(),
        folder / "herodeploy.schema.json": json.dumps(schema.json_schema(), indent=2) + "\n",
    }


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text
