"""TLS and CONNECT on the port of the API: who is served, who is refused, and what lies on the disk."""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

KOLKRABBI = "kolkrabbi.heroku.com"
GITHUB = "api.github.com"


def opened(local: Any) -> Path:
    return Path(local.post("/_local/tls", status=200)["authority"])


def trusting(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority))


def tunnel(local: Any, host: str) -> tuple[socket.socket, bytes]:
    """Return a connection through the proxy, and what the proxy said."""
    sock = socket.create_connection(("127.0.0.1", httpx.URL(local.url).port), timeout=30)
    sock.sendall(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    said = b""
    while b"\r\n\r\n" not in said and (more := sock.recv(4096)):
        said += more
    return sock, said


def test_the_port_of_the_api_speaks_tls_too(local: Any) -> None:
    authority = opened(local)
    url = local.url.replace("http://", "https://")
    with httpx.Client(base_url=url, verify=trusting(authority), headers=dict(local.http.headers)) as client:
        assert client.get("/account").json()["email"] == local.get("/account")["email"]
        assert client.get("/account", headers={"Authorization": "Bearer guessed"}).status_code == 401
    with pytest.raises(httpx.ConnectError, match="certificate"):
        httpx.get(url)


def test_the_authority_vouches_for_this_machine_alone_and_its_key_is_gone(local: Any) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    authority = opened(local)
    certificate = x509.load_pem_x509_certificate(authority.read_bytes())
    only = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert only.critical
    assert [str(each.value) for each in only.value.permitted_subtrees or []] == [
        KOLKRABBI,
        GITHUB,
        "localhost",
        "127.0.0.1/32",
    ]
    key = serialization.load_pem_private_key((local.data / "tls" / "key.pem").read_bytes(), None)
    assert key.public_key() != certificate.public_key()
    for file in (local.data / "tls").iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name
    assert sorted(file.name for file in (local.data / "tls").iterdir()) == ["ca.pem", "certificate.pem", "key.pem"]


def test_the_proxy_leads_to_what_stands_in_for_github_and_nowhere_else(local: Any) -> None:
    authority = opened(local)
    sock, said = tunnel(local, f"{KOLKRABBI}:{httpx.URL(local.url).port}")
    assert said.startswith(b"HTTP/1.1 200 ")
    with trusting(authority).wrap_socket(sock, server_hostname=KOLKRABBI) as secure:
        head = f"GET /account/github/token HTTP/1.1\r\nHost: {KOLKRABBI}\r\nConnection: close\r\n"
        secure.sendall(f"{head}Authorization: {local.http.headers['authorization']}\r\n\r\n".encode())
        assert secure.recv(4096).startswith(b"HTTP/1.1 200 ")
    sock, said = tunnel(local, f"{GITHUB}:443")
    assert said.startswith(b"HTTP/1.1 200 ")
    with trusting(authority).wrap_socket(sock, server_hostname=GITHUB) as secure:
        secure.sendall(f"GET /user HTTP/1.1\r\nHost: {GITHUB}\r\nConnection: close\r\n\r\n".encode())
        assert secure.recv(4096).startswith(b"HTTP/1.1 404 ")
    for other in ("example.com:443", "github.com:443", "127.0.0.1:22", f"{KOLKRABBI}.example.com:443", "nonsense"):
        sock, said = tunnel(local, other)
        with sock:
            assert said.startswith(b"HTTP/1.1 403 "), other
            assert b"leads to kolkrabbi.heroku.com and api.github.com and nowhere else" in said + sock.recv(4096)


def test_no_tls_before_it_is_asked_for_and_again_after_a_restart(tmp_path: Path, run_platform: Any) -> None:
    with run_platform(tmp_path / "data") as local:
        with pytest.raises(httpx.TransportError):
            httpx.get(local.url.replace("http://", "https://"))
        authority = opened(local)
        before = authority.read_bytes()
    with run_platform(tmp_path / "data") as local:
        url = local.url.replace("http://", "https://")
        assert httpx.get(f"{url}/_local/status", verify=trusting(authority)).status_code == 200
        assert opened(local).read_bytes() == before


def test_certificates_are_renewed_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from herodeploy.local.tls import certificates

    first = certificates.ensure(tmp_path / "tls").authority.read_bytes()
    assert certificates.ensure(tmp_path / "tls").authority.read_bytes() == first
    monkeypatch.setattr(certificates, "LEFT", certificates.LIFE + timedelta(days=1))
    assert certificates.ensure(tmp_path / "tls").authority.read_bytes() != first


def test_certificates_of_fewer_names_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of an earlier version."""
    from herodeploy.local.tls import certificates

    with monkeypatch.context() as earlier:
        earlier.setattr(certificates, "NAMES", (KOLKRABBI, "localhost"))
        first = certificates.ensure(tmp_path / "tls").authority.read_bytes()
        assert certificates.ensure(tmp_path / "tls").authority.read_bytes() == first
    second = certificates.ensure(tmp_path / "tls").authority.read_bytes()
    assert second != first
    assert certificates.ensure(tmp_path / "tls").authority.read_bytes() == second


def test_without_the_package_it_says_what_to_install(
    tmp_path: Path, run_platform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    with run_platform(tmp_path / "data") as local:
        told = local.post("/_local/tls", status=501)
        assert "pip install 'herodeploy[tls]'" in told["message"]


def test_whoever_is_connected_when_it_stops_does_not_keep_it(tmp_path: Path, run_platform: Callable[..., Any]) -> None:
    with run_platform(tmp_path / "data") as local:
        authority = opened(local)
        sock, _ = tunnel(local, f"{KOLKRABBI}:443")
        secure = trusting(authority).wrap_socket(sock, server_hostname=KOLKRABBI)
        secure.sendall(b"GET /account HTTP/1.1\r\n")
        idle, _ = tunnel(local, f"{KOLKRABBI}:443")
    secure.close()
    idle.close()
