"""What the app says: a WSGI application on the standard library alone."""

import json
import os

GREETING = "Hello"


def application(environ, start_response):
    """Answer ``/`` with a greeting and ``/healthz`` with ok."""
    path = environ.get("PATH_INFO", "/")
    if path == "/healthz":
        return reply(start_response, "200 OK", {"status": "ok"})
    if path == "/":
        return reply(start_response, "200 OK", {"greeting": greeting()})
    return reply(start_response, "404 Not Found", {"error": f"no page at {path}"})


def greeting():
    """Return the greeting for whoever WHO names."""
    return f"{GREETING}, {os.environ.get('WHO', 'world')}!"


def reply(start_response, status, body):
    """Send a JSON body."""
    data = json.dumps(body).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
    return [data]
