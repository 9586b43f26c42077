"""Source tarballs, which anybody may have made: nothing in one may reach outside the folder it is extracted into.

Links are made last, so no file is ever written through one.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, cast

from herodeploy.local.build.failure import BuildFailed

MOST_MEMBERS = 250_000
LONGEST_TEXT = 4 * 1024 * 1024


def extract(tarball: Path, into: Path, limit: int) -> Path:
    """Extract a source into a new folder and return the folder of the app: that one, or the only folder in it.

    Parameters:
        limit: bytes that all files together may have.

    Raises:
        BuildFailed: it is no tarball, is too big, or a member reaches outside; the message names the member.
        OSError: the disk is full, say.
    """
    into.mkdir(parents=True)
    links: list[tarfile.TarInfo] = []
    with _reading(tarball) as archive:
        size = 0
        for member, path in _members(archive):
            size += member.size
            if size > limit:
                raise BuildFailed(f"the source is larger than {limit / 1e6:.0f} MB when unpacked (at {member.name!r})")
            if member.issym() or member.islnk():
                links.append(member)
            else:
                _write(archive, member, into / path)
    root = _app_folder(into, links)
    for link in sorted(links, key=lambda member: member.issym()):
        _link(link, into, root)
    for link in links:
        _check_inside(into / _safe(link.name, link.name), root, link)
    return root


def read_member(tarball: Path, name: str) -> str | None:
    """Return a text file of a source, such as ``app.json`` at its root; None where there is none.

    Raises:
        BuildFailed: it is no tarball.
    """
    found: dict[PurePosixPath, str] = {}
    tops: set[str] = set()
    nested = False
    with _reading(tarball) as archive:
        for member, path in _members(archive):
            tops.add(path.parts[0])
            nested = nested or len(path.parts) > 1
            at_root = str(path) == name or str(PurePosixPath(*path.parts[1:])) == name
            if at_root and member.isfile() and member.size <= LONGEST_TEXT:
                found[path] = cast("IO[bytes]", archive.extractfile(member)).read().decode(errors="replace")
    lead = PurePosixPath(*tops) if len(tops) == 1 and nested else PurePosixPath()
    return found.get(lead / name)


@contextmanager
def _reading(tarball: Path) -> Iterator[tarfile.TarFile]:
    with tarball.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            with (
                gzip.GzipFile(fileobj=raw) if zipped else raw as plain,
                tarfile.open(fileobj=cast("IO[bytes]", plain), mode="r|") as archive,
            ):
                yield archive
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise BuildFailed(f"the source is no readable tar archive: {error}") from error


def _members(archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, PurePosixPath]]:
    for count, member in enumerate(archive):
        if count >= MOST_MEMBERS:
            raise BuildFailed(f"the source has more than {MOST_MEMBERS} files")
        path = _safe(member.name, member.name)
        if path.parts:
            yield member, path


def _safe(name: str, member: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise BuildFailed(f"the source reaches outside its folder: {member!r}; nothing of it was used")
    return path


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    if not member.isfile():
        raise BuildFailed(f"the source has a device or other special file: {member.name!r}; nothing of it was used")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            shutil.copyfileobj(cast("IO[bytes]", archive.extractfile(member)), file)
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise BuildFailed(f"the source has a file and a folder of the same name: {member.name!r}") from error
    path.chmod(member.mode & 0o777 | 0o600)
    os.utime(path, (member.mtime, member.mtime))


def _app_folder(into: Path, links: list[tarfile.TarInfo]) -> Path:
    tops = {entry.name for entry in into.iterdir()} | {_safe(link.name, link.name).parts[0] for link in links}
    only = into / next(iter(tops), "")
    return only if len(tops) == 1 and only.is_dir() else into


def _link(member: tarfile.TarInfo, into: Path, root: Path) -> None:
    path = into / _safe(member.name, member.name)
    if any(parent.is_symlink() for parent in path.parents if parent.is_relative_to(into) and parent != into):
        raise BuildFailed(f"the source has a link inside of a link: {member.name!r}; nothing of it was used")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        raise BuildFailed(f"the source has a link and a folder of the same name: {member.name!r}")
    path.unlink(missing_ok=True)
    if member.issym():
        target = os.path.normpath(path.parent / member.linkname)
        if Path(member.linkname).is_absolute() or not Path(target).is_relative_to(root):
            raise _outside(member)
        path.symlink_to(member.linkname)
        return
    original = into / _safe(member.linkname, member.name)
    if not original.is_file():
        raise BuildFailed(f"the source has a link to a file that it lacks: {member.name!r} -> {member.linkname!r}")
    os.link(original, path)


def _check_inside(path: Path, root: Path, member: tarfile.TarInfo) -> None:
    """Look at where a link really ends: one that passes through another link may go further than it reads."""
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        path.unlink()
        raise _outside(member)


def _outside(member: tarfile.TarInfo) -> BuildFailed:
    return BuildFailed(
        f"the source has a link that reaches outside its folder: {member.name!r} -> {member.linkname!r};"
        " nothing of it was used"
    )
