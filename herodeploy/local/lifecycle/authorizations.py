"""Tokens beside the platform's own: made for a login, kept as hashes, until they expire or are revoked."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.wire.errors import forbidden, invalid

if TYPE_CHECKING:
    from datetime import datetime

    from herodeploy.local.platform import Platform

LONGEST = 10 * 365 * 86_400
HIDDEN = "*" * 10
"""What the Heroku CLI takes for the hidden middle of a token."""


def accepts(platform: Platform, token: str) -> bool:
    """Tell whether a caller with this token may call: it is the platform's own, or one that is still good."""
    if secrets.compare_digest(token.encode(), platform.token.encode()):
        return True
    found = platform.state.authorizations.where(token_hash=_hash(token))
    return any(not is_expired(platform, row) for row in found)


def is_expired(platform: Platform, row: records.Authorization) -> bool:
    """Tell whether an authorization's time is over."""
    return row.expires_at is not None and row.expires_at <= platform.now()


def authorize(
    platform: Platform, description: str, scope: list[str], expires_in: int | None
) -> tuple[records.Authorization, str]:
    """Make an authorization; return it with its token, which nobody sees again.

    Parameters:
        expires_in: seconds; None for one that does not expire.

    Raises:
        ApiError: 422, a time that cannot be one.
    """
    if expires_in is not None and not 0 < expires_in <= LONGEST:
        raise invalid(f"expires_in must be from 1 to {LONGEST} seconds.")
    now = platform.now()
    row = records.Authorization(
        id=str(uuid.uuid4()),
        created_at=now,
        updated_at=now,
        description=description,
        scope=scope,
        token_id="",
        token_hash="",
        token_shown="",
        expires_at=now + timedelta(seconds=expires_in) if expires_in is not None else None,
    )
    return renew(platform, row)


def renew(platform: Platform, row: records.Authorization) -> tuple[records.Authorization, str]:
    """Give an authorization a new token; the old one is worth nothing from now on."""
    token = f"HRKU-{uuid.UUID(bytes=secrets.token_bytes(16), version=4)}"
    fresh = replace(
        row,
        token_id=str(uuid.uuid4()),
        token_hash=_hash(token),
        token_shown=shortened(token),
        updated_at=platform.now(),
    )
    return platform.state.authorizations.put(fresh), token


def revoke(platform: Platform, row: records.Authorization) -> None:
    """End an authorization.

    Raises:
        ApiError: 403, it is the platform's own, without which nobody could call any more.
    """
    if platform.state.authorizations.get(row.id) is None:
        raise forbidden("The platform's own token cannot be revoked; `herodeploy local reset` makes another.")
    platform.state.authorizations.delete(row.id)


def default(platform: Platform, id: str, since: datetime) -> records.Authorization:  # noqa: A002 # Heroku's word
    """Return the authorization of the platform's own token, which is as old as the account: since `since`."""
    return records.Authorization(
        id=id,
        created_at=since,
        updated_at=since,
        description="The local platform's own token",
        scope=["global"],
        token_id=id,
        token_hash="",
        token_shown=shortened(platform.token),
    )


def shortened(token: str) -> str:
    """Return a token with its middle hidden; its ends tell tokens apart, as the CLI's logout must."""
    first, last = min(9, len(token) // 3), min(4, len(token) // 6)
    return f"{token[:first]}{HIDDEN}{token[len(token) - last :]}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
