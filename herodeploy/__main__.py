"""``python -m herodeploy`` is the ``herodeploy`` command."""

from __future__ import annotations

from herodeploy.cli.main import main

if __name__ == "__main__":
    main()
