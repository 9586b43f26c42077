"""What a shell must say for git and the Heroku CLI to come here, beside what it says already."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from herodeploy.local import clients
from herodeploy.local.folders import ControlError

URL = "http://127.0.0.1:5333"


def settings(found: dict[str, str]) -> dict[str, list[str]]:
    """Return git's settings by key."""
    grouped: dict[str, list[str]] = {}
    for index in range(int(found["GIT_CONFIG_COUNT"])):
        if f"GIT_CONFIG_KEY_{index}" in found:
            grouped.setdefault(found[f"GIT_CONFIG_KEY_{index}"], []).append(found[f"GIT_CONFIG_VALUE_{index}"])
    return grouped


def test_git_gets_the_token_from_the_surroundings_and_for_this_address_alone(tmp_path: Path) -> None:
    found = clients.variables(URL, "hush", tmp_path / "ca.pem", environ={})
    assert [name for name, value in found.items() if "hush" in value] == ["HEROKU_API_KEY"]
    assert set(settings(found)) == {
        "credential.http://127.0.0.1:5333.helper",
        "credential.https://127.0.0.1:5333.helper",
        "http.https://127.0.0.1:5333/.sslCAInfo",
    }
    assert found["NODE_EXTRA_CA_CERTS"] == str(tmp_path / "ca.pem")
    assert "HTTPS_PROXY" not in found


def test_without_tls_git_is_sent_to_http() -> None:
    found = clients.variables(URL, "hush", None, environ={})
    assert settings(found)["url.http://127.0.0.1:5333/.insteadOf"] == ["https://127.0.0.1:5333/"]
    assert "NODE_EXTRA_CA_CERTS" not in found


def test_settings_of_the_shell_are_kept_however_often_it_is_asked(tmp_path: Path) -> None:
    shell = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Ann"}
    once = shell | clients.variables(URL, "hush", tmp_path / "ca.pem", environ=shell)
    assert settings(once)["user.name"] == ["Ann"]
    assert once | clients.variables(URL, "hush", tmp_path / "ca.pem", environ=once) == once


def test_certificates_that_the_shell_trusts_are_trusted_still(tmp_path: Path) -> None:
    authority, theirs = tmp_path / "ca.pem", tmp_path / "theirs.pem"
    authority.write_text("OURS\n")
    theirs.write_text("THEIRS")
    shell: dict[str, Any] = {"NODE_EXTRA_CA_CERTS": str(theirs), "SSL_CERT_FILE": str(theirs), "NO_PROXY": "intern"}
    found = clients.variables(URL, "hush", authority, proxy=True, environ=shell)
    for name in ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"):
        assert Path(found[name]).read_text() == "THEIRS\nOURS\n"
    assert (found["HTTPS_PROXY"], found["NO_PROXY"]) == (URL, "intern,127.0.0.1,localhost")
    assert clients.variables(URL, "hush", authority, proxy=True, environ=shell | found) == found
    authority.write_text("NEW\n")
    assert clients.variables(URL, "hush", authority, proxy=True, environ=shell | found) == found
    for name in ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"):
        assert Path(found[name]).read_text() == "THEIRS\nOURS\nNEW\n"


def test_the_authority_of_a_platform_that_speaks_tls_or_cannot(
    tmp_path: Path, run_platform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_platform(tmp_path / "data") as local:
        token = local.http.headers["authorization"].split()[1]
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
            assert clients.authority(local.url, token) is None
            with pytest.raises(ControlError) as refused:
                clients.authority(local.url, token, needed=True)
            assert "pip install 'herodeploy[tls]'" in refused.value.hint
        assert clients.authority(local.url, token) == tmp_path / "data" / "tls" / "ca.pem"
    with pytest.raises(ControlError, match="cannot reach"):
        clients.authority(local.url, token)


def test_the_token_goes_past_every_proxy(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(0)
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert clients.authority(local.url, local.platform.token) is not None
        with pytest.raises(BlockingIOError):
            proxy.accept()


def test_every_client_gets_all_hosts(local: Any) -> None:
    found = clients.variables(URL, "hush", None, environ={})
    assert clients.basic(URL, "hush").items() <= found.items()
    assert {name for name, value in found.items() if value == URL} == {
        "HEROKU_HOST",
        "HEROKU_PARTICLEBOARD_URL",
        "HEROKU_BUILDPACK_REGISTRY_URL",
    }
