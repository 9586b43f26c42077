"""The pre-receive hook: tells the platform what is pushed, and prints what it answers, until it says how it ends.

Runs as ``python -I -S hook.py`` under git, with the standard library only. PUSH_TO is an address of the
platform with a secret in it that is good for this one push.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import urllib.parse

END = b"\0"
"""Stands before the exit status, which is the last thing that the platform says."""


def main() -> int:
    """Have the pushed commits built; return 0 to accept the push."""
    updates = [line.split() for line in sys.stdin.read().splitlines()]
    order = {"updates": updates, "quarantine": os.environ.get("GIT_QUARANTINE_PATH")}
    place = urllib.parse.urlsplit(os.environ["PUSH_TO"])
    connection = http.client.HTTPConnection(place.hostname or "", place.port)
    try:
        connection.request("POST", place.path, json.dumps(order), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        status = show(answer) if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        status = None
    if status is None:
        print(" !     The local platform did not carry this push through.", flush=True)  # noqa: T201 # git shows it
        return 1
    return status


def show(answer: http.client.HTTPResponse) -> int | None:
    """Print an answer as it comes; return the exit status that it ends with, None where it was cut off."""
    last = b""
    while chunk := answer.read1(65536):
        text, mark, rest = (last + chunk).partition(END)
        sys.stdout.buffer.write(text)
        sys.stdout.flush()
        last = mark + rest
    return int(last.removeprefix(END)) if last[1:].isdigit() else None


if __name__ == "__main__":
    sys.exit(main())
