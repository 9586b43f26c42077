"""How long `herodeploy --version` takes beside `python -c "import typer"`; limit 2.5 times. Judges nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 15


def main() -> None:
    ours = [sys.executable, "-m", "herodeploy", "--version"]
    typer = [sys.executable, "-c", "import typer"]
    pairs = [(seconds(ours), seconds(typer)) for _ in range(RUNS + 2)][2:]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(
        f"herodeploy --version {mine * 1000:.0f} ms, import typer {theirs * 1000:.0f} ms, ratio {ratio:.2f} (limit 2.5)"
    )


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
