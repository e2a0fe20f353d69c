"""What the callee of a call is, and so whose parameters its keywords name."""

from __future__ import annotations

import ast
from typing import NamedTuple

from tritongen.canonical.facts import AUTOTUNE, HEURISTICS, JIT, PARTIAL, Facts
from tritongen.canonical.scopes import (
    CLASS,
    FUNCTION,
    MODULE,
    Binding,
    Scope,
    refuse,
    verbatim,
    words,
)

FUNC, TYPE, INSTANCE, EXTERNAL, UNKNOWN = range(5)

# Calls that give back their first argument, as far as its parameters are concerned.
TRANSPARENT = JIT | {
    PARTIAL,
    "torch.compile",
    "torch.jit.script",
    "functools.lru_cache",
    "functools.cache",
}
WRAPPERS = JIT | AUTOTUNE | HEURISTICS
SELF_RETURNING = words("to cuda cpu eval train half float double bfloat16 requires_grad_ type")
LAUNCHING = frozenset(("run", "warmup"))
FORWARDING = words(
    "run warmup fn __call__ __wrapped__ apply submit map starmap remote call forward"
)
# Libraries whose keywords never become names of this source.
PLAIN_LIBRARIES = words("torch triton pytest math numpy")
CHANGED_BY_DECORATOR = frozenset(("property", "functools.cached_property", "pytest.fixture"))


class Value(NamedTuple):
    """What an expression is known to be; `scope` is that of a function or class."""

    kind: int
    scope: Scope | None = None


OUTSIDE_VALUE = Value(EXTERNAL)
NO_VALUE = Value(UNKNOWN)


class Callees:
    """Resolves callees and maps keywords, once the walk over the source is done."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.resolved: dict[int, Value] = {}
        self.all_parameters: set[str] = set()
        for scope in facts.scopes:
            self.all_parameters.update(scope.parameters)

    # --- values

    def value(self, expr: ast.expr | None, scope: Scope, depth: int = 0) -> Value:
        """Return what `expr`, read in `scope`, is."""
        if depth > 20:
            return NO_VALUE
        if isinstance(expr, ast.Name):
            return self.of_name(expr, scope, depth)
        if isinstance(expr, ast.Attribute):
            return self.of_attribute(expr, scope, depth)
        if isinstance(expr, ast.Subscript):
            base = self.value(expr.value, scope, depth + 1)
            return base if base.kind in (FUNC, EXTERNAL) else NO_VALUE
        if isinstance(expr, ast.Call):
            return self.of_call(expr, scope, depth)
        if isinstance(expr, ast.Lambda):
            return Value(FUNC, self.facts.scope_of[id(expr)])
        if isinstance(expr, ast.Constant | ast.JoinedStr):
            return OUTSIDE_VALUE
        return NO_VALUE

    def of_name(self, expr: ast.Name, scope: Scope, depth: int) -> Value:
        binding = scope.lookup(expr.id)
        if binding is None or (binding.imports and binding.imports == binding.sites):
            return OUTSIDE_VALUE
        node, home = binding.node, binding.scope
        if binding.sites != 1:
            if binding.history is None or home is not scope:
                return NO_VALUE
            place = (expr.lineno, expr.col_offset)
            earlier = [value for end, value in binding.history if end <= place]
            node = earlier[-1] if earlier else None
        if isinstance(node, ast.FunctionDef):
            return self.of_function(node)
        if isinstance(node, ast.ClassDef):
            return Value(TYPE, self.facts.scope_of[id(node)])
        if isinstance(node, ast.expr):
            return self.value(node, home, depth + 1)
        return self.of_self(binding)

    def of_function(self, node: ast.FunctionDef) -> Value:
        for decorator in node.decorator_list:
            func = decorator.func if isinstance(decorator, ast.Call) else decorator
            path = self.facts.path(func)
            if not path and isinstance(func, ast.Name):
                path = func.id if func.id in ("staticmethod", "classmethod", "property") else ""
            if not path or path in CHANGED_BY_DECORATOR:
                return NO_VALUE
        return Value(FUNC, self.facts.scope_of[id(node)])

    def of_self(self, binding: Binding) -> Value:
        scope = binding.scope
        owner = scope.parent
        if owner is None or owner.kind != CLASS or not isinstance(scope.node, ast.FunctionDef):
            return NO_VALUE
        if next(iter(scope.parameters), "") != binding.name:
            return NO_VALUE
        names = {d.id for d in scope.node.decorator_list if isinstance(d, ast.Name)}
        if "staticmethod" in names:
            return NO_VALUE
        return Value(TYPE if "classmethod" in names else INSTANCE, owner)

    def of_attribute(self, expr: ast.Attribute, scope: Scope, depth: int) -> Value:
        base = self.value(expr.value, scope, depth + 1)
        attribute = expr.attr
        if base.kind == EXTERNAL:
            return base
        if base.kind == FUNC:
            return base if attribute in LAUNCHING or attribute in ("fn", "__call__") else NO_VALUE
        if base.scope is not None:
            found = self.method(base.scope, attribute)
            if found.kind != EXTERNAL:
                return found
        if attribute in self.facts.attributes or attribute in FORWARDING:
            return NO_VALUE
        return OUTSIDE_VALUE

    def method(self, owner: Scope, name: str, depth: int = 0) -> Value:
        """Return the method of a class or its bases; EXTERNAL if none of this source has it."""
        binding = owner.names.get(name)
        if binding is not None:
            if binding.sites == 1 and isinstance(binding.node, ast.FunctionDef):
                return self.of_function(binding.node)
            return NO_VALUE
        node = owner.node
        if depth > 20 or not isinstance(node, ast.ClassDef) or owner.parent is None:
            return NO_VALUE
        for base in node.bases:
            value = self.value(base, owner.parent)
            if value.kind == TYPE and value.scope is not None:
                value = self.method(value.scope, name, depth + 1)
            if value.kind != EXTERNAL:
                return value
        return OUTSIDE_VALUE

    def of_call(self, expr: ast.Call, scope: Scope, depth: int) -> Value:
        """Return what a call gives back."""
        func = expr.func
        path = self.facts.path(func)
        if path in TRANSPARENT and expr.args:
            return self.value(expr.args[0], scope, depth + 1)
        if isinstance(func, ast.Call) and expr.args and self.facts.path(func.func) in WRAPPERS:
            return self.value(expr.args[0], scope, depth + 1)
        if isinstance(func, ast.Name) and func.id == "super" and scope.lookup("super") is None:
            return self.of_super(scope)
        if isinstance(func, ast.Attribute) and func.attr in SELF_RETURNING:
            base = self.value(func.value, scope, depth + 1)
            if base.kind == INSTANCE and func.attr not in self.facts.attributes:
                return base
        callee = self.value(func, scope, depth + 1)
        if callee.kind == TYPE:
            return Value(INSTANCE, callee.scope)
        if callee.kind == EXTERNAL:
            inputs = [*expr.args, *[keyword.value for keyword in expr.keywords]]
            if all(self.harmless(item, scope, depth) for item in inputs):
                return OUTSIDE_VALUE
        return NO_VALUE

    def harmless(self, expr: ast.expr, scope: Scope, depth: int) -> bool:
        """Whether a value computed from `expr` by a library holds no function of this source."""
        if isinstance(expr, ast.Lambda):
            return False
        if isinstance(expr, ast.Name | ast.Attribute):
            return self.value(expr, scope, depth + 1).kind not in (FUNC, TYPE, INSTANCE)
        if isinstance(expr, ast.List | ast.Tuple):
            return all(self.harmless(item, scope, depth) for item in expr.elts)
        return True

    def of_super(self, scope: Scope) -> Value:
        owner: Scope | None = scope
        while owner is not None and owner.kind != CLASS:
            owner = owner.parent
        if owner is None or owner.parent is None or not isinstance(owner.node, ast.ClassDef):
            return NO_VALUE
        bases = [self.value(base, owner.parent) for base in owner.node.bases]
        if all(base.kind == EXTERNAL for base in bases):
            return OUTSIDE_VALUE
        return Value(INSTANCE, bases[0].scope) if len(bases) == 1 else NO_VALUE

    # --- keywords

    def callee(self, call: ast.Call, scope: Scope) -> Value:
        """Return the function whose parameters the keywords of `call` name."""
        path = self.facts.path(call.func)
        if path == PARTIAL and call.args:
            return self.called(self.value(call.args[0], scope))
        return self.called(self.value(call.func, scope))

    def called(self, value: Value) -> Value:
        if value.scope is None or value.kind == FUNC:
            return value
        names = ("__init__", "__new__") if value.kind == TYPE else ("__call__", "forward")
        for name in names:
            found = self.method(value.scope, name)
            if found.kind != EXTERNAL:
                return found
        return OUTSIDE_VALUE

    def keyword(self, index: int, name: str) -> str:
        """Return the canonical text of keyword `name` (`**`: of a mapping) of a noted call."""
        scope, call = self.facts.calls[index]
        value = self.resolved.get(index)
        if value is None:
            value = self.resolved[index] = self.callee(call, scope)
        if name == "**":
            return self.mapping(call, scope, value)
        if value.kind == FUNC and value.scope is not None:
            return self.of_parameter(call, value.scope, name)
        if value.kind == EXTERNAL:
            self.check_forwarding(call, scope, name)
        elif name in self.all_parameters:
            raise refuse(
                call,
                "a keyword argument of something that may be a function of this source",
                name,
                "pass it by position, or call the function by its own name",
            )
        return verbatim(name, call)

    def of_parameter(self, call: ast.Call, function: Scope, name: str) -> str:
        if function.parameters.get(name):
            return function.names[name].text
        func = call.func
        launched = isinstance(func, ast.Subscript) or (
            isinstance(func, ast.Attribute) and func.attr in LAUNCHING
        )
        if not launched and not function.kwarg:
            raise refuse(call, "a keyword argument that names no parameter of its callee", name)
        if name in self.all_parameters and (function.kwarg or not launched):
            raise refuse(call, "a keyword argument that may be passed on by name", name)
        return verbatim(name, call)

    def mapping(self, call: ast.Call, scope: Scope, value: Value) -> str:
        if value.kind == EXTERNAL:
            return ""
        own = scope
        while own.kind != FUNCTION and own.parent is not None:
            own = own.parent
        passed = [keyword.value for keyword in call.keywords if keyword.arg is None]
        if all(isinstance(item, ast.Name) and item.id == own.kwarg for item in passed):
            return ""
        raise refuse(
            call, "keywords from a mapping, for a function of this source", hint="spell them out"
        )

    def check_forwarding(self, call: ast.Call, scope: Scope, name: str) -> None:
        """Refuse keywords that a library may hand to a function; note those that become strings."""
        if name not in self.all_parameters and name not in self.facts.module.names:
            return
        for item in [*call.args, *[keyword.value for keyword in call.keywords]]:
            if isinstance(item, ast.Name | ast.Attribute | ast.Lambda):
                value = self.called(self.value(item, scope))
                if value.kind == FUNC and value.scope and name in value.scope.parameters:
                    raise refuse(call, "a keyword argument that may be passed on by name", name)
        func = call.func
        path = self.facts.path(func)
        if path:
            plain = path.partition(".")[0] in PLAIN_LIBRARIES
        elif isinstance(func, ast.Name):
            plain = func.id != "dict"
        else:
            plain = not (isinstance(func, ast.Attribute) and func.attr in ("update", "format"))
        if not plain:
            self.facts.strings[name] = None

    def function(self, expr: ast.expr, scope: Scope) -> Scope | None:
        """Return the scope of the function that `expr` is, if that is certain."""
        value = self.value(expr, scope)
        return value.scope if value.kind == FUNC else None

    def homes(self, expr: ast.expr, scope: Scope) -> set[int]:
        """Return ids of the module-level nodes that `expr` is computed from."""
        found: set[int] = set()
        todo: list[ast.AST] = [expr]
        while todo:
            root = todo.pop()
            inner = self.facts.scope_of.get(id(root), scope)
            for node in ast.walk(root):
                binding = inner.lookup(node.id) if isinstance(node, ast.Name) else None
                if binding is None or binding.node is None or binding.scope.kind != MODULE:
                    continue
                if binding.sites == 1 and id(binding.node) not in found:
                    found.add(id(binding.node))
                    todo.append(binding.node)
        return found
