"""The ``herodeploy`` command: topics are loaded when they are asked for, and no traceback reaches anybody."""

from __future__ import annotations

import difflib
import importlib
import os
import re
import sys
import threading
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from herodeploy import __version__
from herodeploy.cli import console
from herodeploy.errors import ExitCode, HerodeployError, Interrupted

TOPICS = {
    "init": "init",
    "apply": "apply",
    "deliver": "deliver",
    "resume": "deliver",
    "worker": "worker",
    "status": "status",
    "why": "gates",
    "approve": "approve",
    "reject": "approve",
    "override": "gates",
    "mode": "mode",
    "promote": "promote",
    "rollback": "rollback",
    "lock": "lock",
    "unlock": "lock",
    "locks": "lock",
    "resume-auto": "gates",
    "history": "history",
    "targets": "targets",
    "review": "review",
    "ci": "ci",
    "local": "local",
    "demo": "demo",
    "docs": "docs",
}
"""Each command and the module that has it."""

# typer carries click inside in some versions and beside it in others; its own name leads to either.
UsageProblem: Any = typer.BadParameter.__bases__[0]
ClickProblem: Any = UsageProblem.__bases__[0]


class Topics(TyperGroup):
    """The commands, each imported when it is used or listed."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands in the order of a pipeline's life."""
        return list(TOPICS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - click's signature
        """Return one command, or None."""
        if cmd_name not in TOPICS:
            return None
        module = importlib.import_module(f"herodeploy.cli.{TOPICS[cmd_name]}")
        command: Any = typer.main.get_command(getattr(module, cmd_name.replace("-", "_")))
        command.name = cmd_name
        _let_flow(command)
        return command


def _let_flow(command: Any) -> None:
    """Leave the breaking of help texts into lines to the terminal, but for their paragraphs."""
    command.help = re.sub(r"(?<!\n)\n(?!\n)", " ", command.help or "")
    for below in getattr(command, "commands", {}).values():
        _let_flow(below)


app = typer.Typer(cls=Topics, no_args_is_help=True, pretty_exceptions_enable=False)


def _version(wanted: bool) -> None:
    if wanted:
        console.say(f"herodeploy {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[  # `main` takes it out, wherever it stands
        bool, typer.Option("--debug", help="Show the traceback of an error; also after a command.")
    ] = False,
) -> None:
    """Carry changes through Heroku Pipelines: review app, CI, staging, gates, production.

    Begin in your repository with: herodeploy init, then apply, then deliver.
    """


def main() -> None:
    """Run the command line and leave with its exit code."""
    arguments, debug = _without_debug(sys.argv[1:])
    try:
        code = run(arguments, debug=debug)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    _leave(code)


def run(arguments: list[str], *, debug: bool = False) -> int:
    """Run one command and return its exit code.

    Parameters:
        debug: show the traceback of an error.
    """
    console.set_up()
    try:
        result = typer.main.get_command(app).main(arguments, prog_name="herodeploy", standalone_mode=False)
        return result if isinstance(result, int) else ExitCode.YES
    except Exception as error:  # noqa: BLE001 - every error ends here, as words and an exit code
        return _fail(error, debug=debug)
    except KeyboardInterrupt as error:
        return _fail(Interrupted("interrupted").with_traceback(error.__traceback__), debug=debug)
    finally:
        console.close()


def _fail(error: Exception, *, debug: bool) -> int:
    if isinstance(error, BrokenPipeError):
        # Whoever read our output has seen enough, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.YES
    if debug:
        console.traceback(error)
    if isinstance(error, HerodeployError):
        console.error(*error.lines, hint=error.hint)
        return error.exit_code
    if isinstance(error, typer.Abort):
        console.info("")  # the cursor stands behind a question
        console.error("interrupted")
        return ExitCode.INTERRUPTED
    if isinstance(error, ClickProblem):
        return _usage(error)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        console.error(f"{place}{error.strerror or error}", hint="see what the system says about that file or device")
        return ExitCode.PLATFORM
    console.error(
        f"herodeploy met a fault of its own: {type(error).__name__}: {error}",
        hint="run the same command with --debug for the traceback, and report it",
    )
    return ExitCode.PLATFORM


def _usage(error: Any) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "herodeploy"
    message = error.format_message().rstrip(".").replace("Value error, ", "")
    if type(error).__name__ == "NoArgsIsHelpError":
        # Drawn by rich it is printed already, and the message is empty.
        for line in message.splitlines():
            console.say(line)
    else:
        console.error(message, hint=_meant(message) or f"see: {path} --help")
    return ExitCode.USAGE


def _meant(message: str) -> str | None:
    word = message.removeprefix("No such command ").strip("'\"")
    close = difflib.get_close_matches(word, TOPICS, n=1) if word != message else []
    return f"did you mean: herodeploy {close[0]}" if close else None


def _without_debug(arguments: list[str]) -> tuple[list[str], bool]:
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    kept = [each for each in ours if each != "--debug"] + arguments[len(ours) :]
    return kept, "--debug" in ours or bool(os.environ.get("HERODEPLOY_DEBUG"))


def _leave(code: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or ExitCode.PLATFORM
    if any(thread is not threading.current_thread() and not thread.daemon for thread in threading.enumerate()):
        # A leg that was cut would keep the process until the platform answers it; its work is recorded.
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
