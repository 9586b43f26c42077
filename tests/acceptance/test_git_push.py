"""git push from a shell that `herodeploy local env` has set up."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance
Person = Any


@pytest.mark.parametrize("trusting_others", [False, True], ids=["by https", "by http"])
def test_a_shell_that_is_set_up_can_push(shop: Person, trusting_others: bool) -> None:
    """To the address that the Heroku CLI adds; where git is bound to other certificates, it goes by http."""
    url = shop.platform_env()["HEROKU_HOST"].replace("http://", "https://")
    script = f"""\
set -eu
eval "$({sys.executable} -m herodeploy local env)"
eval "$({sys.executable} -m herodeploy local env)"
git remote add heroku {url}/shop-staging.git
git push heroku main
unset HEROKU_API_KEY
! git ls-remote heroku
"""
    more = {"GIT_SSL_CAINFO": "/etc/hostname"} if trusting_others else {}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=shop.root,
        env=shop.env | {"GIT_TERMINAL_PROMPT": "0", "NO_PROXY": "127.0.0.1"} | more,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "remote: Verifying deploy... done." in done.stderr
    assert shop.fetch("shop-staging") == (200, "one\n")
