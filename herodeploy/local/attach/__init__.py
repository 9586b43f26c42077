"""One-off dynos with somebody at the other end: Heroku's rendezvous protocol and real terminals."""

from __future__ import annotations
