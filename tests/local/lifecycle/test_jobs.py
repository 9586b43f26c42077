from __future__ import annotations

import asyncio
import logging

import pytest

from herodeploy.local.lifecycle.jobs import Jobs


def test_work_can_be_waited_for_and_cancelled() -> None:
    async def story() -> list[str]:
        jobs, seen = Jobs(), []
        go = asyncio.Event()

        async def work(name: str) -> None:
            try:
                await go.wait()
                seen.append(f"{name} done")
            except asyncio.CancelledError:
                seen.append(f"{name} cut")
                raise

        for name in ("a", "b", "c"):
            jobs.start(name, work(name))
        await asyncio.sleep(0)
        assert jobs.running("a")
        assert await jobs.cancel("b")
        assert not await jobs.cancel("b")
        go.set()
        await jobs.settled("a")
        await jobs.settled("never was")
        await jobs.close()
        return seen

    assert asyncio.run(story()) == ["b cut", "a done", "c done"]


def test_work_that_breaks_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async def broken() -> None:
            raise RuntimeError("a bug")

        jobs = Jobs()
        jobs.start("x", broken())
        await jobs.settled("x")

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())
    assert "work on x broke" in caplog.text


async def _begins_twice() -> list[str]:
    ended: list[str] = []

    async def work(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    jobs = Jobs()
    jobs.start("a", work("first"))
    jobs.start("a", work("second"))
    await asyncio.sleep(0)
    await jobs.close()
    return ended


def test_work_whose_key_went_to_other_work_is_ended_too() -> None:
    assert sorted(asyncio.run(_begins_twice())) == ["first", "second"]
