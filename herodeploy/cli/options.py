"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SURROUNDINGS = "Surroundings"

Directory = Annotated[
    Path,
    typer.Option(
        "--directory",
        "-C",
        metavar="DIR",
        help="Work in this git repository instead of the current folder's.",
        rich_help_panel=SURROUNDINGS,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Read this file instead of herodeploy.yml at the repository's root.",
        envvar="HERODEPLOY_CONFIG",
        rich_help_panel=SURROUNDINGS,
    ),
]
Platform = Annotated[
    str | None,
    typer.Option(
        metavar="heroku|local",
        help="Use this platform instead of the one that herodeploy.yml names.",
        rich_help_panel=SURROUNDINGS,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.", rich_help_panel=SURROUNDINGS)]
Data = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder that holds the local platform; another folder is another platform.",
        envvar="HERODEPLOY_LOCAL_DATA",
        show_default="$XDG_STATE_HOME/herodeploy/local",
        rich_help_panel=SURROUNDINGS,
    ),
]
LockWait = Annotated[
    str | None,
    typer.Option(
        metavar="LENGTH",
        help="Wait so long, such as 10m, while another herodeploy works on the pipeline or a delivery holds the stage.",
        show_default="leave at once, saying who it is",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")]
HERE = Path()
