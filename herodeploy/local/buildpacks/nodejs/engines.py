"""package.json's ``engines``: what the app asks for, held against what the machine has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from herodeploy.local.buildpacks.toolbox import ask, warn

TITLES = {"node": "Node.js", "npm": "npm"}
# npm brings the library that knows what a version range means.
SATISFIES = """
const semver = require('module').createRequire(require('fs').realpathSync(process.argv[1]))('semver');
process.stdout.write(String(semver.satisfies(process.argv[2], process.argv[3])));
"""


def check(name: str, version: str, asked: object, found: Mapping[str, str | None], env: Mapping[str, str]) -> None:
    """Warn when a version is not in the range that was asked for."""
    if not isinstance(asked, str) or not asked.strip():
        return
    answer = ask([str(found["node"]), "-e", SATISFIES, str(found["npm"]), version, asked], env, Path("/"))
    if answer == "true":
        return
    reason = "which this machine lacks" if answer == "false" else "which could not be compared"
    warn(f"package.json asks for {TITLES[name]} {asked} (engines.{name}), {reason}.")
    warn(f"Using {TITLES[name]} {version} instead; expect differences.")
