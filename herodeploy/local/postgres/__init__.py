"""The PostgreSQL behind the heroku-postgresql add-on: the platform's own or one that the user names."""

from __future__ import annotations
