"""From a source tarball to a slug: extraction, buildpacks, packing, and the same for test runs."""

from __future__ import annotations
