"""Test runs of Heroku CI, with their nodes and cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from herodeploy.domain.change import TestNode, TestRun
from herodeploy.heroku import shape
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test that a node reported in TAP."""

    __test__ = False

    number: int
    description: str
    passed: bool
    directive: str
    diagnostic: str


class TestRuns:
    """A pipeline's test runs."""

    __test__ = False

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, pipeline: str, commit: str, branch: str, message: str, source_url: str) -> TestRun:
        """Begin to test what lies at `source_url`."""
        body = {
            "pipeline": pipeline,
            "commit_sha": commit,
            "commit_branch": branch,
            "commit_message": message,
            "source_blob_url": source_url,
        }
        return shape.one("test run", _run, self._session.post("/test-runs", body))

    def get(self, pipeline: str, number: int) -> TestRun:
        """Return a test run by its number in the pipeline."""
        return shape.one("test run", _run, self._session.get(f"/pipelines/{part(pipeline)}/test-runs/{number}"))

    def nodes(self, run_id: str) -> list[TestNode]:
        """Return a test run's nodes, by index."""
        items = self._session.list(f"/test-runs/{part(run_id)}/test-nodes")
        return sorted(shape.many("test nodes", _node, items), key=lambda node: node.index)

    def cases(self, run_id: str) -> list[TestCase]:
        """Return the tests that the nodes reported, by number."""
        items = self._session.list(f"/test-runs/{part(run_id)}/test-cases")
        return sorted(shape.many("test cases", _case, items), key=lambda case: case.number)

    def cancel(self, run_id: str, message: str) -> TestRun:
        """Cancel a test run; `message` says why."""
        item = self._session.patch(f"/test-runs/{part(run_id)}", {"status": "cancelled", "message": message})
        return shape.one("test run", _run, item)

    def list(self, pipeline: str, limit: int | None = 50) -> list[TestRun]:
        """Return the newest test runs, the newest first."""
        items = self._session.list(f"/pipelines/{part(pipeline)}/test-runs", "number", limit=limit, descending=True)
        return sorted(shape.many("test runs", _run, items), key=lambda run: run.number, reverse=True)


def _run(item: dict[str, Any]) -> TestRun:
    return TestRun(
        id=item["id"],
        number=int(item["number"]),
        pipeline_id=item["pipeline"]["id"],
        status=item["status"],
        commit=item["commit_sha"],
        branch=item["commit_branch"],
        message=item.get("message"),
        created_at=shape.when(item["created_at"]),
    )


def _node(item: dict[str, Any]) -> TestNode:
    return TestNode(
        id=item["id"],
        index=int(item["index"]),
        status=item["status"],
        exit_code=item.get("exit_code"),
        setup_stream_url=item.get("setup_stream_url"),
        output_stream_url=item.get("output_stream_url"),
        message=item.get("message") or item.get("error_status"),
    )


def _case(item: dict[str, Any]) -> TestCase:
    return TestCase(
        number=int(item["number"]),
        description=item["description"],
        passed=bool(item["passed"]),
        directive=item.get("directive") or "",
        diagnostic=item.get("diagnostic") or "",
    )
