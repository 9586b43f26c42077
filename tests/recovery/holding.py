"""An app that holds itself up at a named place while a ``.closed`` file lies in a folder outside the repository."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

Person = Any

HOLD = """#!/bin/sh
if [ -e "{gates}/$1.closed" ]; then
    : > "{gates}/$1.reached"
    while [ -e "{gates}/$1.closed" ]; do sleep 0.05; done
fi
"""
BUILDPACK = {
    "detect": "#!/bin/sh\necho Held\n",
    "compile": '#!/bin/sh\nexec sh "$1/hold.sh" build\n',
    "test-compile": "#!/bin/sh\nexit 0\n",
    "release": "#!/bin/sh\necho '--- {}'\n",
}


def files(gates: Path) -> dict[str, str]:
    """Return the app's files."""
    return {
        "hold.sh": HOLD.format(gates=gates),
        "Procfile": 'web: sh hold.sh "web-$STEP" && exec python3 -m http.server "$PORT" --bind 127.0.0.1\n'
        'release: sh hold.sh "release-$STEP"\n',
        "app.json": '{"environments": {"test": {"scripts": {"test": "sh hold.sh test"}}}}\n',
        "index.html": "one\n",
    }


def begin(someone: Person, gates: Path) -> None:
    """Apply the pipeline of the app, with a buildpack that can be held up, too."""
    someone.herodeploy("init", "--platform", "local", "--name", "shop", "--yes")
    someone.commit("Describe the pipeline")
    someone.herodeploy("apply")
    for step in ("staging", "production"):
        someone.ask(f"/apps/shop-{step}/config-vars", "PATCH", {"STEP": step})
    buildpack = gates.parent / "buildpack"
    (buildpack / "bin").mkdir(parents=True)
    for name, script in BUILDPACK.items():
        (buildpack / "bin" / name).write_text(script)
        (buildpack / "bin" / name).chmod(0o755)
    updates = {"updates": [{"buildpack": str(buildpack)}]}
    someone.ask("/apps/shop-staging/buildpack-installations", "PUT", updates)


def wait_for(file: Path, someone: Person) -> None:
    """Wait until the app says that it has come there."""
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, (someone.root.parent / "background.log").read_text()
        time.sleep(0.02)  # the only way a process that must not know about us can tell: by a file
