"""Expressions on a reply, through simpleeval: plain values compared, and nothing that could run long or reach out.

They look like Python's. What is not there is None, so ``body.state == "ready"`` is merely false where the reply has no
such key.
"""

from __future__ import annotations

import ast
import difflib
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simpleeval import SimpleEval

LONGEST = 500
MOST_PARTS = 100
NAMES = ("status", "body", "headers")
_CONSTANTS = {"true": True, "false": False, "null": None}
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: lambda one, other: _in_order(operator.lt, one, other),
    ast.LtE: lambda one, other: _in_order(operator.le, one, other),
    ast.Gt: lambda one, other: _in_order(operator.gt, one, other),
    ast.GtE: lambda one, other: _in_order(operator.ge, one, other),
    ast.In: lambda part, whole: _within(part, whole),
    ast.NotIn: lambda part, whole: not _within(part, whole),
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.Not: operator.not_,
    ast.USub: operator.neg,
}
_NUMBERS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"len": len, "lower": lambda text: str(text).lower(), "number": float}
_ALLOWED = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Name, ast.Load),
    *(ast.Constant, ast.Attribute, ast.Subscript, ast.List, ast.Tuple, ast.Call, *_OPERATORS, *_NUMBERS),
)


class Expression:
    """One expression, checked.

    Parameters:
        text: as written.

    Raises:
        ValueError: it is none, or asks for more than a reply has.
    """

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())
        self._tree = _parsed(self.text)

    def holds(self, values: Mapping[str, object]) -> bool:
        """Whether it is true of these `NAMES`.

        Raises:
            ValueError: there is no answer, as it compares what cannot be compared.
        """
        return bool(self._evaluated(self._tree.body, values))

    def seen(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return what it asks about and the reply has there, in plain JSON; lists and mappings in short."""
        found = {}
        for node in _outermost(self._tree.body):
            found[ast.unparse(node)] = _short(self._evaluated(node, values))
        return found

    def _evaluated(self, node: ast.expr, values: Mapping[str, object]) -> Any:
        from simpleeval import InvalidExpression

        try:
            return _evaluator(values).eval(self.text, previously_parsed=node)
        except (InvalidExpression, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            why = "too deep" if isinstance(error, RecursionError) else str(error)
            raise ValueError(f"`{self.text}` has no answer: {why}") from None


def _short(value: object) -> object:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has no such number, though some who write it have.
        return str(value)
    return "a mapping" if isinstance(value, dict) else value


@lru_cache(maxsize=256)
def expression(text: str) -> Expression:
    """Return the expression that `text` writes; errors as of `Expression`."""
    return Expression(text)


def _parsed(text: str) -> ast.Expression:
    if not text or len(text) > LONGEST:
        raise ValueError(f"an expression has 1 to {LONGEST} characters")
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        place = f" at `{text[error.offset - 1 :][:20]}`" if error.offset and error.offset <= len(text) else ""
        raise ValueError(f"{error.msg}{place}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ValueError("it cannot be read") from None
    parts = list(ast.walk(tree))
    if len(parts) > MOST_PARTS:
        raise ValueError(f"it has more than {MOST_PARTS} parts")
    for part in parts:
        _check(part)
    return tree


def _check(part: ast.AST) -> None:
    if not isinstance(part, _ALLOWED):
        raise _no(f"{type(part).__name__}; it compares values, with and, or, not and in")
    if isinstance(part, ast.Constant) and not isinstance(part.value, str | int | float | None):
        raise _no(type(part.value).__name__)
    if isinstance(part, ast.Call):
        if (
            not isinstance(part.func, ast.Name)
            or part.func.id not in _FUNCTIONS
            or len(part.args) != 1
            or part.keywords
        ):
            raise ValueError(f"`{ast.unparse(part)}` is no function here; there are len(x), lower(x) and number(x)")
    elif isinstance(part, ast.Name) and part.id not in (*NAMES, *_CONSTANTS, *_FUNCTIONS):
        near = difflib.get_close_matches(part.id, NAMES, n=1)
        way_out = f"did you mean {near[0]}?" if near else f"there are {', '.join(NAMES)}"
        raise ValueError(f"`{part.id}` is nothing that a reply has; {way_out}")


def _no(what: str) -> ValueError:
    return ValueError(f"an expression has no {what}")


def _outermost(node: ast.expr) -> list[ast.expr]:
    """Return the parts that name something of the reply, each as far as it goes."""
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute | ast.Subscript):
        inner = inner.value
    if isinstance(inner, ast.Name) and inner.id in NAMES:
        return [node]
    return [found for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr) for found in _outermost(child)]


def _evaluator(values: Mapping[str, object]) -> SimpleEval:
    from simpleeval import EvalWithCompoundTypes

    numbers = {kind: _of_numbers(act) for kind, act in _NUMBERS.items()}
    made: SimpleEval = EvalWithCompoundTypes(
        operators={**_OPERATORS, **numbers}, functions=dict(_FUNCTIONS), names={**_CONSTANTS, **values}
    )

    # simpleeval would look for attributes of Python's objects; here a dot is a key, and what is not there is None.
    def member(node: ast.Attribute) -> Any:
        return _at(made._eval(node.value), node.attr)

    def item(node: ast.Subscript) -> Any:
        return _at(made._eval(node.value), made._eval(node.slice))

    kept = (ast.Name, ast.Constant, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.Call, ast.List, ast.Tuple)
    made.functions = dict(_FUNCTIONS)
    made.nodes = {**{kind: made.nodes[kind] for kind in kept}, ast.Attribute: member, ast.Subscript: item}
    return made


def _in_order(act: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    try:
        return act(one, other)
    except TypeError:
        raise TypeError(f"{_kind(one)} cannot be compared with {_kind(other)}") from None


def _within(part: Any, whole: Any) -> bool:
    try:
        return part in whole
    except TypeError:
        raise TypeError(f"{_kind(part)} cannot be in {_kind(whole)}") from None


def _kind(value: Any) -> str:
    """Say what a value is, in the words of JSON and not of Python."""
    if value is None:
        return "what is not there"
    if isinstance(value, bool):
        return "true or false"
    kinds = {str: "a text", int: "a number", float: "a number", list: "a list", tuple: "a list", dict: "a mapping"}
    return kinds.get(type(value), "that")


def _of_numbers(act: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return arithmetic that is refused for texts and lists, which it could make very long."""

    def checked(one: Any, other: Any) -> Any:
        for value in (one, other):
            if not isinstance(value, int | float):
                raise TypeError(f"arithmetic is for numbers, not for {_kind(value)}")
        return act(float(one), float(other))

    return checked


def _at(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return value.get(key) if isinstance(key, str) else None
    if isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
        return value[key]
    return None
