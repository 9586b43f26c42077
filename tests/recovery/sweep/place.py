"""A local platform in a process of its own, pipelines on it, and what commands leave there."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support import platforms

from herodeploy.local import control
from herodeploy.local.rehearsal.client import Control

from . import command
from .command import Ended, Kill

PATIENCE = 60
# A web server that starts in a few milliseconds: it is started hundreds of times.
SERVE = """\
import posix, _socket
port = _socket.socket(2, 1)
port.setsockopt(1, 2, 1)
port.bind(("127.0.0.1", int(posix.environ[b"PORT"])))
port.listen(20)
while True:
    fd, _ = port._accept()
    client = _socket.socket(2, 1, 0, fd)
    client.recv(4096)
    client.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nok\\n")
    client.close()
"""
FILES = {
    "Procfile": "web: exec python3 -ISu serve.py\nrelease: true\n",
    "serve.py": SERVE,
    "app.json": '{"environments": {"test": {"scripts": {"test": "true"}}}}\n',
}
IGNORED_ACTS = ("/sources", "/filters/apps", "/log-sessions")
"""POSTs of which a second one leaves nothing behind."""
CLIENT_GAVE_UP = 0.6
"""Seconds of a late answer: the client has given up by then, and nobody has looked yet."""
CARRYING_ON = ("delivery.errored", "delivery.resumed")
"""Kinds of events that tell of an interruption, and of nothing else."""


@dataclass
class Platform:
    """A running local platform.

    Parameters:
        folder: everything that is made during a sweep lies below it.
    """

    folder: Path
    url: str
    token: str
    control: Control

    def ask(self, method: str, path: str, body: Any = None, data: bytes | None = None) -> Any:
        """Call the API, undisturbed."""
        content = json.dumps(body).encode() if body is not None else data
        request = urllib.request.Request(path if "://" in path else self.url + path, method=method, data=content)
        if path.endswith("/releases"):
            request.add_header("Range", "version ..; max=1000")  # a long sweep makes more than a page of them
        request.add_header("Accept", "application/vnd.heroku+json; version=3")
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json" if data is None else "")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
                text = reply.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None
        return json.loads(text) if text.startswith((b"{", b"[")) else None

    def upload(self) -> str:
        """Upload the app and return where the platform finds it."""
        blob = self.ask("POST", "/sources")["source_blob"]
        self.ask("PUT", blob["put_url"], data=platforms.tarball(FILES))
        return str(blob["get_url"])

    def build(self, app: str, version: str) -> str:
        """Build and release the app, and return the slug's id."""
        build = self.ask("POST", f"/apps/{app}/builds", {"source_blob": {"url": self.upload(), "version": version}})
        path = f"/apps/{app}/builds/{build['id']}"
        done = eventually(
            lambda: (found := self.ask("GET", path))["status"] == "succeeded" and found["release"] and found
        )
        self.settled(app)
        return str(done["slug"]["id"])

    def release(self, app: str, slug: str) -> None:
        """Release a slug in an app."""
        self.ask("POST", f"/apps/{app}/releases", {"slug": slug})
        self.settled(app)

    def settled(self, app: str) -> None:
        """Wait until no release of an app is under way."""
        eventually(lambda: all(each["status"] != "pending" for each in self.ask("GET", f"/apps/{app}/releases")))


@contextmanager
def platform(folder: Path) -> Iterator[Platform]:
    """Run a platform as long as the block lasts."""
    data = folder / "platform"
    running = control.start(data, platforms.spare_port())
    try:
        command_token = (data / "control-token").read_text()
        yield Platform(folder, running.url, running.token, Control(running.url, command_token))
    finally:
        control.stop(data)


@dataclass
class Shop:
    """A repository, its pipeline on the platform, and its own store.

    Parameters:
        apps: of each stage.
    """

    platform: Platform
    name: str
    root: Path
    config: str
    apps: Mapping[str, Sequence[str]]
    pipeline_id: str = ""
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.root.parent / "state"

    @property
    def all_apps(self) -> list[str]:
        return [app for apps in self.apps.values() for app in apps]

    def herodeploy(self, *arguments: str, kill: Kill | None = None, hasty: bool = False) -> Ended:
        """Run a command in the repository."""
        return command.herodeploy(
            *arguments,
            root=self.root,
            log=self.root.parent,
            kill=kill,
            hasty=hasty,
            XDG_STATE_HOME=str(self.state),
            HERODEPLOY_LOCAL_DATA=str(self.platform.folder / "platform"),
        )

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("commit", "--quiet", "--allow-empty", "--message", "Change")
        return self.git("rev-parse", "HEAD")

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the store itself."""
        with closing(sqlite3.connect(self.state / "herodeploy" / "herodeploy.db")) as database:
            return database.execute(statement, values).fetchall()

    def forget_holds(self) -> None:
        """Let automatic moves go on in every stage, and tell nobody."""
        with closing(sqlite3.connect(self.state / "herodeploy" / "herodeploy.db")) as database, database:
            database.execute("DELETE FROM holds")

    def ask(self, path: str) -> Any:
        return self.platform.ask("GET", path)


def open_shop(platform: Platform, config: str, apps: Mapping[str, Sequence[str]]) -> Shop:
    """Make a repository and apply its pipeline.

    Parameters:
        config: herodeploy.yml, ``{name}`` standing for a name of the shop's own.
        apps: as the config names them.
    """
    name = f"s{uuid.uuid4().hex[:7]}"
    root = platform.folder / name / "repository"
    root.mkdir(parents=True)
    own = {stage: [app.format(name=name) for app in named] for stage, named in apps.items()}
    shop = Shop(platform, name, root, config, own)
    for file, text in {**FILES, "herodeploy.yml": config.format(name=name)}.items():
        (root / file).write_text(text)
    shop.git("init", "--quiet", "--initial-branch=main")
    shop.git("add", "--all")
    shop.commit()
    applied = shop.herodeploy("apply")
    assert applied.code == 0, applied.out
    [pipeline] = [each for each in platform.ask("GET", "/pipelines") if each["name"] == name]
    shop.pipeline_id = pipeline["id"]
    return shop


def close_shop(shop: Shop) -> None:
    """Take the pipeline off the platform, with its apps."""
    for coupling in shop.ask(f"/pipelines/{shop.pipeline_id}/pipeline-couplings"):
        shop.platform.ask("DELETE", f"/apps/{coupling['app']['id']}")
    shutil.rmtree(shop.root.parent, ignore_errors=True)


@dataclass(frozen=True)
class Mark:
    """Where everything stands before a trial."""

    releases: Mapping[str, int]
    builds: Mapping[str, int]
    test_runs: int
    event: int
    delivery: str
    target: int


def mark(shop: Shop) -> Mark:
    """Remember where everything stands; what is left behind is told from there on."""
    shop.platform.control.forget_requests()
    return Mark(
        {app: len(shop.ask(f"/apps/{app}/releases")) for app in shop.all_apps},
        {app: len(shop.ask(f"/apps/{app}/builds")) for app in shop.all_apps},
        len(shop.ask(f"/pipelines/{shop.pipeline_id}/test-runs")),
        shop.rows("SELECT coalesce(max(seq), 0) FROM events")[0][0],
        shop.rows("SELECT coalesce(max(id), '') FROM deliveries")[0][0],
        shop.rows("SELECT coalesce(max(seq), 0) FROM targets")[0][0],
    )


def left_behind(shop: Shop, since: Mark) -> dict[str, Any]:
    """What there is since then, without what differs from run to run."""
    slugs: dict[str, str] = {}
    acts = [
        f"{each['method']} {_kind_of(each['path'])}"
        for each in shop.platform.control.requests()
        if each["method"] in ("POST", "PATCH", "DELETE") and _was_done(each)
    ]
    return {
        "releases": {
            app.removeprefix(shop.name): [
                _release(release, slugs) for release in shop.ask(f"/apps/{app}/releases")[since.releases[app] - 1 :]
            ]
            for app in shop.all_apps
        },
        "builds": {
            app.removeprefix(shop.name): [
                build["status"] for build in shop.ask(f"/apps/{app}/builds")[since.builds[app] :]
            ]
            for app in shop.all_apps
        },
        "test runs": [run["status"] for run in shop.ask(f"/pipelines/{shop.pipeline_id}/test-runs")[since.test_runs :]],
        "review apps": review_apps(shop),
        "acts": dict(sorted(Counter(act for act in acts if not act.endswith(IGNORED_ACTS)).items())),
        "deliveries": shop.rows("SELECT status, at_stage FROM deliveries WHERE id > ? ORDER BY id", since.delivery),
        "events": _events(shop, since.event),
        "approvals": shop.rows("SELECT count(*) FROM approvals WHERE delivery_id > ?", since.delivery),
        "occupied": shop.rows("SELECT stage FROM occupations"),
        "locks": shop.rows("SELECT by, stage FROM locks"),
        "taken back": shop.rows("SELECT count(*) FROM taken_back WHERE delivery_id > ?", since.delivery),
        "targets": shop.rows(
            "SELECT stage, wave, status, count(*) FROM targets WHERE seq > ? AND status <> 'pending' "
            "GROUP BY stage, wave, status ORDER BY stage, wave, status",
            since.target,
        ),
    }


def _events(shop: Shop, since: int) -> list[str]:
    """Kinds of events, without those that only an interruption has: what it asks again is let in twice."""
    kept, asked_again = [], set()
    for kind, delivery in shop.rows("SELECT kind, delivery_id FROM events WHERE seq > ? ORDER BY seq", since):
        if kind == "delivery.reopened":
            asked_again.add(delivery)
        elif kind == "gates.passed" and delivery in asked_again:
            asked_again.discard(delivery)
        elif kind not in CARRYING_ON:
            kept.append(kind)
    return kept


def wait_until_quiet(shop: Shop) -> None:
    """Wait until nothing is under way in any app, also of what an answer that came too late had begun."""
    time.sleep(CLIENT_GAVE_UP)  # the platform tells nobody of calls that it holds up
    for app in shop.all_apps:
        shop.platform.settled(app)
        eventually(lambda app=app: all(b["status"] != "pending" for b in shop.ask(f"/apps/{app}/builds")))


def review_apps(shop: Shop) -> list[str]:
    """Statuses of native review apps, and the managed ones."""
    native = shop.ask(f"/pipelines/{shop.pipeline_id}/review-apps")
    known = {each["app"]["id"] for each in native if each["app"]}
    couplings = shop.ask(f"/pipelines/{shop.pipeline_id}/pipeline-couplings")
    managed = [each for each in couplings if each["stage"] == "review" and each["app"]["id"] not in known]
    return sorted(each["status"] for each in native) + ["managed"] * len(managed)


def eventually(look: Any) -> Any:
    """Return the first true thing that `look` finds."""
    ends = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < ends, "it does not come about"
        time.sleep(0.02)  # the platform is another process, and tells nobody
    return found


def _release(release: Any, slugs: dict[str, str]) -> tuple[str, str, str, bool]:
    slug = release["slug"]["id"] if release["slug"] else ""
    label = slugs.setdefault(slug, f"slug {len(slugs)}") if slug else "none"
    return release["description"].split(" ")[0], release["status"], label, release["current"]


def _kind_of(path: str) -> str:
    parts = path.strip("/").split("/")
    return "/" + "/".join(part for at, part in enumerate(parts) if at % 2 == 0 or parts[0] in ("filters",))


def _was_done(noted: Mapping[str, Any]) -> bool:
    return 200 <= noted["status"] < 300 or noted["fault"] == "reset-after"
