"""A key of a kernel that its naming variants share: the source, alpha-renamed.

Parameters and local names become numbers, docstrings and comments vanish, helper kernels stand by
their own keys and globals by their values. A construct beyond that falls back to the exact text.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import inspect
from types import ModuleType
from typing import Any

_SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.ClassDef)
_ATTRIBUTE = "_tritongen_key"


def kernel_key(function: Any) -> str:
    """The key of a `JITFunction`, kept on the object."""
    key = getattr(function, _ATTRIBUTE, None)
    if key is None:
        try:
            text = _canonical(function, ())
        except _NotCanonicalError:
            text = f"exact {function.__module__} {function.cache_key}"
        key = hashlib.sha256(text.encode()).hexdigest()
        setattr(function, _ATTRIBUTE, key)
    return key


def value_key(value: Any) -> str:
    """A constant by its value; a kernel that is passed as a constant by its key."""
    if hasattr(value, "cache_key"):
        return kernel_key(value)
    if isinstance(value, tuple):
        return f"({','.join(value_key(item) for item in value)})"
    return f"{type(value).__name__}:{value!r}"


class _NotCanonicalError(Exception):
    """The source uses what this module does not rename."""


def _canonical(function: Any, above: tuple[Any, ...]) -> str:
    if function in above or len(above) > 20:
        raise _NotCanonicalError
    tree = ast.parse(function.src)
    body = tree.body[0]
    if not isinstance(body, ast.FunctionDef):
        raise _NotCanonicalError
    if body.args.vararg or body.args.kwarg:
        raise _NotCanonicalError
    parameters = [arg.arg for arg in (*body.args.posonlyargs, *body.args.args)]
    parameters += [arg.arg for arg in body.args.kwonlyargs]
    numbers = {name: index for index, name in enumerate(parameters)}
    for node in ast.walk(body):
        nested = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node is not body
        if nested or isinstance(node, (*_SCOPES, ast.Global, ast.Nonlocal, ast.NamedExpr)):
            raise _NotCanonicalError
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            numbers.setdefault(node.id, len(numbers))
    renamer = _Renamer(numbers, function, above)
    body.name = "kernel"
    body.decorator_list = []
    first = body.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(body.body) > 1:
        body.body = body.body[1:]
    text = ast.dump(renamer.visit(body))
    noinline = getattr(function, "noinline", None)
    repr_hook = getattr(function, "_repr", None)
    if repr_hook is not None:
        raise _NotCanonicalError
    return f"{text} noinline={noinline}"


class _Renamer(ast.NodeTransformer):
    """Local names to numbers, global names to what they stand for."""

    def __init__(self, numbers: dict[str, int], function: Any, above: tuple[Any, ...]) -> None:
        self.numbers = numbers
        self.function = function
        self.above = (*above, function)
        self.scope = function.get_capture_scope()

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """A parameter; its annotation stays."""
        node.arg = f"v{self.numbers[node.arg]}"
        if node.annotation is not None:
            node.annotation = self.visit(node.annotation)
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """A local or a global name."""
        if node.id in self.numbers:
            node.id = f"v{self.numbers[node.id]}"
        else:
            node.id = f"g:{self._meaning(node.id)}"
        return node

    def _meaning(self, name: str) -> str:
        if name not in self.scope:
            return f"builtin {name}" if hasattr(builtins, name) else f"missing {name}"
        value = self.scope[name]
        if isinstance(value, ModuleType):
            if value.__name__ == getattr(self.function, "__module__", None):
                raise _NotCanonicalError
            return f"module {value.__name__}"
        if hasattr(value, "src") and hasattr(value, "params"):
            inside = value.__module__ or ""
            if inside.startswith("triton."):
                return f"library {inside}.{value.__name__}"
            text = _canonical(value, self.above)
            return f"jit {hashlib.sha256(text.encode()).hexdigest()} {_parameter_names(value)}"
        if isinstance(value, (int, float, bool, str, type(None))):
            return value_key(value)
        kind = type(value)
        if kind.__module__.startswith("triton.") and kind.__name__ in ("constexpr", "dtype"):
            return value_key(value)
        module = getattr(value, "__module__", "") or ""
        known = module.split(".")[0] in ("triton", "math", "builtins")
        if known and (inspect.isroutine(value) or inspect.isclass(value)):
            return f"object {module}.{getattr(value, '__qualname__', name)}"
        raise _NotCanonicalError


def _parameter_names(value: Any) -> str:
    """Names matter where a helper is called by keyword."""
    return ",".join(parameter.name for parameter in value.params)
