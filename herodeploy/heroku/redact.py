"""Keep tokens and signed addresses out of what the HTTP libraries log."""

from __future__ import annotations

import logging
import re

from herodeploy.domain.secret import REDACTED, Secret

_LOGGERS = (
    "requests",
    "urllib3",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)
# What follows the ? may be a signature, and userinfo may be a password; a path is only an address.
_QUERY = re.compile(r"\?[^\s\"']+")
_USERINFO = re.compile(r"(?<=//)[^/\s@]+@")
_AUTHORIZATION = re.compile(
    r"(?i)(\bauthorization['\"]?\s*[:=]\s*['\"]?)"
    r"(?:(?:digest|aws4[\w-]*)\s.*|(?:(?:basic|bearer|token|negotiate|apikey)\s+)?[^\s'\"]+)"
)
_OTHER_HEADER = re.compile(r"(?i)(\b(?:(?:set-)?cookie|(?:x-)?api-key|x-[\w-]*token)['\"]?\s*[:=]\s*['\"]?)[^\r\n'\"]+")
_TOKEN = re.compile(r"\bHRKU-[\w-]{20,}")
_HEADER = re.compile(r"(?i)(authorization['\"]?:\s*b?['\"]?)(\w+\s+)?[^\s'\"]+")


def strip(text: str) -> str:
    """Return the text without queries, passwords of addresses, and Authorization headers."""
    text = _HEADER.sub(rf"\1{REDACTED}", text)
    return _USERINFO.sub("", _QUERY.sub("?...", text))


def output(line: str) -> str:
    """Return a line of foreign output without what can only be a secret: passwords of addresses, headers, tokens."""
    line = _OTHER_HEADER.sub(rf"\1{REDACTED}", _AUTHORIZATION.sub(rf"\1{REDACTED}", line))
    return _TOKEN.sub(REDACTED, _USERINFO.sub(f"{REDACTED}@", line))


class Redaction(logging.Filter):
    """Rewrites each record before any handler sees it; herodeploy adds one for each token in use."""

    def __init__(self, token: Secret) -> None:
        super().__init__()
        self._token = token

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; it always passes."""
        record.msg = strip(record.getMessage()).replace(self._token.reveal(), REDACTED)
        record.args = ()
        return True


def install(token: Secret) -> Redaction:
    """Filter the HTTP libraries' loggers; a filter on a parent would not see its children's records."""
    redaction = Redaction(token)
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(redaction)
    return redaction


def remove(redaction: Redaction) -> None:
    """Take the filter off again."""
    for name in _LOGGERS:
        logging.getLogger(name).removeFilter(redaction)
