"""Names of a source: what its top level defines, what it loads, what a dotted expression means."""

from __future__ import annotations

import ast
import builtins
import threading
import time
from collections.abc import Iterator

COMMON_IMPORTS = {
    "torch": "import torch",
    "triton": "import triton",
    "tl": "import triton.language as tl",
    "libdevice": "from triton.language.extra import libdevice",
    "nn": "import torch.nn as nn",
    "F": "import torch.nn.functional as F",
    "Tensor": "from torch import Tensor",
    "math": "import math",
    "functools": "import functools",
    "itertools": "import itertools",
    "typing": "import typing",
    "partial": "from functools import partial",
    "reduce": "from functools import reduce",
    "lru_cache": "from functools import lru_cache",
    "dataclass": "from dataclasses import dataclass",
    "field": "from dataclasses import field",
    "Enum": "from enum import Enum",
    "defaultdict": "from collections import defaultdict",
    "namedtuple": "from collections import namedtuple",
    **{
        name: f"from typing import {name}"
        for name in (
            *("Any", "Callable", "Dict", "Iterable", "List", "Literal", "NamedTuple", "Optional"),
            *("Sequence", "Tuple", "Union"),
        )
    },
}
"""Imports that are supplied where a block uses the name and binds it nowhere."""


_PARSING = threading.Lock()
ATTEMPTS = 20


def parse(text: str) -> ast.Module:
    """The tree of a source; SyntaxError also for what Python's parser gives up on.

    Python 3.11 raises SystemError where two threads build trees at a time (gh-106905): here one
    does, and what happens beside threads of the caller is tried again.
    """
    for attempt in range(ATTEMPTS):
        try:
            with _PARSING:
                return ast.parse(text)
        except (RecursionError, MemoryError):
            raise SyntaxError("it is nested too deeply") from None
        except ValueError as error:
            raise SyntaxError(str(error)) from None
        except SystemError:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.001 * attempt)
    raise SyntaxError("it cannot be parsed")


def missing_imports(tree: ast.Module) -> tuple[str, ...]:
    """The import lines of `COMMON_IMPORTS` whose names the top level uses but does not bind."""
    bound = set(top_level_names(tree)) | set(dir(builtins))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= _names_in_annotations(tree)
    return tuple(line for name, line in COMMON_IMPORTS.items() if name in used - bound)


def _names_in_annotations(tree: ast.Module) -> set[str]:
    """Names within annotations that are written as strings."""
    found: set[str] = set()
    for node in ast.walk(tree):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                text = part.value.replace("[", " ").replace("]", " ").replace(",", " ")
                found |= {word.split(".")[0] for word in text.split()}
    return found


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a scope, those within `if`, `for`, `try`, `with` included."""
    for node in body:
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from statements(getattr(node, name, None) or [])
        for handler in getattr(node, "handlers", None) or []:
            yield from statements(handler.body)
        for case in getattr(node, "cases", None) or []:
            yield from statements(case.body)


def top_level_names(tree: ast.Module) -> list[str]:
    """Every name that the top level of a module may bind, in order, and names declared global."""
    names: list[str] = []
    for node in statements(tree.body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names += [item.asname or item.name.split(".")[0] for item in node.names]
        else:
            names += [
                inner.id
                for inner in ast.walk(node)
                if isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load)
            ]
            names += [h.name for h in getattr(node, "handlers", None) or [] if h.name]
    names += [n for node in ast.walk(tree) if isinstance(node, ast.Global) for n in node.names]
    return list(dict.fromkeys(names))


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute chain over a name; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def origins(tree: ast.Module) -> dict[str, str]:
    """What the imports of a module make its names stand for: `tl` for `triton.language`."""
    found = {"triton": "triton", "tl": "triton.language"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                head = item.name.split(".")[0]
                found[item.asname or head] = item.name if item.asname else head
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for item in node.names:
                found[item.asname or item.name] = f"{node.module}.{item.name}"
    return found


def is_kernel(node: ast.stmt, known: dict[str, str]) -> bool:
    """Whether a function stands under a decorator of Triton."""
    for decorator in getattr(node, "decorator_list", ()):
        inner = decorator.func if isinstance(decorator, ast.Call) else decorator
        head, _, rest = dotted(inner).partition(".")
        origin = known.get(head, head)
        path = f"{origin}.{rest}" if rest else origin
        if path == "triton" or path.startswith("triton."):
            return True
    return False
