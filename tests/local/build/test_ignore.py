from __future__ import annotations

from pathlib import Path

from herodeploy.local.build import ignore


def tree(app: Path) -> list[str]:
    return sorted(path.relative_to(app).as_posix() for path in app.rglob("*") if path.is_file())


def test_slugignore_deletes_what_it_names(tmp_path: Path) -> None:
    for name in ("docs/a.md", "src/b.psd", "src/deep/c.psd", "keep.txt", "root.log", "src/root.log", ".git/HEAD"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".slugignore").write_text("# comment\n*.psd\n/root.log\ndocs/\n!src/b.psd\n")
    said: list[str] = []
    ignore.apply(tmp_path, said.append)
    assert tree(tmp_path) == [".slugignore", "keep.txt", "src/root.log"]
    assert not (tmp_path / "docs").exists()
    assert said == [
        " !     .slugignore: patterns with ! are not supported and ignored: !src/b.psd",
        "-----> Deleting 4 entries matching .slugignore patterns",
    ]


def test_without_slugignore_only_git_goes(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    (tmp_path / "a").write_text("x")
    ignore.apply(tmp_path, lambda line: None)
    assert tree(tmp_path) == ["a"]
