"""The platform's memory: every record in RAM, written through to one SQLite file.

A kill -9 loses nothing that was answered: a change is committed before the caller goes on.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sqlite3
import types
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from herodeploy.local import records

T = TypeVar("T")


class Table(Generic[T]):
    """All records of one kind, by id, in order of creation."""

    def __init__(self, kind: type[T], write: Callable[[str, str, str | None], None]) -> None:
        self._kind = kind
        self._write = write
        self._rows: dict[str, T] = {}

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str | None) -> T | None:
        """Return the record of that id."""
        return None if key is None else self._rows.get(key)

    def where(self, **fields: object) -> list[T]:
        """Return the records whose fields equal these, oldest first."""
        return [row for row in self._rows.values() if all(getattr(row, k) == v for k, v in fields.items())]

    def put(self, row: T) -> T:
        """Remember a record, new or changed."""
        key = str(row.id)  # type: ignore[attr-defined] # every record has an id
        self._write(self._kind.__name__, key, json.dumps(dataclasses.asdict(row), default=_encode))  # type: ignore[call-overload] # a dataclass
        self._rows[key] = row
        return row

    def delete(self, key: str) -> None:
        """Forget a record."""
        if self._rows.pop(key, None) is not None:
            self._write(self._kind.__name__, key, None)

    def delete_where(self, **fields: object) -> None:
        """Forget the records whose fields equal these."""
        for key in [key for key, row in self._rows.items() if all(getattr(row, k) == v for k, v in fields.items())]:
            self.delete(key)

    def load(self, body: str) -> None:
        """Take a row of the file back into memory."""
        row = _decode(self._kind, json.loads(body))
        self._rows[row.id] = row


class State:
    """Every table; use `changes` to make several writes one transaction.

    Parameters:
        file: the SQLite file, made where missing.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))  # config vars are in it
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS record (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL,"
            " body TEXT NOT NULL, UNIQUE (kind, id))"
        )
        self._depth = 0
        self.accounts = Table(records.Account, self._write)
        self.authorizations = Table(records.Authorization, self._write)
        self.apps = Table(records.App, self._write)
        self.collaborators = Table(records.Collaborator, self._write)
        self.domains = Table(records.Domain, self._write)
        self.addons = Table(records.Addon, self._write)
        self.addon_attachments = Table(records.AddonAttachment, self._write)
        self.sources = Table(records.Source, self._write)
        self.slugs = Table(records.Slug, self._write)
        self.builds = Table(records.Build, self._write)
        self.releases = Table(records.Release, self._write)
        self.pipelines = Table(records.Pipeline, self._write)
        self.couplings = Table(records.Coupling, self._write)
        self.promotions = Table(records.Promotion, self._write)
        self.promotion_targets = Table(records.PromotionTarget, self._write)
        self.review_apps = Table(records.ReviewApp, self._write)
        self.app_setups = Table(records.AppSetup, self._write)
        self.test_runs = Table(records.TestRun, self._write)
        self.test_nodes = Table(records.TestNode, self._write)
        self.test_cases = Table(records.TestCase, self._write)
        self.webhooks = Table(records.Webhook, self._write)
        self.webhook_events = Table(records.WebhookEvent, self._write)
        self.webhook_deliveries = Table(records.WebhookDelivery, self._write)
        self._load()

    @contextmanager
    def changes(self) -> Iterator[None]:
        """Make the writes inside one transaction; nests."""
        if self._depth == 0:
            self._db.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0 and self._db.in_transaction:  # a full disk ends it by itself
                self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _load(self) -> None:
        tables = {t._kind.__name__: t for t in vars(self).values() if isinstance(t, Table)}
        for kind, body in self._db.execute("SELECT kind, body FROM record ORDER BY seq"):
            if kind in tables:
                tables[kind].load(body)

    def _write(self, kind: str, key: str, body: str | None) -> None:
        with self.changes():
            if body is None:
                self._db.execute("DELETE FROM record WHERE kind = ? AND id = ?", (kind, key))
            else:
                self._db.execute(
                    "INSERT INTO record (kind, id, body) VALUES (?, ?, ?)"
                    " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                    (kind, key, body),
                )


def _encode(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} is no plain value")


def _decode(kind: type[T], body: dict[str, Any]) -> Any:
    hints = typing.get_type_hints(kind)
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type] # a dataclass
    return kind(**{k: _value(hints[k], v) for k, v in body.items() if k in known})


def _value(hint: Any, value: Any) -> Any:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if datetime in kinds and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value
