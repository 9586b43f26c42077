"""Every error that herodeploy raises, each with its exit code and the next step for the reader.

::

    HerodeployError
    ├── UsageError                2   the command or its surroundings are not as needed
    │   ├── ConfigError           2   herodeploy.yml, app.json or Procfile: file:line, value, way out
    │   └── RepositoryError       2   the git repository cannot be used as it is
    ├── Refused                   1   the answer is no: failed CI, failed promotion, a gate that says FAIL
    │   └── Locked                1   somebody's lock alone is in the way
    ├── PlatformError             3   the platform or the network, not the change, is at fault
    │   ├── PlatformUnreachable   3   no answer at all
    │   └── ApiError              3   an answer that says no; Heroku's own message, id and Request-Id
    │       ├── Unauthorized      3   401
    │       ├── Forbidden         3   403
    │       │   └── TwoFactorRequired   3   403 with id ``two_factor``
    │       ├── NotFound          3   404
    │       ├── Conflict          3   409
    │       ├── InvalidRequest    3   400, 422
    │       ├── RateLimited       3   429
    │       └── ServerFault       3   5xx
    ├── ForgeError                3   GitHub gives no answer, or not to us
    │   └── ForgeBusy             3   it asks for a pause
    ├── StoreError                3   herodeploy's own database
    ├── Busy                      3   another herodeploy works on this pipeline
    │   └── Occupied              3   a delivery holds the stage
    └── Interrupted             130   Ctrl-C

*Refused* is the platform or a gate saying no (a delivery is then *failed*); *PlatformError* is
herodeploy or the network breaking (a delivery is then *errored*). They are never mixed.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class ExitCode(IntEnum):
    """What a command's exit code says; documented in docs/exit-codes.md."""

    YES = 0
    NO = 1
    USAGE = 2
    PLATFORM = 3
    INTERRUPTED = 130


class HerodeployError(Exception):
    """Root of the tree.

    Parameters:
        message: one sentence that names the place and the value.
        hint: the way out, as a sentence or a command to run.
    """

    exit_code = ExitCode.PLATFORM

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def lines(self) -> tuple[str, ...]:
        """What to tell, a line each; a line break in one of them is of whatever it quotes."""
        return (self.message,)


class UsageError(HerodeployError):
    """The command or its surroundings are not as needed."""

    exit_code = ExitCode.USAGE


class ConfigError(UsageError):
    """A file of the user's says something that cannot be.

    Parameters:
        file: the file as the user would name it.
        line: 1-based line, or None where the file as a whole is meant.
        column: 1-based column, where known.
        others: more mistakes in it, each a line with its place.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
        others: Sequence[str] = (),
    ) -> None:
        place = ":".join(str(part) for part in (file, line, column) if part is not None)
        first = f"{place}: {message}"
        super().__init__("\n".join((first, *others)), hint=hint)
        self.file = file
        self.line = line
        self.column = column
        self.first = first
        self.others = list(others)

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each mistake."""
        return (self.first, *self.others)


class RepositoryError(UsageError):
    """The git repository cannot be used as it is."""


class Refused(HerodeployError):
    """The answer is no: failed CI, a failed promotion, a gate that says FAIL."""

    exit_code = ExitCode.NO


class Locked(Refused):
    """Somebody's lock is in the way, and nothing else.

    Parameters:
        stage: the one that it keeps out of.
        past: the ids of other locks, which a person has decided to go past.
    """

    def __init__(self, message: str, *, stage: str, past: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.stage = stage
        self.past = list(past)


class PlatformError(HerodeployError):
    """The platform or the network is at fault, not the change."""


class PlatformUnreachable(PlatformError):
    """No answer came at all."""


class ApiError(PlatformError):
    """The Platform API answered with an error.

    Parameters:
        message: Heroku's own message.
        status: HTTP status.
        error_id: Heroku's error id, such as ``not_found``.
        request_id: the reply's ``Request-Id``, to quote to support.
        request: method and path, such as ``GET /apps/shop``.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        error_id: str | None = None,
        request_id: str | None = None,
        request: str | None = None,
        hint: str | None = None,
    ) -> None:
        details = ", ".join(
            part
            for part in (
                request,
                f"HTTP {status}",
                error_id,
                f"Request-Id {request_id}" if request_id else None,
            )
            if part
        )
        super().__init__(f"{message} ({details})", hint=hint)
        self.status = status
        self.error_id = error_id
        self.request_id = request_id
        self.platform_message = message


class Unauthorized(ApiError):
    """401: the token is missing, wrong or expired."""


class Forbidden(ApiError):
    """403: the token may not do this."""


class TwoFactorRequired(Forbidden):
    """403 ``two_factor``: a second-factor code is asked for.

    Attributes:
        app: the app that can be authorized for what follows; None where the code goes with the request itself.
    """

    app: str | None = None


class NotFound(ApiError):
    """404: no such thing."""


class Conflict(ApiError):
    """409: it exists already, or something else is under way."""


class InvalidRequest(ApiError):
    """400 or 422: the platform refuses these values."""


class RateLimited(ApiError):
    """429: too many calls; Heroku refills about 75 a minute."""


class ServerFault(ApiError):
    """5xx: the platform itself is in trouble."""


class ForgeError(HerodeployError):
    """GitHub gives no answer, or not to us; that says nothing about the change.

    Parameters:
        lasting: asking again does not help before a person has done something, such as to give another token.
    """

    def __init__(self, message: str, *, hint: str | None = None, lasting: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.lasting = lasting


class ForgeBusy(ForgeError):
    """GitHub asks for a pause.

    Parameters:
        until: when it takes calls again.
    """

    def __init__(self, message: str, *, until: datetime, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.until = until


class StoreError(HerodeployError):
    """Herodeploy's own database cannot be used."""


class Busy(HerodeployError):
    """Another herodeploy works on this pipeline."""


class Occupied(Busy):
    """A delivery that has not ended holds the stage.

    Parameters:
        stage: which one.
        holder: the delivery's id.
    """

    def __init__(self, message: str, *, stage: str, holder: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.stage = stage
        self.holder = holder


class Interrupted(HerodeployError):
    """A person pressed Ctrl-C."""

    exit_code = ExitCode.INTERRUPTED
