"""Masks of loads and stores, what stands in for masked lanes, and bounds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tritongen.mutate.operators.base import Subject, operator
from tritongen.mutate.roles import ACCESSES, guarded
from tritongen.mutate.source import Edit, keyword, targets_of

TIGHTER = {ast.Lt: "<=", ast.Gt: ">=", ast.LtE: "<", ast.GtE: ">"}


def _index_compares(source: Subject) -> Iterator[tuple[ast.Compare, ast.FunctionDef]]:
    for function, roles in source.kernels():
        for node in source.walk(function):
            if (
                isinstance(node, ast.Compare)
                and len(node.ops) == 1
                and type(node.ops[0]) in TIGHTER
                and roles.is_index(source, node)
            ):
                yield node, function


@operator("drop-mask", "a load, store or atomic without its mask or boundary check")
def drop_mask(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for call in source.calls(function, *ACCESSES):
            for name in ("mask", "boundary_check"):
                if keyword(call, name) is not None:
                    text = source.rebuild(call, drop=(name, "other", "padding_option"))
                    yield source.edit(call, text, f"{source.language(call)} without {name}")


@operator("weaken-bound", "`<` to `<=` (and so on) where an index meets its bound")
def weaken_bound(source: Subject) -> Iterator[Edit]:
    for node, _ in _index_compares(source):
        symbol = TIGHTER[type(node.ops[0])]
        text = f"{source.code(node.left)} {symbol} {source.code(node.comparators[0])}"
        yield source.edit(node, text, f"{source.code(node)} -> {text}")


@operator("tighten-bound", "the last element is masked off: `i < n` to `i < n - 1`")
def tighten_bound(source: Subject) -> Iterator[Edit]:
    for node, _ in _index_compares(source):
        bound = node.comparators[0]
        sign = "-" if isinstance(node.ops[0], ast.Lt | ast.LtE) else "+"
        text = f"{source.code(bound)} {sign} 1"
        yield source.edit(bound, text, f"{source.code(node)}: bound {text}")


@operator("bound-of-other-dimension", "an index is compared with the bound of another dimension")
def bound_of_other_dimension(source: Subject) -> Iterator[Edit]:
    bounds: dict[str, list[str]] = {}
    for node, function in _index_compares(source):
        bound = node.comparators[0]
        if isinstance(bound, ast.Name) and bound.id not in bounds.setdefault(function.name, []):
            bounds[function.name].append(bound.id)
    for node, function in _index_compares(source):
        bound = node.comparators[0]
        if isinstance(bound, ast.Name):
            for other in bounds[function.name]:
                if other != bound.id:
                    yield source.edit(bound, other, f"{source.code(node)}: bound {other}")


@operator("drop-conjunct", "one side of a conjunction of masks is dropped")
def drop_conjunct(source: Subject) -> Iterator[Edit]:
    for function, roles in source.kernels():
        for node in source.walk(function):
            both = isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd)
            if both and roles.is_index(source, node):
                for kept in (node.left, node.right):  # type: ignore[attr-defined]
                    text = source.code(kept)
                    yield source.edit(node, text, f"{source.code(node)} -> {text}")


@operator("mask-union", "`&` of masks to `|`")
def mask_union(source: Subject) -> Iterator[Edit]:
    for function, roles in source.kernels():
        for node in source.walk(function):
            if (
                isinstance(node, ast.BinOp)
                and isinstance(node.op, ast.BitAnd)
                and roles.is_index(source, node)
            ):
                text = f"{source.atom(node.left)} | {source.atom(node.right)}"
                yield source.edit(node, text, f"{source.code(node)} -> {text}")


def _other_matters(source: Subject) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Loads with `other` whose masked lanes reach other lanes."""
    for function, roles in source.kernels():
        for call in source.calls(function, "load"):
            other = keyword(call, "other")
            if other is None:
                continue
            node: ast.AST = call
            while not isinstance(node, ast.stmt):
                node = source.parents[node]
                if guarded(source, roles, node):
                    break
            else:
                names: list[str] = []
                if isinstance(node, ast.Assign):
                    names = targets_of(node.targets[0])
                elif isinstance(node, ast.AugAssign):
                    names = targets_of(node.target)
                if not names or set(names) & roles.crossing:
                    yield call, other


def _different(text: str) -> list[str]:
    plain = text.replace(" ", "")
    if "inf" in plain:
        return ["0.0"]
    if plain in ("True", "False"):
        return ["False" if plain == "True" else "True"]
    if plain in ("0.0", "0"):
        return ["1.0" if "." in plain else "1"]
    return ["0.0" if "." in plain else "0"]


@operator("change-other", "masked lanes of a load hold another value")
def change_other(source: Subject) -> Iterator[Edit]:
    for _, other in _other_matters(source):
        for text in _different(source.code(other)):
            yield source.edit(other, text, f"other={source.code(other)} -> other={text}")


@operator("drop-other", "masked lanes of a load hold nothing that is defined")
def drop_other(source: Subject) -> Iterator[Edit]:
    for call, _ in _other_matters(source):
        yield source.edit(call, source.rebuild(call, drop=("other",)), "load without other")


def _guards(source: Subject) -> Iterator[ast.Call]:
    for function, roles in source.kernels():
        for call in source.calls(function, "where"):
            if guarded(source, roles, call) and len(call.args) == 3:
                yield call


@operator("drop-guard", "`tl.where(mask, x, neutral)` to `x`")
def drop_guard(source: Subject) -> Iterator[Edit]:
    for call in _guards(source):
        yield source.edit(call, source.atom(call.args[1]), f"{source.code(call)} unguarded")


@operator("change-neutral", "the neutral element of a guard is another")
def change_neutral(source: Subject) -> Iterator[Edit]:
    for call in _guards(source):
        neutral = call.args[2]
        if isinstance(neutral, ast.Name):
            yield source.edit(neutral, "0", f"{source.code(call)}: neutral 0")
            continue
        for text in _different(source.code(neutral)):
            yield source.edit(neutral, text, f"{source.code(call)}: neutral {text}")
