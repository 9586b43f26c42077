"""``git push`` to the platform: one bare repository an app, served by git's own HTTP backend."""

from __future__ import annotations
