from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import sqlalchemy as sa
from support.deliveries import event

from herodeploy.store import schema
from herodeploy.store.rows import row_of
from herodeploy.store.store import Store


def test_who_reads_on_gets_what_is_new_of_the_deliveries_in_question(store: Store) -> None:
    assert store.audit.newest("p1") == 0
    for kind, delivery in (("one", "d1"), ("two", "d2"), ("three", "d3")):
        store.record_event(dataclasses.replace(event(kind), delivery_id=delivery))
    first, *others = store.audit.after(["d1", "d2"], 0)
    assert [first[1].kind, *(each.kind for _, each in others)] == ["one", "two"]
    assert [each.kind for _, each in store.audit.after(["d1", "d2", "d3"], first[0])] == ["two", "three"]
    assert store.audit.after(["d1"], store.audit.newest("p1")) == []
    assert store.audit.newest("p2") == 0


def many(store: Store) -> None:
    """A stage with a long history: deliveries that are tried again and again, and some that was done by hand."""
    at_production = dataclasses.replace(event("delivery.errored"), stage="production")
    rows = [dataclasses.replace(at_production, delivery_id=f"d{number % 7}") for number in range(3000)]
    by_hand = [dataclasses.replace(at_production, kind="wave.failed", data={"move": f"by-hand-{n}"}) for n in range(3)]
    with store._db.write() as tx:
        tx.execute(schema.events.insert(), [row_of(each) for each in [*by_hand, *rows]])


def test_what_happened_last_is_found_however_much_happened_since(store: Store) -> None:
    leg = dataclasses.replace(event("leg.started"), stage="production", delivery_id="d1")
    for each in (dataclasses.replace(leg, data={"n": n}) for n in (1, 2)):
        store.record_event(each)
    many(store)
    last = store.audit.last
    assert last("p1", "production", ["leg.started", "wave.failed"], delivery_id="d1").data == {"n": 2}
    assert last("p1", "production", ["leg.started"]).data == {"n": 2}
    assert last("p1", "production", ["wave.failed"]).data == {"move": "by-hand-2"}
    assert last("p1", "production", ["wave.failed"], said={"move": "by-hand-0", "app": "none"}).data == {
        "move": "by-hand-0"
    }
    number = store.audit.number_of_last("p1", "production", ["leg.started"], delivery_id="d1")
    assert number == store.audit.newest("p1") - 3003
    assert last("p1", "production", ["leg.started"], after=number) is None
    assert last("p1", "production", ["leg.started"], after=number - 1).data == {"n": 2}
    assert store.audit.number_of_last("p2", "production", ["leg.started"]) == 0
    for nothing in (
        last("p1", "production", ["leg.started"], delivery_id="d2"),
        last("p1", "staging", ["leg.started"]),
        last("p2", "production", ["leg.started"]),
        last("p1", "production", ["wave.failed"], said={"move": "by-hand-7"}),
        last("p1", "production", ["wave.failed"], delivery_id="d1", said={"move": "by-hand-0"}),
    ):
        assert nothing is None
    found = store.audit.of_kind("p1", "production", "wave.failed")
    assert [each.data["move"] for each in found] == ["by-hand-2", "by-hand-1", "by-hand-0"]


@pytest.mark.parametrize(
    "more",
    [{}, {"delivery_id": "d1"}, {"said": {"move": "by-hand-1"}}],
    ids=["of all", "of one delivery", "of one move"],
)
def test_what_happened_last_is_looked_up_in_an_index(store: Store, more: dict[str, Any]) -> None:
    many(store)
    engine, said = store._db._engine, []
    sa.event.listen(engine, "before_cursor_execute", lambda *asked: said.append(asked[2:4]))
    store.audit.last("p1", "production", ["leg.started", "wave.failed"], **more)
    statement, values = next((text, values) for text, values in said if "max(" in text)
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE events")
        plan = "\n".join(str(row) for row in connection.exec_driver_sql(explain + statement, values))
    assert "events_by_kind" in plan
    assert "SCAN events" not in plan
    assert "Seq Scan" not in plan
