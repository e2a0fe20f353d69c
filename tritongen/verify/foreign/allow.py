"""The static allow-list: what the sources of a candidate may import, name and assign.

The tree is read, nothing is run. Names are resolved through imports and aliases; a module may be
the base of an attribute or the right side of `name = module` and nothing else, so that no alias
escapes. This is the first line of defence, against the ordinary ways out; the sandbox is the one
that holds.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tritongen.verify.foreign import policy
from tritongen.verify.foreign.form import Form, Source
from tritongen.verify.foreign.names import is_kernel, origins, parse, statements

SHOWN = 12
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """One finding: the line in the file, the block and what is refused there."""

    line: int
    block: str
    what: str


def findings(form: Form) -> list[Refusal]:
    """Everything in a candidate that is not on the list, by line."""
    blocks = [("PYTHON", form.python, False), ("TRITON", form.triton, True)]
    if form.test is not None:
        blocks.append(("TEST", form.test, False))
    return [found for name, source, strict in blocks for found in refusals(source, name, strict)]


def message(found: list[Refusal]) -> str:
    """All findings in one line."""
    shown = [f"{item.block} line {item.line}: {item.what}" for item in found[:SHOWN]]
    more = len(found) - SHOWN
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def refusals(source: Source, block: str, strict: bool) -> list[Refusal]:
    """The findings of one block; `strict` are the rules for wrappers and kernels."""
    try:
        walker = _Walker(parse(source.text), source.imports, strict)
        walker.run()
    except (RecursionError, SyntaxError):
        return [Refusal(source.offset + 1, block, "it is nested too deeply")]
    return sorted({Refusal(line + source.offset, block, what) for line, what in walker.found})


@dataclass(slots=True)
class _Scope:
    """A namespace: its names with the library paths that they may stand for."""

    kind: str
    names: dict[str, set[str]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)

    def bind(self, name: str, paths: Iterable[str] = ()) -> None:
        self.names.setdefault(name, set()).update(paths)


class _Walker:
    def __init__(self, tree: ast.Module, supplied: tuple[str, ...], strict: bool) -> None:
        self.tree = tree
        self.strict = strict
        self.found: list[tuple[int, str]] = []
        self.scopes: list[_Scope] = [_Scope("module")]
        self.line = 1
        known = origins(tree)
        self.kernels = {
            node.name
            for node in statements(tree.body)
            if isinstance(node, ast.FunctionDef) and is_kernel(node, known)
        }
        for line in supplied:
            self._bind_statement(parse(line).body[0], self.scopes[0])

    def run(self) -> None:
        self._bind_body(self.tree.body, self.scopes[0], self.tree)
        for node in self.tree.body:
            self._visit(node)

    def _say(self, what: str, node: ast.AST | None = None) -> None:
        self.found.append((getattr(node, "lineno", self.line), what))

    # Names and what they stand for

    def _lookup(self, name: str) -> tuple[str, set[str]]:
        """The kind of scope that binds a name (or `builtin`) and its library paths."""
        for depth, scope in enumerate(reversed(self.scopes)):
            if scope.kind == "class" and depth > 0:
                continue
            if name in scope.names:
                return scope.kind, scope.names[name]
        return "builtin", set()

    def _resolve(self, node: ast.expr) -> set[str]:
        """The library paths that an expression may stand for."""
        if isinstance(node, ast.Name):
            return self._lookup(node.id)[1]
        if isinstance(node, ast.Attribute):
            return {f"{path}.{node.attr}" for path in self._resolve(node.value)}
        if isinstance(node, ast.NamedExpr):
            return self._resolve(node.value)
        if isinstance(node, ast.IfExp):
            return self._resolve(node.body) | self._resolve(node.orelse)
        if isinstance(node, ast.BoolOp):
            return set().union(*[self._resolve(value) for value in node.values])
        name = _constant_attribute(node)
        if name is not None and isinstance(node, ast.Call):
            return {f"{path}.{name}" for path in self._resolve(node.args[0])}
        return set()

    def _bind_body(self, body: list[ast.stmt], scope: _Scope, owner: ast.AST) -> None:
        """All names that the statements of a scope bind; twice, since an alias may come first."""
        outer = _declared(owner, ast.Global), _declared(owner, ast.Nonlocal)
        scope.outer = outer[0] | outer[1]
        for _ in range(3):
            for node in statements(body):
                self._bind_statement(node, scope, outer)

    def _bind_statement(
        self,
        node: ast.stmt,
        scope: _Scope,
        outer: tuple[set[str], set[str]] = (set(), set()),
    ) -> None:
        def bind(name: str, paths: Iterable[str] = ()) -> None:
            if name in outer[0]:
                self.scopes[0].bind(name, paths)
            elif name in outer[1]:
                for enclosing in self.scopes[1:]:
                    if enclosing.kind == "function" and name in enclosing.names:
                        enclosing.bind(name, paths)
            else:
                scope.bind(name, paths)

        if isinstance(node, ast.Import):
            for item in node.names:
                head = item.name.split(".")[0]
                bind(item.asname or head, {item.name if item.asname else head})
        elif isinstance(node, ast.ImportFrom):
            for item in node.names:
                bind(item.asname or item.name, {f"{node.module}.{item.name}"})
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bind(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                paths = self._resolve_in(node.value, scope) if isinstance(target, ast.Name) else ()
                for name in _stored(target):
                    bind(name, paths)
            for name in _stored(node.value):
                bind(name)
        else:
            for name in _stored(node):
                bind(name)
            for handler in getattr(node, "handlers", None) or []:
                if handler.name:
                    bind(handler.name)

    def _resolve_in(self, value: ast.expr, scope: _Scope) -> set[str]:
        if scope is self.scopes[-1]:
            return self._resolve(value)
        self.scopes.append(scope)
        try:
            return self._resolve(value)
        finally:
            self.scopes.pop()

    # The walk

    def _visit(self, node: ast.AST) -> None:
        self.line = getattr(node, "lineno", self.line)
        handler = getattr(self, f"_visit_{type(node).__name__}", None)
        if handler is not None:
            handler(node)
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node)
        else:
            self._children(node)

    def _children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            self._visit(child)

    def _visit_Import(self, node: ast.Import) -> None:
        for item in node.names:
            refused = policy.import_refusal(item.name, self.strict)
            if refused:
                self._say(refused, node)
        self._no_hidden_import(node)

    def _visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level or not module:
            self._say("a relative import", node)
            return
        self._no_hidden_import(node)
        for item in node.names:
            path = f"{module}.{item.name}"
            if item.name == "*":
                self._say(f"from {module} import *", node)
                continue
            if policy.import_refusal(path, self.strict) == "" and self.strict:
                continue
            refused = policy.import_refusal(module, self.strict)
            if not refused and self.strict:
                refused = policy.refusal(path) and f"import of {path}"
            elif not refused and item.name.startswith("_"):
                refused = f"import of {path}"
            if refused:
                self._say(refused, node)

    def _no_hidden_import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Names that a class or another scope holds cannot be followed."""
        scope = self.scopes[-1]
        bound = {item.asname or item.name.split(".")[0] for item in node.names}
        if self.strict and (scope.kind == "class" or bound & scope.outer):
            self._say("an import in the body of a class or into another scope", node)

    def _visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._defined_name(node.name, node)
        for part in (*node.decorator_list, *_outside(node.args), node.returns):
            if part is not None:
                self._visit(part)
        self._function(node, node.args, node.body)

    _visit_AsyncFunctionDef = _visit_FunctionDef

    def _visit_Lambda(self, node: ast.Lambda) -> None:
        for part in _outside(node.args):
            self._visit(part)
        self._function(node, node.args, [ast.Expr(node.body)])

    def _function(self, node: ast.AST, args: ast.arguments, body: list[ast.stmt]) -> None:
        scope = _Scope("function")
        every = (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg)
        for arg in every:
            if arg is not None:
                scope.bind(arg.arg)
        self.scopes.append(scope)
        self._bind_body(body, scope, node)
        for statement in body:
            self._visit(statement)
        self.scopes.pop()

    def _visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases):
            self._visit(part)
        for keyword in node.keywords:
            if self.strict:
                self._say(f"a class with {keyword.arg or '**'}=", node)
            self._visit(keyword.value)
        scope = _Scope("class")
        self.scopes.append(scope)
        self._bind_body(node.body, scope, node)
        for statement in node.body:
            self._visit(statement)
        self.scopes.pop()

    def _comprehension(self, node: ast.expr) -> None:
        scope = _Scope("function")
        for generator in getattr(node, "generators", ()):
            for name in _stored(generator.target):
                scope.bind(name)
        self.scopes.append(scope)
        self._children(node)
        self.scopes.pop()

    def _visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._visit(target)
        scope = self.scopes[-1]
        alias = scope.kind != "class" and all(
            isinstance(target, ast.Name) and target.id not in scope.outer for target in node.targets
        )
        self._value(node.value, module_allowed=alias)

    def _visit_Name(self, node: ast.Name) -> None:
        name = node.id
        loads = isinstance(node.ctx, ast.Load)
        kind, paths = self._lookup(name)
        if _is_dunder(name):
            if self._dunder_refused(name) or (name == "__name__" and not loads):
                self._say(f"{name} is not allowed", node)
            return
        if not loads:
            return
        forbidden = (
            policy.FORBIDDEN_BUILTINS if self.strict else policy.REFERENCE_FORBIDDEN_BUILTINS
        )
        resolved = policy.RESOLVED_BUILTINS if self.strict else frozenset()
        if kind != "function" and name in forbidden | resolved:
            how = " other than with a constant name" if name in resolved else ""
            self._say(f"{name}{how} is not allowed", node)
        if self.strict:
            self._no_module_as_value(paths, node)

    def _no_module_as_value(self, paths: set[str], node: ast.AST) -> None:
        modules = sorted(paths & (policy.LIBRARIES | policy.STANDARD))
        if modules:
            self._say(f"module {modules[0]} is used as a value", node)

    def _visit_Attribute(self, node: ast.Attribute) -> None:
        self._value(node, module_allowed=False)

    def _value(self, node: ast.expr, module_allowed: bool) -> None:
        """An expression in a place that does or does not take a module."""
        if isinstance(node, ast.Name) and module_allowed and not _is_dunder(node.id):
            _, paths = self._lookup(node.id)
            if paths & (policy.LIBRARIES | policy.STANDARD):
                return
        if not isinstance(node, ast.Attribute):
            self._visit(node)
            return
        self.line = node.lineno
        paths = self._resolve(node)
        self._attribute(node, paths)
        if self.strict and not module_allowed:
            self._no_module_as_value(paths, node)
        for path in sorted(paths):
            refused = policy.refusal(path) if self.strict else _loose_refusal(path)
            if refused:
                self._say(refused, node)
        base: ast.expr = node.value
        while isinstance(base, ast.Attribute):
            self._attribute(base, self._resolve(base))
            base = base.value
        self._value(base, module_allowed=True)

    def _attribute(self, node: ast.Attribute, paths: set[str]) -> None:
        """One attribute by its own name, and what may be assigned."""
        own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", "ctx")
        self._attribute_name(node.attr, node, own, bool(paths))
        if isinstance(node.ctx, ast.Load):
            return
        base = node.value
        while isinstance(base, (ast.Attribute, ast.Subscript)):
            base = base.value
        if paths:
            self._say(f"assignment to {sorted(paths)[0]}", node)
        elif self.strict and not isinstance(base, ast.Name):
            self._say(f"assignment to .{node.attr} of an expression", node)
        elif self.strict and isinstance(base, ast.Name) and base.id in self.kernels:
            self._say(f"assignment to {base.id}.{node.attr} of a kernel", node)

    def _attribute_name(self, name: str, node: ast.AST, own: bool, library: bool) -> None:
        forbidden = (
            policy.FORBIDDEN_ATTRIBUTES if self.strict else policy.REFERENCE_FORBIDDEN_ATTRIBUTES
        )
        if _is_dunder(name):
            refused = self._dunder_refused(name)
        elif name.startswith("_"):
            refused = self.strict and not (own or library or name in policy.ALLOWED_PRIVATE)
        else:
            refused = name in forbidden and not own
        if refused:
            self._say(f".{name} is not allowed", node)

    def _dunder_refused(self, name: str) -> bool:
        if self.strict:
            return name not in policy.ALLOWED_DUNDERS
        return name in _LOOSE_DUNDERS

    def _defined_name(self, name: str, node: ast.AST) -> None:
        if self.strict and _is_dunder(name) and name not in policy.ALLOWED_DUNDERS:
            self._say(f"a method {name}", node)

    def _visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            paths = self._resolve(node.value)
            if paths:
                self._say(f"assignment into {sorted(paths)[0]}", node)
        self._children(node)

    def _visit_Call(self, node: ast.Call) -> None:
        name = _constant_attribute(node)
        if name is None or self._lookup(_called(node))[0] != "builtin":
            self._children(node)
            return
        base = node.args[0]
        attribute = ast.Attribute(base, name, ast.Load())
        self._value(ast.copy_location(attribute, node), module_allowed=False)
        for other in (*node.args[2:], *[keyword.value for keyword in node.keywords]):
            self._visit(other)

    def _visit_MatchClass(self, node: ast.MatchClass) -> None:
        for name in node.kwd_attrs:
            self._attribute_name(name, node, own=False, library=False)
        self._children(node)


_LOOSE_DUNDERS = frozenset(
    (
        *("__base__", "__bases__", "__builtins__", "__closure__", "__code__", "__func__"),
        *("__getattribute__", "__globals__", "__import__", "__loader__", "__mro__", "__reduce__"),
        *("__reduce_ex__", "__self__", "__spec__", "__subclasses__", "__traceback__"),
        *("__wrapped__",),
    )
)


def _loose_refusal(path: str) -> str:
    private = any(part.startswith("_") and not _is_dunder(part) for part in path.split(".")[1:])
    return f"{path} is private" if private else ""


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _constant_attribute(node: ast.AST) -> str | None:
    """The name that `getattr(x, "name")` or `hasattr(x, "name")` asks for."""
    if not isinstance(node, ast.Call) or _called(node) not in policy.RESOLVED_BUILTINS:
        return None
    if len(node.args) < 2 or any(isinstance(arg, ast.Starred) for arg in node.args):
        return None
    name = node.args[1]
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None


def _declared(owner: ast.AST, kind: type[ast.Global] | type[ast.Nonlocal]) -> set[str]:
    body = getattr(owner, "body", None)
    if not isinstance(body, list):
        return set()
    return {name for node in statements(body) if isinstance(node, kind) for name in node.names}


def _stored(node: ast.AST) -> Iterator[str]:
    """Names that a node binds in its own scope; what nested scopes bind is theirs."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    if isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name
    if isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    if isinstance(node, _SCOPES):
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            continue
        if isinstance(node, _COMPREHENSIONS) and isinstance(child, ast.comprehension):
            yield from _walrus(child)
            continue
        yield from _stored(child)


def _walrus(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.NamedExpr):
            yield inner.target.id


def _outside(args: ast.arguments) -> Iterator[ast.expr]:
    """Defaults and annotations, which belong to the scope around a function."""
    yield from args.defaults
    yield from (default for default in args.kw_defaults if default is not None)
    for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg):
        if arg is not None and arg.annotation is not None:
            yield arg.annotation
