"""Test runs: a commit's own tests in a throw-away environment, on one node or several.

A run is failed when the tests said no, and errored when they could not even begin. A debug run has a shell for
somebody instead of the tests, and is cancelled when they leave.
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from herodeploy.local import records
from herodeploy.local.build import builder
from herodeploy.local.lifecycle import addon_orders, app_setups, debugging, nodes, sources
from herodeploy.local.lifecycle.manifest import Manifest

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

STAGE = "test"
SCRIPTS = ("test-setup", "test")

_news: WeakKeyDictionary[Platform, dict[str, asyncio.Event]] = WeakKeyDictionary()
_cache_turns: WeakKeyDictionary[Platform, dict[str, asyncio.Lock]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Order:
    """What is tested; the commit's data are shown and given to the tests, nothing else."""

    source_url: str
    branch: str
    sha: str
    message: str
    clear_cache: bool = False
    debug: bool = False


async def create_test_run(platform: Platform, pipeline: records.Pipeline, order: Order) -> records.TestRun:
    """Begin a test run; wait with ``await platform.jobs.settled(run.id)``.

    Raises:
        ApiError: 422, the source's address cannot be one.
    """
    sources.check_url(order.source_url)
    now = platform.now()
    run = records.TestRun(
        id=str(uuid.uuid4()),
        pipeline_id=pipeline.id,
        number=pipeline.next_test_run,
        commit_branch=order.branch,
        commit_message=order.message,
        commit_sha=order.sha,
        source_blob_url=order.source_url,
        created_at=now,
        updated_at=now,
        clear_cache=order.clear_cache,
        debug=order.debug,
    )
    pipeline.next_test_run += 1
    with platform.state.changes():
        platform.state.pipelines.put(pipeline)
        platform.state.test_runs.put(run)
        nodes.add(platform, run, 0)
    platform.jobs.start(run.id, _run(platform, pipeline, run))
    return run


async def cancel_test_run(platform: Platform, run: records.TestRun, message: str) -> None:
    """Cancel a test run; one that has ended stays as it is. Its processes end while the caller goes on."""
    if run.status in nodes.ENDED:
        return
    _end(platform, run, "cancelled", message)
    platform.jobs.start(f"cancel:{run.id}", _stop(platform, run))


async def forget(platform: Platform, run: records.TestRun) -> None:
    """Delete a test run with its output; a running one is stopped."""
    await platform.jobs.cancel(run.id)
    state = platform.state
    with state.changes():
        for case in state.test_cases.where(test_run_id=run.id):
            state.test_cases.delete(case.id)
        for node in nodes.of_run(platform, run):
            platform.streams.forget(node.setup_stream_id)
            platform.streams.forget(node.output_stream_id)
            state.test_nodes.delete(node.id)
        if run.app_setup_id:
            state.app_setups.delete(run.app_setup_id)
        state.test_runs.delete(run.id)


async def change(platform: Platform, run: records.TestRun, patience: float) -> None:
    """Wait for the next change of a run that has not ended, so many seconds at most."""
    if run.status in nodes.ENDED:
        return
    news = _news.setdefault(platform, {}).setdefault(run.id, asyncio.Event())
    with suppress(TimeoutError):
        await asyncio.wait_for(news.wait(), patience)


def cache(platform: Platform, pipeline: records.Pipeline) -> Path:
    """Return the build cache that a pipeline's test runs share."""
    return platform.settings.caches / f"ci-{pipeline.id}"


def recover(platform: Platform) -> None:
    """Call errored what the platform's death cut off."""
    for run in platform.state.test_runs:
        if run.status not in nodes.ENDED:
            _error(platform, run, "The platform was stopped while the tests ran.")


async def _run(platform: Platform, pipeline: records.Pipeline, run: records.TestRun) -> None:
    """Work when there is a free slot; whatever happens, the run ends in a final status."""
    work = platform.settings.work / "tests" / run.id
    try:
        async with AsyncExitStack() as slot:
            await slot.enter_async_context(platform.build_slots)
            await _test(platform, pipeline, run, work, slot)
    except (app_setups.SetupFailed, builder.BuildFailed) as problem:
        _error(platform, run, nodes.sentence(problem))
    except OSError as problem:
        _error(platform, run, f"The tests could not go on: {problem.strerror or problem}")
    finally:
        if run.status not in nodes.ENDED:
            _error(platform, run, "The test run was cut off.")
        nodes.close_streams(platform, run)
        await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)


async def _test(
    platform: Platform, pipeline: records.Pipeline, run: records.TestRun, work: Path, slot: AsyncExitStack
) -> None:
    """Fetch, compile, and test or let somebody debug, who keeps no build from its slot."""
    _move(platform, run, "creating")
    source, manifest = await app_setups.read_manifest(platform, run.source_blob_url, work / "fetched", STAGE)
    for index in range(1, 1 if run.debug else manifest.test_nodes):
        nodes.add(platform, run, index)
    request = _request(platform, pipeline, run, manifest, source, work)
    every = nodes.of_run(platform, run)
    lent, run.warning_message = await addon_orders.lend(platform, manifest, every, request.config)
    try:
        config = {**request.config, **lent.config(every[0])}
        rooms = await _compile(platform, pipeline, run, replace(request, config=config))
        if run.debug:
            await slot.aclose()
            await _debug(platform, run, rooms[0], lent.config(every[0]))
        else:
            await _test_everywhere(platform, run, rooms, lent)
    finally:
        lent.give_back()


async def _compile(
    platform: Platform, pipeline: records.Pipeline, run: records.TestRun, request: builder.TestRequest
) -> list[builder.PreparedTests]:
    """Compile once for all nodes; return what each tests."""
    _move(platform, run, "building")
    if run.warning_message:
        _to_all(platform, run)(f" !     {run.warning_message}")
    async with _cache_turn(platform, pipeline):
        if run.clear_cache:
            await asyncio.to_thread(shutil.rmtree, request.cache, ignore_errors=True)
        prepared = await builder.setup_tests(request, _to_all(platform, run))
    rooms = await builder.copies(prepared, len(nodes.of_run(platform, run)))
    for node in nodes.of_run(platform, run):
        platform.streams.close(node.setup_stream_id)
    return rooms


async def _test_everywhere(
    platform: Platform, run: records.TestRun, rooms: Sequence[builder.PreparedTests], lent: addon_orders.Lent
) -> None:
    """Test on every node, each with its own add-ons."""
    _move(platform, run, "running")
    async with asyncio.TaskGroup() as group:
        for node, room in zip(nodes.of_run(platform, run), rooms, strict=True):
            group.create_task(nodes.run_tests(platform, run, node, room, lent.config(node)))
    _end(platform, run, _outcome(platform, run))


async def _debug(
    platform: Platform, run: records.TestRun, room: builder.PreparedTests, config: Mapping[str, str]
) -> None:
    debugging.set_up(platform, run)
    (node,) = nodes.of_run(platform, run)
    await debugging.attend(platform, node, room, config, lambda: _move(platform, run, "debugging"))
    _end(platform, run, "cancelled", "The debug session ended.")


def _request(
    platform: Platform, pipeline: records.Pipeline, run: records.TestRun, manifest: Manifest, source: Path, work: Path
) -> builder.TestRequest:
    given = {
        **pipeline.stage_config.get(STAGE, {}),
        "CI": "true",
        "HEROKU_TEST_RUN_ID": run.id,
        "HEROKU_TEST_RUN_COMMIT_VERSION": run.commit_sha,
        "HEROKU_TEST_RUN_BRANCH": run.commit_branch,
    }
    return builder.TestRequest(
        source=source,
        work=work / "app",
        cache=cache(platform, pipeline),
        config=app_setups.resolve(manifest, given),
        buildpacks=manifest.buildpacks,
        scripts={name: manifest.scripts[name] for name in SCRIPTS if name in manifest.scripts},
        timeout=platform.settings.release_timeout,
        sandbox=platform.isolation.sandbox,
    )


def _to_all(platform: Platform, run: records.TestRun) -> Callable[[str], None]:
    streams = [node.setup_stream_id for node in nodes.of_run(platform, run)]

    def write(line: str) -> None:
        for stream in streams:
            platform.streams.write(stream, line)

    return write


def _outcome(platform: Platform, run: records.TestRun) -> str:
    found = {node.status for node in nodes.of_run(platform, run)}
    return next((status for status in ("errored", "failed") if status in found), "succeeded")


async def _stop(platform: Platform, run: records.TestRun) -> None:
    await platform.jobs.cancel(run.id)
    nodes.close_streams(platform, run)  # a run that was cancelled before it began never got to it


def _cache_turn(platform: Platform, pipeline: records.Pipeline) -> asyncio.Lock:
    """Return the lock that lets one test run at a time compile with the pipeline's cache."""
    return _cache_turns.setdefault(platform, {}).setdefault(pipeline.id, asyncio.Lock())


def _move(platform: Platform, run: records.TestRun, status: str) -> None:
    """Bring a run and its nodes on; one that has ended stays so."""
    if run.status in nodes.ENDED:
        return
    run.status = status
    run.updated_at = platform.now()
    with platform.state.changes():
        platform.state.test_runs.put(run)
        for node in nodes.of_run(platform, run):
            nodes.move(platform, node, status)
    news = _news.get(platform, {}).pop(run.id, None)
    if news is not None:
        news.set()


def _end(platform: Platform, run: records.TestRun, status: str, message: str | None = None) -> None:
    run.message = message if run.message is None else run.message
    _move(platform, run, status)


def _error(platform: Platform, run: records.TestRun, message: str) -> None:
    """End a run that could not be carried through; its streams say why, too."""
    for node in nodes.of_run(platform, run):
        nodes.fail(platform, node, message)
    _end(platform, run, "errored", message)
