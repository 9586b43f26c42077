"""Bring a database to the newest schema. Imports Alembic, so it is itself imported only when there is work to do."""

from __future__ import annotations

import functools

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

_SCRIPTS = "herodeploy.store:migrations"


@functools.cache
def scripts() -> ScriptDirectory:
    """Return the history of the schema."""
    return ScriptDirectory.from_config(_config())


def knows(version: str) -> bool:
    """Whether this herodeploy knows a schema of that version."""
    return version in {script.revision for script in scripts().walk_revisions()}


def to_head(connection: sa.Connection) -> None:
    """Run what is missing, inside the caller's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    return config
