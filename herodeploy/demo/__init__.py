"""The guided tour and the small app it takes along."""

from __future__ import annotations
