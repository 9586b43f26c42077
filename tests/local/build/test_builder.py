from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from herodeploy.local.build import builder, catalog
from herodeploy.local.runtime import unpack

Make = Callable[..., Path]
PROCFILE = ("Procfile", "web: serve\nrelease: migrate\n")


class Bench:
    """Builds one source after another with the same cache, and remembers what was said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.slug = folder / "slug.tgz"
        self.said: list[str] = []
        self.count = 0

    def request(self, source: Path, *buildpacks: str, **more: object) -> builder.BuildRequest:
        self.count += 1
        work = self.folder / f"work{self.count}"
        plain = {"config": {}, "cache": self.folder / "caches" / "app", **more}
        return builder.BuildRequest(source, work, slug=self.slug, buildpacks=buildpacks, **plain)  # type: ignore[arg-type]

    def build(self, source: Path, *buildpacks: str, **more: object) -> builder.BuildResult:
        self.said = []
        return asyncio.run(builder.build(self.request(source, *buildpacks, **more), self.said.append))

    def fails(self, source: Path, *buildpacks: str, **more: object) -> str:
        with pytest.raises(builder.BuildFailed) as failed:
            self.build(source, *buildpacks, **more)
        assert not self.slug.exists()
        assert list(self.folder.glob("*.part")) == []
        assert self.said[-1] == " !     Push failed"
        return str(failed.value)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def pack(tmp_path: Path) -> Callable[..., str]:
    """Make a buildpack of shell scripts and return its path."""

    def make(name: str, **steps: str) -> str:
        folder = tmp_path / name
        (folder / "bin").mkdir(parents=True)
        for step, script in ({"detect": f"echo {name}", "compile": ""} | steps).items():
            file = folder / "bin" / step.replace("_", "-")
            file.write_text(f"#!/bin/sh\n{script}\n")
            file.chmod(0o755)
        return str(folder)

    return make


def test_an_app_with_a_procfile_alone(bench: Bench, tarball: Make, tmp_path: Path) -> None:
    result = bench.build(tarball(PROCFILE, ("src/a", "1"), executables={"run": "#!/bin/sh"}))
    assert result.process_types == {"web": "serve", "release": "migrate"}
    assert (result.buildpacks, result.description) == (["herodeploy/procfile"], "Procfile")
    content = bench.slug.read_bytes()
    assert (result.size, result.checksum) == (len(content), f"SHA256:{hashlib.sha256(content).hexdigest()}")
    with tarfile.open(bench.slug) as archive:
        assert all(name == "./app" or name.startswith("./app/") for name in archive.getnames())
    home = unpack(bench.slug, tmp_path / "dyno")
    assert (home / "src" / "a").read_text() == "1"
    assert os.access(home / "run", os.X_OK)
    assert "-----> Building on the Heroku-24 stack" in bench.said
    assert "       Procfile declares types -> release, web" in bench.said


def test_no_buildpack_matches(bench: Bench, tarball: Make) -> None:
    reason = bench.fails(tarball(("index.html", "hello"), ("b", "")))
    for word in ("package.json", "requirements.txt", "Procfile", "git URL"):
        assert word in reason
    assert any(line.startswith(" !     No buildpack recognises this app") for line in bench.said)


def test_config_vars_come_as_files_and_never_as_environment(
    bench: Bench, tarball: Make, pack: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_OWN_TOKEN", "secret-of-the-user")
    script = 'env > "$1/env.txt"; cat "$3/GREETING" > "$1/greeting.txt"; ls -a "$3" > "$1/ls.txt"; echo "$HOME" > home'
    bench.build(
        tarball(PROCFILE),
        pack("spy", compile=script),
        config={"GREETING": "hello\nworld", "../evil": "x"},
        stack="heroku-22",
    )
    app = bench.folder / "work1" / "app"
    env = (app / "env.txt").read_text()
    assert "GREETING" not in env
    assert "secret-of-the-user" not in env
    assert "STACK=heroku-22\n" in env
    assert (app / "greeting.txt").read_text() == "hello\nworld"
    assert (app / "ls.txt").read_text().split() == [".", "..", "GREETING"]
    assert (app / "home").read_text().strip() == str(bench.folder / "work1" / "home")


def test_buildpacks_run_in_order_with_the_exports_of_earlier_ones(
    bench: Bench, tarball: Make, pack: Callable[..., str]
) -> None:
    first = pack("first", compile='echo "export TOOL=saw" > "$(dirname "$0")/../export"; echo one >> "$2/log"',
                 release="echo 'default_process_types: {web: from first}'")  # fmt: skip
    second = pack("second", compile='echo "       tool is $TOOL"; cat "$2/log"',
                  release="echo ---; echo noise >&2; echo 'default_process_types:'; echo '  web: run it'")  # fmt: skip
    result = bench.build(tarball(("x", ""), ("y", "")), first, f"file://{second}")
    assert "       tool is saw" in bench.said
    assert result.process_types == {"web": "run it"}
    assert (result.buildpacks, result.description) == ([first, f"file://{second}"], "second")
    assert not (Path(first) / "export").exists()
    bench.build(tarball(("x", ""), ("y", "")), first, second)
    assert bench.said.count("one") == 2, "the cache is kept between builds"


def test_a_procfile_wins_over_default_process_types(bench: Bench, tarball: Make, pack: Callable[..., str]) -> None:
    named = pack("named", release="echo 'default_process_types: {web: default}'")
    assert bench.build(tarball(PROCFILE), named).process_types["web"] == "serve"


def test_a_procfile_that_the_buildpack_writes_counts(bench: Bench, tarball: Make, pack: Callable[..., str]) -> None:
    written = pack("written", compile='echo "web: made" > "$1/Procfile"')
    assert bench.build(tarball(("x", ""), ("y", "")), written).process_types == {"web": "made"}


def test_a_procfile_that_leads_outside_is_none(
    bench: Bench, tarball: Make, pack: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "theirs").write_text("web: of somebody else")
    linking = pack(
        "linking", compile=f'ln -s {tmp_path}/theirs "$1/Procfile"', release="echo 'default_process_types: {}'"
    )
    assert bench.build(tarball(("x", ""), ("y", "")), linking).process_types == {}


def test_a_failing_compile_fails_the_build(bench: Bench, tarball: Make, pack: Callable[..., str]) -> None:
    reason = bench.fails(tarball(PROCFILE), pack("broken", compile="echo oops >&2; exit 3"))
    assert reason.startswith("failed to compile broken app: bin/compile of /")
    assert reason.endswith("ended with status 3")
    assert "oops" in bench.said
    assert bench.said[-2:] == [" !     Push rejected, failed to compile broken app.", " !     Push failed"]


def test_what_a_buildpack_reports_is_not_shown_and_how_it_ends_is_ignored(
    bench: Bench, tarball: Make, pack: Callable[..., str], tmp_path: Path
) -> None:
    """Heroku runs it after a compile that failed, too."""
    report = f'echo "$#" "$(ls "$1")" >> {tmp_path}/reports; echo "version: 1"; exit 1'
    bench.build(tarball(PROCFILE), pack("telling", report=report))
    bench.slug.unlink()
    bench.fails(tarball(PROCFILE), pack("broken", compile="exit 1", report=report))
    assert (tmp_path / "reports").read_text() == "3 Procfile\n" * 2
    assert not any("version: 1" in line for line in bench.said)


def test_a_buildpack_that_was_asked_for_must_detect(bench: Bench, tarball: Make) -> None:
    assert "heroku/python does not recognise this app" in bench.fails(tarball(PROCFILE), "heroku/python")


def test_release_that_prints_no_yaml(bench: Bench, tarball: Make, pack: Callable[..., str]) -> None:
    assert "printed no YAML" in bench.fails(tarball(("x", "")), pack("odd", release="echo '{]'"))
    assert bench.build(tarball(("x", "")), pack("list", release="echo '- a'")).process_types == {}


def test_what_is_no_buildpack(bench: Bench, tarball: Make, pack: Callable[..., str], tmp_path: Path) -> None:
    source = tarball(PROCFILE)
    assert "has no bin/detect" in bench.fails(source, str(tmp_path / "absent"))
    assert "has no bin/detect" in bench.fails(source, str(tmp_path))
    Path(pack("half"), "bin", "compile").unlink()
    assert "has no executable bin/compile" in bench.fails(source, str(tmp_path / "half"))
    assert "'heroku/ruby' is not built in" in bench.fails(source, "heroku/ruby")
    assert "is not built in" in bench.fails(source, "https://example.com/pack.tgz")


def test_a_buildpack_by_git_url_survives_the_loss_of_its_origin(
    bench: Bench, tarball: Make, pack: Callable[..., str], tmp_path: Path
) -> None:
    folder = Path(pack("cloned", compile="echo cloned well"))
    git = [
        "git",
        "-C",
        str(folder),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.com",
        "-c",
        "commit.gpgsign=false",
    ]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    bare = tmp_path / "cloned.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(folder), str(bare)], check=True)
    bench.build(tarball(PROCFILE), f"file://{bare}#main")
    assert "cloned well" in bench.said
    bench.slug.unlink()
    assert "could not be cloned" in bench.fails(tarball(PROCFILE), f"file://{bare}#absent")
    bare.rename(tmp_path / "moved.git")
    bench.build(tarball(PROCFILE), f"file://{bare}#main")
    assert "cloned well" in bench.said
    assert any("using the copy of an earlier build" in line for line in bench.said)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("heroku/python", "heroku/python"),
        ("urn:buildpack:heroku/nodejs", "heroku/nodejs"),
        ("https://github.com/heroku/heroku-buildpack-python", "heroku/python"),
        ("https://github.com/heroku/heroku-buildpack-nodejs.git", "heroku/nodejs"),
        ("https://github.com/heroku/heroku-buildpack-nodejs#v200", "heroku/nodejs"),
        ("https://buildpack-registry.s3.amazonaws.com/buildpacks/heroku/python.tgz", "heroku/python"),
        ("procfile", "herodeploy/procfile"),
        ("heroku/ruby", None),
        ("https://github.com/somebody/heroku-buildpack-python", None),
        ("/some/folder", None),
    ],
)
def test_names_of_the_built_in_buildpacks(url: str, name: str | None) -> None:
    assert catalog.built_in(url) == name


def test_a_url_is_shown_without_its_password() -> None:
    assert catalog.shown("https://me:token@example.com/pack.git") == "https://example.com/pack.git"


def test_a_build_that_takes_too_long_is_stopped(bench: Bench, tarball: Make, pack: Callable[..., str]) -> None:
    reason = bench.fails(tarball(PROCFILE), pack("slow", compile="exec sleep 60"), timeout=0.5)
    assert reason == "it took longer than 0.5 seconds and was stopped"


def test_a_cancelled_build_leaves_no_process(bench: Bench, tarball: Make, pack: Callable[..., str]) -> None:
    slow = pack("slow", compile="echo $$; exec sleep 60")

    async def cancel() -> int:
        pid = asyncio.get_running_loop().create_future()

        def output(line: str) -> None:
            if line.isdigit():
                pid.set_result(int(line))

        task = asyncio.create_task(builder.build(bench.request(tarball(PROCFILE), slow), output))
        await pid
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return int(pid.result())

    with pytest.raises(ProcessLookupError):
        os.kill(asyncio.run(cancel()), 0)
    assert not bench.slug.exists()


def test_a_slug_over_the_limit(bench: Bench, tarball: Make, pack: Callable[..., str]) -> None:
    big = pack("big", compile='head -c 300000 /dev/urandom > "$1/big"')
    assert "more than 200.0K" in bench.fails(tarball(PROCFILE), big, slug_limit=200_000)
    size, see, last = bench.said[-3:]
    assert size.startswith(" !     Compiled slug size: 3")
    assert size.endswith("K is too large (max is 200.0K).")
    assert see == " !     See: http://devcenter.heroku.com/articles/slug-size"
    assert last == " !     Push failed"


def test_a_source_over_the_limit(bench: Bench, tarball: Make) -> None:
    assert "larger than" in bench.fails(tarball(PROCFILE, ("a", "x" * 100_000)), source_limit=50_000)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is Linux's")
def test_a_full_disk_is_named(bench: Bench, tarball: Make, pack: Callable[..., str]) -> None:
    full = pack("full", compile="head -c 9 /dev/zero > /dev/full")
    assert bench.fails(tarball(PROCFILE), full) == "the disk is full; make room and build again"
    (bench.folder / "slug.tgz.part").symlink_to("/dev/full")
    assert bench.fails(tarball(PROCFILE)) == "the disk is full; make room and build again"


def test_output_that_cannot_be_kept_fails_the_build_too(bench: Bench, tarball: Make) -> None:
    def full(line: str) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(builder.BuildFailed, match="the disk is full"):
        asyncio.run(builder.build(bench.request(tarball(PROCFILE)), full))


def test_requests_never_show_config_vars(bench: Bench, tarball: Make) -> None:
    assert "hush" not in repr(bench.request(tarball(PROCFILE), config={"A": "hush"}))


def test_the_event_loop_goes_on_while_a_buildpack_is_copied(tmp_path: Path) -> None:
    (tmp_path / "pack/bin").mkdir(parents=True)
    (tmp_path / "pack/bin/detect").write_text("#!/bin/sh\n")

    async def story() -> int:
        fetching = asyncio.create_task(catalog.fetch(str(tmp_path / "pack"), tmp_path / "copy", tmp_path, print))
        turns = 0
        while not fetching.done():
            await asyncio.sleep(0)
            turns += 1
        await fetching
        return turns

    assert asyncio.run(story()) > 2  # one to begin, one to see that it is done: what blocks needs no more
    assert (tmp_path / "copy/bin/detect").read_text() == "#!/bin/sh\n"
