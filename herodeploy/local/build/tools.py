"""The machine's own settings of its package tools, which builds need although their environment is clean.

Only paths and addresses pass, never a secret: certificates, proxies without a password in them, and where the
tools' own configuration files lie. Variables that name a registry may hold its password and do not pass; a registry
that needs one belongs into those files.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from herodeploy.local.process import machine

CERTIFICATES = (
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS",
)  # fmt: skip
FILES = ("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "NPM_CONFIG_USERCONFIG")
CONFIGURATION = (".pip/pip.conf", ".config/pip/pip.conf", ".config/uv/uv.toml")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def settings() -> dict[str, str]:
    """Return the variables that a buildpack gets from the machine."""
    found = {name: os.environ[name] for name in (*CERTIFICATES, *FILES, "NO_PROXY", "no_proxy") if name in os.environ}
    found |= {name: os.environ[name] for name in PROXIES if _is_open(os.environ.get(name, ""))}
    npmrc = Path.home() / ".npmrc"
    if npmrc.is_file():
        found.setdefault("NPM_CONFIG_USERCONFIG", str(npmrc))
    return found


def files() -> list[Path]:
    """Return the files and folders that these variables name, for builds that see nothing else of the user's."""
    named = [Path(value).expanduser() for name, value in settings().items() if name in (*CERTIFICATES, *FILES)]
    return machine.outside_system(path for path in named if path.is_absolute())


def own_files() -> list[Path]:
    """Return what built-in buildpacks are made of, and the user's configuration of pip and uv that they read."""
    package = Path(__file__).parents[2]
    return machine.outside_system([Path(sys.prefix), package, *(Path.home() / name for name in CONFIGURATION)])


def _is_open(address: str) -> bool:
    return bool(address) and "@" not in urlsplit(address if "//" in address else f"//{address}").netloc
