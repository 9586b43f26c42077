"""Isolated builds and test runs: buildpacks find everything where Heroku has it, and nothing else."""

from __future__ import annotations

import asyncio
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from herodeploy.local.build import builder
from herodeploy.local.process import sandbox
from herodeploy.local.process.sandbox import Sandbox

Make = Callable[..., Path]
PROCFILE = ("Procfile", "web: serve\n")


@pytest.fixture
def box() -> Sandbox:
    found = sandbox.choose("auto")
    if found.sandbox is None:
        pytest.skip(f"no isolation on this machine: {found.why_not}")
    return found.sandbox


@pytest.fixture
def pack(tmp_path: Path) -> Callable[..., str]:
    def make(name: str, **steps: str) -> str:
        folder = tmp_path / name / "bin"
        folder.mkdir(parents=True)
        for step, script in ({"detect": f"echo {name}", "compile": ""} | steps).items():
            (folder / step).write_text(f"#!/bin/sh\n{script}\n")
            (folder / step).chmod(0o755)
        return str(folder.parent)

    return make


def build(tmp_path: Path, box: Sandbox, source: Path, *packs: str, config: dict[str, str] | None = None) -> list[str]:
    said: list[str] = []
    work, cache, slug = (
        tmp_path / f"work{len(list(tmp_path.iterdir()))}",
        tmp_path / "caches/app",
        tmp_path / "slug.tgz",
    )
    request = builder.BuildRequest(source, work, cache, slug, config or {}, packs, sandbox=box)
    asyncio.run(builder.build(request, said.append))
    return said


def test_folders_are_where_heroku_has_them(
    tmp_path: Path, box: Sandbox, tarball: Make, pack: Callable[..., str]
) -> None:
    script = 'for path in "$1" "$2" "$3" "$HOME" "$PWD" "$(dirname "$0")"; do echo "path $path"; done; ls -A $HOME'
    said = build(tmp_path, box, tarball(PROCFILE), pack("spy", compile=script))
    paths = [line.removeprefix("path ") for line in said if line.startswith("path ")]
    key = paths[0].removeprefix("/tmp/build_")
    assert re.fullmatch("[0-9a-f]{8}", key)
    assert paths == [
        f"/tmp/build_{key}", "/tmp/codon/tmp/cache", f"/tmp/d{key}", "/app", f"/tmp/build_{key}",
        "/tmp/codon/tmp/buildpacks/0/bin",
    ]  # fmt: skip


def test_the_users_files_are_not_there(tmp_path: Path, box: Sandbox, tarball: Make, pack: Callable[..., str]) -> None:
    (tmp_path / "secret").write_text("of the user")
    script = f'cat {tmp_path}/secret; touch /usr/x; echo "$HOME $USER"; env'
    said = build(tmp_path, box, tarball(PROCFILE), pack("spy", compile=f"({script}) 2>&1"), config={"GREETING": "hi"})
    assert not any("of the user" in line for line in said)
    assert f"cat: {tmp_path}/secret: No such file or directory" in said
    assert "touch: cannot touch '/usr/x': Read-only file system" in said
    assert not any("GREETING" in line or line.startswith("TMPDIR=") for line in said)


def test_buildpacks_share_exports_cache_and_config(
    tmp_path: Path, box: Sandbox, tarball: Make, pack: Callable[..., str]
) -> None:
    first = pack("first", compile='echo "export TOOL=$1/saw" > "$(dirname "$0")/../export"; echo one >> "$2/log"')
    second = pack(
        "second", compile='echo "tool $TOOL"; cat "$2/log" "$3/GREETING"', release="echo 'default_process_types: {}'"
    )
    for count in (1, 2):
        said = build(tmp_path, box, tarball(PROCFILE), first, second, config={"GREETING": "hello"})
        assert any(re.fullmatch("tool /tmp/build_[0-9a-f]{8}/saw", line) for line in said)
        assert said.count("one") == count
        assert "hello" in said
    assert (tmp_path / "caches/app/log").read_text() == "one\none\n"


def test_dot_files_at_home_stay_out_of_the_slug(
    tmp_path: Path, box: Sandbox, tarball: Make, pack: Callable[..., str]
) -> None:
    said = build(tmp_path, box, tarball(PROCFILE), pack("dotty", compile="echo x > ~/.toolrc; ls -A ~"))
    assert ".toolrc" in said
    with tarfile.open(tmp_path / "slug.tgz") as slug:
        assert slug.getnames() == ["./app", "./app/Procfile"]


def test_a_test_run_is_at_home_from_the_beginning(
    tmp_path: Path, box: Sandbox, tarball: Make, pack: Callable[..., str]
) -> None:
    script = 'echo "at $1 $2 $3 $HOME"'
    packs = (pack("spy", compile=script, test='echo "testing $1 $2 $PWD $HOME"; ls /tmp/env* 2>/dev/null; exit 4'),)
    request = builder.TestRequest(
        tarball(PROCFILE), tmp_path / "work", tmp_path / "caches/ci", {"CI": "true"}, packs, sandbox=box
    )
    said: list[str] = []

    async def story() -> list[int]:
        rooms = await builder.copies(await builder.setup_tests(request, said.append), 2)
        return [await builder.run_tests(room, {}, said.append) for room in rooms]

    assert asyncio.run(story()) == [4, 4]
    assert any(re.fullmatch("at /app /tmp/cache[0-9a-f]{8} /tmp/d[0-9a-f]{8} /app", line) for line in said)
    assert sum(bool(re.fullmatch("testing /app /tmp/d[0-9a-f]{8} /app /app", line)) for line in said) == 2


def test_a_build_that_is_cancelled_leaves_no_process(
    tmp_path: Path, box: Sandbox, tarball: Make, pack: Callable[..., str]
) -> None:
    slow = pack("slow", compile="setsid sleep 1000 & echo compiling; exec sleep 1000")
    work = tmp_path / "work"
    request = builder.BuildRequest(
        tarball(PROCFILE), work, tmp_path / "caches/app", tmp_path / "slug.tgz", {}, (slow,), sandbox=box
    )

    async def story() -> None:
        begun = asyncio.Event()
        task = asyncio.create_task(builder.build(request, lambda line: begun.set() if line == "compiling" else None))
        await begun.wait()
        assert inside(work)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())
    assert not inside(work)


def inside(work: Path) -> list[str]:
    """Return the processes that have a build's folders mounted."""
    mark, found = "/".join(work.parts[-3:]) + "/app /tmp/build_", []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and mark in (process / "mountinfo").read_text():
                found.append(process.name)
        except OSError:
            continue
    return found


def test_a_foreign_buildpack_never_gets_what_is_for_the_built_in_ones(
    tmp_path: Path, box: Sandbox, tarball: Make, pack: Callable[..., str]
) -> None:
    leak = tmp_path / "leak"
    leak.mkdir()
    spy = f"env > {leak}/$(basename $0) 2>/dev/null; echo spy"
    foreign = pack("spy", detect=spy, compile=spy)
    shown = sandbox.choose("auto", [leak]).sandbox
    assert shown is not None
    build(tmp_path, shown, tarball(PROCFILE), foreign)
    for step in ("detect", "compile"):
        assert "HERODEPLOY_" not in (leak / step).read_text()
