"""How many calls to the API a delivery takes, beside the fewest that its story needs.

Limit: 1.5 times the fewest. The stories: `deliver` in delivery mode to staging, then `approve` into production; and
`deliver` in deployment mode to both. One app a stage, CI by the platform, an HTTP check. Only calls to the API count:
sources are uploaded to, and output is streamed from, other hosts.

The fewest are those that cannot be left out without giving up something that is promised: `NEEDED` says which and why.
Where something is waited for (a test run, a promotion, dynos), one look counts; others are told as what they are.

Prints figures; judges nothing.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from shop import Shop


@dataclass(frozen=True)
class Need:
    """Calls of one kind that a story cannot do without."""

    call: str
    count: int
    why: str


BEGIN = [
    Need("GET /pipelines", 1, "herodeploy.yml names the pipeline, everything else wants its id"),
    Need("GET /pipelines/ID/pipeline-couplings", 1, "which apps are in it: nothing is built where one is missing"),
    Need("POST /filters/apps", 1, "their names and ids"),
]
TEST = [
    Need("GET /pipelines/ID/test-runs", 1, "what is there before: a cut attempt's run is found by it"),
    Need("POST /sources", 1, "where the source goes"),
    Need("POST /test-runs", 1, "the act"),
    Need("GET /pipelines/ID/test-runs/N", 2, "once it runs, and once its output has ended"),
    Need("GET /test-runs/ID/test-nodes", 1, "where its output is"),
]
BUILD = [
    Need("GET /apps/APP/releases", 1, "what is there before: a cut attempt's release is found by it"),
    Need("GET /apps/APP/builds", 1, "the same of builds"),
    Need("POST /sources", 1, "where the source goes; an address is good for one upload"),
    Need("POST /apps/APP/builds", 1, "the act; its reply says where the output is"),
    Need("GET /apps/APP/builds/ID", 1, "how it ended"),
    Need("GET /apps/APP/releases/ID", 1, "how its release ended, release phase included"),
    Need("GET /apps/APP/slugs/ID", 1, "whether it can answer: a web process"),
]
PROMOTE = [
    Need("GET /apps/APP/releases", 1, "what is there before: a cut attempt's release is found by it"),
    Need("POST /pipeline-promotions", 1, "the act"),
    Need("GET /pipeline-promotions/ID/promotion-targets", 1, "how it ended in each app, and which release it made"),
    Need("GET /apps/APP/releases/ID", 1, "its version and how it ended: dynos name the version that they run"),
]
VERIFY = [
    Need("GET /apps/APP/formation", 1, "how many dynos there should be"),
    Need("GET /apps/APP/dynos", 2, "they are up before the first request, and did not crash or give way"),
]
AGAIN = [
    Need("GET /pipelines", 1, "another process: the name again"),
    Need("GET /apps/APP", 1, "the app's id and address"),
]
NEEDED = {
    "deliver, delivery mode": [*BEGIN, *TEST, *BUILD, *VERIFY],
    "approve": [*AGAIN, *PROMOTE, *VERIFY],
    "deliver, deployment mode": [*BEGIN, *TEST, *BUILD, *VERIFY, *PROMOTE, *VERIFY],
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder))
        try:
            # The first delivery finds empty apps; those after it are what every day brings.
            shop.commit()
            shop.herodeploy("deliver")
            stories = {"deliver, delivery mode": calls(shop, "deliver", new=True)}
            newest = json.loads(shop.herodeploy("status", "--json"))["deliveries"][0]["id"]
            stories["approve"] = calls(shop, "approve", newest)
            shop.herodeploy("mode", "deployment", "--why", "benchmark")
            stories["deliver, deployment mode"] = calls(shop, "deliver", new=True)
        finally:
            shop.herodeploy("local", "stop")
    for story, made in stories.items():
        tell(story, made)


def calls(shop: Shop, *command: str, new: bool = False) -> Counter[str]:
    """Run a command, on a new commit if wanted, and return the calls that it made, by kind."""
    if new:
        shop.commit()
    before = len(requests(shop))
    shop.herodeploy(*command)
    made = (kind(each["method"], each["path"]) for each in requests(shop)[before:])
    return Counter(each for each in made if each is not None)


def requests(shop: Shop) -> list[dict[str, str]]:
    return list(json.loads(shop.herodeploy("local", "requests", "--json", "--lines", "10000")))


def kind(method: str, path: str) -> str | None:
    """Return a call without its names and ids; None for what is not the API."""
    if path.startswith(("/blobs/", "/streams/", "/log-streams/")):
        return None
    path = re.sub(r"^/apps/[^/]+", "/apps/APP", path)
    path = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", path)
    path = re.sub(r"(/test-runs)/\d+", r"\1/N", path)
    path = re.sub(r"(/releases)/\d+$", r"\1/ID", path)
    return f"{method} {path}"


def tell(story: str, made: Counter[str]) -> None:
    needed: Counter[str] = Counter()
    for need in NEEDED[story]:
        needed[need.call] += need.count
    fewest, all_made = needed.total(), made.total()
    print(f"\n{story}: {all_made} calls, {fewest} needed, {all_made / fewest:.2f} times; limit 1.5")
    for call in sorted(made | needed, key=lambda each: (needed[each] - made[each], each)):
        if made[call] != needed[call]:
            print(f"  {call:<50} {made[call]:3} made, {needed[call]:2} needed")


if __name__ == "__main__":
    main()
