from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herodeploy.gates import options


@given(st.integers(min_value=0, max_value=10**8))
def test_what_is_spoken_is_read_as_the_same(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert options.duration(options.spoken(length)) == length


@pytest.mark.parametrize("value", ["", "4", "h", "4 h", "-4h", "4h!", True])
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="no duration"):
        options.duration(value)


def test_nothing_stays_nothing() -> None:
    assert options.duration(None) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("fine", "fine"),
        ("  two\n\tlines\r\n", "two lines"),
        ("\x1b[31mred\x1b[0m \x07bell", "[31mred [0m bell"),
        ("x" * 21, "x" * 17 + "..."),
        ("x" * 20, "x" * 20),
        ("", ""),
    ],
)
def test_what_others_wrote_is_quoted_in_one_line(text: str, line: str) -> None:
    assert options.one_line(text, 20) == line


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("0.5%", 0.005), ("0%", 0.0), ("100%", 1.0)])
def test_a_share_is_of_one(text: str, share: float) -> None:
    assert options.share(text) == pytest.approx(share)


@pytest.mark.parametrize("value", ["1", "", "%", "-1%", "101%", "1 %", 0.01])
def test_anything_else_is_no_share(value: object) -> None:
    with pytest.raises(ValueError, match="no share"):
        options.share(value)
