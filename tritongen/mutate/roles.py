"""What the names of a kernel stand for: addresses and bounds, pointers, or values.

A slice backward from addresses, masks and loop bounds gives the index names; the leftmost terms of
addresses are pointers. This is a heuristic that decides where operators apply, never a proof.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from tritongen.mutate.source import Source, assignments, keyword, names_in, parameters

ACCESSES = ("load", "store", "atomic_add", "atomic_max", "atomic_min", "atomic_and", "atomic_or")
ACCESSES += ("atomic_xor", "atomic_xchg", "atomic_cas")
BLOCKS = ("make_block_ptr", "make_tensor_descriptor")
REDUCTIONS = ("sum", "max", "min", "argmax", "argmin", "reduce", "dot", "xor_sum", "cumsum")
REDUCTIONS += ("cumprod", "associative_scan", "sort")
BUILTINS = {"min", "max", "range", "float", "int", "len"}


@dataclass(slots=True)
class Roles:
    """Names of one jitted function: `index` (offsets, masks, sizes), `pointers`, `crossing`.

    `crossing` names hold values whose masked lanes reach other lanes: through a reduction, a dot
    product or an atomic, without a guarding `tl.where` on the way.
    """

    index: set[str] = field(default_factory=set)
    pointers: set[str] = field(default_factory=set)
    crossing: set[str] = field(default_factory=set)

    def is_index(self, source: Source, node: ast.AST) -> bool:
        """Whether an expression computes with offsets, sizes and masks only."""
        if isinstance(node, ast.Constant):
            return isinstance(node.value, int)
        if isinstance(node, ast.Name):
            return node.id in self.index or node.id in self.pointers
        if isinstance(node, ast.Call):
            name = source.language(node)
            if name in ("arange", "program_id", "num_programs", "cdiv"):
                return True
            if isinstance(node.func, ast.Attribute) and node.func.attr == "to":
                return self.is_index(source, node.func.value)
            known = ("minimum", "maximum", "multiple_of", "max_contiguous", "swizzle2d")
            if name in known or getattr(node.func, "id", "") in BUILTINS:
                return all(self.is_index(source, argument) for argument in node.args)
            return False
        if isinstance(node, ast.Subscript):
            return self.is_index(source, node.value)
        if isinstance(node, ast.BinOp):
            return self.is_index(source, node.left) and self.is_index(source, node.right)
        if isinstance(node, ast.UnaryOp):
            return self.is_index(source, node.operand)
        if isinstance(node, ast.Compare):
            return all(self.is_index(source, n) for n in (node.left, *node.comparators))
        if isinstance(node, ast.BoolOp):
            return all(self.is_index(source, n) for n in node.values)
        return False


def roles_of(source: Source) -> dict[str, Roles]:
    """Roles of the names of every jitted function, by function name."""
    found = {function.name: Roles() for function in source.jitted}
    for function in source.jitted:
        _seed(source, function, found[function.name])
    for _ in range(4):
        for function in source.jitted:
            _close(source, function, found[function.name])
            _pass_on(source, function, found)
    for function in source.jitted:
        _cross(source, function, found[function.name])
    return found


def leftmost(node: ast.expr) -> ast.expr:
    """The first term of a sum."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        node = node.left
    return node


def _seed(source: Source, function: ast.FunctionDef, roles: Roles) -> None:
    for call in source.calls(function, *ACCESSES, *BLOCKS):
        if not call.args:
            continue
        address, name = call.args[0], source.language(call)
        first = leftmost(address)
        if isinstance(first, ast.Name):
            roles.pointers.add(first.id)
        roles.index |= names_in(address)
        if name in BLOCKS:
            for node in (*call.args[1:], *[k.value for k in call.keywords]):
                roles.index |= names_in(node)
        mask = keyword(call, "mask")
        if mask is not None:
            roles.index |= names_in(mask)
    for node in source.walk(function):
        if isinstance(node, ast.For):
            roles.index |= names_in(node.target) | names_in(node.iter)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            base = node.func.value
            named = isinstance(base, ast.Name) and base.id not in source.aliases
            if named and node.func.attr in ("load", "store"):
                roles.pointers |= names_in(base)
                roles.index |= names_in(node.args[0]) if node.args else set()


def _close(source: Source, function: ast.FunctionDef, roles: Roles) -> None:
    """Follow assignments backward; loads are opaque."""
    bound = assignments(function)
    for _ in range(len(bound) + 1):
        before = len(roles.index), len(roles.pointers)
        for name, value in bound:
            if value is None:
                continue
            if name in roles.pointers:
                first = leftmost(value)
                if isinstance(first, ast.Name):
                    roles.pointers.add(first.id)
            if name in roles.index and not _opaque(source, value):
                roles.index |= names_in(value)
        if before == (len(roles.index), len(roles.pointers)):
            break
    roles.index -= set(source.aliases) | roles.pointers | BUILTINS | set(source.by_name)


def _opaque(source: Source, node: ast.AST) -> bool:
    return any(source.language(n) in ("load", *REDUCTIONS) for n in ast.walk(node))


def _pass_on(source: Source, function: ast.FunctionDef, found: dict[str, Roles]) -> None:
    """Carry roles from the arguments of a helper to its parameters, and to what it returns."""
    own = found[function.name]
    for node in source.walk(function):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        helper = source.by_name.get(node.func.id)
        if helper is None or helper.name not in found:
            continue
        theirs = found[helper.name]
        for parameter, argument in zip(parameters(helper), node.args, strict=False):
            if isinstance(argument, ast.Constant):
                continue
            if isinstance(argument, ast.Name) and argument.id in own.pointers:
                theirs.pointers.add(parameter)
            elif own.is_index(source, argument):
                theirs.index.add(parameter)
        parent = source.parents.get(node)
        if isinstance(parent, ast.Assign) and names_in(parent.targets[0]) & own.index:
            for inner in ast.walk(helper):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    theirs.index |= names_in(inner.value)


def guarded(source: Source, roles: Roles, node: ast.AST) -> bool:
    """Whether an expression is `tl.where(<mask>, ..., ...)`."""
    return (
        source.language(node) == "where"
        and isinstance(node, ast.Call)
        and bool(node.args)
        and roles.is_index(source, node.args[0])
    )


def _cross(source: Source, function: ast.FunctionDef, roles: Roles) -> None:
    bound = assignments(function)
    settled = {
        name
        for name, value in bound
        if value is not None and guarded(source, roles, value) and name in names_in(value)
    }

    def reach(node: ast.AST) -> set[str]:
        if guarded(source, roles, node):
            return set()
        if isinstance(node, ast.Name):
            return {node.id}
        found: set[str] = set()
        for child in ast.iter_child_nodes(node):
            found |= reach(child)
        return found

    for node in source.walk(function):
        if isinstance(node, ast.Call):
            name = source.language(node)
            if name in REDUCTIONS or name.startswith("atomic_"):
                roles.crossing |= set().union(*[reach(a) for a in node.args], set())
            elif isinstance(node.func, ast.Name) and node.func.id in source.by_name:
                helper = source.by_name[node.func.id]
                if any(source.language(n) in REDUCTIONS for n in ast.walk(helper)):
                    roles.crossing |= set().union(*[reach(a) for a in node.args], set())
    for _ in range(len(bound) + 1):
        size = len(roles.crossing)
        for name, value in bound:
            if name not in roles.crossing or name in settled or value is None:
                continue
            if not any(source.language(n) in REDUCTIONS for n in ast.walk(value)):
                roles.crossing |= reach(value)
        if size == len(roles.crossing):
            break
    roles.crossing -= settled
