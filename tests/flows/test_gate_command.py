"""The gate command runs something of the user's on the way of a real delivery."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.gate import Verdict
from herodeploy.domain.pipeline import GateSpec

Shop = Any
MINUTE = timedelta(minutes=1)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def gated(shop: Shop, *options: dict[str, Any], mode: str = "deployment") -> Clock:
    """Put such gates before production, and time into the test's hands."""
    first, last = shop.services.spec.stages
    gates = tuple(GateSpec("command", each) for each in options)
    stages = (first, dataclasses.replace(last, gates=gates))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages, mode=mode)
    clock = Clock()
    shop.services.clock = clock
    return clock


def verdict(shop: Shop, delivery: Delivery, name: str = "command") -> Verdict:
    found = shop.services.store.gates.verdicts(delivery.id, "production")
    return next(each for each in found if each.name == name)


def test_it_is_told_the_facts_in_a_clean_copy_of_the_commit(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEROKU_API_KEY", "HRKU-mine")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("WHERE", str(tmp_path))
    (shop.root / "index.html").write_text("not committed\n")
    gated(shop, {"run": 'cat > "$WHERE/told"; env > "$WHERE/env"; ls -A; cat index.html; echo all is well'})
    delivered = shop.deliver()
    assert delivered.status is Status.DELIVERED

    told = json.loads((tmp_path / "told").read_text())
    change = shop.services.repo.head()
    assert told["stage"] == {"name": "production", "kind": "production", "apps": [shop.app("production")]}
    assert told["before"] == {"name": "staging", "apps": [shop.app("staging")]}
    assert told["delivery"] == {
        "id": delivered.id, "commit": change.commit, "branch": "main", "message": "Begin", "author": change.author,
        "slug_id": delivered.slug_id, "ci": "succeeded",
    }  # fmt: skip
    env = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    ours = {name.removeprefix("HERODEPLOY_"): env[name] for name in env if name.startswith("HERODEPLOY_")}
    expected = {
        "PIPELINE": shop.services.spec.name, "STAGE": "production", "APPS": shop.app("production"),
        "BEFORE": "staging", "MODE": "deployment", "DELIVERY": delivered.id, "COMMIT": change.commit, "BRANCH": "main",
        "AUTHOR": change.author, "SLUG": delivered.slug_id,
    }  # fmt: skip
    assert expected.items() <= ours.items()
    assert not {"HEROKU_API_KEY", "GIT_DIR"} & set(env)

    said = verdict(shop, delivered)
    assert said.reason.endswith("ended with exit status 0: all is well")
    assert said.facts["output"] == "Procfile\napp.json\nindex.html\none\nall is well\n"
    assert said.facts["exit_status"] == 0
    assert "all is well" in shop.told("output")


def test_the_documented_variables_are_those_that_are_there(shop: Shop, tmp_path: Path) -> None:
    gated(shop, {"run": f"env -u HERODEPLOY_ACTOR > {tmp_path}/env"})
    shop.deliver()
    lines = (tmp_path / "env").read_text().splitlines()
    there = {line.partition("=")[0] for line in lines if line.startswith("HERODEPLOY_")} - set(os.environ)
    page = (Path(__file__).parents[2] / "docs" / "gates.md").read_text()
    assert there == {word for line in page.splitlines() for word in line.split("`") if line.startswith("| `HERODEPLOY_")
                     and word.startswith("HERODEPLOY_")}  # fmt: skip


def test_a_no_ends_the_delivery(shop: Shop) -> None:
    gated(shop, {"run": "echo looking; echo 3 links are broken; exit 3"})
    failed = shop.deliver()
    assert failed.status is Status.FAILED
    assert failed.reason == (
        "`echo looking; echo 3 links are broken; exit 3` ended with exit status 3: 3 links are broken"
    )
    assert verdict(shop, failed).facts["output"] == "looking\n3 links are broken\n"


def test_one_that_takes_too_long_is_stopped_and_a_no(shop: Shop, tmp_path: Path) -> None:
    gated(shop, {"run": f"sleep 300 & echo $! > {tmp_path}/pid; wait", "timeout": timedelta(seconds=1)})
    failed = shop.deliver()
    assert (failed.status, verdict(shop, failed).facts["exit_status"]) == (Status.FAILED, None)
    assert failed.reason is not None
    assert failed.reason.endswith("took longer than 1s")
    stat = Path("/proc", (tmp_path / "pid").read_text().strip(), "stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize("stays", ["sleep 300 &", "sleep 300 > /dev/null 2>&1 &", "(trap '' HUP TERM; sleep 300) &"])
def test_it_is_through_when_its_shell_is_and_leaves_nothing_running(shop: Shop, tmp_path: Path, stays: str) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    # Opened for reading and writing, which waits for nobody.
    alive = os.open(fifo, os.O_RDWR)
    gated(shop, {"run": f"exec 3>{fifo}; {stays} printf 'all is\\r\\nwell'"})
    delivered = shop.deliver()
    assert (delivered.status, verdict(shop, delivered).facts["output"]) == (Status.DELIVERED, "all is\nwell")
    with fifo.open("rb") as reader:
        os.close(alive)
        assert reader.read() == b"", "it goes on reading for as long as one of them lives"


def test_what_runs_off_with_its_output_holds_nobody_up(shop: Shop, tmp_path: Path) -> None:
    fifo, pid = tmp_path / "fifo", tmp_path / "pid"
    os.mkfifo(fifo)
    gated(
        shop,
        {"run": f"setsid sh -c 'echo $$ > {fifo}; exec sleep 300' & read pid < {fifo}; echo $pid > {pid}; echo ok"},
    )
    delivered = shop.deliver()
    os.kill(int(pid.read_text()), signal.SIGKILL)
    assert (delivered.status, verdict(shop, delivered).facts["output"]) == (Status.DELIVERED, "ok\n")


def test_exit_status_75_means_later(shop: Shop, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    clock = gated(
        shop, {"run": f"echo run >> {runs}; echo not yet; test -e {tmp_path}/ready || exit 75", "every": 5 * MINUTE}
    )
    waiting = shop.deliver()
    assert (waiting.status, waiting.recheck_at) == (Status.WAITING, clock.now + 5 * MINUTE)
    assert waiting.reason is not None
    assert waiting.reason.endswith("ended with exit status 75, which means later: not yet")
    clock.now += 4 * MINUTE
    shop.resume()
    assert runs.read_text().count("run") == 1, "run again before its time"
    clock.now += MINUTE
    (tmp_path / "ready").touch()
    [delivered] = shop.resume()
    assert (delivered.status, runs.read_text().count("run")) == (Status.DELIVERED, 2)


def test_what_has_answered_is_not_run_again(shop: Shop, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    later = {"name": "later", "run": f"test -e {tmp_path}/ready || exit 75", "every": MINUTE}
    clock = gated(shop, {"run": f"echo run >> {runs}"}, later)
    assert shop.deliver().status is Status.WAITING
    clock.now += MINUTE
    [waiting] = shop.resume()
    assert (waiting.status, verdict(shop, waiting).answer) == (Status.WAITING, "PASS")
    clock.now += MINUTE
    (tmp_path / "ready").touch()
    assert shop.resume()[0].status is Status.DELIVERED
    assert runs.read_text() == "run\n"
    # Another delivery has another artifact.
    shop.commit("Change", index_dot_html="two\n")
    assert shop.deliver().status is Status.DELIVERED
    assert runs.read_text() == "run\nrun\n"


def test_a_command_that_was_changed_runs_at_once(shop: Shop) -> None:
    gated(shop, {"run": "exit 75"})
    assert shop.deliver().status is Status.WAITING
    gated(shop, {"run": "exit 76"})
    [failed] = shop.resume()
    assert (failed.status, failed.reason) == (Status.FAILED, "`exit 76` ended with exit status 76")


def test_it_is_asked_last(shop: Shop, tmp_path: Path) -> None:
    gated(shop, {"run": f"echo run >> {tmp_path}/runs"}, mode="delivery")
    waiting = shop.deliver()
    assert verdict(shop, waiting).reason == "not asked before approval passes"
    assert waiting.reason == f"waits for an approval: herodeploy approve {waiting.id}"
    assert not (tmp_path / "runs").exists()


def test_secrets_are_hidden_in_what_it_prints(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_TOKEN", "s3cret-t0ken")
    monkeypatch.setenv("QA_PRIVATE_KEY", "-----BEGIN\nAAAAAAAAAAAA\n-----END")
    monkeypatch.setenv("QA_DATABASE_URL", "postgres://ann:hunter2@db/shop")
    for name in ("DB_PASS", "GPG_PASSPHRASE", "MYSQL_PWD"):
        monkeypatch.setenv(name, f"open-sesame-{name[0]}")
    asks = 'echo "Bearer $QA_TOKEN"; echo "$QA_PRIVATE_KEY"; echo "$QA_DATABASE_URL https://u:"pw@x/y'
    others = 'echo "$DB_PASS $GPG_PASSPHRASE $MYSQL_PWD"'
    printed = 'echo "> Authorization: Bearer eyJ"hb; echo HRKU-0123"4567-89ab-cdef-0123"'
    gated(shop, {"run": f"{asks}; {others}; {printed}"})
    said = verdict(shop, shop.deliver())
    everything = repr(said) + repr(shop.notes)
    secrets = ("s3cret", "AAAA", "hunter2", ":pw@", "sesame", "eyJhb", "01234567")
    assert [word for word in secrets if word in everything] == []
    assert "Bearer [REDACTED]" in str(said.facts["output"])


def test_only_the_end_of_much_output_is_kept(shop: Shop) -> None:
    gated(shop, {"run": "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo the end"})
    output = str(verdict(shop, shop.deliver()).facts["output"])
    assert len(output) == 8 * 1024
    assert output.endswith("xx\nthe end\n")
    assert max(len(line) for line in shop.told("output")) <= 64 * 1024


def test_a_commit_that_is_not_here_cannot_be_judged(shop: Shop) -> None:
    gated(shop, {"run": "exit 75"})
    waiting = shop.deliver()
    fake = dataclasses.replace(waiting, commit="0123456789012345678901234567890123456789")
    from herodeploy.domain.gate import Question
    from herodeploy.errors import RepositoryError
    from herodeploy.flows import judge
    from herodeploy.flows.looks import command

    facts = judge.facts_of(shop.services, fake, shop.services.stage("production"))
    question = Question(facts, shop.services.stage("production").gates[0], None, shop.services.clock())
    with pytest.raises(RepositoryError, match="has no commit"):
        command.look(shop.services, fake, question)
