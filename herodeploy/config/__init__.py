"""herodeploy.yml, app.json and Procfile, read into the domain."""

from __future__ import annotations
