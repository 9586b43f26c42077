from __future__ import annotations

from typing import Any


def test_sizes_and_generations(local: Any, conforms: Any) -> None:
    sizes = local.get("/dyno-sizes")
    assert {"Eco", "Basic", "Standard-2X"} <= {size["name"] for size in sizes}
    for size in sizes:
        conforms("dyno-size", size)
        assert local.get(f"/dyno-sizes/{size['name'].lower()}") == local.get(f"/dyno-sizes/{size['id']}") == size
    local.call("GET", "/dyno-sizes/none-such", status=404)
    app = local.app()
    assert local.get(f"/apps/{app['id']}/available-dyno-sizes") == sizes
    (cedar,) = local.get("/generations")
    conforms("generation", cedar)
    assert local.get("/generations/cedar") == cedar
    local.call("GET", "/generations/fir", status=404)


def test_what_the_registry_knows(local: Any) -> None:
    found = {row["name"]: row for row in local.get("/buildpacks")}
    assert local.get("/buildpacks/heroku%2Fpython") == found["python"]
    for query in (
        "in[name][]=nodejs",
        "like[description]=heroku/node",
        "in[namespace][]=heroku&like[description]=node",
    ):
        assert [row["name"] for row in local.get(f"/buildpacks?{query}")] == ["nodejs"]
    local.call("GET", "/buildpacks/heroku%2Fcobol", status=404)
