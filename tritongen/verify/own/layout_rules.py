"""Which layouts of its arguments a wrapper takes, read off its source; needs neither torch nor triton.

A wrapper that reads the strides of an argument, or copies it where it is not contiguous, says that
it takes any layout of it. That is best read before a kernel is changed in any way, so metadata may
carry it (`layouts`).
"""

from __future__ import annotations

import ast

ANY = "any"
_COPIES = ("contiguous", "reshape", "flatten")

Accepted = dict[str, list[int] | str]


def accepted_layouts(source: str, wrapper: str) -> Accepted:
    """Arguments with a layout of their own: `any`, or the dimensions whose stride is read.

    `source` is the Triton block; an argument that is not listed must be contiguous.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == wrapper:
            return _of_function(node)
    return {}


def _of_function(node: ast.FunctionDef) -> Accepted:
    parameters = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args)]
    found: dict[str, set[int] | str] = {}
    for call in ast.walk(node):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        root, direct = _root(call.func.value)
        if root not in parameters:
            continue
        if call.func.attr in _COPIES:
            found[root] = ANY
        elif call.func.attr == "stride" and direct and found.get(root) != ANY:
            dims = found.setdefault(root, set())
            value = _integer(call.args[0]) if call.args else None
            if value is None or not isinstance(dims, set):
                found[root] = ANY
            else:
                dims.add(value)
    return {
        name: dims if isinstance(dims, str) else sorted(dims)
        for name, dims in sorted(found.items())
    }


def _root(node: ast.expr) -> tuple[str, bool]:
    """The name that a chain of calls and attributes begins with, and whether it is just that."""
    direct = isinstance(node, ast.Name)
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            node = node.value
        else:
            return "", False
    return node.id, direct


def _integer(node: ast.expr) -> int | None:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return sign * node.value
    return None
