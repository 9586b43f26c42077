"""The guided tour: a real change travels from a branch to production on the local platform.

It runs the same commands that a person would type, each as a process of its own, and checks every claim it
makes by fetching the apps' addresses and asking the platform.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from herodeploy.cli import console
from herodeploy.demo.repository import Repository
from herodeploy.local import control

NAME = "greeter"
STAGING = f"{NAME}-staging"
PRODUCTION = f"{NAME}-production"


def main(keep: bool = False) -> int:
    """Take the tour; return 0 when every claim held, 1 otherwise.

    Parameters:
        keep: leave the platform running and the repository in place, to look around.
    """
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="herodeploy-demo-"))
    tour = Tour(folder)
    try:
        tour.take()
    except TourBroken as broken:
        tour.claim(str(broken), held=False)
    finally:
        tour.finish(keep)
    console.say()
    console.say(f"{tour.held} claims held, {tour.broken} did not, in {time.monotonic() - began:.0f} s")
    return 1 if tour.broken else 0


class TourBroken(Exception):
    """The tour cannot go on."""


class Tour:
    """One tour in a folder of its own: repository, platform and herodeploy's state.

    Parameters:
        folder: an empty folder; removed at the end.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held = 0
        self.broken = 0
        self.repository = Repository(folder / NAME)
        self.environment = _environment(folder)
        self.data = folder / "state" / "herodeploy" / "local"

    def take(self) -> None:
        """Walk the whole way."""
        self.set_up()
        self.review_app()
        self.delivery_waits_for_approval()
        self.approved()
        self.deployment_mode()
        self.failing_test()
        self.failing_release_phase()
        self.does_not_boot()
        self.rolled_back()
        self.looked_back()

    def set_up(self) -> None:
        """Write herodeploy.yml, create the pipeline."""
        self.title("A pipeline from one file", "herodeploy.yml describes it, `apply` creates it.")
        self.run("init", "--platform", "local", "--name", NAME, "--yes")
        self.repository.commit("Describe the pipeline")
        self.run("apply")
        again = self.run("apply", "--json", shown=False)
        self.claim("a second apply changes nothing", held=not json.loads(again)["actions"])

    def review_app(self) -> None:
        """Give a branch its own app."""
        self.title("A branch becomes a review app", "One app a branch, made from app.json.")
        self.repository.branch("warmer")
        self.repository.replace("greeter.py", 'GREETING = "Hello"', 'GREETING = "Welcome"')
        self.repository.commit("Greet more warmly")
        made = json.loads(self.run("review", "create", "--branch", "warmer", "--json", shown=False))
        self.claim_says(made["app"], "Welcome, world!")
        self.run("review", "list")
        self.run("review", "destroy", "warmer", "--yes")
        self.claim("the review app is gone", held=self.fetch(made["app"]) is None)

    def delivery_waits_for_approval(self) -> None:
        """Merge; everything up to production happens by itself."""
        self.title("Merged: CI, staging, and a question", "In delivery mode a person has the last word.")
        self.repository.merge("warmer")
        self.run("deliver")
        self.claim_says(STAGING, "Welcome, world!")
        self.claim("production has not got it", held=self.says(PRODUCTION) is None)
        self.claim("the delivery waits for a person", held=self.latest_delivery()["status"] == "waiting")

    def approved(self) -> None:
        """Press the button."""
        self.title("Approved: the very same slug goes to production")
        self.run("approve", self.latest_delivery()["id"], "--comment", "looks good")
        self.claim_says(PRODUCTION, "Welcome, world!")
        self.claim("both apps run the same slug", held=self.slug(STAGING) == self.slug(PRODUCTION))

    def deployment_mode(self) -> None:
        """Throw the switch; the next commit needs nobody."""
        self.title("One command switches to continuous deployment")
        self.run("mode", "deployment", "--why", "the gates have earned it")
        self.repository.replace("greeter.py", 'GREETING = "Welcome"', 'GREETING = "Good day"')
        self.repository.commit("Greet formally")
        self.run("deliver")
        self.claim_says(PRODUCTION, "Good day, world!")

    def failing_test(self) -> None:
        """CI stops what its tests refuse."""
        self.title("A commit with a failing test is stopped by CI")
        before = self.slug(STAGING)
        self.repository.replace("greeter.py", 'GREETING = "Good day"', 'GREETING = "Oi"')
        self.repository.commit("Greet rudely")
        self.run("deliver", exit_code=1)
        self.claim("staging never saw it", held=self.slug(STAGING) == before)
        self.claim_says(PRODUCTION, "Good day, world!")
        self.repository.revert()

    def failing_release_phase(self) -> None:
        """A release whose `release` command fails never serves."""
        self.title("A failing release phase leaves the old release serving")
        self.repository.replace("release.py", 'for name in ("SECRET_KEY",)', 'for name in ("SECRET_KEY", "LICENCE")')
        self.repository.commit("Want a setting that nobody has made")
        self.run("deliver", exit_code=1)
        self.claim("staging's newest release failed", held=self.releases(STAGING)[-1]["status"] == "failed")
        self.claim_says(STAGING, "Good day, world!")
        self.claim_says(PRODUCTION, "Good day, world!")
        self.repository.revert()

    def does_not_boot(self) -> None:
        """Verification stops what the tests could not see."""
        self.title("A commit that passes its tests but does not boot is stopped on staging")
        self.repository.replace("serve.py", "from greeter import application", "from greeter import app")
        self.repository.commit("Rename what is served")
        self.run("deliver", exit_code=1)
        self.claim("staging does not answer", held=self.says(STAGING) is None)
        self.claim_says(PRODUCTION, "Good day, world!")
        self.repository.revert()

    def rolled_back(self) -> None:
        """Put the previous good release back."""
        self.title("A bad release in production is rolled back")
        self.repository.replace("greeter.py", 'GREETING = "Good day"', 'GREETING = "Hello"')
        self.repository.commit("Greet as in the old days")
        self.run("deliver")
        self.claim_says(PRODUCTION, "Hello, world!")
        before = len(self.releases(PRODUCTION))
        self.run("rollback", "production", "--why", "customers miss the old greeting")
        self.claim_says(PRODUCTION, "Good day, world!")
        self.claim("that made one new release", held=len(self.releases(PRODUCTION)) == before + 1)

    def looked_back(self) -> None:
        """Show what is and what was."""
        self.title("What is, and what was")
        self.run("status")
        self.run("history", "--limit", "12")

    def run(self, *arguments: str, exit_code: int = 0, shown: bool = True) -> str:
        """Run one herodeploy command as a person would; return what it printed when it was not shown."""
        console.say()
        console.say(f"$ herodeploy {shlex.join(arguments)}")
        done = subprocess.run(
            [sys.executable, "-m", "herodeploy", *arguments],
            cwd=self.repository.root,
            env=self.environment,
            stdout=None if shown else subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != exit_code:
            raise TourBroken(f"herodeploy {' '.join(arguments)} ended with {done.returncode}, not {exit_code}")
        if exit_code:
            self.claim(f"its exit code says no ({exit_code})", held=True)
        return done.stdout or ""

    def title(self, text: str, more: str = "") -> None:
        """Open a chapter."""
        console.title(text, more)

    def claim(self, text: str, *, held: bool) -> None:
        """Print a claim with whether it held, and count it."""
        console.claim(text, held)
        self.held += held
        self.broken += not held

    def claim_says(self, app: str, greeting: str) -> None:
        """Claim what an app answers over HTTP, after fetching it."""
        answer = self.says(app)
        held = answer == greeting
        self.claim(f"{app} answers: {greeting}" + ("" if held else f" (no: {answer})"), held=held)

    def says(self, app: str) -> str | None:
        """Return an app's greeting, or None when it does not greet."""
        body = self.fetch(app)
        return json.loads(body)["greeting"] if body else None

    def fetch(self, app: str) -> str | None:
        """GET an app's home page through the platform's router; None unless it answers 200."""
        platform = self.platform()
        request = urllib.request.Request(platform.url, headers={"Host": f"{app}.localhost:{platform.port}"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - our own platform
                return str(reply.read().decode())
        except urllib.error.HTTPError as error:
            error.close()
            return None

    def ask(self, path: str) -> Any:
        """GET a resource of the Platform API."""
        platform = self.platform()
        headers = {"Accept": "application/vnd.heroku+json; version=3", "Authorization": f"Bearer {platform.token}"}
        request = urllib.request.Request(platform.url + path, headers=headers)  # noqa: S310 - our own platform
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - our own platform
            return json.load(reply)

    def releases(self, app: str) -> list[dict[str, Any]]:
        """Return an app's releases, oldest first."""
        return list(self.ask(f"/apps/{app}/releases"))

    def slug(self, app: str) -> str | None:
        """Return the id of the slug that serves."""
        current = [release for release in self.releases(app) if release["current"]]
        return current[-1]["slug"]["id"] if current and current[-1]["slug"] else None

    def latest_delivery(self) -> dict[str, Any]:
        """Return the newest delivery, as `status --json` tells it."""
        told = json.loads(self.run("status", "--json", shown=False))
        return dict(told["deliveries"][0])

    def platform(self) -> control.Running:
        """Return the tour's own platform."""
        running = control.find(self.data)
        if running is None:
            raise TourBroken("the local platform does not run")
        return running

    def finish(self, keep: bool) -> None:
        """Stop the platform and remove the folder, or say where things are."""
        if keep:
            console.say()
            console.say(f"Left in place: {self.repository.root}")
            console.say(f"To look around: export XDG_STATE_HOME={self.environment['XDG_STATE_HOME']}")
            return
        control.stop(self.data)
        shutil.rmtree(self.folder, ignore_errors=True)


def _environment(folder: Path) -> Mapping[str, str]:
    """Return an environment in which the tour touches nothing of the user's."""
    dropped = ("HEROKU_", "HERODEPLOY_", "GIT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"XDG_STATE_HOME": str(folder / "state")}
