"""Debug runs (``heroku ci:debug``): instead of the tests, somebody has a shell in the test dyno.

What somebody attaches to is kept in memory only: its secret is in no store, and no shell outlives the platform.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from herodeploy.local import records
from herodeploy.local.attach.attachments import Attachment, NobodyCame
from herodeploy.local.build import builder
from herodeploy.local.ports import HOST
from herodeploy.local.process import process

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

SIZE = (0, 0)
"""Of the terminal: the Heroku CLI does not tell it."""


@dataclass(frozen=True, slots=True)
class Dyno:
    """The dyno of a debug run's node, and where somebody attaches to it."""

    id: str
    attach_url: str


_dynos: WeakKeyDictionary[Platform, dict[str, Dyno]] = WeakKeyDictionary()


def dyno(platform: Platform, node: records.TestNode) -> Dyno | None:
    """Return the dyno of a node that is being debugged."""
    return _dynos.get(platform, {}).get(node.id)


def set_up(platform: Platform, run: records.TestRun) -> None:
    """Give a run the app setup that the Heroku CLI asks for; it names an app that nobody can look up."""
    now = platform.now()
    name = f"ci-{run.id[:8]}"
    setup = records.AppSetup(str(uuid.uuid4()), str(uuid.uuid4()), name, now, now, status="succeeded")
    platform.state.app_setups.put(setup)
    run.app_setup_id = setup.id


async def attend(
    platform: Platform,
    node: records.TestNode,
    prepared: builder.PreparedTests,
    config: Mapping[str, str],
    begin: Callable[[], None],
) -> None:
    """Let somebody attach to a shell in the prepared app's folder; return when it has ended.

    Parameters:
        config: the node's own config vars, from its add-ons.
        begin: called once the node has its dyno.

    Raises:
        BuildFailed: nobody attached within the boot timeout.
        OSError: the shell could not be started.
    """
    env = {**config, "CI_NODE_INDEX": str(node.index), "CI_NODE_TOTAL": "1"}
    command = builder.debug_command(prepared, env)
    attachment = Attachment(SIZE, platform.settings.boot_timeout)
    url = f"rendezvous://{HOST}:{platform.settings.port}/{attachment.secret}"
    dynos = _dynos.setdefault(platform, {})
    dynos[node.id] = Dyno(str(uuid.uuid4()), url)
    platform.attachments.expect(attachment)
    try:
        begin()
        shell = await attachment.start(command, lambda line: platform.streams.write(node.output_stream_id, line))
        await _wait(shell)
    except NobodyCame:
        raise builder.BuildFailed("nobody attached to the test dyno in time") from None
    finally:
        del dynos[node.id]
        await attachment.close()


async def _wait(shell: process.Process) -> None:
    """Wait for the shell's end; it is stopped when the caller is cancelled."""
    try:
        await shell.wait()
    except asyncio.CancelledError:
        with suppress(OSError):
            await shell.stop(process.GRACE)
        raise
