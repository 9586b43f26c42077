"""pip's configuration in uv's words: uv does not read pip.conf, but that is where machines name their index."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

KEYS = ("index-url", "extra-index-url", "find-links", "cert")


def for_uv(home: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Return variables for uv; none where uv has a configuration of its own."""
    own = ("UV_CONFIG_FILE", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")
    if any(name in env for name in own) or (home / ".config" / "uv" / "uv.toml").is_file():
        return {}
    told = settings(home, env)
    found = {
        "UV_DEFAULT_INDEX": told.get("index-url", ""),
        "UV_INDEX": " ".join(told.get("extra-index-url", "").split()),
        "UV_FIND_LINKS": ",".join(told.get("find-links", "").split()),
        "SSL_CERT_FILE": "" if "SSL_CERT_FILE" in env else told.get("cert", ""),
        # pip takes the best version of all its indexes; whoever configured several of them expects that.
        "UV_INDEX_STRATEGY": "unsafe-best-match" if told.get("extra-index-url") else "",
    }
    return {name: value for name, value in found.items() if value}


def settings(home: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Return what pip would use; later files win, config vars of the app win over all."""
    told: dict[str, str] = {}
    for file in files(home, env):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file)
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                told |= {key: value for key, value in parser.items(section) if key in KEYS}
    names = {key: f"PIP_{key.upper().replace('-', '_')}" for key in KEYS}
    return told | {key: env[name] for key, name in names.items() if name in env}


def files(home: Path, env: Mapping[str, str]) -> Iterator[Path]:
    """Return pip's configuration files in its order."""
    if sys.platform == "darwin":
        yield Path("/Library/Application Support/pip/pip.conf")
    yield from (Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"))
    if sys.platform == "darwin":
        yield home / "Library" / "Application Support" / "pip" / "pip.conf"
    yield from (home / ".pip" / "pip.conf", home / ".config" / "pip" / "pip.conf")
    if env.get("PIP_CONFIG_FILE", os.devnull) != os.devnull:
        yield Path(env["PIP_CONFIG_FILE"])
