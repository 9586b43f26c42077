"""TLS for clients that insist on it, with certificates made on this machine, on the port that the API has anyway."""

from __future__ import annotations
