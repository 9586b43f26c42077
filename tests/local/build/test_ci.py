from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from herodeploy.local.build import builder

Make = Callable[..., Path]
CONFIG = {"CI": "true", "GREETING": "hello"}


class Run:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []

    def __call__(self, source: Path, scripts: Mapping[str, str], *buildpacks: str, timeout: float = 60) -> int:
        request = builder.TestRequest(
            source, self.folder / "work", self.folder / "caches" / "ci", CONFIG, buildpacks, scripts, timeout=timeout
        )

        async def both() -> int:
            prepared = await builder.setup_tests(request, self.said.append)
            return await builder.run_tests(prepared, {"CI_NODE_INDEX": "0"}, self.said.append)

        return asyncio.run(both())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


@pytest.fixture
def pack(tmp_path: Path) -> Callable[..., str]:
    def make(**steps: str) -> str:
        for step, script in ({"detect": "echo Tested", "compile": "echo compiled"} | steps).items():
            file = tmp_path / "pack" / "bin" / step.replace("_", "-")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"#!/bin/sh\n{script}\n")
            file.chmod(0o755)
        return str(tmp_path / "pack")

    return make


SOURCE = [
    ("a", ""),
    (".profile.d/10.sh", 'export FROM_PROFILE="$GREETING from profile"'),
    (".profile", "export LAST=1"),
]


def test_scripts_run_at_home_with_config_and_profile(run: Run, tarball: Make, pack: Callable[..., str]) -> None:
    scripts = {"test-setup": "pwd > where", "test": 'cat where; echo "$FROM_PROFILE $LAST $CI $CI_NODE_INDEX"'}
    assert run(tarball(*SOURCE), scripts, pack()) == 0
    assert "compiled" in run.said, "compile stands in for test-compile"
    assert str(run.folder / "work" / "app") in run.said
    assert "hello from profile 1 true 0" in run.said
    assert "-----> Running test-setup command `pwd > where`..." in run.said
    assert run.said[-1] == f"-----> test command `{scripts['test']}` completed successfully"


def test_the_exit_status_of_the_tests_is_the_answer(run: Run, tarball: Make, pack: Callable[..., str]) -> None:
    assert run(tarball(*SOURCE), {"test": "exit 7"}, pack()) == 7
    assert "-----> No test-setup command provided. Skipping." in run.said
    assert run.said[-1] == "-----> test command `exit 7` failed with exit status 7"


def test_without_a_script_the_last_buildpack_tests(run: Run, tarball: Make, pack: Callable[..., str]) -> None:
    script = 'echo "testing $1 with $(cat "$2/GREETING")"; test "$FROM_PROFILE" && exit 4'
    assert run(tarball(*SOURCE), {}, pack(test_compile="echo for tests", test=script)) == 4
    assert "for tests" in run.said
    assert "compiled" not in run.said
    assert f"testing {run.folder / 'work' / 'app'} with hello" in run.said


@pytest.mark.parametrize(
    ("steps", "scripts", "reason"),
    [
        ({"test_compile": "exit 2"}, {"test": "true"}, "bin/test-compile of .* ended with status 2"),
        ({}, {"test-setup": "exit 3", "test": "true"}, "the test-setup command ended with status 3"),
        (
            {},
            {},
            "there is no test command: app.json has no environments.test.scripts.test and buildpack .* has no bin/test",
        ),
    ],
)
def test_what_makes_a_run_errored(
    steps: dict[str, str], scripts: dict[str, str], reason: str, run: Run, tarball: Make, pack: Callable[..., str]
) -> None:
    with pytest.raises(builder.BuildFailed, match=reason):
        run(tarball(*SOURCE), scripts, pack(**steps))


def test_every_node_has_folders_of_its_own(tarball: Make, pack: Callable[..., str], tmp_path: Path) -> None:
    """What one node writes, another one never sees."""
    script = 'sleep 0.1; echo "$CI_NODE_INDEX" >> mine; test "$(cat mine)" = "$CI_NODE_INDEX" && bash ./compiled'
    request = builder.TestRequest(
        tarball(*SOURCE), tmp_path / "work", tmp_path / "caches" / "ci", CONFIG,
        (pack(compile='echo "echo compiled once" > "$1/compiled"; echo x >> "$2/count"'),), {"test": script},
    )  # fmt: skip
    said: list[list[str]] = [[], [], []]

    async def story() -> list[int]:
        rooms = await builder.copies(await builder.setup_tests(request, print), 3)
        runs = [
            builder.run_tests(room, {"CI_NODE_INDEX": str(number)}, said[number].append)
            for number, room in enumerate(rooms)
        ]
        return list(await asyncio.gather(*runs))

    assert asyncio.run(story()) == [0, 0, 0]
    assert all("compiled once" in lines for lines in said)
    assert (tmp_path / "caches" / "ci" / "count").read_text() == "x\n"


def test_the_verdicts_of_builds_are_none_of_tests(run: Run, tarball: Make, pack: Callable[..., str]) -> None:
    with pytest.raises(builder.BuildFailed):
        run(tarball(*SOURCE), {}, pack(compile="exit 1"))
    assert not any("Push" in line for line in run.said)


def test_tests_that_never_end(run: Run, tarball: Make, pack: Callable[..., str]) -> None:
    with pytest.raises(builder.BuildFailed, match="it took longer than 1 seconds"):
        run(tarball(*SOURCE), {"test": "exec sleep 60"}, pack(), timeout=1)
