"""Expressions on a reply: what they say, and that nothing runs long or reaches out of the reply."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from herodeploy.gates.expression import LONGEST, Expression

REPLY = {
    "status": 200,
    "body": {"state": "ready", "n": 3, "items": [{"ok": True}], "a-b": 1, "none": None, "big": "x" * 90_000},
    "headers": {"content-type": "application/json"},
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("status == 200", True),
        ("200 <= status < 300", True),
        ("status in [200, 204] and not body.broken", True),
        ("body.state == 'ready' and body.items[0].ok", True),
        ("body['a-b'] == 1", True),
        ("body.items[-1].ok == true", True),
        ("body.items[7] is null", True),
        ("body.nope.more.and_more == 'x'", False),
        ("body.none == null", True),
        ("len(body.items) == 1", True),
        ("lower('READY') == body.state", True),
        ("number('0.5') < 1", True),
        ("body.n * 2 + 1 - 3 == 4 and -body.n / 2 == -1.5", True),
        ("'json' in headers['content-type']", True),
        ("'error' not in body.state or status >= 500", True),
        # Python's own attributes are none of a reply's.
        ("body.__class__ == null and body.items.append == null and status.real == null", True),
    ],
)
def test_it_says_what_is_so(text: str, holds: bool) -> None:
    assert Expression(text).holds(REPLY) is holds


def test_what_it_asks_about_can_be_told() -> None:
    seen = Expression("body.state == 'ready' and len(body.items) > body.nope.x and status < 300 and body != 1").seen(
        REPLY
    )
    assert seen == {"body.state": "ready", "body.items": "a list of 1", "body.nope.x": None, "status": 200,
                    "body": "a mapping"}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("body.state > 3", "`body.state > 3` has no answer: a text cannot be compared with a number"),
        ("body.none <= 3", "`body.none <= 3` has no answer: what is not there cannot be compared with a number"),
        ("body.n / 0 > 1", "has no answer: float division by zero"),
        ("body.big * 99 == 1", "arithmetic is for numbers, not for a text"),
        ("body.items + body.items == 1", "arithmetic is for numbers, not for a list"),
        ("number(body.state) > 1", "could not convert string to float"),
        ("'x' in body.none", "has no answer: a text cannot be in what is not there"),
    ],
)
def test_what_cannot_be_compared_has_no_answer(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        Expression(text).holds(REPLY)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"1 to {LONGEST} characters"),
        ("status == " + "1" * LONGEST, f"1 to {LONGEST} characters"),
        ("status = 200", "invalid syntax at `= 200`"),
        ("status ==", "invalid syntax"),
        ("status == 200 && body", "invalid syntax"),
        ("status == 1; body", "invalid syntax"),
        ("stats == 200", "`stats` is nothing that a reply has; did you mean status?"),
        ("os == 1", "there are status, body, headers"),
        ("__import__('os').system('true')", "is no function here; there are len(x), lower(x) and number(x)"),
        ("open('/etc/passwd')", "is no function here"),
        ("body.get('x')", "is no function here"),
        ("len(body, 1)", "is no function here"),
        ("len(*body)", "has no Starred"),
        ("len(x=body)", "is no function here"),
        ("(lambda: 1)()", "is no function here"),
        ("[x for x in body] == 1", "has no ListComp"),
        ("9 ** 9 ** 9 == 1", "has no Pow"),
        ("'%1000000000d' % 1 == 1", "has no Mod"),
        ("1 << 99 == 1", "has no LShift"),
        ("f'{status:999999999}' == 1", "has no JoinedStr"),
        ("body[0:1] == 1", "has no Slice"),
        ("{'a': 1} == 1", "has no Dict"),
        ("(status := 3) == 3", "has no NamedExpr"),
        ("1 if status else 2", "has no IfExp"),
        ("b'x' == 1", "has no bytes"),
        ("not " * 99 + "status", "more than 100 parts"),
        ("(" * 300, "too many nested parentheses"),
        ("\x00", "null bytes"),
    ],
)
def test_what_is_no_expression_is_refused_before_it_is_asked(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        Expression(text)
    assert message in str(caught.value)


@settings(deadline=None)
@given(st.text(alphabet="statusbodyheaders.[]()'0123456789 <>=!+-*/andornotin,_", max_size=80))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    assert outcome(text) in ("true", "false", "no answer", "refused")


def outcome(text: str) -> str:
    try:
        expression = Expression(text)
    except ValueError:
        return "refused"
    try:
        return str(expression.holds(REPLY)).lower()
    except ValueError:
        return "no answer"


def test_a_reply_that_is_nested_deeply_does_no_harm() -> None:
    body: object = 1
    for _ in range(5000):
        body = [body]
    with pytest.raises(ValueError, match="too deep"):
        Expression("body == body").holds({**REPLY, "body": body})
