from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from herodeploy.local.build import source
from herodeploy.local.build.failure import BuildFailed

Make = Callable[..., Path]
MB = 1_000_000


def special(name: str, kind: bytes, target: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, size
    return info


def symlink(name: str, target: str) -> tarfile.TarInfo:
    return special(name, tarfile.SYMTYPE, target)


def test_a_single_leading_folder_is_stripped(tarball: Make, tmp_path: Path) -> None:
    root = source.extract(tarball(("shop-abc/Procfile", "web: x"), ("shop-abc/src/a", "1")), tmp_path / "out", MB)
    assert (root / "Procfile").read_text() == "web: x"
    assert (root / "src" / "a").read_text() == "1"


def test_nothing_is_stripped_when_a_file_lies_beside_the_folder(tarball: Make, tmp_path: Path) -> None:
    root = source.extract(tarball(("./Procfile", "web: x"), ("./src/a", "1")), tmp_path / "out", MB)
    assert sorted(entry.name for entry in root.iterdir()) == ["Procfile", "src"]


def test_a_plain_tar_is_read_too(tarball: Make, tmp_path: Path) -> None:
    plain = tmp_path / "plain.tar"
    with tarfile.open(plain, "w") as archive:
        archive.add(__file__, "Procfile")
    assert (source.extract(plain, tmp_path / "out", MB) / "Procfile").is_file()


def test_executables_stay_executable_and_nothing_gets_setuid(tarball: Make, tmp_path: Path) -> None:
    info = tarfile.TarInfo("run")
    info.mode = 0o4755
    root = source.extract(tarball(info, ("Procfile", "")), tmp_path / "out", MB)
    assert (root / "run").stat().st_mode & 0o7777 == 0o755


def test_links_inside_are_kept(tarball: Make, tmp_path: Path) -> None:
    members = [("r/a/file", "1"), symlink("r/b/link", "../a/file"), special("r/hard", tarfile.LNKTYPE, "r/a/file")]
    root = source.extract(tarball(*members), tmp_path / "out", MB)
    assert (root / "b" / "link").read_text() == (root / "hard").read_text() == "1"


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ([("/etc/passwd", "x")], "/etc/passwd"),
        ([("a/../../x", "x")], "a/../../x"),
        ([symlink("out", "/etc")], "out"),
        ([symlink("a/out", "../../x")], "a/out"),
        ([("r/a", "1"), symlink("r/out", "../beside")], "r/out"),
        ([symlink("a/b/deep", "../.."), symlink("out", "a/b/deep/../x")], "out"),
        ([symlink("dir", "a"), ("a/f", "1"), symlink("dir/in", "f")], "dir/in"),
        ([special("hard", tarfile.LNKTYPE, "/etc/passwd")], "hard"),
        ([special("hard", tarfile.LNKTYPE, "../x")], "hard"),
        ([special("hard", tarfile.LNKTYPE, "absent")], "hard"),
        ([special("null", tarfile.CHRTYPE)], "null"),
        ([special("disk", tarfile.BLKTYPE)], "disk"),
        ([special("pipe", tarfile.FIFOTYPE)], "pipe"),
        ([("a", "1"), ("a/b", "1")], "a/b"),
        ([("a/b", "1"), ("a", "1")], "a"),
        ([("a/b", "1"), symlink("a", "c")], "a"),
    ],
)
def test_what_reaches_outside_or_is_no_file_is_refused_by_name(
    members: list[tarfile.TarInfo], named: str, tarball: Make, tmp_path: Path
) -> None:
    with pytest.raises(BuildFailed) as refused:
        source.extract(tarball(*members), tmp_path / "out", MB)
    assert repr(named) in str(refused.value)
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_symlink()] == []


def test_a_link_that_hides_its_way_out_behind_another_leaves_nothing_outside(tarball: Make, tmp_path: Path) -> None:
    members = [symlink("a/b/deep", "../.."), symlink("out", "a/b/deep/../../new"), ("out/file", "x")]
    with pytest.raises(BuildFailed):
        source.extract(tarball(*members), tmp_path / "out", MB)
    assert not (tmp_path / "new").exists()


def test_a_bomb_is_refused_before_it_is_written(tarball: Make, tmp_path: Path) -> None:
    bomb = tarball(("ok", "1"), special("zeros", tarfile.REGTYPE, size=3 * MB))
    with pytest.raises(BuildFailed, match=r"larger than 1 MB when unpacked \(at 'zeros'\)"):
        source.extract(bomb, tmp_path / "out", MB)
    assert not (tmp_path / "out" / "zeros").exists()


@pytest.mark.parametrize("content", [b"", b"no archive at all" * 100, b"\x1f\x8bnot really gzip"])
def test_what_is_no_tarball_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "source.tgz").write_bytes(content)
    with pytest.raises(BuildFailed, match="no readable tar archive"):
        source.extract(tmp_path / "source.tgz", tmp_path / "out", MB)
    with pytest.raises(BuildFailed, match="no readable tar archive"):
        source.read_member(tmp_path / "source.tgz", "app.json")


def test_a_cut_tarball_is_refused(tarball: Make, tmp_path: Path) -> None:
    whole = tarball(special("zeros", tarfile.REGTYPE, size=MB), ("a", "b" * 5000)).read_bytes()
    (tmp_path / "cut.tgz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BuildFailed, match="no readable tar archive"):
        source.extract(tmp_path / "cut.tgz", tmp_path / "out", 10 * MB)


@pytest.mark.parametrize("lead", ["", "./", "o-r-sha/", "./o-r-sha/"])
def test_a_member_is_read_wherever_the_root_is(lead: str, tarball: Make) -> None:
    file = tarball((f"{lead}app.json", "{}"), (f"{lead}sub/app.json", "no"), (f"{lead}Procfile", ""))
    assert source.read_member(file, "app.json") == "{}"
    assert source.read_member(file, "sub/app.json") == "no"
    assert source.read_member(file, "absent") is None


def test_a_member_of_a_subfolder_is_not_taken_for_the_roots(tarball: Make) -> None:
    assert source.read_member(tarball(("Procfile", ""), ("sub/app.json", "no")), "app.json") is None
