"""The app's own tests, which CI runs: ``python -m unittest tests``."""

import json
import os
import unittest

import greeter


class GreeterTest(unittest.TestCase):
    """Calls the application as a web server would."""

    def get(self, path):
        """Return status and body of one request."""
        seen = []
        body = b"".join(greeter.application({"PATH_INFO": path}, lambda status, headers: seen.append(status)))
        return seen[0], json.loads(body)

    def test_it_greets_politely(self):
        os.environ["WHO"] = "tester"
        status, body = self.get("/")
        self.assertEqual(status, "200 OK")
        self.assertRegex(body["greeting"], r"^(Hello|Welcome|Good day), tester!$")

    def test_it_is_healthy(self):
        self.assertEqual(self.get("/healthz"), ("200 OK", {"status": "ok"}))

    def test_it_says_what_it_does_not_have(self):
        self.assertEqual(self.get("/nowhere")[0], "404 Not Found")


if __name__ == "__main__":
    unittest.main()
