"""The expression language of template headers: a small, safe subset of Python.

Names, constants, arithmetic, comparisons, boolean logic, conditional expressions, attributes and
subscripts, f-strings, comprehensions inside `any`/`all`/`sum`/`join`, and the functions in `FUNCTIONS`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

from tritongen.errors import ExpressionError


def next_power_of_2(n: int) -> int:
    """The smallest power of two that is not below `n`."""
    return 1 << max(0, int(n) - 1).bit_length()


def cdiv(a: int, b: int) -> int:
    """Ceiling division."""
    return -(-a // b)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "len": len,
    "abs": abs,
    "any": any,
    "all": all,
    "sum": sum,
    "int": int,
    "str": str,
    "sorted": sorted,
    "range": range,
    "next_power_of_2": next_power_of_2,
    "cdiv": cdiv,
}

_NODES = (
    ast.Expression,
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.BinOp,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.FloorDiv,
    ast.Mod,
    ast.Pow,
    ast.UnaryOp,
    ast.Not,
    ast.USub,
    ast.Compare,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
    ast.In,
    ast.NotIn,
    ast.Is,
    ast.IsNot,
    ast.Call,
    ast.keyword,
    ast.IfExp,
    ast.Name,
    ast.Load,
    ast.Store,
    ast.Constant,
    ast.Attribute,
    ast.Subscript,
    ast.Slice,
    ast.Tuple,
    ast.List,
    ast.Dict,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.GeneratorExp,
    ast.ListComp,
    ast.comprehension,
)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled header expression; `names` are its free names."""

    text: str
    place: str
    names: frozenset[str]
    code: CodeType = field(compare=False, repr=False)

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Evaluate over `values`; raises ExpressionError with the place and the expression."""
        scope: dict[str, Any] = {"__builtins__": FUNCTIONS}
        try:
            for name in self.names:
                scope[name] = values[name]
            return eval(self.code, scope)
        except ExpressionError:
            raise
        except KeyError as error:
            raise ExpressionError(
                self.place, f"unknown name {error} in {self.text!r}", known=sorted(values)
            ) from None
        except Exception as error:
            raise ExpressionError(
                self.place, f"expression fails ({type(error).__name__}: {error})", value=self.text
            ) from None


def _free_names(tree: ast.AST) -> frozenset[str]:
    bound = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return frozenset(used - bound - FUNCTIONS.keys())


@lru_cache(maxsize=4096)
def expression(text: str, place: str) -> Expression:
    """Compile `text`; raises ExpressionError where it is not in the language."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise ExpressionError(place, f"not an expression ({error.msg})", value=text) from None
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            raise ExpressionError(
                place, f"{type(node).__name__} is not allowed in an expression", value=text
            )
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            raise ExpressionError(place, "private attributes are not allowed", value=text)
        if isinstance(node, ast.Name) and node.id.startswith("_"):
            raise ExpressionError(place, "private names are not allowed", value=text)
        if isinstance(node, ast.Attribute) and node.attr in ("format", "format_map"):
            raise ExpressionError(place, "use an f-string instead of format", value=text)
    code = compile(tree, f"<{place}>", "eval")
    return Expression(text, place, _free_names(tree), code)
