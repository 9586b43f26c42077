"""The built-in buildpacks: folders of Heroku's buildpack API; what their executables do is told in Python here."""

from __future__ import annotations
