"""Operation ids: a computation expanded into primitive ops, in a normal form of its own.

`silu(x)` and `mul(x, sigmoid(x))` have one id: ops are expanded through the op tables, sums and products
are flattened and sorted, and operands are renamed in an order that does not depend on their names.
Broadcasting, dtype, dims and layout do not enter: they change the code, not the mathematics.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from itertools import islice, permutations, product
from typing import Any

from tritongen.errors import TemplateError
from tritongen.optable import Op

Node = tuple[str, tuple[Any, ...]]
_ASSOCIATIVE = frozenset({"add", "mul", "maximum", "minimum", "logical_and", "logical_or"})
_COMMUTATIVE = _ASSOCIATIVE | {
    "eq",
    "ne",
    "logical_xor",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
}
_SLOTS = ("x", "y", "z")
_MOST_ORDERS = 64


class Operations:
    """Expands and hashes operations over the ops of all tables."""

    def __init__(self, tables: Mapping[str, Mapping[str, Op]]) -> None:
        self.ops = {name: op for table in tables.values() for name, op in table.items()}
        self.id = lru_cache(maxsize=1 << 16)(self._id)
        self._body = lru_cache(maxsize=None)(self._parse_body)

    def _id(self, text: str, place: str = "operation") -> str:
        """The operation id (16 hex digits) of an expression in functional notation."""
        return blake2b(self.canonical(text, place).encode(), digest_size=8).hexdigest()

    def canonical(self, text: str, place: str = "operation") -> str:
        """The normal form of `text`; raises TemplateError where it is not a functional expression."""
        node = self._node(self._parse(text, place), {}, place)
        return min(islice(self._spellings(node), _MOST_ORDERS))

    def _parse(self, text: str, place: str) -> ast.expr:
        try:
            return ast.parse(text, mode="eval").body
        except SyntaxError as error:
            raise TemplateError(place, f"not an operation ({error.msg})", value=text) from None

    def _parse_body(self, name: str) -> ast.expr:
        return self._parse(self.ops[name].expands, f"op {name}: expands")

    def _node(self, tree: ast.expr, bound: Mapping[str, Node], place: str) -> Node:
        if isinstance(tree, ast.Name):
            return bound.get(tree.id, ("$" + tree.id, ()))
        if isinstance(tree, ast.Constant):
            return (_number(tree.value), ())
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            inner = self._node(tree.operand, bound, place)
            return ("-" + inner[0], ()) if not inner[1] else ("neg", (inner,))
        if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name)):
            raise TemplateError(place, "an operation is nested calls", value=ast.unparse(tree))
        name = tree.func.id
        args = [self._node(arg, bound, place) for arg in tree.args]
        params = {str(k.arg): self._node(k.value, bound, place) for k in tree.keywords}
        op = self.ops.get(name)
        if op is None or not op.expands:
            return _combine(name, (*args, *[params[key] for key in sorted(params)]))
        defaults = {key: (_number(values[0]), ()) for key, values in op.params.items()}
        inner = dict(zip(_SLOTS, args, strict=False)) | defaults | params
        return self._node(self._body(name), inner, place)

    def _spellings(self, node: Node) -> Iterator[str]:
        paths: dict[str, list[str]] = {}
        _collect(node, "", paths)
        classes: dict[tuple[str, ...], list[str]] = {}
        for variable in sorted(paths):
            classes.setdefault(tuple(sorted(paths[variable])), []).append(variable)
        groups = [permutations(classes[signature]) for signature in sorted(classes)]
        for orders in product(*groups):
            names = {v: f"v{i}" for i, v in enumerate([v for order in orders for v in order])}
            yield _spell(node, names)


def _number(value: Any) -> str:
    return repr(float(value)) if isinstance(value, int | float) else repr(value)


def _combine(name: str, args: tuple[Node, ...]) -> Node:
    if name in _ASSOCIATIVE:
        flat: list[Node] = []
        for arg in args:
            flat.extend(arg[1] if arg[0] == name else (arg,))
        args = tuple(flat)
    return (name, args)


def _collect(node: Node, path: str, paths: dict[str, list[str]]) -> None:
    name, args = node
    if name.startswith("$"):
        paths.setdefault(name, []).append(path)
    for at, arg in enumerate(args):
        _collect(arg, f"{path}/{name}" + ("" if name in _COMMUTATIVE else str(at)), paths)


def _spell(node: Node, names: Mapping[str, str]) -> str:
    name, args = node
    if not args:
        return names.get(name, name)
    spelled = [_spell(arg, names) for arg in args]
    if name in _COMMUTATIVE:
        spelled.sort()
    return f"{name}({','.join(spelled)})"
