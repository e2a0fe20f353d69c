"""Entry points: which function of a block is the reference, which the wrapper.

The name that both blocks share, else the one top-level function that no other one uses. Kernels,
tests and benchmarks are none. Where a block has no function, a class with `forward` will do.
"""

from __future__ import annotations

import ast

from tritongen.verify.foreign.names import (
    dotted,
    is_kernel,
    origins,
    statements,
    top_level_names,
)

INPUTS = "get_test_inputs"
OTHER_INPUTS = "get_inputs"
_HELPERS = ("test_", "bench", "check_", "demo", "main", OTHER_INPUTS, "get_init_inputs", INPUTS)


def entries(
    python: ast.Module, triton: ast.Module, named: tuple[str, ...]
) -> tuple[str, str, list[str]]:
    """The names of reference and wrapper, or what is wrong."""
    if named:
        reference, wrapper = named[0], named[-1]
        absent = [
            f"{block} does not define {name}, the entry point asked for"
            for block, tree, name in (("PYTHON", python, reference), ("TRITON", triton, wrapper))
            if name not in top_level_names(tree)
        ]
        return reference, wrapper, absent
    references, wrappers = candidates(python), candidates(triton)
    shared = [name for name in wrappers if name in references]
    if not shared:
        defined = [name for name in _callables(triton) if name in references]
        shared = defined if len(defined) == 1 else []
    if shared:
        references = wrappers = shared
    references, wrappers = _narrowed(references), _narrowed(wrappers)
    if len(wrappers) > 1:
        launching = [name for name in wrappers if _reaches_kernel(triton, name)]
        wrappers = launching or wrappers
    if len(shared) > 1 and len(wrappers) == 1:
        references = wrappers
    wrong = [
        f"{block} has {'no entry function' if not names else _several(names)}"
        for block, names in (("PYTHON", references), ("TRITON", wrappers))
        if len(names) != 1
    ]
    return (references or [""])[0], (wrappers or [""])[0], wrong


def _several(names: list[str]) -> str:
    listed = ", ".join(names[:8])
    return f"several functions that no other one calls ({listed}): give both sides one shared name"


def _narrowed(names: list[str]) -> list[str]:
    """Without what looks like tests, benchmarks and makers of inputs, if something is left."""
    plain = [name for name in names if not name.lstrip("_").startswith(_HELPERS)]
    return plain if len(names) > 1 and plain else names


def _callables(tree: ast.Module) -> list[str]:
    """Host functions of the top level: `def`, `name = lambda`, `name = Function.apply`."""
    known = origins(tree)
    names: list[str] = []
    for node in statements(tree.body):
        if isinstance(node, ast.FunctionDef) and not is_kernel(node, known):
            names.append(node.name)
        elif isinstance(node, ast.Assign) and _is_callable_value(node.value):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return list(dict.fromkeys(names))


def _is_callable_value(value: ast.expr) -> bool:
    if isinstance(value, ast.Lambda):
        return True
    return isinstance(value, ast.Attribute) and value.attr == "apply" and bool(dotted(value))


def _modules(tree: ast.Module) -> list[str]:
    """Top-level classes with a method `forward` that are not autograd functions."""
    return [
        node.name
        for node in statements(tree.body)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(n, ast.FunctionDef) and n.name == "forward" for n in node.body)
        and not any(dotted(base).split(".")[-1] == "Function" for base in node.bases)
    ]


def candidates(tree: ast.Module) -> list[str]:
    """Entry points of a block: functions that no other definition uses, else classes with `forward`."""
    functions = [
        name for name in _uncalled(tree, _callables(tree)) if name not in (INPUTS, OTHER_INPUTS)
    ]
    modules = _uncalled(tree, _modules(tree))
    if modules and all(name.startswith(_HELPERS) for name in functions):
        return modules
    return functions


def _uncalled(tree: ast.Module, names: list[str]) -> list[str]:
    """Names that no other definition uses; tests and benchmarks do not count."""
    used: set[str] = set()
    known = origins(tree)
    for node in statements(tree.body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if not node.name.startswith(_HELPERS) and not is_kernel(node, known):
                used |= _loaded(node) - {node.name}
        elif isinstance(node, ast.Assign):
            targets = {t.id for t in node.targets if isinstance(t, ast.Name)}
            used |= _loaded(node.value) - targets
    return [name for name in names if name not in used]


def _loaded(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _reaches_kernel(tree: ast.Module, name: str) -> bool:
    """Whether a definition uses a kernel, itself or through others of the block."""
    known = origins(tree)
    uses: dict[str, set[str]] = {}
    kernels: set[str] = set()
    for node in statements(tree.body):
        defined: list[str] = []
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined = [node.name]
            if is_kernel(node, known):
                kernels.add(node.name)
        elif isinstance(node, ast.Assign):
            defined = [t.id for t in node.targets if isinstance(t, ast.Name)]
        inside = _loaded(node)
        for target in defined:
            uses.setdefault(target, set()).update(inside)
    reached, front = {name}, [name]
    while front:
        for other in uses.get(front.pop(), set()) - reached:
            reached.add(other)
            front.append(other)
    return bool(reached & kernels)
