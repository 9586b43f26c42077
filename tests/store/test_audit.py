from __future__ import annotations

import dataclasses

from support.deliveries import event

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
