"""Errors as the Platform API words them: an HTTP status, an id, a sentence."""

from __future__ import annotations

COVERAGE = "https://github.com/herodeploy/herodeploy/blob/main/docs/local-platform.md#what-of-herokus-api-is-served"


class ApiError(Exception):
    """A request that is answered with an error.

    Parameters:
        status: the HTTP status.
        id: Heroku's word for it (``not_found``, ``invalid_params`` ...).
        message: one sentence for people.
        resource: the kind of thing that is missing (404).
        url: where more is said about it.
        headers: extra headers of the reply.
    """

    def __init__(
        self,
        status: int,
        id: str,  # noqa: A002 # Heroku's word
        message: str,
        *,
        resource: str | None = None,
        url: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.id = id
        self.message = message
        self.resource = resource
        self.url = url
        self.headers = headers or {}

    def body(self) -> dict[str, str]:
        """Return the JSON of the reply."""
        body = {"id": self.id, "message": self.message}
        if self.resource is not None:
            body["resource"] = self.resource
        if self.url is not None:
            body["url"] = self.url
        return body


def bad_request(message: str) -> ApiError:
    """400: the request cannot be read."""
    return ApiError(400, "bad_request", message)


def unauthorized() -> ApiError:
    """401: no token, or not ours."""
    return ApiError(401, "unauthorized", "Invalid credentials provided.", headers={"WWW-Authenticate": "Bearer"})


def forbidden(message: str) -> ApiError:
    """403: not for this caller."""
    return ApiError(403, "forbidden", message)


def not_found(resource: str) -> ApiError:
    """404: ``resource`` is Heroku's word, e.g. ``app`` or ``pipeline coupling``."""
    return ApiError(404, "not_found", f"Couldn't find that {resource}.", resource=resource.replace(" ", "_"))


def not_acceptable() -> ApiError:
    """406: a version of the API that nobody speaks."""
    return ApiError(
        406, "not_acceptable", "Accept must name version 3: `Accept: application/vnd.heroku+json; version=3`."
    )


def conflict(message: str) -> ApiError:
    """409: it exists already, or is busy."""
    return ApiError(409, "conflict", message)


def no_room() -> ApiError:
    """507: the disk below the platform's data is full."""
    return ApiError(507, "insufficient_storage", "The disk that holds the local platform's data is full.")


def rate_limited() -> ApiError:
    """429: the account has no calls left."""
    message = "Your account reached the API rate limit\nPlease wait a few minutes before making new requests"
    url = "https://devcenter.heroku.com/articles/platform-api-reference#rate-limits"
    return ApiError(429, "rate_limit", message, url=url)


def not_served(method: str, path: str) -> ApiError:
    """501: Heroku has this endpoint, this platform does not."""
    message = f"The local platform does not serve {method} {path}; docs/local-platform.md lists what it serves."
    return ApiError(501, "not_implemented", message, url=COVERAGE)


def stopping() -> ApiError:
    """503: the platform is about to be gone."""
    return ApiError(503, "service_unavailable", "The local platform is being stopped.")


def invalid(message: str) -> ApiError:
    """422: understood, and refused."""
    return ApiError(422, "invalid_params", message)
