"""``herodeploy demo``: the guided tour."""

from __future__ import annotations

from typing import Annotated

import typer

demo = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@demo.command("demo")
def run(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the platform running and the repository in place.")
    ] = False,
) -> None:
    """Watch a real change travel from a branch to production on a local platform of its own.

    Every claim that the tour prints is checked by the tour; exit code 1 when one does not hold.
    """
    from herodeploy.demo import tour

    raise typer.Exit(tour.main(keep=keep))
