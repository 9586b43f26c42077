from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Member = tarfile.TarInfo | tuple[str, str]


@pytest.fixture
def tarball(tmp_path: Path) -> Callable[..., Path]:
    """Make a source tarball of (name, text) pairs and of members as they are."""

    def make(*members: Member, executables: Mapping[str, str] | None = None) -> Path:
        file = tmp_path / f"source{len(list(tmp_path.iterdir()))}.tgz"
        everything: list[tuple[Member, int]] = [(member, 0o644) for member in members]
        everything += [(pair, 0o755) for pair in (executables or {}).items()]
        with tarfile.open(file, "w:gz") as archive:
            for member, mode in everything:
                if isinstance(member, tarfile.TarInfo):
                    archive.addfile(member, io.BytesIO(bytes(member.size)))
                    continue
                info = tarfile.TarInfo(member[0])
                info.size, info.mode = len(member[1].encode()), mode
                archive.addfile(info, io.BytesIO(member[1].encode()))
        return file

    return make
