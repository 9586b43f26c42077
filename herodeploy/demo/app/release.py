"""The release phase: refuses a release whose settings are not in order."""

import os
import sys

missing = [name for name in ("SECRET_KEY",) if not os.environ.get(name)]
if missing:
    sys.exit(f"not in order: {', '.join(missing)} is not set")
print("settings are in order")
