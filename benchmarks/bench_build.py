"""How long builds take through `builder.build`, without any network or HTTP: `python benchmarks/bench_build.py`."""

from __future__ import annotations

import asyncio
import io
import statistics
import tarfile
import tempfile
import time
from pathlib import Path

from herodeploy.local import runtime
from herodeploy.local.build import builder

APPS = {
    "Procfile only": {"Procfile": "web: serve\n"},
    "Python without packages": {"Procfile": "web: serve\n", "requirements.txt": ""},
}
ROUNDS = 10


def main() -> None:
    print(f"{'app':<26}{'build, ms (median)':>20}{'worst':>8}{'unpack, ms (median)':>22}")
    for title, files in APPS.items():
        with tempfile.TemporaryDirectory() as folder:
            builds, unpacks = measure(files, Path(folder))
        line = f"{statistics.median(builds):>20.0f}{max(builds):>8.0f}{statistics.median(unpacks):>22.1f}"
        print(f"{title:<26}{line}")


def measure(files: dict[str, str], folder: Path) -> tuple[list[float], list[float]]:
    source = folder / "source.tgz"
    with tarfile.open(source, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    builds, unpacks = [], []
    for number in range(ROUNDS):
        slug = folder / f"{number}.tgz"
        request = builder.BuildRequest(source, folder / f"work{number}", folder / "caches" / "app", slug, {})
        begun = time.perf_counter()
        asyncio.run(builder.build(request, lambda _: None))
        built = time.perf_counter()
        runtime.unpack(slug, folder / f"dyno{number}")
        builds.append((built - begun) * 1000)
        unpacks.append((time.perf_counter() - built) * 1000)
    return builds, unpacks


if __name__ == "__main__":
    main()
