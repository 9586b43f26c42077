from __future__ import annotations

from pathlib import Path

from herodeploy.local.buildpacks.python import indexes


def test_pips_configuration_reaches_uv(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://one.example/simple\n[install]\nextra-index-url =\n  file:///a\n  file:///b\n"
        "find-links = /wheels\ncert = /ca.pem\n"
    )
    assert indexes.for_uv(tmp_path / "home", {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}) == {
        "UV_DEFAULT_INDEX": "https://one.example/simple",
        "UV_INDEX": "file:///a file:///b",
        "UV_FIND_LINKS": "/wheels",
        "SSL_CERT_FILE": "/ca.pem",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_the_apps_own_config_vars_win(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://one.example/simple\n")
    env = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_INDEX_URL": "https://two.example/simple"}
    assert indexes.for_uv(tmp_path, env)["UV_DEFAULT_INDEX"] == "https://two.example/simple"


def test_uvs_own_configuration_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".config" / "uv").mkdir(parents=True)
    (tmp_path / ".config" / "uv" / "uv.toml").write_text("")
    assert indexes.for_uv(tmp_path, {"PIP_INDEX_URL": "https://two.example/simple"}) == {}
    assert indexes.for_uv(tmp_path / "else", {"UV_INDEX_URL": "x", "PIP_INDEX_URL": "y"}) == {}


def test_a_broken_configuration_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("no section\n")
    told = indexes.for_uv(tmp_path, {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_FIND_LINKS": "/w"})
    assert told["UV_FIND_LINKS"] == "/w"
