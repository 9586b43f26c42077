from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from herodeploy.local import runtime
from herodeploy.local.process.process import clean_env


def boot(home: Path, command: str, **config: str) -> subprocess.CompletedProcess[str]:
    env = clean_env({**config, "HOME": str(home)})
    return subprocess.run(runtime.boot_script(command), env=env, capture_output=True, text=True, check=False)


def test_a_command_boots_at_home_after_its_profiles(tmp_path: Path) -> None:
    (tmp_path / ".profile.d").mkdir()
    (tmp_path / ".profile.d" / "a.sh").write_text('export A="${A:-default}" B="$HOME/b"; local_only=1')
    (tmp_path / ".profile.d" / "b.sh").write_text('export B="$B/then"')
    (tmp_path / ".profile.d" / "ignored.txt").write_text("exit 1")
    (tmp_path / ".profile").write_text('export B="$B/last"')
    ended = boot(tmp_path, 'echo "$A $B ${local_only-gone} ${file-none}"; pwd', A="config wins")
    assert ended.stdout == f"config wins {tmp_path}/b/then/last gone none\n{tmp_path}\n"


@pytest.mark.parametrize("command", ["exit 5", "bash -c 'exit 5'", "false || exit 5"])
def test_the_exit_status_is_the_commands(command: str, tmp_path: Path) -> None:
    assert boot(tmp_path, command).returncode == 5


def test_quotes_and_dollars_of_a_command_arrive_as_written(tmp_path: Path) -> None:
    assert boot(tmp_path, """printf '%s|' "it's" '$x' "$PORT" """, PORT="80").stdout == "it's|$x|80|"


def test_what_is_no_slug_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.tgz").write_bytes(b"no slug")
    with pytest.raises(runtime.SlugDamaged, match=r"bad\.tgz is no slug"):
        runtime.unpack(tmp_path / "bad.tgz", tmp_path / "a")
    with tarfile.open(tmp_path / "other.tgz", "w:gz") as archive:
        archive.add(__file__, "./elsewhere/file")
    with pytest.raises(runtime.SlugDamaged, match=r"it has no \./app"):
        runtime.unpack(tmp_path / "other.tgz", tmp_path / "b")
    with pytest.raises(FileNotFoundError):
        runtime.unpack(tmp_path / "absent.tgz", tmp_path / "c")


def test_a_slug_of_somebody_else_writes_nothing_outside(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tgz", "w:gz") as archive:
        archive.add(__file__, "./app/../../outside")
    with pytest.raises(runtime.SlugDamaged):
        runtime.unpack(tmp_path / "evil.tgz", tmp_path / "in" / "here")
    assert not (tmp_path / "outside").exists()


def test_a_slug_whose_app_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with tarfile.open(tmp_path / "evil.tgz", "w:gz") as archive:
        link = tarfile.TarInfo("./app")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "elsewhere")
        archive.addfile(link)
    with pytest.raises(runtime.SlugDamaged):
        runtime.unpack(tmp_path / "evil.tgz", tmp_path / "in")
