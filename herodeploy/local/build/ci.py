"""Test runs: the same source and buildpacks as a build, compiled for tests, then the tests themselves."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from herodeploy.local.build.buildpack import Buildpack, Place
from herodeploy.local.build.compiling import compile_app, failing, prepare
from herodeploy.local.build.failure import BuildFailed
from herodeploy.local.process import process
from herodeploy.local.runtime import boot_script

Output = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TestRequest:
    """What a test run starts from.

    Parameters:
        work: a private folder, filled and left to the caller to delete after the last `run_tests`.
        cache: the test runs' own build cache.
        config: every variable of the run (app.json env, stage config vars, CI's own).
        scripts: app.json's ``test-setup`` and ``test``, where given.
        timeout: seconds for the set-up, and again for each run of the tests.
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


@dataclass(frozen=True, slots=True)
class PreparedTests:
    """A compiled app, ready to be tested, by several nodes one after another or at once."""

    request: TestRequest
    home: Path
    last: Buildpack


async def setup_tests(request: TestRequest, output: Output) -> PreparedTests:
    """Extract and compile for tests (``bin/test-compile``, else ``bin/compile``).

    Raises:
        BuildFailed: the run is "errored".
    """
    place = Place(request.work, request.cache, request.cache.parent / "shared", request.work / "app", request.stack)
    async with failing(output, request.timeout, "Test setup failed") as told:
        await prepare(request.source, place, request.config, request.source_limit, told)
        packs = await compile_app(request.buildpacks, place, ["test-compile", "compile"], told)
    return PreparedTests(request, place.app, packs[-1])


async def run_tests(prepared: PreparedTests, env: Mapping[str, str], output: Output) -> int:
    """Run test-setup and then the test script (else the last buildpack's ``bin/test``); return the exit status.

    Parameters:
        env: a node's own variables (``CI_NODE_INDEX``, ``CI_NODE_TOTAL``).

    Raises:
        BuildFailed: test-setup failed, there is nothing to run, or it took too long; the run is "errored".
    """
    request = prepared.request
    async with failing(output, request.timeout, "Test run failed") as told:
        setup = request.scripts.get("test-setup")
        if setup is None:
            told("-----> No test-setup command provided. Skipping.")
        elif status := await _run("test-setup", setup, setup, prepared, env, told):
            raise BuildFailed(f"the test-setup command ended with status {status}")
        shown, command = _test_command(prepared)
        return await _run("test", shown, command, prepared, env, told)


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
    place = prepared.last.place
    arguments = [str(prepared.last.folder / "bin" / "test"), str(prepared.home), str(place.config)]
    return "bin/test", shlex.join(arguments)


async def _run(
    noun: str, shown: str, command: str, prepared: PreparedTests, env: Mapping[str, str], output: Output
) -> int:
    output(f"-----> Running {noun} command `{shown}`...")
    home = str(prepared.home)
    environment = process.clean_env({"STACK": prepared.request.stack, **prepared.request.config, **env, "HOME": home})
    status = await process.run(process.Command(boot_script(command), prepared.home, environment), output)
    ended = f"failed with exit status {status}" if status else "completed successfully"
    output(f"-----> {noun} command `{shown}` {ended}")
    return status
