from __future__ import annotations

import asyncio
import re
from pathlib import Path

from herodeploy.local.logs import KEPT, LONGEST, Logs


def texts(lines: list[str]) -> list[str]:
    return [line.partition(" ")[2] for line in lines]


def test_lines_look_like_herokus(tmp_path: Path) -> None:
    logs = Logs(tmp_path / "logs")
    logs.write("a", "app", "web.1", "hello")
    (line,) = logs.tail("a")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00 app\[web\.1\]: hello", line)


def test_filters_by_source_and_dyno(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    logs.write("a", "app", "web.1", "one")
    logs.write("a", "app", "web.2", "two")
    logs.write("a", "heroku", "web.1", "up")
    logs.write("a", "heroku", "router", "GET")
    assert texts(logs.tail("a", source="app")) == ["app[web.1]: one", "app[web.2]: two"]
    assert texts(logs.tail("a", dyno="web.1")) == ["app[web.1]: one", "heroku[web.1]: up"]
    assert texts(logs.tail("a", dyno="web", source="app")) == ["app[web.1]: one", "app[web.2]: two"]
    assert texts(logs.tail("a", lines=1)) == ["heroku[router]: GET"]
    assert logs.tail("a", lines=0) == []


def test_apps_are_apart_and_survive_a_restart(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    logs.write("a", "app", "web.1", "from a\nsecond line")
    logs.write("b", "app", "web.1", "from b")
    again = Logs(tmp_path)
    assert texts(again.tail("a")) == ["app[web.1]: from a", "app[web.1]: second line"]
    assert texts(again.tail("b")) == ["app[web.1]: from b"]


def test_keeps_the_newest_lines_only(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    for number in range(3 * KEPT):
        logs.write("a", "app", "web.1", str(number))
    for reader in (logs, Logs(tmp_path)):
        kept = reader.tail("a", lines=10**6)
        assert len(kept) == KEPT
        assert kept[-1].endswith(f": {3 * KEPT - 1}")
    assert (tmp_path / "a.log").read_text().count("\n") <= 2 * KEPT


def test_cuts_endless_lines(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    logs.write("a", "app", "web.1", "x" * (LONGEST + 1))
    assert [len(line.partition(": ")[2]) for line in logs.tail("a")] == [LONGEST, 1]


def test_unwritable_folder_does_not_stop_an_app(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    logs = Logs(tmp_path / "file" / "logs")
    logs.write("a", "app", "web.1", "kept in memory")
    assert texts(logs.tail("a")) == ["app[web.1]: kept in memory"]


def test_follow_tells_what_comes_until_the_app_is_forgotten(tmp_path: Path) -> None:
    async def story() -> list[str]:
        logs = Logs(tmp_path)
        logs.write("a", "app", "web.1", "before")
        follower = logs.follow("a", dyno="web.1")
        logs.write("a", "app", "web.1", "one")
        logs.write("a", "app", "worker.1", "other dyno")
        asyncio.get_running_loop().call_soon(logs.write, "a", "app", "web.1", "two")
        asyncio.get_running_loop().call_later(0.01, logs.forget, "a")
        return [line async for line in follower]

    assert texts(asyncio.run(story())) == ["app[web.1]: one", "app[web.1]: two"]
    assert not (tmp_path / "a.log").exists()
