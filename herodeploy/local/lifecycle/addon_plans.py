"""The add-on services that this platform provides, and their plans."""

from __future__ import annotations

from dataclasses import dataclass

POSTGRES = "heroku-postgresql"
TIERS = ("standard", "premium")
SIZES = (0, 2, 3, 4, 5, 6, 7, 8, 9)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, by its name within the service; all of a service do the same here, and cost nothing."""

    service: str
    slug: str
    human_name: str
    visible: bool = True

    @property
    def name(self) -> str:
        """The plan's full name: ``heroku-postgresql:essential-0``."""
        return f"{self.service}:{self.slug}"


PLANS = (
    *(Plan(POSTGRES, f"essential-{size}", f"Essential {size}") for size in range(3)),
    *(Plan(POSTGRES, f"{tier}-{size}", f"{tier.title()} {size}") for tier in TIERS for size in SIZES),
    Plan(POSTGRES, "in-dyno", "In-Dyno", visible=False),
)
DEFAULT = PLANS[0]


def find(name: str) -> Plan | None:
    """Return the plan of that full name; a service's name alone means its default plan."""
    return DEFAULT if name == POSTGRES else next((plan for plan in PLANS if plan.name == name), None)
