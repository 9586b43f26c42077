"""The package of docs/examples, really installed, is asked on the way of a real delivery."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from uv import find_uv_bin

from herodeploy.config.load import parse
from herodeploy.domain.delivery import Status
from herodeploy.errors import ConfigError
from herodeploy.gates import plugins

Shop = Any
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "herodeploy-gate-statuspage"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package in it, made by an installer without a network."""
    folder = tmp_path_factory.mktemp("installed")
    source = shutil.copytree(EXAMPLE, folder / "source")
    command = [find_uv_bin(), "pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*command, "--python", sys.executable, "--target", str(folder / "site"), str(source)],
        check=True,
        env={**os.environ, "UV_CACHE_DIR": str(folder / "cache"), "UV_NO_CONFIG": "1"},
    )
    return folder / "site"


@pytest.fixture
def plugged(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(plugins, "_found", {})
    monkeypatch.syspath_prepend(installed)
    yield
    sys.modules.pop("herodeploy_gate_statuspage", None)


@pytest.fixture
def page() -> Iterator[tuple[str, dict[str, str]]]:
    """A status page, and what it says."""
    status = {"indicator": "major", "description": "Builds are slow"}

    class Handler(BaseHTTPRequestHandler):
        def __getattr__(self, name: str) -> Any:
            if name != "do_GET":
                raise AttributeError(name)
            return self.answer

        def answer(self) -> None:
            found = self.path == "/api/v2/status.json"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"page": {"id": "1"}, "status": status}).encode())

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", status
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("plugged")
def test_it_is_used_through_herodeploy_yml(shop: Shop, page: tuple[str, dict[str, str]]) -> None:
    url, status = page
    text = (EXAMPLE / "herodeploy.yml").read_text().replace("https://status.heroku.example", url)
    first, last = shop.services.spec.stages
    gates = parse(text, "herodeploy.yml").stages[-1].gates
    stages = (first, dataclasses.replace(last, gates=gates))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages, mode="deployment")

    waiting = shop.deliver()
    host = url.removeprefix("http://")
    assert (waiting.status, waiting.reason) == (Status.WAITING, f"{host}: Builds are slow")
    assert waiting.recheck_at is not None
    status.update(indicator="minor", description="Logs are late")
    [delivered] = shop.resume()
    assert delivered.status is Status.DELIVERED
    said = shop.services.store.gates.verdicts(delivered.id, "production")
    assert [(each.answer, each.reason) for each in said if each.kind == "statuspage"] == [
        ("PASS", f"{host}: Logs are late")
    ]


@pytest.mark.usefixtures("plugged")
def test_a_page_that_does_not_answer_makes_it_wait(shop: Shop, page: tuple[str, dict[str, str]]) -> None:
    text = (EXAMPLE / "herodeploy.yml").read_text().replace("https://status.heroku.example", f"{page[0]}/none")
    first, last = shop.services.spec.stages
    stages = (first, dataclasses.replace(last, gates=parse(text, "herodeploy.yml").stages[-1].gates))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages, mode="deployment")
    waiting = shop.deliver()
    assert (waiting.status, waiting.reason) == (Status.WAITING, "could not look: HTTPError: HTTP Error 404: Not Found")


@pytest.mark.usefixtures("plugged")
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("url: ftp://x", ".statuspage.url is 'ftp://x': string should match pattern"),
        ("url: https://x, allow: [nun]", ".statuspage.allow[0] is 'nun': input should be 'none', 'minor'"),
        ("allow: [none]", ".statuspage.url is missing"),
    ],
)
def test_its_options_are_checked(wrong: str, message: str) -> None:
    text = (EXAMPLE / "herodeploy.yml").read_text()
    line = text.index("{url")
    with pytest.raises(ConfigError) as caught:
        parse(f"{text[:line]}{{{wrong}}}\n", "herodeploy.yml")
    assert caught.value.message.startswith("herodeploy.yml:8: ")
    assert message in caught.value.message


def run(folder: Path, *path: Path) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-m", "herodeploy", "status"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, path), root])},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_the_command_line_says_what_is_wrong_with_a_package(installed: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    shutil.copy(EXAMPLE / "herodeploy.yml", tmp_path)
    missing = run(tmp_path)
    assert (missing.returncode, "unknown gate 'statuspage'" in missing.stderr) == (2, True)

    broken = shutil.copytree(installed, tmp_path / "broken")
    (broken / "herodeploy_gate_statuspage.py").write_text("import no_such_library\n")
    said = run(tmp_path, broken)
    assert said.returncode == 2
    words = " ".join(said.stderr.split())
    assert "herodeploy.yml:8: stages.production.gates[0] cannot be read" in words
    assert "of package herodeploy-gate-statuspage 1.0 cannot be used: ModuleNotFoundError" in words
    assert "Traceback" not in said.stderr
