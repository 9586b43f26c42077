from __future__ import annotations

from pathlib import Path

import pytest

from herodeploy.errors import UsageError
from herodeploy.heroku.client import Heroku
from herodeploy.heroku.credentials import HEROKU, resolve_base_url, resolve_token, way_in


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "https://api.heroku.com"),
        ("heroku.com", "https://api.heroku.com"),
        ("staging.herokudev.com", "https://api.staging.herokudev.com"),
        ("https://api.heroku.com/", "https://api.heroku.com"),
        ("http://127.0.0.1:5333", "http://127.0.0.1:5333"),
        ("http://localhost:5333/", "http://localhost:5333"),
        ("http://[::1]:5333", "http://[::1]:5333"),
        ("http://platform.localhost:5333", "http://platform.localhost:5333"),
    ],
)
def test_heroku_host_is_honoured_as_the_heroku_cli_does(host: str, url: str) -> None:
    assert resolve_base_url(None, {"HEROKU_HOST": host}) == url


@pytest.mark.parametrize(
    "host",
    [
        "http://emulator:5000",
        "example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "https://api.heroku.com.example.com",
        "https://notheroku.com",
        "http://127.0.0.1@example.com",
        "https://example.com/localhost",
        "ftp://127.0.0.1",
        "http://",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:5333?x=1",
        "http://[::1",
    ],
)
def test_a_foreign_host_is_refused_and_never_replaced_by_the_real_heroku(host: str) -> None:
    with pytest.raises(UsageError, match="HEROKU_HOST") as caught:
        resolve_base_url(None, {"HEROKU_HOST": host})
    assert caught.value.hint


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError) as caught:
        resolve_base_url(None, {"HEROKU_HOST": "http://ada:s3cret@127.0.0.1:5333"})
    assert "s3cret" not in str(caught.value)


def test_the_token_is_never_sent_in_clear_over_a_network() -> None:
    with pytest.raises(UsageError, match="without encryption"):
        resolve_base_url(None, {"HEROKU_HOST": "http://api.heroku.com"})


def test_a_loopback_address_without_http_says_what_to_write() -> None:
    with pytest.raises(UsageError, match="no http:// in front"):
        resolve_base_url(None, {"HEROKU_HOST": "127.0.0.1:5333"})


def test_a_given_address_wins_over_the_environment() -> None:
    assert resolve_base_url("http://127.0.0.1:1", {"HEROKU_HOST": "http://127.0.0.1:2"}) == "http://127.0.0.1:1"


def test_the_environments_key_wins_over_netrc(tmp_path: Path) -> None:
    netrc(tmp_path, "machine api.heroku.com login ada password from-netrc")
    environ = {"HOME": str(tmp_path), "HEROKU_API_KEY": " from-env \n"}
    assert resolve_token("https://api.heroku.com", environ).reveal() == "from-env"


def test_netrc_is_read_by_host(tmp_path: Path) -> None:
    netrc(
        tmp_path,
        "machine git.heroku.com login ada password wrong",
        "machine api.heroku.com\n  login ada@example.com\n  password right",
        "machine 127.0.0.1:5333 login ada password with-port",
        "machine 127.0.0.1 login ada password without-port",
    )
    environ = {"HOME": str(tmp_path)}
    assert resolve_token("https://api.heroku.com", environ).reveal() == "right"
    assert resolve_token("http://127.0.0.1:5333", environ).reveal() == "with-port"
    assert resolve_token("http://127.0.0.1:9", environ).reveal() == "without-port"


def test_netrc_lies_where_NETRC_says(tmp_path: Path) -> None:  # noqa: N802
    netrc(tmp_path, "machine api.heroku.com login ada password wrong")
    other = tmp_path / "other"
    other.write_text("machine api.heroku.com login ada password right\n")
    environ = {"HOME": str(tmp_path), "NETRC": str(other)}
    assert resolve_token("https://api.heroku.com", environ).reveal() == "right"


def test_the_token_of_heroku_is_not_taken_for_another_platform(tmp_path: Path) -> None:
    netrc(tmp_path, "machine api.heroku.com login ada password of-heroku")
    with pytest.raises(UsageError, match=r"no token for http://127\.0\.0\.1:5333"):
        resolve_token("http://127.0.0.1:5333", {"HOME": str(tmp_path)})


def test_what_to_do_about_a_refused_token_fits_the_platform_and_where_the_token_is_from(tmp_path: Path) -> None:
    local, key, home = "http://127.0.0.1:5333", {"HEROKU_API_KEY": "k3y"}, {"HOME": str(tmp_path)}
    netrc(tmp_path, "machine 127.0.0.1 login ada password k3y")
    assert "heroku login" in way_in(HEROKU, given=False, environ=key)
    assert way_in(local, given=True, environ=key).endswith("herodeploy local stop; herodeploy local start")
    assert way_in(local, given=False, environ=key).startswith("HEROKU_API_KEY is not that platform's token")
    assert way_in(local, given=False, environ=home).startswith(f"{tmp_path}/.netrc has not that platform's token")


def test_no_token_says_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no token") as caught:
        resolve_token("https://api.heroku.com", {"HOME": str(tmp_path)})
    assert caught.value.hint
    assert "heroku login" in caught.value.hint


def test_a_broken_netrc_is_named_by_line_and_its_words_are_not_shown(tmp_path: Path) -> None:
    netrc(tmp_path, "machine api.heroku.com", "login ada", "s3cret password")
    with pytest.raises(UsageError, match=r"\.netrc:3") as caught:
        resolve_token("https://api.heroku.com", {"HOME": str(tmp_path)})
    assert "s3cret" not in str(caught.value)


def test_an_unreadable_netrc_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot read"):
        resolve_token("https://api.heroku.com", {"HOME": str(tmp_path), "NETRC": str(tmp_path / "folder")})
    (tmp_path / ".netrc").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="it is not text"):
        resolve_token("https://api.heroku.com", {"HOME": str(tmp_path)})


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "übel", "x\0y"])
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_token("https://api.heroku.com", {"HEROKU_API_KEY": token})
    assert token not in str(caught.value)


def test_connect_takes_all_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEROKU_HOST", "http://127.0.0.1:5333")
    monkeypatch.setenv("HEROKU_API_KEY", "k3y")
    with Heroku.connect() as heroku:
        assert heroku.base_url == "http://127.0.0.1:5333"
        assert "k3y" not in repr(heroku) + repr(vars(heroku)) + repr(vars(heroku.apps))


def netrc(home: Path, *lines: str) -> None:
    (home / ".netrc").write_text("\n".join(lines) + "\n")
