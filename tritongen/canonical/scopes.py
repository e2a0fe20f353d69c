"""Scopes and bindings of a source, following Python's rules, with a canonical text per binding."""

from __future__ import annotations

import ast
import builtins
import re

from tritongen.errors import VerificationError

MODULE, FUNCTION, CLASS, COMPREHENSION = range(4)


def words(text: str) -> frozenset[str]:
    """Return the set of the words of `text`."""
    return frozenset(text.split())


RESERVED = re.compile(r"(?:test_|Test_)?[gvm][0-9]+\Z")

BUILTINS = frozenset(dir(builtins))

# Names that something outside the source looks up: pytest, or the single-file form of a pair.
OUTSIDE = words(
    "pytestmark pytest_plugins collect_ignore collect_ignore_glob setup_module teardown_module "
    "setup_function teardown_function get_test_inputs"
)

# Parameters that keep their names: a launch, the autotuner or pytest gives these a meaning.
FIXED_PARAMETERS = words(
    "grid warmup stream num_warps num_stages num_ctas maxnreg debug pre_hook ir_override "
    "cluster_dims enable_fp_fusion launch_cooperative_grid launch_pdl sanitize_overflow arch "
    "instrumentation_mode ptx_version ptx_options waves_per_eu matrix_instr_nonkdim kpack "
    "schedule_hint num_consumer_groups num_buffers_warp_spec reg_dec_producer reg_inc_consumer "
    "noinline allow_fp8e4nv device_type request"
)


def refuse(node: ast.AST | None, problem: str, value: object = None, hint: str = ""):
    """Return the error for a construct that cannot be alpha-renamed with certainty."""
    line = getattr(node, "lineno", None)
    place = "source" if line is None else f"source, line {line}"
    return VerificationError(place, problem, value=value, hint=hint)


def is_dunder(name: str) -> bool:
    """Whether `name` is of the form `__name__`."""
    return name[:2] == "__" and name[-2:] == "__"


def verbatim(name: str, node: ast.AST | None = None) -> str:
    """Return `name`, which the normal form keeps, unless it looks like a canonical name."""
    if RESERVED.match(name):
        raise refuse(node, "a name that is kept looks like a canonical name", name, "rename it")
    return name


def end_of(node: ast.AST) -> tuple[int, int]:
    """Return the place where `node` ends."""
    return getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0)


class Binding:
    """One identifier of one scope: how often it is bound, to what, and its canonical text.

    `history` has the values in the order in which they are bound, each with the place where it
    ends, as long as all of them are bound by plain statements of a function's body that are in no
    other block: the value at a place is then the last one before it.
    """

    __slots__ = ("history", "imports", "name", "node", "number", "scope", "sites", "twin")

    def __init__(self, name: str, scope: Scope, number: int) -> None:
        self.name = name
        self.scope = scope
        self.number = number
        self.sites = 0
        self.imports = 0
        self.node: ast.AST | None = None
        self.twin: str = ""
        self.history: list[tuple[tuple[int, int], ast.AST]] | None = []

    @property
    def text(self) -> str:
        """The canonical name."""
        name, kind = self.name, self.scope.kind
        if self.twin:
            return self.twin
        if self.imports or kind == CLASS or is_dunder(name):
            return verbatim(name, self.node)
        if kind != MODULE:
            if name in self.scope.parameters and name in FIXED_PARAMETERS:
                return verbatim(name)
            return f"v{self.number}"
        if name in BUILTINS or name in OUTSIDE or name.startswith("pytest_"):
            return verbatim(name, self.node)
        mark = f"{name[:4]}_" if name[:4] in ("test", "Test") else ""
        return f"{mark}g{self.number}"


class Scope:
    """A module, function, lambda, class or comprehension."""

    __slots__ = (
        "count",
        "declared_global",
        "declared_nonlocal",
        "depth",
        "id",
        "kind",
        "kwarg",
        "module",
        "names",
        "node",
        "parameters",
        "parent",
        "root",
    )

    def __init__(self, kind: int, ident: int, parent: Scope | None, node: ast.AST | None) -> None:
        self.kind = kind
        self.id = ident
        self.parent = parent
        self.node = node
        self.names: dict[str, Binding] = {}
        self.parameters: dict[str, bool] = {}
        self.kwarg = ""
        self.declared_global: set[str] = set()
        self.declared_nonlocal: set[str] = set()
        self.count = 0
        self.depth = 0
        self.module: Scope = self if parent is None else parent.module
        above = None if parent is None else parent.root
        topmost = above is None and kind in (FUNCTION, COMPREHENSION)
        self.root: Scope | None = self if topmost else above

    def bind(
        self, name: str, node: ast.AST | None = None, *, counts: bool = True
    ) -> Binding | None:
        """Note that `name` is bound here; the result is None for a nonlocal name."""
        binding = self.names.get(name)
        if binding is None:
            if name in self.declared_global:
                return self.module.bind(name, node, counts=counts)
            if name in self.declared_nonlocal:
                return None
            counter = self.root or self
            binding = self.names[name] = Binding(name, self, counter.count)
            counter.count += counts
        binding.sites += 1
        binding.node = node
        if node is None or self.depth != 1 or self.kind != FUNCTION:
            binding.history = None
        elif binding.history is not None:
            binding.history.append((end_of(node), node))
        return binding

    def lookup(self, name: str) -> Binding | None:
        """Return the binding that `name` means when it is read here; None if it is a builtin."""
        scope: Scope | None = self
        while scope is not None:
            if scope.kind != CLASS or scope is self:
                binding = scope.names.get(name)
                if binding is not None:
                    return binding
                if name in scope.declared_global:
                    return self.module.names.get(name)
            scope = scope.parent
        return None

    def inside_class(self) -> bool:
        """Whether names with two leading underscores are mangled here."""
        scope: Scope | None = self
        while scope is not None:
            if scope.kind == CLASS:
                return True
            scope = scope.parent
        return False
