"""The nodes of a test run: each runs the same tests on its own, with output, exit status and cases."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.build import builder
from herodeploy.local.lifecycle import app_setups, tap

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

ENDED = ("cancelled", "succeeded", "failed", "errored")


def add(platform: Platform, run: records.TestRun, index: int) -> None:
    """Give a run one more node."""
    node = records.TestNode(
        id=str(uuid.uuid4()),
        test_run_id=run.id,
        pipeline_id=run.pipeline_id,
        index=index,
        created_at=run.created_at,
        updated_at=platform.now(),
        setup_stream_id=platform.streams.create(),
        output_stream_id=platform.streams.create(),
        status=run.status,
    )
    platform.state.test_nodes.put(node)


def of_run(platform: Platform, run: records.TestRun) -> list[records.TestNode]:
    """Return the nodes of a run, in order."""
    return platform.state.test_nodes.where(test_run_id=run.id)


async def run_tests(
    platform: Platform,
    run: records.TestRun,
    node: records.TestNode,
    prepared: builder.PreparedTests,
    config: Mapping[str, str],
) -> None:
    """Run the tests on one node; whatever happens, it ends in a final status.

    Parameters:
        config: the node's own config vars, from its add-ons.
    """
    lines: list[str] = []
    env = {**config, "CI_NODE_INDEX": str(node.index), "CI_NODE_TOTAL": str(len(of_run(platform, run)))}
    try:
        node.exit_code = await builder.run_tests(prepared, env, _to_one(platform, node, lines))
        move(platform, node, "succeeded" if node.exit_code == 0 else "failed")
    except builder.BuildFailed as problem:
        fail(platform, node, sentence(problem))
    except OSError as problem:
        fail(platform, node, f"The tests could not be started: {problem.strerror or problem}")
    finally:
        _record_cases(platform, run, node, lines)
        platform.streams.close(node.output_stream_id)


def move(platform: Platform, node: records.TestNode, status: str) -> None:
    """Bring a node on; one that has ended stays so."""
    if node.status not in ENDED:
        node.status = status
        node.updated_at = platform.now()
        platform.state.test_nodes.put(node)


def fail(platform: Platform, node: records.TestNode, message: str) -> None:
    """Call a node errored, and say why in its output unless the builder did."""
    if node.status in ENDED:
        return
    node.error_status, node.message = node.status, message
    stream = node.output_stream_id if node.status in ("running", "debugging") else node.setup_stream_id
    # The builder begins its sentence with a capital letter.
    if message[1:] not in platform.streams.text(stream)[-2000:]:
        platform.streams.write(stream, f" !     {message}")
    move(platform, node, "errored")


def close_streams(platform: Platform, run: records.TestRun) -> None:
    """End the output of all nodes."""
    for node in of_run(platform, run):
        platform.streams.close(node.setup_stream_id)
        platform.streams.close(node.output_stream_id)


def sentence(problem: Exception) -> str:
    """Return what went wrong as one sentence, with everything that is wrong in app.json."""
    errors = problem.errors if isinstance(problem, app_setups.SetupFailed) else []
    return ": ".join([str(problem), *(["; ".join(errors)] if errors else [])])


def _to_one(platform: Platform, node: records.TestNode, lines: list[str]) -> Callable[[str], None]:
    def write(line: str) -> None:
        lines.append(line)
        platform.streams.write(node.output_stream_id, line)

    return write


def _record_cases(platform: Platform, run: records.TestRun, node: records.TestNode, lines: list[str]) -> None:
    now = platform.now()
    with platform.state.changes():
        for case in tap.cases(lines):
            row = records.TestCase(
                id=str(uuid.uuid4()),
                test_run_id=run.id,
                test_node_id=node.id,
                number=case.number,
                description=case.description,
                passed=case.passed,
                created_at=now,
                updated_at=now,
                directive=case.directive,
                diagnostic=case.diagnostic,
            )
            platform.state.test_cases.put(row)
