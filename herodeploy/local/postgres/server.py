"""Which PostgreSQL the add-ons of a platform live in: its own, started when first needed, or the user's."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from herodeploy.local.postgres.admin import Admin, parse
from herodeploy.local.postgres.cluster import ADMIN, CREATORS, Cluster

OWN = "own"


@dataclass(frozen=True, slots=True)
class Login:
    """A database, its role and that role's password."""

    database: str
    role: str
    password: str = field(repr=False)


class Server:
    """The PostgreSQL of a platform.

    Parameters:
        folder: where an own one lies.
        url: of an administrator of the user's PostgreSQL; empty: an own one is started when first needed.

    Attributes:
        where: ``own``, or host and port of the user's.
    """

    def __init__(self, folder: Path, url: str = "") -> None:
        self._folder = folder
        self._url = url
        self._cluster: Cluster | None = None
        self._turn = asyncio.Lock()
        self.where = OWN if not url else urlsplit(url).netloc.rpartition("@")[2]

    async def admin(self) -> Admin:
        """Return the way in; the server runs from now on.

        Raises:
            Unavailable: it cannot be had.
        """
        if self._url:
            return parse(self._url)
        async with self._turn:
            if self._cluster is None:
                cluster = Cluster(self._folder)
                await cluster.start()
                self._cluster = cluster
        own = self._cluster
        return Admin("127.0.0.1", own.server_port, ADMIN, own.password, door=own.port, creators=CREATORS)

    async def close(self) -> None:
        """End an own one."""
        async with self._turn:
            if self._cluster is not None:
                await self._cluster.stop()
                self._cluster = None

    async def create(self, login: Login, *, creates: bool = False) -> str:
        """Make a database and return its address, with the password in it.

        Parameters:
            creates: whether its role may make more databases.

        Raises:
            Unavailable: there is no server, or it refuses.
        """
        admin = await self.admin()
        await admin.create(login.database, login.role, login.password, creates=creates)
        return address(login, admin)


def new_login() -> Login:
    """Return names that nobody has, as Heroku forms them, and a random password."""
    return Login(f"d{secrets.token_hex(7)}", f"u{secrets.token_hex(7)}", f"p{secrets.token_hex(32)}")


def address(login: Login, admin: Admin) -> str:
    """Return the ``postgres://`` address of a database."""
    host = f"[{admin.host}]" if ":" in admin.host else admin.host
    return f"postgres://{login.role}:{login.password}@{host}:{admin.door or admin.port}/{login.database}"
