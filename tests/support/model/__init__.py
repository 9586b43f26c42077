"""What the model of deliveries is made of: a platform in memory, processes that die, and the judgement of a history."""

from __future__ import annotations
