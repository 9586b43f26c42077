"""``herodeploy worker``: carries deliveries on as soon as they can go on, until it is stopped."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from herodeploy.cli import console
from herodeploy.cli.options import HERE, Config, Directory, Platform
from herodeploy.cli.surroundings import services_of
from herodeploy.errors import Busy, ConfigError, PlatformUnreachable, RateLimited, ServerFault, StoreError

if TYPE_CHECKING:
    from herodeploy.app import Services

worker = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
STAND_BY = 1.0
"""Seconds between two looks whether the worker at the post is there still."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0


@worker.command("worker")
def run(directory: Directory = HERE, config: Config = None, platform: Platform = None) -> None:
    """Carry this pipeline's deliveries on as soon as they can, until it is stopped with Ctrl-C or SIGTERM.

    It takes up what was cut or broke off, looks at what waits when its time comes, and at once when something happens:
    an approval, an unlock, a switch of the mode, a new delivery. While it runs, deliver, approve and the like only say
    what is wanted, and it does it. Of several workers one works and the others stand by.
    """
    with _Stop() as stop:
        try:
            _stand(directory, config, platform, stop)
        except KeyboardInterrupt:
            console.info("stopped; what is open stays as it is, for the next worker or herodeploy resume")


def _stand(directory: Path, config: Path | None, platform: str | None, stop: _Stop) -> NoReturn:
    pause = FIRST_PAUSE
    while True:
        began = time.monotonic()
        try:
            _work_until_changed(directory, config, platform, stop)
            continue
        except (StoreError, PlatformUnreachable, ServerFault, RateLimited, Busy) as error:
            stop.heed()
            console.warn(f"{error.message}; it is tried again")
        pause = FIRST_PAUSE if time.monotonic() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
        time.sleep(pause)  # what broke tells nobody when it works again


def _work_until_changed(directory: Path, config: Path | None, platform: str | None, stop: _Stop) -> None:
    """Work until herodeploy.yml has changed."""
    from herodeploy.app import worker as turn
    from herodeploy.flows.work import work

    with services_of(directory, config, platform) as services, ExitStack() as stack:
        keep_post = _enter_post(stack, services)
        bell = stack.enter_context(closing(services.store.bell()))
        changes = _Changes(services, config)

        def ended() -> bool:
            stop.heed()
            keep_post()
            return changes.seen()

        console.info(f"works on {services.spec.name}; stop it with Ctrl-C")
        work(services, lambda: turn(services), bell, ended)
        console.info("herodeploy.yml has changed and is read again")


def _enter_post(stack: ExitStack, services: Services) -> Callable[[], None]:
    """Wait until no other worker is at the pipeline's post, and be there."""
    from herodeploy.app import at_post, standing_worker

    told = False
    while True:
        try:
            return stack.enter_context(at_post(services))
        except Busy:
            if not told:
                console.info(f"{standing_worker(services)} works on {services.spec.name}; standing by")
                told = True
        time.sleep(STAND_BY)  # a worker that dies tells nobody


class _Changes:
    """Notices that herodeploy.yml has changed, to something that can be."""

    def __init__(self, services: Services, config: Path | None) -> None:
        from herodeploy.app import CONFIG_NAME

        self._file = config or services.repo.root / CONFIG_NAME
        self._known = self._stamp()

    def seen(self) -> bool:
        from herodeploy.config.load import load

        if (stamp := self._stamp()) == self._known:
            return False
        self._known = stamp
        try:
            load(self._file)
        except ConfigError as error:
            *others, last = error.lines
            console.warn(*others, f"{last}; the file as it was before counts on")
            return False
        return True

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


class _Stop:
    """While entered, Ctrl-C and SIGTERM are raised wherever the worker just is, and remembered.

    A database driver that is interrupted may fail at tidying up, and that error takes the place of the interruption.
    """

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def heed(self) -> None:
        """Stop, where that was asked for.

        Raises:
            KeyboardInterrupt: it was.
        """
        if self._asked:
            raise KeyboardInterrupt

    def __enter__(self) -> _Stop:
        for each in (signal.SIGTERM, signal.SIGINT):
            # What is started in the background by a shell is to ignore Ctrl-C.
            if each is signal.SIGTERM or signal.getsignal(each) is not signal.SIG_IGN:
                self._before[each] = signal.signal(each, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for each, before in self._before.items():
            signal.signal(each, before)

    def _hear(self, _signal: int, _frame: Any) -> NoReturn:
        self._asked = True
        raise KeyboardInterrupt
