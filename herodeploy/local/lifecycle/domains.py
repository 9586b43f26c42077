"""Custom domains: other names by which the router knows an app."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.wire.auth import LOOPBACK
from herodeploy.local.wire.errors import invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

_HOSTNAME = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LONGEST = 253


def add(platform: Platform, app: records.App, hostname: str) -> records.Domain:
    """Give an app a domain; the router answers for it from now on.

    Raises:
        ApiError: 422, no domain name, one of the platform's own, or one in use.
    """
    name = hostname.strip().lower()
    if len(name) > LONGEST or not _HOSTNAME.fullmatch(name):
        raise invalid(f"{hostname!r} is no domain name.")
    if name in LOOPBACK or name.endswith(".localhost"):
        raise invalid(f"{name} is one of the platform's own names.")
    taken = platform.state.domains.where(hostname=name)
    if taken:
        mine = taken[0].app_id == app.id
        raise invalid(f"{name} is already added to {'this' if mine else 'another'} app.")
    now = platform.now()
    row = records.Domain(id=str(uuid.uuid4()), app_id=app.id, hostname=name, created_at=now, updated_at=now)
    platform.log(app, f"Add {name} domain by user {platform.email}")
    return platform.state.domains.put(row)


def remove(platform: Platform, app: records.App, row: records.Domain) -> None:
    """Take a domain from an app."""
    platform.state.domains.delete(row.id)
    platform.log(app, f"Remove {row.hostname} domain by user {platform.email}")


def app_of(platform: Platform, hostname: str) -> records.App | None:
    """Return the app that has a domain, by its very name or by a wildcard's."""
    _, _, parent = hostname.partition(".")
    for name in (hostname, f"*.{parent}"):
        for row in platform.state.domains.where(hostname=name):
            return platform.state.apps.get(row.app_id)
    return None
