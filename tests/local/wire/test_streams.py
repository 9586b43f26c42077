from __future__ import annotations

import asyncio
from pathlib import Path

from herodeploy.local.wire.streams import Streams


async def collect(streams: Streams, key: str, start: int = 0) -> bytes:
    return b"".join([chunk async for chunk in streams.follow(key, start)])


def test_a_reader_gets_everything_from_the_start_and_what_comes_until_the_end(tmp_path: Path) -> None:
    async def story() -> bytes:
        streams = Streams(tmp_path, "http://127.0.0.1:1")
        key = streams.create()
        streams.write(key, "before")
        reader = asyncio.create_task(collect(streams, key))
        await asyncio.sleep(0)
        streams.write(key, "while\n")
        await asyncio.sleep(0)
        streams.write(key, "last")
        streams.close(key)
        return await reader

    assert asyncio.run(story()) == b"before\nwhile\nlast\n"


def test_a_quiet_stream_has_a_heartbeat(tmp_path: Path) -> None:
    async def story() -> list[bytes]:
        streams = Streams(tmp_path, "http://127.0.0.1:1", heartbeat=0.01)
        key = streams.create()
        seen = []
        async for chunk in streams.follow(key):
            seen.append(chunk)
            if len(seen) == 2:
                streams.write(key, "done")
                streams.close(key)
        return seen

    assert asyncio.run(story()) == [b"", b"", b"done\n"]


def test_a_stream_outlives_the_platform_as_an_ended_one(tmp_path: Path) -> None:
    async def story() -> bytes:
        first = Streams(tmp_path, "http://127.0.0.1:1")
        key = first.create()
        first.write(key, "cut")
        second = Streams(tmp_path, "http://127.0.0.1:1")
        second.write(key, "failed")
        return await collect(second, key, start=4)

    assert asyncio.run(story()) == b"failed\n"


def test_ids_are_no_paths(tmp_path: Path) -> None:
    streams = Streams(tmp_path / "streams", "http://127.0.0.1:1")
    (tmp_path / "secret.log").write_text("x")
    assert not streams.exists("../secret")
    assert not streams.exists("")


def test_a_full_disk_loses_a_line_and_no_build(tmp_path: Path) -> None:
    streams = Streams(tmp_path, "http://127.0.0.1:1")
    full = Path("/dev/full")
    if full.exists():
        (tmp_path / "abc.log").symlink_to(full)
        streams.write("abc", "lost")
