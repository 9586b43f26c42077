"""What a package needs to bring a gate of its own: name a `Gate` under the entry point ``herodeploy.gates``.

::

    [project.entry-points."herodeploy.gates"]
    statuspage = "my_package:GATE"      # statuspage is the kind, as herodeploy.yml writes it

`Gate.ask` is a pure function of the facts, the gate's configuration and the time: it does nothing and opens nothing.
A gate that has to find out about the world has a `Gate.look` as well, and the `Cost` of that. A look gets a `Question`
and returns plain JSON values; they are in `Facts.observed` when the gate is asked, and in `Question.previous` at the
next look. Whatever a look raises makes the gate wait, and so does one that takes more than a minute, which is left to
itself. What is printed goes to the standard error.

A verdict of WAIT says in `Verdict.until` when it ends by itself, or in its facts under ``look_again_at`` (ISO 8601 with
a time zone) when to ask again though nobody knows the end; without either it is asked again when something happens.
What it says no for may have begun at a moment, as a lock does: ``in_the_way_since`` in the facts (likewise) says when,
and a person's override from before that does not count.
`docs/examples` has a whole package.
"""

from __future__ import annotations

from herodeploy.domain.gate import Answer, Facts, Observation, Question, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates.registry import Cost, Gate

__all__ = ["Answer", "Cost", "Facts", "Gate", "GateSpec", "Observation", "Question", "Verdict"]
