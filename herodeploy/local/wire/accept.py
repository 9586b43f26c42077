"""Which version of the API a client wants: all that are spoken today are version 3."""

from __future__ import annotations

import re

HEROKUS = "application/vnd.heroku+json"

_KNOWN = re.compile(r"version=(3(\.[\w-]+)?|edge)(?![\w.])")


def is_acceptable(header: str) -> bool:
    """Tell whether an Accept header can be met.

    ``3``, variants such as ``3.sdk``, and ``edge`` are version 3. Who names no version of Heroku's at all, as curl
    does by itself, gets it, too; Heroku refuses that.
    """
    wanted = [part for part in header.split(",") if HEROKUS in part.lower()]
    return not wanted or any(_KNOWN.search(part.lower()) for part in wanted)
