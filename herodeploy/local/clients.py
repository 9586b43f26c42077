"""What the surroundings of git and of the Heroku CLI must say for them to talk to a local platform."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from herodeploy.local import loopback
from herodeploy.local.folders import ControlError

HELPER = '!f() { test "$1" != get || printf "username=heroku\\npassword=%s\\n" "$HEROKU_API_KEY"; }; f'
"""Gives git the token out of the surroundings, so that it stands in no setting."""


def authority(url: str, token: str, *, needed: bool = False) -> Path | None:
    """Let a platform speak TLS from now on; return the certificate to trust, None where it has no means for TLS.

    Raises:
        ControlError: it has no means although it is needed, or does not answer.
    """
    try:
        return Path(loopback.ask(url, token, "POST", "/_local/tls")["authority"])
    except loopback.Answered as error:
        if needed or error.status != 501:
            raise ControlError("the local platform speaks no TLS", str(error)) from None
        return None
    except OSError as error:
        hint = "Start it anew: herodeploy local stop; herodeploy local start"
        raise ControlError(f"cannot reach {url}: {error}", hint) from error


def variables(
    url: str, token: str, authority: Path | None, *, proxy: bool = False, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the variables, for a shell that has `environ` so far.

    Parameters:
        url: of the platform.
        authority: the certificate to trust; None where the platform speaks no TLS.
        proxy: let the Heroku CLI reach the platform for kolkrabbi.heroku.com and api.github.com, too; other HTTPS gets
            nowhere then.

    Raises:
        OSError: a file of certificates cannot be read or written.
    """
    found = basic(url, token)
    if authority is not None:
        found["NODE_EXTRA_CA_CERTS"] = str(_joined(authority, environ, "NODE_EXTRA_CA_CERTS", "node"))
    found |= git_settings(url, authority, environ)
    if proxy:
        found |= _for_proxy(url, environ)
        if authority is not None and (environ.get("SSL_CERT_FILE") or environ.get("SSL_CERT_DIR")):
            found["SSL_CERT_FILE"] = str(_joined(authority, environ, "SSL_CERT_FILE", "ssl"))
    return found


def basic(url: str, token: str) -> dict[str, str]:
    """Return what every client needs, and what keeps the Heroku CLI from asking hosts of Heroku's for the rest.

    With the API's host alone it would tell the token to its particleboard, and look for names of buildpacks and for
    databases elsewhere.
    """
    return {
        "HEROKU_HOST": url,
        "HEROKU_API_KEY": token,
        "HEROKU_PARTICLEBOARD_URL": url,
        "HEROKU_BUILDPACK_REGISTRY_URL": url,
        "HEROKU_DATA_HOST": urlsplit(url).hostname or "",
    }


def git_settings(url: str, authority: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Return settings for git about this platform's addresses alone, behind those that the surroundings have.

    The Heroku CLI adds remotes with https. Where no TLS is spoken, or where GIT_SSL_CAINFO would win over the setting,
    git is told to use http instead; the CLI does not find an app by such a remote.
    """
    safe = url.replace("http://", "https://")
    settings = [(f"credential.{address}.helper", value) for address in (url, safe) for value in ("", HELPER)]
    if authority is not None and "GIT_SSL_CAINFO" not in environ:
        settings.append((f"http.{safe}/.sslCAInfo", str(authority)))
    else:
        settings.append((f"url.{url}/.insteadOf", f"{safe}/"))
    count = _others(environ, {key for key, _ in settings})
    numbered = {"GIT_CONFIG_COUNT": str(count + len(settings))}
    for index, (key, value) in enumerate(settings, count):
        numbered |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    return numbered


def _others(environ: Mapping[str, str], ours: set[str]) -> int:
    """Return how many settings the surroundings had before ours came."""
    count = environ.get("GIT_CONFIG_COUNT", "")
    numbers = range(int(count) if count.isdecimal() else 0)
    return next((index for index in numbers if environ.get(f"GIT_CONFIG_KEY_{index}") in ours), len(numbers))


def _for_proxy(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    direct = [*filter(None, environ.get("NO_PROXY", "").split(",")), "127.0.0.1", "localhost"]
    return {
        "HTTPS_PROXY": url,
        "NO_PROXY": ",".join(dict.fromkeys(direct)),
        # The CLI would wait for hosts that the proxy refuses.
        "HEROKU_SKIP_NEW_VERSION_CHECK": "1",
        "DISABLE_TELEMETRY": "true",
    }


def _joined(authority: Path, environ: Mapping[str, str], name: str, kind: str) -> Path:
    """Return a file with the certificates that the surroundings trust already, and the platform's."""
    both = authority.with_name(f"{kind}.pem")
    there = environ.get(name) or (ssl.get_default_verify_paths().cafile if name == "SSL_CERT_FILE" else None)
    if not there or Path(there) == authority or not Path(there).is_file():
        return authority
    theirs, ours = Path(there).read_bytes(), authority.read_bytes()
    if Path(there) != both or ours not in theirs:  # the authority may be a new one
        fresh = both.with_suffix(".new")
        fresh.write_bytes(theirs.rstrip() + b"\n" + ours)
        fresh.replace(both)
    return both
