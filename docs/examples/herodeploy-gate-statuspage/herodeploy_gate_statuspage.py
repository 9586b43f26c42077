"""A gate for herodeploy: is all well with a service that you depend on, by its status page?

Pages made with Atlassian Statuspage answer at /api/v2/status.json, such as https://www.githubstatus.com does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal
from urllib.request import urlopen

from pydantic import BaseModel, ConfigDict, Field

from herodeploy.gates.api import Answer, Cost, Facts, Gate, GateSpec, Question, Verdict

AGAIN = timedelta(minutes=5)
MOST = 64 * 1024


class Options(BaseModel):
    """What may be written under ``statuspage`` in herodeploy.yml; herodeploy checks it and names line and mistake."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(pattern=r"^https?://")
    allow: list[Literal["none", "minor", "major", "critical", "maintenance"]] = ["none"]


def look(question: Question) -> Mapping[str, object]:
    """Read the page. Whatever goes wrong may be raised: the gate then waits, and this is tried again."""
    url = f"{str(question.spec.options['url']).rstrip('/')}/api/v2/status.json"
    with urlopen(url, timeout=10) as reply:  # noqa: S310 - Options let only http and https through
        status = json.loads(reply.read(MOST))["status"]
    return {"indicator": status["indicator"], "description": status["description"]}


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:
    """Decide on what was seen: no calls here, the same facts always give the same verdict."""
    seen = facts.observed(spec)
    if seen is None:
        return Verdict("statuspage", Answer.WAIT, "the status page has not been read yet", until=now)
    host = str(spec.options["url"]).partition("://")[2].rstrip("/")
    reason = f"{host}: {seen.data['description']}"
    if seen.data["indicator"] in spec.options.get("allow", ["none"]):
        return Verdict("statuspage", Answer.PASS, reason, facts=seen.data)
    # `until` would say when the incident ends; nobody knows that, so this only says when to look again.
    again = {"look_again_at": (now + AGAIN).isoformat()}
    return Verdict("statuspage", Answer.WAIT, reason, facts={**seen.data, **again})


GATE = Gate("statuspage", ask, model=Options, cost=Cost.LOOKS, look=look)
