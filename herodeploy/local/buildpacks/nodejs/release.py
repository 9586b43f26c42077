"""bin/release for Node.js: ``npm start`` serves, where package.json or server.js says how."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> int:
    """Print the default process types as YAML."""
    app = Path(sys.argv[1])
    scripts = json.loads((app / "package.json").read_text(encoding="utf-8-sig")).get("scripts") or {}
    if scripts.get("start") or (app / "server.js").is_file():
        sys.stdout.write("default_process_types:\n  web: npm start\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
