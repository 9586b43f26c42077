"""How long `deliver` takes for an app that needs no building: from the command to production, split by leg.

Limit: under 10 s, in deployment mode, CI included. Prints the median of five deliveries; judges nothing.
"""

from __future__ import annotations

import itertools
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from shop import Shop

RUNS = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder))
        try:
            shop.herodeploy("mode", "deployment", "--why", "benchmark")
            runs = [deliver(shop, number) for number in range(RUNS)]
        finally:
            shop.herodeploy("local", "stop")
    print(f"{'part':<12} {'median':>8} {'max':>8}   seconds, {RUNS} deliveries; limit 10 for the whole")
    for part in runs[0]:
        values = [run[part] for run in runs]
        print(f"{part:<12} {statistics.median(values):8.2f} {max(values):8.2f}")


def deliver(shop: Shop, number: int) -> dict[str, float]:
    (shop.root / "index.html").write_text(f"{number}\n")
    shop.commit()
    began = time.time()
    shop.herodeploy("deliver")
    whole = time.time() - began
    events = json.loads(shop.herodeploy("history", "--json", "--limit", "200"))["events"]
    return legs(events, began) | {"whole": whole}


def legs(events: list[dict[str, Any]], began: float) -> dict[str, float]:
    """Return seconds by leg: from its first event to the next leg's."""
    from datetime import datetime

    mine = sorted((datetime.fromisoformat(e["at"]).timestamp(), e) for e in events if e["at"])
    starts = [(at, e["stage"]) for at, e in mine if at >= began - 1 and e["kind"] == "leg.started"]
    ends = [at for at, e in mine if at >= began - 1]
    edges = [*starts, (max(ends, default=began), "")]
    return {stage: following[0] - at for (at, stage), following in itertools.pairwise(edges)}


if __name__ == "__main__":
    main()
