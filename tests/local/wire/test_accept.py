from __future__ import annotations

from typing import Any

import pytest

from herodeploy.local.wire.accept import HEROKUS, is_acceptable


@pytest.mark.parametrize("version", ["3", "3.sdk", "3.review-apps", "3.repositories-api", "3.cedar-acm", "edge"])
def test_variants_that_clients_send_are_version_3(version: str) -> None:
    assert is_acceptable(f"{HEROKUS}; version={version}")


@pytest.mark.parametrize("header", ["", "*/*", "application/json", f"{HEROKUS}; version=2, {HEROKUS}; version=3"])
def test_who_does_not_insist_is_served(header: str) -> None:
    assert is_acceptable(header)


@pytest.mark.parametrize("version", ["", "; version=", "; version=2", "; version=4", "; version=33", "; version=edges"])
def test_other_versions_are_not_acceptable(local: Any, version: str) -> None:
    answer = local.http.get("/apps", headers={"Accept": HEROKUS + version})
    assert (answer.status_code, answer.json()["id"]) == (406, "not_acceptable")
