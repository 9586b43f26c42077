"""What can be set about a local platform; durations are seconds."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

MODES = ("auto", "off", "required")


@dataclass(frozen=True, slots=True)
class Settings:
    """Parameters of one local platform; defaults are Heroku's.

    Parameters:
        data: the folder that holds everything; two platforms never share one.
        port: of 127.0.0.1; 0 picks a free one.
        boot_timeout: for a web dyno to bind $PORT (R10 after that).
        preboot_overlap: for which web dynos of the release before go on under preboot once the new ones have started.
        stop_timeout: between SIGTERM and SIGKILL (R12 after that).
        queue_timeout: for a request to wait for a starting web dyno (H20 after that).
        first_byte_timeout: for an app to begin its answer (H12 after that).
        idle_timeout: without a byte in either direction (H15 after that).
        connect_timeout: to reach a web dyno (H19 after that).
        build_timeout: for one build.
        release_timeout: for a release phase.
        crash_cooloff: wait after the second quick crash; doubles up to 24 h.
        builds_at_once: builds and test runs running side by side.
        heartbeat: between keep-alive bytes on output streams.
        webhook_pause: before a delivery of level sync is tried again; doubles up to an hour.
        webhook_hosts: that webhooks may be sent to, beside this machine.
        empty_pipeline_ttl: before a pipeline without apps is removed; 0 for never.
        rate_limit: API calls an account has at most, as Heroku.
        rate_refill: API calls that come back each minute; Heroku gives 75.
        postgres_url: of an administrator of a PostgreSQL on this machine; empty: the platform starts one of its own.
        slug_limit: bytes that a slug may have.
        isolation: of builds and dynos: ``auto`` where bubblewrap works, ``off``, or ``required``.
        isolation_paths: folders and files that isolated builds and dynos see, too.
    """

    data: Path
    port: int = 0
    boot_timeout: float = 60
    preboot_overlap: float = 0
    stop_timeout: float = 30
    queue_timeout: float = 75
    first_byte_timeout: float = 30
    idle_timeout: float = 55
    connect_timeout: float = 5
    build_timeout: float = 900
    release_timeout: float = 3600
    crash_cooloff: float = 600
    builds_at_once: int = 10
    heartbeat: float = 20
    webhook_pause: float = 15
    webhook_hosts: tuple[str, ...] = ()
    empty_pipeline_ttl: float = 900
    rate_limit: float = 4500
    rate_refill: float = 4500
    postgres_url: str = field(default="", repr=False)
    slug_limit: int = 500_000_000
    isolation: str = "auto"
    isolation_paths: tuple[Path, ...] = ()

    @property
    def slugs(self) -> Path:
        """Slugs, ``<slug id>.tgz``."""
        return self.data / "slugs"

    @property
    def sources(self) -> Path:
        """Uploaded source tarballs, ``<source id>.tgz``."""
        return self.data / "sources"

    @property
    def caches(self) -> Path:
        """Build caches, one folder an app."""
        return self.data / "caches"

    @property
    def interpreters(self) -> Path:
        """Interpreters that builds fetched; slugs link to them."""
        return self.caches / "shared" / "python"

    @property
    def streams(self) -> Path:
        """Build, release and test output, ``<stream id>.log``."""
        return self.data / "streams"

    @property
    def logs(self) -> Path:
        """App logs, one file an app."""
        return self.data / "logs"

    @property
    def postgres(self) -> Path:
        """The platform's own PostgreSQL."""
        return self.data / "postgres"

    @property
    def repositories(self) -> Path:
        """Git repositories of apps, ``<app id>.git``."""
        return self.data / "repositories"

    @property
    def certificates(self) -> Path:
        """The platform's own certificates and their key."""
        return self.data / "tls"

    @property
    def work(self) -> Path:
        """Build folders and dynos' disks; emptied at start."""
        return self.data / "work"


def from_text(name: str, text: str) -> Any:
    """Return the value of a setting out of an environment variable.

    Raises:
        ValueError: it is none; the message says what it should be.
        KeyError: that setting cannot be set so.
    """
    own = {"slug_limit": _bytes, "isolation": _mode, "isolation_paths": _paths, "webhook_hosts": _words}
    read = own.get(name)
    if read is None:
        kinds = {setting.name: setting.type for setting in fields(Settings)}
        if kinds[name] != "float":
            raise KeyError(name)
        read = _number
    return read(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("not a number") from None


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _bytes(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise ValueError("not a number of bytes")
    return int(text)


def _mode(text: str) -> str:
    if text not in MODES:
        raise ValueError(f"none of {', '.join(MODES)}")
    return text


def _paths(text: str) -> tuple[Path, ...]:
    paths = tuple(Path(path).expanduser() for path in text.split(os.pathsep) if path)
    if not all(path.is_absolute() for path in paths):
        raise ValueError(f"not a list of absolute paths with {os.pathsep!r} between them")
    return paths
