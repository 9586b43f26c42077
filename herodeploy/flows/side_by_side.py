"""Work on several apps at the same time, in threads: the apps of a wave do not wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Generic, TypeVar

from herodeploy.flows.services import Services

T = TypeVar("T")


class SideBySide(Generic[T]):
    """Pieces of work, each in a thread of its own for as long as the block lasts.

    A block that is left by an error, such as Ctrl-C, waits for nobody: what has not begun never begins.

    Parameters:
        services: what the work uses; loaded here, before any thread does.
    """

    def __init__(self, services: Services) -> None:
        services.load()
        self._pool = ThreadPoolExecutor(services.at_once)
        self._works: dict[str, Future[T]] = {}

    def __enter__(self) -> SideBySide[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def begin(self, name: str, work: Callable[[], T]) -> None:
        """Begin a piece of work; one of that name that was begun already is enough."""
        if name not in self._works:
            self._works[name] = self._pool.submit(work)

    def results(self) -> dict[str, T]:
        """Return what each piece of work came to, in the order in which they began, once all have ended.

        Raises:
            BaseException: what the first of those raised that raised anything.
        """
        wait(self._works.values())
        return {name: work.result() for name, work in self._works.items()}


def side_by_side(services: Services, works: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    """Do all pieces of work at the same time and return what each came to; errors as of `SideBySide.results`."""
    if len(works) <= 1:
        return {name: work() for name, work in works.items()}
    with SideBySide[T](services) as threads:
        for name, work in works.items():
            threads.begin(name, work)
        return threads.results()
