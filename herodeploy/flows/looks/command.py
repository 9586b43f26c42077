"""Running a command for the gate `command`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.gate import Question
from herodeploy.flows.command import given, run_in_checkout
from herodeploy.flows.looks.told import document, variables
from herodeploy.flows.services import Services
from herodeploy.gates import command

KEPT = 8 * 1024
"""Characters of its output, the last ones."""


def look(services: Services, delivery: Delivery, question: Question) -> Mapping[str, object]:
    """Run the command, unless it has answered for this artifact or is not due; what is seen: `gates.command.ask`.

    One that herodeploy was killed with runs again.
    """
    facts, spec, previous = question.facts, question.spec, question.previous
    known = command.answered(previous, facts, spec) or command.early(previous, facts, spec, question.now)
    if previous is not None and known:
        return previous.data
    run, leg = str(spec.options["run"]), facts.stage.name
    show, kept = services.sink(leg=leg), ""

    def output(line: str) -> None:
        nonlocal kept
        show(line)
        kept = (kept + line)[-KEPT:]

    services.tell("step", f"gate {spec.name}: {run}", leg=leg)
    env = {**given(os.environ), **variables(facts, delivery)}
    told = json.dumps(document(facts, delivery))
    status = run_in_checkout(services, facts.commit, run, env, command.timeout(spec), output, told=told)
    return {
        "run": run,
        "slug_id": facts.slug_id,
        "exit_status": status,
        "output": kept,
        "asked_at": question.now.isoformat(),
    }
