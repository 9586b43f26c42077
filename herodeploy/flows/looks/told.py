"""What a command and an address are told about the move in question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.gate import Facts
from herodeploy.domain.secret import REDACTED
from herodeploy.heroku import redact

PREFIX = "HERODEPLOY_"
_SECRET = re.compile(r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|WEBHOOK|AUTH(?!OR)|API.?KEY|_(KEY|PASS|PWD)$")
_ADDRESS = re.compile(r"_(URL|URI|DSN)$")
_SHORTEST = 6


def variables(facts: Facts, delivery: Delivery) -> dict[str, str]:
    """Return the facts as environment variables."""
    before = facts.pipeline.before(facts.stage.name)
    told = {
        "pipeline": facts.pipeline.name,
        "stage": facts.stage.name,
        "apps": " ".join(facts.stage.apps),
        "before": before.name if before else "",
        "mode": facts.mode.value,
        "delivery": facts.delivery_id,
        "commit": facts.commit,
        "branch": delivery.branch or "",
        "author": facts.author,
        "slug": delivery.slug_id or "",
    }
    return {f"{PREFIX}{name.upper()}": value for name, value in told.items()}


def document(facts: Facts, delivery: Delivery) -> dict[str, Any]:
    """Return the facts as plain JSON values."""
    before = facts.pipeline.before(facts.stage.name)
    return {
        "pipeline": facts.pipeline.name,
        "mode": facts.mode.value,
        "stage": {"name": facts.stage.name, "kind": facts.stage.kind.value, "apps": list(facts.stage.apps)},
        "before": {"name": before.name, "apps": list(before.apps)} if before else None,
        "delivery": {
            "id": facts.delivery_id,
            "commit": facts.commit,
            "branch": delivery.branch,
            "message": delivery.message,
            "author": facts.author,
            "slug_id": delivery.slug_id,
            "ci": facts.ci,
        },
        "approvals": [
            {"by": each.by, "at": each.at.isoformat(), "approved": each.approved, "comment": each.comment}
            for each in facts.approvals
        ],
    }


def secrets_of(environment: Mapping[str, str]) -> list[str]:
    """Return the values of variables whose names say that they are secret, the longest first."""
    values = (value for name, value in environment.items() if _is_secret(name.upper(), value))
    # Output comes line by line, and a key may have many.
    found = {line for value in values for line in (value, *value.splitlines()) if len(line) >= _SHORTEST}
    return sorted(found, key=len, reverse=True)


def _is_secret(name: str, value: str) -> bool:
    return bool(_SECRET.search(name) or (_ADDRESS.search(name) and "@" in value))


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Return a text without these values, and without what can only be a secret."""
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return redact.output(text)
