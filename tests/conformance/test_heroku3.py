"""heroku3, the Python client: with its real URL replaced, and nothing else of it."""

from __future__ import annotations

from typing import Any

import heroku3
import pytest
from heroku3 import api
from support.platforms import TOKEN


@pytest.fixture
def client(local: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(api, "HEROKU_URL", local.url)
    client = heroku3.from_key(TOKEN)
    yield client
    client._session.close()


def test_an_app_through_its_life(client: Any, local: Any, source: Any) -> None:
    assert client.is_authenticated
    app = client.create_app(name="through-python", region_id_or_name="eu")
    assert client.create_app(name="through-python").id == app.id, "it knows `Name is already taken` by heart"
    assert [each.name for each in client.apps()] == ["through-python"]
    app.config()["GREETING"] = "hi"
    assert app.config().to_dict() == {"GREETING": "hi"}
    first = local.deploy({"id": app.id}, source("first"))
    local.deploy({"id": app.id}, source("second"))
    assert app.builds()[0].status == "succeeded"
    assert [release.version for release in app.releases()] == [1, 2, 3, 4, 5]
    app.scale_formation_process("web", 2)
    assert app.process_formation()["web"].quantity == 2
    app.resize_formation_process("web", "standard-2x")
    assert {dyno.size for dyno in app.dynos()} == {"Standard-2X"}
    app.rollback("v4")
    assert app.releases()[-1].description == "Rollback to v4"
    assert local.current({"id": app.id})["slug"] == first["slug"]
    app.restart()
    app.run_command_detached("echo hello")
    assert "Deploy" in app.get_log(lines=100)


def test_what_belongs_to_an_app(client: Any, local: Any) -> None:
    app = client.create_app(name="belongings")
    app.enable_maintenance_mode()
    assert client.app("belongings").maintenance
    app.disable_maintenance_mode()
    app.enable_feature("runtime-dyno-metadata")
    assert [feature.name for feature in app.features() if feature.enabled] == ["runtime-dyno-metadata"]
    app.add_collaborator(user_id_or_email="bob@example.com")
    assert "bob@example.com" in {each.user.email for each in app.collaborators()}
    app.remove_collaborator("bob@example.com")
    app.add_domain("www.example.net", None)
    assert "www.example.net" in {each.hostname for each in app.domains()}
    app.remove_domain("www.example.net")
    app.update_buildpacks(["heroku/python"])
    assert [each.buildpack.url for each in app.buildpacks()] == ["heroku/python"]
    app.rename("other-belongings")
    assert client.account().email == "local@localhost"
    assert client.ratelimit_remaining() > 0
    client.apps()["other-belongings"].delete()
    assert "other-belongings" not in {each.name for each in client.apps()}
