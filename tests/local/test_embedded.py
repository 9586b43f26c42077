"""The platform in a program of somebody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import heroku3
import httpx
import pytest

from herodeploy.local import LocalPlatform
from herodeploy.local.folders import Busy


def test_heroku3_talks_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalPlatform() as heroku:
        monkeypatch.setattr(heroku3.api, "HEROKU_URL", heroku.url)
        api = heroku3.from_key(heroku.token)
        app = api.create_app("hello-world")
        app.config()["GREETING"] = "Hi"
        assert api.apps()["hello-world"].config().to_dict() == {"GREETING": "Hi"}
        assert httpx.get(heroku.address("hello-world")).status_code == 502
        with pytest.raises(LookupError, match="another-one"):
            heroku.address("another-one")
        data = heroku.data
        api._session.close()
    assert not data.exists()


def test_it_keeps_a_folder_that_was_named_and_owns_it_meanwhile(tmp_path: Path) -> None:
    with LocalPlatform(tmp_path, boot_timeout=5) as heroku:
        token, port = heroku.token, heroku.platform.settings.port
        with pytest.raises(Busy), LocalPlatform(tmp_path):
            pass
    with LocalPlatform(tmp_path, port=port) as heroku:
        assert (heroku.token, heroku.platform.settings.port) == (token, port)
        with pytest.raises(OSError, match="in use"), LocalPlatform(port=port):
            pass


CONFTEST = 'pytest_plugins = ["herodeploy.local.pytest_plugin"]\n'
TESTS = """
import os, json, urllib.request

def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + os.environ["HEROKU_API_KEY"]}
    url = os.environ["HEROKU_HOST"] + path
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)) as reply:
        return json.load(reply)

def test_one(local_platform):
    call("POST", "/apps", {"name": "mine"})

def test_two(local_platform):
    assert call("GET", "/apps") == []
"""


def test_the_pytest_fixture_begins_every_test_with_nothing(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_mine.py").write_text(TESTS)
    env: dict[str, Any] = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
