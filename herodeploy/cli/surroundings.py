"""What a command works with: the services around a repository, and a local platform that starts when it is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from herodeploy.cli import console
from herodeploy.errors import Busy, HerodeployError, Occupied, PlatformError, Refused

if TYPE_CHECKING:
    from herodeploy.app import Services
    from herodeploy.domain.secret import Secret
    from herodeploy.local.control import Running

T = TypeVar("T")


@contextmanager
def services_of(directory: Path, config: Path | None, platform: str | None) -> Iterator[Services]:
    """Open the services for the repository around `directory`; they are closed with the block.

    Raises:
        ConfigError: herodeploy.yml says something that cannot be.
        RepositoryError: there is no usable git repository.
    """
    from herodeploy.app import open_services

    services = open_services(
        directory,
        report=console.report,
        config=config,
        platform=platform,
        local_address=local_address,
        ask_code=console.ask_code if console.someone_is_there() else None,
    )
    try:
        yield services
    finally:
        services.close()


def local_address() -> tuple[str, Secret]:
    """Return the local platform's address and token; start it when it does not run."""
    from herodeploy.domain.secret import Secret

    running = start_local(data_folder(None))
    return running.url, Secret(running.token)


def data_folder(given: Path | None) -> Path:
    """Return the folder that holds the local platform: as given, as HERODEPLOY_LOCAL_DATA says, or the usual one."""
    from herodeploy.local import control

    named = os.environ.get("HERODEPLOY_LOCAL_DATA")
    return (given or (Path(named) if named else control.default_data())).expanduser().absolute()


def start_local(data: Path, port: int | None = None) -> Running:
    """Return the local platform of a folder, started when it does not run.

    Raises:
        PlatformError: it cannot start.
    """
    from herodeploy.local import control

    with local_errors():
        if (running := control.find(data)) is not None and port in (None, running.port):
            return running
        running = control.start(data, port)
    console.info(f"the local platform runs at {running.url}")
    if running.not_isolated:
        console.info(f"its builds and dynos are not isolated: {running.not_isolated}")
    return running


@contextmanager
def local_errors() -> Iterator[None]:
    """Turn the local platform's own errors into ours."""
    from herodeploy.local import control

    try:
        yield
    except control.ControlError as error:
        raise PlatformError(error.message, hint=error.hint) from error


@contextmanager
def in_turn(work: AbstractContextManager[T], command: str, *, may_wait: bool = False) -> Iterator[T]:
    """Enter what one herodeploy at a time may do on a pipeline; while another one is at it, say when to come back.

    Parameters:
        command: what to run again then.
        may_wait: whether that command takes ``--lock-wait``.

    Raises:
        Busy: another one works on the pipeline.
    """
    with ExitStack() as stack:
        try:
            entered = stack.enter_context(work)
        except Busy as busy:
            hint = f"wait for it to end, or stop it with Ctrl-C; then again: {command}"
            hint += " (--lock-wait 10m waits for it)" if may_wait else ""
            raise Busy(busy.message, hint=hint) from busy
        yield entered


@contextmanager
def resumable(what: str, *, will_wait: bool = False) -> Iterator[None]:
    """Say how to go on when the block is cut by Ctrl-C, the platform or the network.

    Parameters:
        will_wait: whether it goes on by itself once a stage is free that a delivery holds.
    """
    try:
        yield
    except KeyboardInterrupt:
        console.warn(f"{what} is kept as it stands; carry it on: herodeploy resume")
        raise
    except Refused:
        raise
    except HerodeployError as error:
        if will_wait and isinstance(error, Occupied):
            raise
        if isinstance(error, PlatformError) or error.exit_code == PlatformError.exit_code:
            console.warn(f"{what} is kept as it stands; carry it on: herodeploy resume")
        raise
