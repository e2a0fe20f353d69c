"""Fields of our records that templates and headers read, found in their syntax trees without rendering.

What is read of an op, a chain, a step, an operand, an argument or a domain must be there; the kind of a name
follows from its axis, from the loop that binds it and from the annotations of the records.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from jinja2 import nodes

from tritongen.bindings import Argument
from tritongen.chain import Chain, ChainClass, Letter, Operand, Step
from tritongen.dtypes import DtypeSet
from tritongen.expr import Expression
from tritongen.optable import Domain, Op

_RECORDS = (Argument, Chain, ChainClass, DtypeSet, Domain, Letter, Op, Operand, Step)
_SAME = frozenset({"list", "reverse", "sort", "selectattr", "rejectattr", "unique"})
_ONE = frozenset({"first", "last", "random"})


@dataclass(frozen=True, slots=True)
class Kind:
    """What a name stands for: one record or many, or (`record` None) the own fields of an op table.

    `own` are the fields that the op tables behind it declare.
    """

    record: type | None
    own: frozenset[str] = frozenset()
    many: bool = False


Kinds = Mapping[str, Kind | None]


@dataclass(frozen=True, slots=True)
class Misread:
    """A field that no such record has."""

    line: int
    text: str
    field: str
    known: tuple[str, ...]


def axis_kinds(
    axes: Mapping[str, Any], tables: Mapping[str, Mapping[str, Op]]
) -> dict[str, Kind | None]:
    """Kinds of the axes of a header that hold records, and of the names of every binding."""
    kinds: dict[str, Kind | None] = {
        name: Kind(Argument, many=True) for name in ("inputs", "tensors", "scalars")
    }
    for name, spec in axes.items():
        if name == "dtype":
            kinds[name] = Kind(DtypeSet)
        elif isinstance(spec, dict):
            table = tables.get(str(spec.get("chain") or spec.get("table")), {})
            own = frozenset([key for op in table.values() for key in op.extra])
            kinds[name] = Kind(Chain if "chain" in spec else Op, own)
    return kinds


def in_template(tree: nodes.Template, kinds: Kinds) -> list[Misread]:
    """Fields that a template reads and no record has."""
    found: list[Misread] = []
    _Jinja(found).visit(tree, dict(kinds))
    return found


def in_expression(expression: Expression, kinds: Kinds) -> tuple[Kind | None, list[Misread]]:
    """The kind of an expression of a header, and the fields that it reads and no record has."""
    found: list[Misread] = []
    body = ast.parse(expression.text.strip(), mode="eval").body
    return _Python(found).visit(body, dict(kinds)), found


@cache
def _members(record: type) -> tuple[str, ...]:
    return tuple([name for name in dir(record) if not name.startswith("_")])


@cache
def _member(record: type, name: str) -> Kind | None:
    """The kind of a field, or of what a method returns."""
    member = inspect.getattr_static(record, name)
    if isinstance(member, property):
        hint = get_type_hints(member.fget).get("return")
    elif isinstance(member, cached_property):
        hint = get_type_hints(member.func).get("return")
    elif inspect.isfunction(member):
        hint = get_type_hints(member).get("return")
    else:
        hint = get_type_hints(record.__init__).get(name)
    if isinstance(hint, UnionType):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    many = get_origin(hint) is tuple
    if many:
        hint = get_args(hint)[0]
    return Kind(hint, many=many) if isinstance(hint, type) and hint in _RECORDS else None


class _Reader:
    """Kinds of expressions, whatever language they are in."""

    def __init__(self, found: list[Misread]) -> None:
        self.found = found

    def field(self, kind: Kind | None, name: str, line: int, text: str) -> Kind | None:
        """The kind of `.name`; notes where there is no such field."""
        if kind is None or kind.many:
            return None
        known = _members(kind.record) if kind.record else (*sorted(kind.own), *_members(dict))
        if name not in known:
            self.found.append(Misread(line, text, name, known if kind.record else (*kind.own,)))
            return None
        if kind.record is None:
            return None
        if kind.record is Op and name == "extra" and kind.own:
            return Kind(None, kind.own)
        member = _member(kind.record, name)
        return replace(member, own=kind.own) if member else None

    def item(self, kind: Kind | None, key: object, line: int, text: str) -> Kind | None:
        """The kind of `[key]`."""
        if kind is None or (kind.record is not None and not kind.many):
            return None
        if kind.many:
            return replace(kind, many=False)
        return self.field(kind, key, line, text) if isinstance(key, str) else None


def _element(kind: Kind | None) -> Kind | None:
    return replace(kind, many=False) if kind is not None and kind.many else None


class _Jinja(_Reader):
    """Reads a template, with the names that loops, macros and assignments bind."""

    def visit(self, node: nodes.Node, kinds: dict[str, Kind | None]) -> Kind | None:
        """The kind of `node`; its parts are read on the way."""
        if isinstance(node, nodes.For):
            return self._loop(node, kinds)
        if isinstance(node, nodes.Macro | nodes.CallBlock):
            inner = kinds | {arg.name: None for arg in node.args}
            return self._all(node.iter_child_nodes(exclude=("args",)), inner)
        if isinstance(node, nodes.Assign):
            value = self.visit(node.node, kinds)
            named = isinstance(node.target, nodes.Name)
            kinds |= dict.fromkeys(_stored(node.target), value if named else None)
            return None
        if isinstance(node, nodes.AssignBlock):
            self._all(node.iter_child_nodes(exclude=("target",)), kinds)
            kinds |= dict.fromkeys(_stored(node.target))
            return None
        if isinstance(node, nodes.Name):
            return kinds.get(node.name)
        if isinstance(node, nodes.Getattr):
            base = self.visit(node.node, kinds)
            return self.field(base, node.attr, node.lineno, f"{_spelled(node.node)}.{node.attr}")
        if isinstance(node, nodes.Getitem):
            return self._item(node, kinds)
        if isinstance(node, nodes.Filter) and node.node is not None:
            base = self.visit(node.node, kinds)
            self._all(node.iter_child_nodes(exclude=("node",)), kinds)
            return base if node.name in _SAME else _element(base) if node.name in _ONE else None
        if isinstance(node, nodes.Call):
            kind = self.visit(node.node, kinds)
            self._all(node.iter_child_nodes(exclude=("node",)), kinds)
            return kind
        return self._all(node.iter_child_nodes(), kinds)

    def _all(self, parts: Iterator[nodes.Node], kinds: dict[str, Kind | None]) -> None:
        for part in parts:
            self.visit(part, kinds)

    def _loop(self, node: nodes.For, kinds: dict[str, Kind | None]) -> None:
        many = self.visit(node.iter, kinds)
        one = _element(many) if isinstance(node.target, nodes.Name) else None
        inner = kinds | dict.fromkeys(_stored(node.target), one) | {"loop": None}
        if node.test is not None:
            self.visit(node.test, inner)
        self._all(iter(node.body), inner)
        self._all(iter(node.else_), kinds)

    def _item(self, node: nodes.Getitem, kinds: dict[str, Kind | None]) -> Kind | None:
        base = self.visit(node.node, kinds)
        self.visit(node.arg, kinds)
        if isinstance(node.arg, nodes.Slice):
            return base
        key = node.arg.value if isinstance(node.arg, nodes.Const) else None
        return self.item(base, key, node.lineno, f"{_spelled(node.node)}[{key!r}]")


def _stored(target: nodes.Node) -> list[str]:
    names = [target, *target.find_all(nodes.Name)]
    return [name.name for name in names if isinstance(name, nodes.Name)]


def _spelled(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{_spelled(node.node)}.{node.attr}"
    return _spelled(node.node) + "(...)" if isinstance(node, nodes.Call) else "..."


class _Python(_Reader):
    """Reads an expression of a header."""

    def visit(self, node: ast.AST, kinds: dict[str, Kind | None]) -> Kind | None:
        """The kind of `node`; its parts are read on the way."""
        if isinstance(node, ast.GeneratorExp | ast.ListComp):
            inner = dict(kinds)
            for part in node.generators:
                one = _element(self.visit(part.iter, inner))
                named = isinstance(part.target, ast.Name)
                for name in ast.walk(part.target):
                    if isinstance(name, ast.Name):
                        inner[name.id] = one if named else None
                for test in part.ifs:
                    self.visit(test, inner)
            one = self.visit(node.elt, inner)
            return replace(one, many=True) if one is not None and not one.many else None
        if isinstance(node, ast.Name):
            return kinds.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self.visit(node.value, kinds)
            return self.field(base, node.attr, node.lineno, ast.unparse(node))
        if isinstance(node, ast.Subscript):
            base = self.visit(node.value, kinds)
            self.visit(node.slice, kinds)
            if isinstance(node.slice, ast.Slice):
                return base
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            return self.item(base, key, node.lineno, ast.unparse(node))
        if isinstance(node, ast.Call):
            kind = self.visit(node.func, kinds)
            for argument in (*node.args, *node.keywords):
                self.visit(argument, kinds)
            return kind
        for part in ast.iter_child_nodes(node):
            self.visit(part, kinds)
        return None
