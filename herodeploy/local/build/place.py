"""The folders of one build: where they lie, and where its commands see them."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from herodeploy.local.build import tools
from herodeploy.local.process import process
from herodeploy.local.process.sandbox import Mount, Sandbox
from herodeploy.local.runtime import HOME, TMP

CODON = TMP / "codon" / "tmp"
"""Where Heroku's builders keep the build cache and buildpacks."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one build or of one node of a test run.

    Attributes:
        work: holds all others but the caches.
        cache: the app's, kept between builds.
        shared: of all apps; downloads of packages and interpreters.
        app: the app itself.
        temporary: /tmp of isolated commands.
        sandbox: isolates the commands; without one they see all folders where they are.
        tests: for a test run, whose app lies at /app from the beginning.
    """

    work: Path
    cache: Path
    shared: Path
    app: Path
    temporary: Path
    stack: str
    sandbox: Sandbox | None = None
    tests: bool = False
    _key: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def config(self) -> Path:
        """Return the folder of the config vars, a file each."""
        return self.work / "env"

    @property
    def buildpacks(self) -> Path:
        """Return the folder of the buildpacks, numbered in order."""
        return self.work / "buildpacks"

    @property
    def home(self) -> Path:
        """Return HOME of the buildpacks, so that their dot files stay out of the slug."""
        return self.work / "home"

    @property
    def seen_home(self) -> Path:
        """Return HOME of the buildpacks as they see it."""
        return self.home if self.sandbox is None else HOME

    def make(self) -> None:
        """Make all folders but the app's."""
        for folder in (self.cache, self.shared, self.config, self.buildpacks, self.home, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        self.config.chmod(0o700)

    def seen(self, path: Path) -> Path:
        """Return where commands see a file or folder of this build."""
        for mount in self._mounts() if self.sandbox is not None else []:
            if path.is_relative_to(mount.host):
                return mount.inside / path.relative_to(mount.host)
        return path

    def command(self, argv: Sequence[str], *, trusted: bool) -> process.Command:
        """Return a command of a buildpack, in its environment; no config var is in that.

        Parameters:
            argv: with paths as commands see them.
            trusted: of a built-in buildpack: it may use the tools that herodeploy brings, and the shared downloads.
        """
        extra = tools.settings() | {"HOME": str(self.seen_home), "STACK": self.stack}
        more = [Mount(path, path, writable=False) for path in tools.files()]
        if trusted:
            extra |= {
                "HERODEPLOY_PYTHON": sys.executable,
                "HERODEPLOY_CACHE": str(self.shared),
                "HERODEPLOY_HOME": str(Path.home()),
            }
            more += [Mount(path, path, writable=False) for path in tools.own_files()]
            more.append(Mount(self.shared, self.shared))
        else:
            more += self._interpreters()
        return self._enclosed(argv, process.clean_env(extra), more)

    def test_command(self, argv: Sequence[str], variables: Mapping[str, str]) -> process.Command:
        """Return a command of a test run: config vars are in its environment, and HOME is the app's folder."""
        given = {"STACK": self.stack, **variables, "HOME": str(self.seen(self.app))}
        return self._enclosed(argv, process.clean_env(given), self._interpreters())

    def _enclosed(self, argv: Sequence[str], env: Mapping[str, str], more: Sequence[Mount]) -> process.Command:
        command = process.Command(argv, self.app, env)
        if self.sandbox is None:
            return command
        return self.sandbox.enclose(command, [*more, *self._mounts()], self.seen(self.app))

    def _interpreters(self) -> list[Mount]:
        """Return where interpreters that were fetched lie: environments of apps link to them."""
        folder = self.shared / "python"
        return [Mount(folder, folder, writable=False)] if folder.is_dir() else []

    def _mounts(self) -> list[Mount]:
        """Return the build's folders and where Heroku has them."""
        app, cache = (HOME, TMP / f"cache{self._key}") if self.tests else (TMP / f"build_{self._key}", CODON / "cache")
        return [
            Mount(self.app, app),
            Mount(self.cache, cache),
            Mount(self.config, TMP / f"d{self._key}"),
            Mount(self.buildpacks, CODON / "buildpacks"),
            *([] if self.tests else [Mount(self.home, HOME)]),
            Mount(self.temporary, TMP),
        ]
