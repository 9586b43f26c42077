"""Real apps on the stacks that most people bring: Django with gunicorn, and Node.js with npm."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

APPS = Path(__file__).parents[1] / "fixtures" / "apps"
NODE = {
    "package.json": json.dumps(
        {
            "name": "clock",
            "version": "1.0.0",
            "private": True,
            "engines": {"node": "6.x"},
            "scripts": {"start": "node server.js", "test": "node test.js"},
        }
    ),
    "package-lock.json": json.dumps(
        {
            "name": "clock",
            "version": "1.0.0",
            "lockfileVersion": 3,
            "requires": True,
            "packages": {"": {"name": "clock", "version": "1.0.0", "engines": {"node": "6.x"}}},
        }
    ),
    "clock.js": "exports.day = 86400;\n",
    "server.js": "const { day } = require('./clock');\n"
    "require('http').createServer((_, answer) => answer.end(`A day has ${day} s`)).listen(process.env.PORT);\n",
    "test.js": "require('assert').strictEqual(require('./clock').day, 86400);\nconsole.log('a day is right');\n",
}
SAFE = """\
import http.server
import os


class Safe(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers["X-Forwarded-Proto"] == "https":
            self.send_response(200)
        else:
            self.send_response(301)
            self.send_header("Location", "https://" + self.headers["Host"] + self.path)
        self.end_headers()
        self.wfile.write(b"Safe")


http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Safe).serve_forever()
"""

Person = Any


def begin(person: Person, *flags: str) -> None:
    """Describe the pipeline and make it."""
    person.herodeploy("init", "--platform", "local", "--yes", *flags)
    person.commit("Describe the pipeline")
    person.herodeploy("apply")


def at_port(person: Person, app: str) -> str:
    """GET the app's root at its own port, as a client without `*.localhost` does."""
    addresses = {each["name"]: each["address"] for each in person.running["apps"]}
    with urllib.request.urlopen(addresses[app], timeout=60) as answer:
        return str(answer.read().decode())


@pytest.mark.timeout(900)  # it installs Django again and again
def test_django_travels_from_branch_to_production_and_back(person: Callable[..., Person]) -> None:
    shop = person(APPS / "django")
    begin(shop)
    shop.git("checkout", "--quiet", "-b", "feature-x")
    (shop.root / ".python-version").write_text("3.99\n")
    shop.replace("shop/urls.py", "Hello from", "A feature of")
    shop.commit("A feature")
    shop.git("checkout", "--quiet", "main")
    review = shop.herodeploy("review", "create", "--branch", "feature-x")
    assert ".python-version asks for Python 3.99" in review.err
    assert "instead; expect differences" in review.err
    (listed,) = shop.herodeploy("review", "list", "--json").json()["review_apps"]
    assert "A feature of the shop" in shop.fetch(listed["app"])[1]

    told = shop.herodeploy("deliver").err
    assert "Running test command `./manage.py test`" in told
    assert "Ran 1 test" in told
    shop.herodeploy("approve", shop.waiting())
    assert shop.slug("shop-production") == shop.slug("shop-staging")
    assert shop.fetch("shop-production") == (200, "Hello from the shop")
    assert at_port(shop, "shop-production") == "Hello from the shop"

    shop.herodeploy("mode", "deployment")
    shop.replace("shop/urls.py", "Hello from", "Welcome to")
    shop.replace("shop/tests.py", "Hello from", "Welcome to")
    shop.commit("Welcome")
    shop.herodeploy("deliver")
    assert shop.fetch("shop-production")[1] == "Welcome to the shop"
    shop.herodeploy("rollback", "production")
    assert shop.fetch("shop-production")[1] == "Hello from the shop"
    shop.herodeploy("promote")
    assert shop.fetch("shop-production")[1] == "Welcome to the shop"
    shop.replace("shop/urls.py", "Welcome to", "Broken")
    shop.commit("Break it")
    assert "FAILED (failures=1)" in shop.herodeploy("deliver", code=1).err
    assert shop.fetch("shop-staging")[1] == "Welcome to the shop"
    shop.herodeploy("review", "destroy", "feature-x", "--yes")
    assert shop.herodeploy("review", "list", "--json").json()["review_apps"] == []


def test_an_app_that_redirects_to_https_serves(person: Callable[..., Person]) -> None:
    shop = person({"Procfile": "web: python3 safe.py\n", "safe.py": SAFE})
    begin(shop, "--mode", "deployment")
    shop.herodeploy("deliver")
    assert shop.fetch("shop-production") == (200, "Safe")


def test_add_ons_warn_and_do_not_block(person: Callable[..., Person]) -> None:
    files = {
        "Procfile": 'web: python3 -m http.server "$PORT" --bind 127.0.0.1\n',
        "app.json": '{"addons": ["heroku-redis:mini"], "environments": {"test": {"scripts": {"test": "true"}}}}',
    }
    shop = person(files)
    shop.herodeploy("init", "--platform", "local", "--yes")
    shop.commit("Describe the pipeline")
    assert "heroku config:set NAME=" in shop.herodeploy("apply").err
    shop.git("branch", "feature-x")
    assert "asks for heroku-redis:mini" in shop.herodeploy("review", "create", "--branch", "feature-x").err
    assert "asks for heroku-redis:mini" in shop.herodeploy("ci", "run").err


def test_node_travels_to_production(person: Callable[..., Person]) -> None:
    if shutil.which("npm") is None:
        if os.environ.get("CI"):
            pytest.fail("npm is missing; CI must have it")
        pytest.skip("npm is missing")
    clock = person(NODE, "clock")
    begin(clock)
    told = clock.herodeploy("deliver").err
    assert "package.json asks for Node.js 6.x (engines.node), which this machine lacks." in told
    assert "npm ci" in told
    assert "a day is right" in told
    clock.herodeploy("approve", clock.waiting())
    assert clock.slug("clock-production") == clock.slug("clock-staging")
    assert clock.fetch("clock-production") == (200, "A day has 86400 s")
    assert at_port(clock, "clock-production") == "A day has 86400 s"
    clock.replace("clock.js", "86400", "86401")
    clock.commit("Slow the clock")
    assert "its tests ended with exit status 1" in clock.herodeploy("deliver", code=1).out
    assert clock.fetch("clock-staging")[1] == "A day has 86400 s"
