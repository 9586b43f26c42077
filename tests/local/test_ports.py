from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from herodeploy.local import ports


@pytest.fixture
def two_ports(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let there be two candidates alone."""
    found = []
    for _ in range(2):
        reserved = ports.reserve()
        found.append(reserved)
    numbers = [reserved.port for reserved in found]
    for reserved in found:
        reserved.release()
    monkeypatch.setattr(ports, "_candidates", lambda: numbers)
    return numbers


def test_what_is_reserved_is_given_to_nobody_else(two_ports: list[int]) -> None:
    first = ports.reserve()
    assert first.port == two_ports[0]
    with ports.listen() as sock:
        assert sock.getsockname()[1] == two_ports[1]
        with pytest.raises(OSError, match="no free port"):
            ports.reserve()
        first.release()
        again = ports.reserve()
        assert again.port == two_ports[0]
        again.release()


def test_another_process_cannot_have_it_either(two_ports: list[int]) -> None:
    first = ports.reserve()
    asks = "import sys; from herodeploy.local import ports; print(ports._is_reserved(int(sys.argv[1])))"
    ask = [sys.executable, "-c", asks, str(first.port)]
    assert subprocess.run(ask, capture_output=True, text=True, check=True).stdout == "True\n"
    first.release()
    assert subprocess.run(ask, capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_app_binds_what_is_reserved_for_it(two_ports: list[int]) -> None:
    reserved = ports.reserve()
    with socket.create_server(("127.0.0.1", reserved.port)), pytest.raises(OSError, match="in use"):
        ports.listen(reserved.port)
    reserved.release()
