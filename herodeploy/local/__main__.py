"""``python -m herodeploy.local --data DIR [--port N]`` runs a local platform in the foreground."""

from __future__ import annotations

import argparse
from pathlib import Path

from herodeploy.local import control


def main() -> None:
    """Read the command line and serve until told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m herodeploy.local", description="A Heroku-compatible local platform."
    )
    parser.add_argument("--data", type=Path, default=None, help="folder that holds everything")
    parser.add_argument("--port", type=int, default=None, help="of 127.0.0.1; without it the last one, or a free one")
    chosen = parser.parse_args()
    control.serve(chosen.data or control.default_data(), chosen.port)


if __name__ == "__main__":
    main()
