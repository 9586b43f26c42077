"""How the standing worker is stopped."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from herodeploy.cli import worker
from herodeploy.errors import StoreError


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_fails_as_it_is_interrupted_does_not_keep_it_at_work(
    how: signal.Signals, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As a database driver does that cannot tidy up after itself."""
    begun = []

    def work(*_: object) -> None:
        assert not begun, "it goes on"
        begun.append(how)
        try:
            os.kill(os.getpid(), how)
            threading.Event().wait(60)
        except KeyboardInterrupt:
            raise StoreError("can't change 'autocommit' now") from None

    monkeypatch.setattr(worker, "_work_until_changed", work)
    before = signal.getsignal(how)
    worker.run(Path())
    assert begun == [how]
    assert capfd.readouterr().err == (
        "stopped; what is open stays as it is, for the next worker or herodeploy resume\n"
    )
    assert signal.getsignal(how) is before
