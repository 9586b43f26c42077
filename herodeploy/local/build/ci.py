"""Test runs: the same source and buildpacks as a build, compiled for tests, then the tests themselves."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from herodeploy.local.build.buildpack import Buildpack
from herodeploy.local.build.compiling import compile_app, failing, prepare
from herodeploy.local.build.failure import BuildFailed
from herodeploy.local.build.place import Place
from herodeploy.local.process import process
from herodeploy.local.process.sandbox import Sandbox
from herodeploy.local.runtime import boot_script

Output = Callable[[str], None]

SHELL = """\
ci() {
  case "$1" in
    setup) %s ;;
    env) ;;
    *) echo 'Usage: ci setup, ci env' >&2; return 2 ;;
  esac
}
export -f ci
export PS1='\\w $ '
exec bash --norc -i
"""
"""How a debug run's shell begins. The Heroku CLI waits for ``$`` and types ``ci setup && eval $(ci env)``."""


@dataclass(frozen=True, slots=True)
class TestRequest:
    """What a test run starts from.

    Parameters:
        work: a private folder, filled and left to the caller to delete after the last `run_tests`.
        cache: the test runs' own build cache.
        config: every variable of the run (app.json env, stage config vars, CI's own).
        scripts: app.json's ``test-setup`` and ``test``, where given.
        timeout: seconds for the set-up, and again for each run of the tests.
        sandbox: isolates buildpacks and tests.
    """

    __test__ = False

    source: Path
    work: Path
    cache: Path
    config: Mapping[str, str] = field(repr=False)
    buildpacks: Sequence[str] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    stack: str = "heroku-24"
    timeout: float = 3600
    source_limit: int = 1_000_000_000
    sandbox: Sandbox | None = None

    @property
    def place(self) -> Place:
        """Return the folders of this test run."""
        app, temporary = self.work / "app", self.work / "tmp"
        shared = self.cache.parent / "shared"
        return Place(self.work, self.cache, shared, app, temporary, self.stack, self.sandbox, tests=True)


@dataclass(frozen=True, slots=True)
class PreparedTests:
    """A compiled app in the folders of one node, ready to be tested; other nodes get `copies`."""

    request: TestRequest
    place: Place
    last: Buildpack


async def setup_tests(request: TestRequest, output: Output) -> PreparedTests:
    """Extract and compile for tests (``bin/test-compile``, else ``bin/compile``).

    Raises:
        BuildFailed: the run is "errored".
    """
    place = request.place
    async with failing(output, request.timeout, "Test setup failed", verdict=False) as told:
        await prepare(request.source, place, request.config, request.source_limit, told)
        packs = await compile_app(request.buildpacks, place, ["test-compile", "compile"], told)
    return PreparedTests(request, place, packs[-1])


async def copies(prepared: PreparedTests, count: int) -> list[PreparedTests]:
    """Return the prepared tests for as many nodes, each with a folder of its own, as nodes share no disk.

    Raises:
        BuildFailed: the disk is full, say.
    """
    nodes = [prepared]
    for number in range(1, count):
        folder = prepared.place.work / "nodes" / str(number)
        app, temporary = folder / "app", folder / "tmp"
        temporary.mkdir(parents=True)
        copy = process.Command(["cp", "-a", str(prepared.place.app), str(app)], folder, process.clean_env({}))
        said: list[str] = []
        if await process.run(copy, said.append):
            raise BuildFailed(f"the app could not be copied for node {number}: {' '.join(said[-1:])}")
        nodes.append(replace(prepared, place=replace(prepared.place, app=app, temporary=temporary)))
    return nodes


async def run_tests(prepared: PreparedTests, env: Mapping[str, str], output: Output) -> int:
    """Run test-setup and then the test script (else the last buildpack's ``bin/test``); return the exit status.

    Parameters:
        env: a node's own variables (``CI_NODE_INDEX``, ``CI_NODE_TOTAL``).

    Raises:
        BuildFailed: test-setup failed, there is nothing to run, or it took too long; the run is "errored".
    """
    request = prepared.request
    async with failing(output, request.timeout, "Test run failed", verdict=False) as told:
        setup = request.scripts.get("test-setup")
        if setup is None:
            told("-----> No test-setup command provided. Skipping.")
        elif status := await _run("test-setup", setup, setup, prepared, env, told):
            raise BuildFailed(f"the test-setup command ended with status {status}")
        shown, command = _test_command(prepared)
        return await _run("test", shown, command, prepared, env, told)


def debug_command(prepared: PreparedTests, env: Mapping[str, str]) -> process.Command:
    """Return a shell in the app's folder with the tests' environment, in which ``ci setup`` runs test-setup.

    Parameters:
        env: a node's own variables, as of `run_tests`.
    """
    setup = prepared.request.scripts.get("test-setup")
    words = ["echo", "-----> No test-setup command provided. Skipping."] if setup is None else ["bash", "-c", setup]
    variables = {**prepared.request.config, "TERM": "xterm", **env}
    return prepared.place.test_command(boot_script(SHELL % shlex.join(words)), variables)


def _test_command(prepared: PreparedTests) -> tuple[str, str]:
    """Return the command as people read it and as it is run."""
    script = prepared.request.scripts.get("test")
    if script is not None:
        return script, script
    if not prepared.last.has("test"):
        raise BuildFailed(
            f"there is no test command: app.json has no environments.test.scripts.test and buildpack"
            f" {prepared.last.url} has no bin/test"
        )
    place = prepared.place
    paths = (prepared.last.folder / "bin" / "test", place.app, place.config)
    arguments = [str(place.seen(path)) for path in paths]
    return "bin/test", shlex.join(arguments)


async def _run(
    noun: str, shown: str, command: str, prepared: PreparedTests, env: Mapping[str, str], output: Output
) -> int:
    output(f"-----> Running {noun} command `{shown}`...")
    variables = {**prepared.request.config, **env}
    status = await process.run(prepared.place.test_command(boot_script(command), variables), output)
    ended = f"failed with exit status {status}" if status else "completed successfully"
    output(f"-----> {noun} command `{shown}` {ended}")
    return status
