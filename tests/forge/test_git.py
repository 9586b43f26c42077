from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from herodeploy.errors import RepositoryError
from herodeploy.forge.git import Repository


def git(root: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        "GIT_AUTHOR_DATE": "2026-01-01T12:00:00Z",
        "GIT_COMMITTER_DATE": "2026-01-01T12:00:00Z",
    }
    done = subprocess.run(["git", *arguments], cwd=root, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(root: Path, message: str = "Say hello", **files: str) -> str:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", message)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    return root


def test_head_is_the_commit_with_its_branch_subject_and_author(root: Path) -> None:
    sha = commit(root, "Say hello\n\nand more", Procfile="web: x\n")
    head = Repository.open(root).head()
    assert (head.commit, head.branch, head.message, head.author) == (sha, "main", "Say hello", "ada@example.com")


def test_opened_from_a_folder_below_it_is_the_same_repository(root: Path) -> None:
    commit(root, a__b="x")
    assert Repository.open(root / "a").root.resolve() == root.resolve()


def test_a_detached_head_has_no_branch(root: Path) -> None:
    sha = commit(root)
    git(root, "checkout", "-q", "--detach")
    repository = Repository.open(root)
    assert repository.branch() is None
    assert repository.head().branch is None
    assert repository.head().commit == sha


def test_a_repository_without_commits_says_so(root: Path) -> None:
    repository = Repository.open(root)
    assert repository.branch() == "main"
    for ask in (repository.head, lambda: repository.resolve("HEAD"), lambda: repository.resolve("main")):
        with pytest.raises(RepositoryError, match="has no commits yet") as caught:
            ask()
        assert caught.value.hint
        assert "git commit" in caught.value.hint


def test_branches_tags_and_hashes_are_resolved(root: Path) -> None:
    first = commit(root, "First")
    git(root, "tag", "-a", "v1", "-m", "one")
    git(root, "checkout", "-q", "-b", "feature/x")
    second = commit(root, "Second")
    repository = Repository.open(root)
    assert (repository.resolve("main").commit, repository.resolve("main").branch) == (first, "main")
    assert (repository.resolve("feature/x").commit, repository.resolve("feature/x").branch) == (second, "feature/x")
    assert (repository.resolve("v1").commit, repository.resolve("v1").branch) == (first, None)
    assert repository.resolve(second[:10]).commit == second
    assert repository.resolve("HEAD").branch == "feature/x"
    assert repository.resolve("HEAD~1").commit == first


def test_a_branch_is_there_here_or_on_a_remote(root: Path) -> None:
    sha = commit(root)
    git(root, "tag", "v1")
    git(root, "remote", "add", "origin", "https://example.com/shop.git")
    git(root, "update-ref", "refs/remotes/origin/feature/far", sha)
    repository = Repository.open(root)
    there = [name for name in ("main", "feature/far", "far", "v1", sha) if repository.has_branch(name)]
    assert there == ["main", "feature/far"]


def test_a_branch_wins_over_a_tag_of_the_same_name(root: Path) -> None:
    first = commit(root, "First")
    git(root, "branch", "next")
    second = commit(root, "Second")
    git(root, "tag", "next")
    assert first != second
    assert Repository.open(root).resolve("next").commit == first


def test_a_branch_that_only_a_remote_has_is_found(root: Path, tmp_path: Path) -> None:
    sha = commit(root, "First")
    git(root, "branch", "feature-x")
    git(tmp_path, "clone", "-q", str(root), "clone")
    found = Repository.open(tmp_path / "clone").resolve("feature-x")
    assert (found.commit, found.branch) == (sha, "feature-x")


@pytest.mark.parametrize("ref", ["mian", "--all", "", "x y", "main:Procfile", "\\"])
def test_an_unknown_ref_is_refused_with_the_nearest_branch(root: Path, ref: str) -> None:
    commit(root, Procfile="web: x\n")
    with pytest.raises(RepositoryError) as caught:
        Repository.open(root).resolve(ref)
    assert repr(ref) in caught.value.message
    assert caught.value.hint == "nearest branches: main"


def test_no_repository_is_said_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="is not in a git repository") as caught:
        Repository.open(tmp_path)
    assert caught.value.hint
    assert "git init" in caught.value.hint


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="is not a folder"):
        Repository.open(tmp_path / "nowhere")


def test_a_bare_repository_and_a_git_folder_are_refused(root: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    for path in (tmp_path / "bare.git", root / ".git"):
        with pytest.raises(RepositoryError, match="is a bare git repository"):
            Repository.open(path)


def test_git_missing_from_path_is_said(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepositoryError, match="git is not on PATH"):
        Repository.open(root)


def test_a_hook_surroundings_do_not_lead_elsewhere(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sha = commit(root)
    git(tmp_path, "init", "-q", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    assert Repository.open(root).head().commit == sha


def test_dirty_names_what_no_commit_has(root: Path) -> None:
    commit(root, kept="1", renamed="a long enough text to be seen as the same\n", changed="1")
    repository = Repository.open(root)
    assert repository.dirty() == []
    (root / "changed").write_text("2")
    (root / "über uns.txt").write_text("new")
    git(root, "mv", "renamed", "new name")
    assert sorted(repository.dirty()) == ["changed", "new name", "über uns.txt"]


def test_an_archive_is_exactly_that_commit(root: Path, tmp_path: Path) -> None:
    first = commit(root, Procfile="web: one\n", bin__run="#!/bin/sh\n")
    (root / "bin/run").chmod(0o755)
    first = commit(root, "Make it executable")
    commit(root, "Second", Procfile="web: two\n")
    (root / "Procfile").write_text("web: dirty\n")
    (root / "untracked").write_text("x")
    repository = Repository.open(root)
    path = repository.archive(first, tmp_path)
    with tarfile.open(path) as tar:
        names = sorted(member.name for member in tar.getmembers() if member.isfile())
        procfile = tar.extractfile("Procfile")
        assert procfile is not None
        assert procfile.read() == b"web: one\n"
        assert tar.getmember("bin/run").mode == 0o755
    assert names == ["Procfile", "bin/run"]
    assert path == tmp_path / f"{first}.tar.gz"
    again = repository.archive(first, tmp_path / "again.tgz")
    assert again.read_bytes() == path.read_bytes()


def test_an_archive_that_fails_leaves_nothing(root: Path, tmp_path: Path) -> None:
    sha = commit(root, Procfile="web: x\n")
    blob = git(root, "rev-parse", "HEAD:Procfile")
    (root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(RepositoryError, match="git archive of"):
        Repository.open(root).archive(sha, into)
    assert list(into.iterdir()) == []
    with pytest.raises(RepositoryError, match="cannot write"):
        Repository.open(root).archive(sha, tmp_path / "missing" / "x.tgz")


def test_files_are_read_at_a_commit(root: Path) -> None:
    sha = commit(root, Procfile="web: ünï\n", a__b="x")
    (root / "Procfile").write_text("web: dirty\n")
    repository = Repository.open(root)
    assert repository.read(sha, "Procfile") == "web: ünï\n"
    assert repository.read(sha, "a/b") == "x"
    assert repository.read(sha, "a") is None
    assert repository.read(sha, "app.json") is None
    assert repository.read(sha, "*") is None
    with pytest.raises(RepositoryError, match="has no commit"):
        repository.read("0" * 40, "Procfile")


def test_ancestors(root: Path) -> None:
    first, second = commit(root, "First"), commit(root, "Second")
    repository = Repository.open(root)
    assert repository.is_ancestor(first, second)
    assert repository.is_ancestor(first, first)
    assert not repository.is_ancestor(second, first)
    with pytest.raises(RepositoryError, match="has no commit"):
        repository.is_ancestor("0" * 40, first)


def test_commits_are_counted(root: Path) -> None:
    first = commit(root)
    git(root, "switch", "-q", "-c", "side")
    side = commit(root, "On the side")
    git(root, "switch", "-q", "main")
    commit(root, "Second")
    git(root, "merge", "-q", "--no-ff", "-m", "Merge", "side")
    repository = Repository.open(root)
    assert repository.count(first, "main") == 3
    assert repository.count("main", first) == 0
    assert repository.count(side, "main") == 2
    with pytest.raises(RepositoryError, match="has no commit 'gone'"):
        repository.count("gone", "main")


def test_the_remote_is_named_without_its_password(root: Path) -> None:
    repository = Repository.open(root)
    assert repository.remote_url() is None
    git(root, "remote", "add", "fork", "git@example.com:ada/shop.git")
    assert repository.remote_url() == "git@example.com:ada/shop.git"
    git(root, "remote", "add", "origin", "https://ada:s3cret@example.com/shop.git")
    assert repository.remote_url() == "https://example.com/shop.git"


def test_branches_are_listed(root: Path) -> None:
    assert Repository.open(root).branches() == []
    commit(root)
    git(root, "branch", "feature/x")
    assert sorted(Repository.open(root).branches()) == ["feature/x", "main"]


def test_submodules_are_named(root: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    git(inner, "init", "-q", "-b", "main")
    sha = commit(inner, lib="x")
    plain = commit(root, Procfile="web: x\n")
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{sha},vendor/inner")
    git(root, "commit", "-q", "-m", "Add it")
    repository = Repository.open(root)
    assert repository.submodules(plain) == []
    assert repository.submodules("HEAD") == ["vendor/inner"]


def test_what_differs_between_two_commits(root: Path) -> None:
    first = commit(root, Procfile="web: x\n", one="1\n", two="2\n")
    (root / "one").rename(root / "uno")
    (root / "two").unlink()
    second = commit(root, db__migrate__1_ü="x")
    repository = Repository.open(root)
    assert repository.changed(first, second) == ["db/migrate/1_ü", "one", "two", "uno"]
    assert repository.changed(second, first) == repository.changed(first, second)
    assert repository.changed(first, first) == []
    with pytest.raises(RepositoryError, match="has no commit 'cafe'"):
        repository.changed("cafe", first)
