"""Loading a pair as a module from a real file, and leaving no trace of it afterwards."""

from __future__ import annotations

import ast
import contextlib
import inspect
import itertools
import linecache
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

_COUNTER = itertools.count()


def join(python_code: str, triton_code: str, test_code: str) -> str:
    """The three sources as one module."""
    parts = (python_code, triton_code, test_code)
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


@contextlib.contextmanager
def loaded(source: str, folder: Path, *, asserts: bool = True) -> Iterator[ModuleType]:
    """The module made of `source`; without `asserts`, assert statements only evaluate.

    Triton reads the source of kernels from the file, so it exists as long as the module does.
    """
    name = f"pair_{next(_COUNTER)}"
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        tree = source if asserts else _without_asserts(source, str(path))
        code = compile(tree, str(path), "exec", dont_inherit=True)
        exec(code, module.__dict__)
        yield module
    finally:
        forget(module, path)


class _Unassert(ast.NodeTransformer):
    """Assert statements to plain expressions: evaluated, not judged."""

    def visit_Assert(self, node: ast.Assert) -> ast.Expr:
        """`assert test, message` becomes `test`."""
        return ast.copy_location(ast.Expr(node.test), node)


def _without_asserts(source: str, filename: str) -> Any:
    return ast.fix_missing_locations(_Unassert().visit(ast.parse(source, filename)))


def forget(module: ModuleType, path: Path) -> None:
    """Remove a module from every table that Python, inspect and Triton keep."""
    name = module.__name__
    functions = [value for value in module.__dict__.values() if hasattr(value, "fn")]
    sys.modules.pop(name, None)
    linecache.cache.pop(str(path), None)
    for table in ("modulesbyfile", "_filesbymodname"):
        entries = getattr(inspect, table, {})
        entries.pop(str(path), None)
        entries.pop(name, None)
    jit = sys.modules.get("triton.runtime.jit")
    registry = getattr(jit, "_triton_jit_function_registry", {})
    for key in [key for key in registry if key.startswith(f"{name}:")]:
        registry.pop(key, None)
    interpreter = sys.modules.get("triton.runtime.interpreter")
    if interpreter is not None:
        rewritten = interpreter.InterpretedFunction.rewritten_fn
        for function in [fn for fn in rewritten if getattr(fn, "__module__", "") == name]:
            rewritten.pop(function, None)
    for function in functions:
        caches = getattr(function, "device_caches", None)
        if caches is not None:
            caches.clear()
    module.__dict__.clear()
    path.unlink(missing_ok=True)
