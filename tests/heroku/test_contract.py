"""Each family against a real local platform."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from support import platforms

from herodeploy.domain.pipeline import App, Pipeline
from herodeploy.domain.release import Build, Release
from herodeploy.domain.secret import Secret
from herodeploy.errors import Conflict, InvalidRequest, NotFound, Unauthorized
from herodeploy.forge.git import Repository
from herodeploy.heroku.client import Heroku
from herodeploy.heroku.session import Session

T = TypeVar("T")

FILES = {
    "Procfile": 'web: exec python3 -m http.server "$PORT" --bind 127.0.0.1\nrelease: echo migrated; $RELEASE_FAILS\n',
    "index.html": "hello\n",
    "app.json": (
        '{"env": {"GREETING": "hi"}, "scripts": {"postdeploy": "echo seeded"},'
        ' "environments": {"test": {"scripts": {"test": "echo 1..1; echo ok 1 - it greets"}}}}'
    ),
}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Heroku]:
    """A client of a local platform that runs in a thread."""
    platform = platforms.start(tmp_path_factory.mktemp("platform"), heartbeat=0.2, stop_timeout=3.0)
    with Heroku(Session(platform.url, Secret(platform.token))) as heroku:
        yield heroku
    platform.stop()


@pytest.fixture(autouse=True)
def judged() -> Iterator[None]:
    """Fail the test whose traffic is not what Heroku publishes: the platform's replies, and what herodeploy asks."""
    yield
    found = platforms.verdict()
    assert not found, "\n".join(found)


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A commit as Heroku gets it, and its hash."""
    root = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        (root / name).write_text(text)
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), (*identity, "commit", "-q", "-m", "Say hello")):
        subprocess.run(["git", *words], cwd=root, check=True)
    head = Repository.open(root).head()
    return Repository.open(root).archive(head.commit, tmp_path_factory.mktemp("archives")), head.commit


@pytest.fixture(scope="module")
def source(local: Heroku, tarball: tuple[Path, str]) -> str:
    return local.sources.upload(tarball[0])


@pytest.fixture(scope="module")
def pipeline(local: Heroku) -> Pipeline:
    return local.pipelines.create("shop")


@pytest.fixture(scope="module")
def staging(local: Heroku, pipeline: Pipeline) -> App:
    app = local.apps.create("shop-staging")
    local.couplings.create(app.name, pipeline.id, "staging")
    return app


@pytest.fixture(scope="module")
def built(local: Heroku, staging: App, source: str, tarball: tuple[Path, str]) -> tuple[Build, list[str]]:
    """A build that succeeded, with its output."""
    begun = local.builds.create(staging.name, source, tarball[1], description="Say hello")
    lines: list[str] = []
    assert begun.output_stream_url
    local.follow(begun.output_stream_url, lines.append)
    return until(lambda: local.builds.get(staging.name, begun.id), lambda build: build.status != "pending"), lines


@pytest.fixture(scope="module")
def staged(local: Heroku, staging: App, built: tuple[Build, list[str]]) -> Release:
    """Staging's release, its release phase over."""
    release_id = built[0].release_id
    assert release_id
    return settled(local, staging.name, release_id)


def until(ask: Callable[[], T], good: Callable[[T], Any], within: float = 30) -> T:
    end = time.monotonic() + within
    while not good(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def settled(local: Heroku, app: str, release_id: str) -> Release:
    return until(lambda: local.releases.get(app, release_id), lambda release: release.status != "pending")


def test_the_account_has_an_address(local: Heroku) -> None:
    assert "@" in local.account.whoami()


def test_a_wrong_token_is_said_in_the_platforms_words(local: Heroku) -> None:
    with (
        Heroku(Session(local.base_url, Secret("wrong"))) as stranger,
        pytest.raises(Unauthorized, match="Invalid credentials provided") as caught,
    ):
        stranger.account.whoami()
    assert caught.value.request_id


def test_apps(local: Heroku) -> None:
    made = local.apps.create("apps-one")
    assert (made.name, made.maintenance) == ("apps-one", False)
    assert made.web_url
    assert made.web_url.startswith("http://apps-one.localhost:")
    assert local.apps.get("apps-one") == local.apps.get(made.id) == local.apps.find("apps-one")
    assert made in local.apps.list()
    assert local.apps.filter([made.id]) == [made]
    with pytest.raises(InvalidRequest, match="Name is already taken"):
        local.apps.create("apps-one")
    assert local.apps.delete("apps-one") is True
    assert local.apps.delete("apps-one") is False
    assert local.apps.find("apps-one") is None
    assert local.apps.filter([made.id]) == []


def test_lists_longer_than_a_page_are_whole(local: Heroku, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("herodeploy.heroku.session.PAGE", 2)
    names = [local.apps.create().name for _ in range(5)]
    assert set(names) <= {app.name for app in local.apps.list()}
    for name in names:
        local.apps.delete(name)


def test_config_vars_make_releases(local: Heroku) -> None:
    app = local.apps.create().name
    before = local.releases.list(app)[0].version
    assert local.config_vars.update(app, {"KEY": "välue", "OTHER": "x"})["KEY"].reveal() == "välue"
    local.config_vars.update(app, {"OTHER": None})
    assert {name: secret.reveal() for name, secret in local.config_vars.get(app).items()} == {"KEY": "välue"}
    newest = local.releases.list(app, limit=2)
    assert [release.version for release in newest] == [before + 2, before + 1]
    assert newest[1].description == "Set KEY, OTHER config vars"
    local.apps.delete(app)


def test_pipelines_are_found_by_name(local: Heroku, pipeline: Pipeline) -> None:
    assert local.pipelines.find("shop") == [pipeline]
    assert local.pipelines.find("shop-uk") == []
    assert local.pipelines.get(pipeline.id) == pipeline
    assert pipeline in local.pipelines.list()
    other = local.pipelines.create("other")
    assert local.pipelines.delete(other.id) is True
    assert local.pipelines.delete(other.id) is False
    with pytest.raises(NotFound):
        local.pipelines.get(other.id)


def test_stages_have_config_vars(local: Heroku, pipeline: Pipeline) -> None:
    local.pipelines.update_stage_config(pipeline.id, "test", {"A": "1", "B": "2"})
    local.pipelines.update_stage_config(pipeline.id, "test", {"B": None})
    assert {k: v.reveal() for k, v in local.pipelines.stage_config(pipeline.id, "test").items()} == {"A": "1"}


def test_couplings(local: Heroku, pipeline: Pipeline) -> None:
    app = local.apps.create()
    assert local.couplings.of_app(app.name) is None
    made = local.couplings.create(app.name, pipeline.id, "development")
    assert (made.app_id, made.pipeline_id, made.stage) == (app.id, pipeline.id, "development")
    assert local.couplings.of_app(app.name) == made
    assert local.couplings.update(made.id, "staging").stage == "staging"
    assert made.id in {coupling.id for coupling in local.couplings.list(pipeline.id)}
    assert local.couplings.delete(made.id) is True
    assert local.couplings.delete(made.id) is False
    assert local.couplings.of_app(app.name) is None
    local.apps.delete(app.name)


def test_a_build_leads_to_a_slug_and_a_release(
    local: Heroku, staging: App, built: tuple[Build, list[str]], staged: Release, tarball: tuple[Path, str]
) -> None:
    build, lines = built
    assert (build.status, build.version, build.app_id) == ("succeeded", tarball[1], staging.id)
    assert any(line.startswith("-----> ") for line in lines)
    assert not any("\0" in line for line in lines)
    assert local.builds.list(staging.name)[0] == build
    assert build.slug_id
    slug = local.slugs.get(staging.name, build.slug_id)
    assert (slug.commit, set(slug.process_types)) == (tarball[1], {"web", "release"})
    assert (staged.status, staged.current, staged.slug_id) == ("succeeded", True, build.slug_id)
    assert staged.description == f"Deploy {tarball[1][:8]}"
    assert local.releases.current(staging.name) == staged
    assert local.releases.get(staging.name, f"v{staged.version}") == staged


def test_a_release_phase_is_followed(local: Heroku, staging: App, staged: Release) -> None:
    lines: list[str] = []
    assert staged.output_stream_url
    local.follow(staged.output_stream_url, lines.append)
    assert "migrated" in lines


def test_the_app_answers_at_its_own_address(local: Heroku, staging: App, staged: Release) -> None:
    assert until(lambda: local.probe(staging, "/index.html", 20), bool) == 200
    assert local.probe(staging, "missing", 20) == 404
    dynos = until(lambda: local.dynos.list(staging.name), lambda found: found and found[0].state == "up")
    assert (dynos[0].name, dynos[0].release_version) == ("web.1", staged.version)


def test_formation_and_dynos(local: Heroku, staging: App, staged: Release) -> None:
    assert {line.type: line.quantity for line in local.formation.list(staging.name)}["web"] == 1
    assert local.formation.scale(staging.name, {"web": (2, None)})[0].quantity == 2
    until(lambda: local.dynos.list(staging.name), lambda found: [dyno.name for dyno in found] == ["web.1", "web.2"])
    local.formation.scale(staging.name, {"web": (1, None)})
    until(lambda: local.dynos.list(staging.name), lambda found: [dyno.name for dyno in found] == ["web.1"])
    until(lambda: local.dynos.list(staging.name), lambda found: found[0].state == "up")
    first = local.dynos.list(staging.name)[0].id
    local.dynos.restart(staging.name, "web.1")
    until(lambda: local.dynos.list(staging.name), lambda found: found and found[0].id != first)
    assert local.dynos.run_detached(staging.name, "echo once").type == "run"


def test_logs(local: Heroku, staging: App, staged: Release) -> None:
    until(lambda: local.logs.lines(staging.name), lambda lines: any("heroku[web.1]" in line for line in lines))
    assert len(local.logs.lines(staging.name, 2)) <= 2


def test_a_promotion_moves_the_exact_release(local: Heroku, pipeline: Pipeline, staging: App, staged: Release) -> None:
    good, bad = local.apps.create("shop-eu"), local.apps.create("shop-us")
    local.config_vars.update(bad.name, {"RELEASE_FAILS": "false"})
    for app in (good, bad):
        local.couplings.create(app.name, pipeline.id, "production")
    promotion = local.promotions.create(pipeline.id, staging.id, staged.id, [good.id, bad.id])
    assert (promotion.source_app_id, promotion.source_release_id) == (staging.id, staged.id)
    until(lambda: local.promotions.get(promotion.id), lambda found: found.status == "completed")
    targets = {target.app_id: target for target in local.promotions.targets(promotion.id)}
    assert (targets[good.id].status, targets[bad.id].status) == ("succeeded", "failed")
    assert targets[bad.id].error_message
    release = local.releases.current(good.name)
    assert release
    assert (release.id, release.slug_id) == (targets[good.id].release_id, staged.slug_id)
    latest = {each.app_name for each in local.pipelines.latest_releases(pipeline.id)}
    assert {staging.name, good.name} <= latest

    local.config_vars.update(good.name, {"LATER": "1"})
    back = settled(local, good.name, local.releases.rollback(good.name, release.id).id)
    assert back.description == f"Rollback to v{release.version}"
    assert "LATER" not in local.config_vars.get(good.name)
    for app in (good, bad):
        local.apps.delete(app.name)


def test_a_test_run_with_its_node_and_cases(
    local: Heroku, pipeline: Pipeline, source: str, tarball: tuple[Path, str]
) -> None:
    begun = local.test_runs.create(pipeline.id, tarball[1], "main", "Say hello", source)
    assert begun.commit == tarball[1]
    ended = until(lambda: local.test_runs.get(pipeline.id, begun.number), lambda run: run.settled)
    assert ended.status == "succeeded"
    assert local.test_runs.list(pipeline.id)[0].id == begun.id
    (node,) = local.test_runs.nodes(begun.id)
    assert (node.index, node.exit_code) == (0, 0)
    lines: list[str] = []
    for url in (node.setup_stream_url, node.output_stream_url):
        assert url
        local.follow(url, lines.append)
    assert "ok 1 - it greets" in lines
    (case,) = local.test_runs.cases(begun.id)
    assert (case.number, case.passed) == (1, True)


def test_a_test_run_is_cancelled(local: Heroku, pipeline: Pipeline, source: str) -> None:
    begun = local.test_runs.create(pipeline.id, "c0ffee00", "main", "Say hello", source)
    assert local.test_runs.cancel(begun.id, "no more").status in ("cancelled", "succeeded")
    assert until(lambda: local.test_runs.get(pipeline.id, begun.number), lambda run: run.settled)


def test_a_review_app_comes_and_goes(local: Heroku, pipeline: Pipeline, source: str, tarball: tuple[Path, str]) -> None:
    assert local.review_apps.config(pipeline.id) is None
    assert local.review_apps.enable(pipeline.id, repo="ada/shop", stale_days=3)["stale_days"] == 3
    assert local.review_apps.config(pipeline.id)
    begun = local.review_apps.create(pipeline.id, "feature-x", source, tarball[1], environment={"EXTRA": "1"})
    with pytest.raises(Conflict, match="already exists for the feature-x branch"):
        local.review_apps.create(pipeline.id, "feature-x", source, tarball[1])
    found = until(lambda: local.review_apps.get(begun.id), lambda each: each and each.status in ("created", "errored"))
    assert found
    assert (found.status, found.branch) == ("created", "feature-x"), found.message
    assert [each.id for each in local.review_apps.list(pipeline.id)] == [begun.id]
    assert found.app_id
    assert local.review_apps.of_app(found.app_id) == found
    assert {"GREETING", "EXTRA"} <= set(local.config_vars.get(found.app_id))
    assert local.review_apps.delete(begun.id) is True
    until(lambda: local.review_apps.get(begun.id), lambda each: each is None)
    assert local.review_apps.list(pipeline.id) == []
    assert local.review_apps.delete(begun.id) is False


def test_an_app_setup(local: Heroku, source: str, tarball: tuple[Path, str]) -> None:
    begun = local.app_setups.create(source, tarball[1], "shop-setup", {"GREETING": "hello"})
    ended = until(lambda: local.app_setups.get(begun.id), lambda setup: setup.status != "pending")
    assert (ended.status, ended.app_name) == ("succeeded", "shop-setup"), ended.failure_message
    assert ended.postdeploy_exit_code == 0
    assert local.config_vars.get("shop-setup")["GREETING"].reveal() == "hello"
    local.apps.delete("shop-setup")


def test_webhooks(local: Heroku, staging: App) -> None:
    made = local.webhooks.create(staging.name, include=["api:release"], url="http://127.0.0.1:9/hook")
    assert made.secret
    assert [each.id for each in local.webhooks.list(staging.name)] == [made.id]
    assert local.webhooks.delete(staging.name, made.id) is True
    assert local.webhooks.list(staging.name) == []
