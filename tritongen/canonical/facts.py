"""What the writer notes down while it walks a source, for the names that are settled at the end."""

from __future__ import annotations

import ast
from typing import NamedTuple

from tritongen.canonical.scopes import MODULE, Scope

JIT = frozenset({"triton.jit", "triton.runtime.jit", "triton.runtime.jit.jit"})
AUTOTUNE = frozenset(
    {"triton.autotune", "triton.runtime.autotune", "triton.runtime.autotuner.autotune"}
)
HEURISTICS = frozenset(
    {"triton.heuristics", "triton.runtime.heuristics", "triton.runtime.autotuner.heuristics"}
)
CONFIG = frozenset({"triton.Config", "triton.runtime.Config", "triton.runtime.autotuner.Config"})
PARTIAL = "functools.partial"
FIXTURE = "pytest.fixture"


class Target(NamedTuple):
    """The functions whose parameters a string names.

    Either one `function`, or what `expr` means in `scope`, or the kernels tuned with the
    configurations that the module-level statement `home` makes.
    """

    function: Scope | None = None
    expr: ast.expr | None = None
    scope: Scope | None = None
    home: ast.stmt | None = None


class Position(NamedTuple):
    """A string in a listed position, or under a subscript of the name `base`."""

    text: str
    node: ast.AST
    target: Target | None
    scope: Scope
    base: str = ""


class Facts:
    """The notes about one module (or about several sources taken as one)."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.scope_of: dict[int, Scope] = {}
        self.imports: dict[str, str] = {}
        self.strings: dict[str, None] = {}
        self.attributes: set[str] = set()
        self.catches = False
        self.calls: list[tuple[Scope, ast.Call]] = []
        self.positions: list[Position] = []
        self.links: list[tuple[Target, Scope, ast.expr]] = []
        self.tunings: list[tuple[Target, Scope, ast.expr]] = []
        self.kernels: list[Scope] = []
        self.jits: list[tuple[Scope, ast.expr]] = []
        self.nonlocals: list[tuple[Scope, str, ast.AST]] = []
        self.tests: list[tuple[Scope, set[str]]] = []
        self.module = self.scope(MODULE, None, None)

    def scope(self, kind: int, parent: Scope | None, node: ast.AST | None) -> Scope:
        """Open a scope."""
        scope = Scope(kind, len(self.scopes), parent, node)
        self.scopes.append(scope)
        self.scope_of[id(node)] = scope
        return scope

    def path(self, expr: ast.expr) -> str:
        """Return the dotted path of an imported object (`triton.jit`), else an empty string."""
        names: list[str] = []
        while type(expr) is ast.Attribute:
            names.append(expr.attr)
            expr = expr.value
        if type(expr) is not ast.Name:
            return ""
        root = self.imports.get(expr.id, "")
        if not root or not names:
            return root
        names.append(root)
        return ".".join(reversed(names))
