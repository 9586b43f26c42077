"""Which Platform API to talk to and with which token, as the Heroku CLI decides it."""

from __future__ import annotations

import netrc
import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from herodeploy.domain.secret import Secret
from herodeploy.errors import UsageError

HEROKU = "https://api.heroku.com"
_HEROKU_DOMAINS = ("heroku.com", "herokai.com", "herokuspace.com", "herokudev.com")
_WAY_OUT = "unset HEROKU_HOST to talk to Heroku, or give the address of a local platform such as http://127.0.0.1:5333"

_LOCAL_ENV = 'eval "$(herodeploy local env)"'


def resolve_base_url(given: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """Return the Platform API's address, without a slash at its end.

    Parameters:
        given: an address that wins over HEROKU_HOST.

    The Heroku CLI falls back to the real Heroku without a word when HEROKU_HOST is foreign; here that is a UsageError.
    """
    name, value = (
        ("the platform's address", given) if given else ("HEROKU_HOST", environ.get("HEROKU_HOST", "").strip())
    )
    if not value:
        return HEROKU
    url = value if "://" in value else _spelled_out(name, value)
    parts = _split(name, url)
    host = (parts.hostname or "").rstrip(".")
    if is_loopback(host):
        return url.rstrip("/")
    if not any(host == domain or host.endswith(f".{domain}") for domain in _HEROKU_DOMAINS):
        raise UsageError(f"{name} names {host!r}, which is neither Heroku nor this machine", hint=_WAY_OUT)
    if parts.scheme != "https":
        raise UsageError(f"{name} would send the token to {host} without encryption", hint=f"write https://{host}")
    return url.rstrip("/")


def resolve_token(base_url: str, environ: Mapping[str, str] = os.environ) -> Secret:
    """Return HEROKU_API_KEY, else the password that ~/.netrc (or $NETRC) has for the API's host."""
    key = environ.get("HEROKU_API_KEY", "").strip()
    if key:
        return checked(key, "HEROKU_API_KEY")
    file = _netrc_file(environ)
    password = _netrc_password(file, base_url) if file else None
    if password:
        return checked(password, str(file))
    raise UsageError(
        f"there is no token for {base_url}",
        hint=f"take the platform's own: {_LOCAL_ENV}"
        if is_local(base_url)
        else "log in with `heroku login`, or set HEROKU_API_KEY to what `heroku auth:token` prints",
    )


def way_in(base_url: str, *, given: bool, environ: Mapping[str, str] = os.environ) -> str:
    """Return what a person can do about a token that the platform refuses.

    Parameters:
        given: the token came with the address, as that of the local platform's folder; else from the environment.
    """
    if not is_local(base_url):
        return "check HEROKU_API_KEY, or log in again with `heroku login`"
    if given:
        return "start it anew, with the token of its folder: herodeploy local stop; herodeploy local start"
    if environ.get("HEROKU_API_KEY", "").strip():
        return f"HEROKU_API_KEY is not that platform's token; take its own: {_LOCAL_ENV}"
    return f"{_netrc_file(environ)} has not that platform's token; take its own: {_LOCAL_ENV}"


def is_local(base_url: str) -> bool:
    """Whether a platform is on this machine."""
    return is_loopback(urlsplit(base_url).hostname or "")


def checked(token: str, origin: str) -> Secret:
    """Return the token; a UsageError that does not show it when it cannot be one."""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"the token in {origin} has characters that no token has", hint="was it copied as a whole?")
    return Secret(token)


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _spelled_out(name: str, value: str) -> str:
    host = value.partition("/")[0].rpartition("@")[2].rsplit(":", 1)[0]
    if is_loopback(host):
        raise UsageError(f"{name} has no http:// in front of {host!r}", hint=_WAY_OUT)
    return f"https://api.{value}"


def _split(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        bad = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        bad = True
    if bad:
        raise UsageError(f"{name} is not a web address", hint=_WAY_OUT)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(f"{name} must be an address alone, without user, password or query", hint=_WAY_OUT)
    return parts


def _netrc_file(environ: Mapping[str, str]) -> Path | None:
    named = environ.get("NETRC", "").strip()
    home = environ.get("HOME", "").strip()
    if named:
        return Path(named)
    file = (Path(home) if home else Path.home()) / ".netrc"
    return file if file.exists() else None


def _netrc_password(file: Path, base_url: str) -> str | None:
    try:
        entries = netrc.netrc(file).hosts
    except netrc.NetrcParseError as error:
        # Its message quotes the word it stumbled over, which may be the password.
        raise UsageError(f"{file}:{error.lineno}: not as a netrc file is written", hint=_KEY_INSTEAD) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"cannot read {file}: {reason}", hint=_KEY_INSTEAD) from None
    parts = urlsplit(base_url)
    entry = entries.get(parts.netloc) or entries.get(parts.hostname or "")
    return (entry[2] or "").strip() or None if entry else None


_KEY_INSTEAD = "correct it, or set HEROKU_API_KEY"
