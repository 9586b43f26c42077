"""Records of the domain as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.event import Event

if TYPE_CHECKING:
    import sqlalchemy as sa
    from _typeshed import DataclassInstance


def row_of(record: DataclassInstance) -> dict[str, Any]:
    """Return a record's fields as columns."""
    return {field.name: plain(getattr(record, field.name)) for field in fields(record)}


def plain(value: object) -> object:
    """Return a field's value as its column takes it."""
    if isinstance(value, StrEnum):
        return str(value)
    return dict(value) if isinstance(value, Mapping) else value


def delivery_of(row: sa.Row[Any]) -> Delivery:
    """Return a delivery's row as the delivery."""
    values = dict(row._mapping)
    # The store's own note; see judging.py.
    del values["judged"]
    return Delivery(**{**values, "status": Status(row.status)})


def event_of(row: sa.Row[Any]) -> Event:
    """Return an event's row as the event."""
    return Event(**{name: value for name, value in row._mapping.items() if name != "seq"})
