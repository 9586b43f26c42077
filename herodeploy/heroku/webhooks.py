"""App webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from herodeploy.domain.secret import Secret
from herodeploy.heroku import shape
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session

_VARIANT = "webhooks"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription to an app's events.

    Parameters:
        level: ``notify`` tries once, ``sync`` until it succeeds.
        secret: signs deliveries; told once, when it is created.
    """

    id: str
    include: tuple[str, ...]
    level: str
    url: str
    secret: Secret | None = None


class Webhooks:
    """An app's webhooks."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, app: str) -> list[Webhook]:
        """Return an app's webhooks."""
        items = self._session.list(f"/apps/{part(app)}/webhooks", variant=_VARIANT)
        return shape.many("webhooks", _webhook, items)

    def create(
        self, app: str, *, include: Sequence[str], url: str, level: str = "notify", secret: Secret | None = None
    ) -> Webhook:
        """Subscribe `url` to events such as ``api:release``; Heroku makes a secret where none is given."""
        body: dict[str, object] = {"include": list(include), "level": level, "url": url}
        if secret is not None:
            body["secret"] = secret.reveal()
        response = self._session.send("POST", f"/apps/{part(app)}/webhooks", body=body, variant=_VARIANT)
        told = response.headers.get("Heroku-Webhook-Secret")
        with shape.reading("webhook"):
            return _webhook(response.json(), Secret(told) if told else secret)

    def delete(self, app: str, webhook: str) -> bool:
        """End a subscription; False where it was ended already."""
        return self._session.delete(f"/apps/{part(app)}/webhooks/{part(webhook)}", variant=_VARIANT)


def _webhook(item: dict[str, Any], secret: Secret | None = None) -> Webhook:
    return Webhook(id=item["id"], include=tuple(item["include"]), level=item["level"], url=item["url"], secret=secret)
