"""The walk over statements and definitions."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tritongen.canonical.expressions import BINARY, CATCHING, Expressions, Table
from tritongen.canonical.facts import FIXTURE, JIT, Facts, Target
from tritongen.canonical.scopes import BUILTINS, CLASS, FUNCTION, MODULE, refuse, words
from tritongen.canonical.special import SPECIAL, blanked, check_decorator

REFLECTIVE_MODULES = words("inspect importlib builtins gc runpy __main__")
NO_NAMES = frozenset((ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Await))


class Writer(Expressions):
    """Writes whole sources, one line per statement."""

    special = SPECIAL

    def __init__(self, facts: Facts, *, keep_messages: bool = False) -> None:
        super().__init__(facts)
        self.lines: list[str] = []
        self.indent = ""
        self.keep_messages = keep_messages
        self.handled = Table(
            {getattr(ast, name[2:]): getattr(self, name) for name in dir(self) if name[:2] == "S_"}
        )

    def module(self, tree: ast.Module) -> list[str]:
        """Write one source and return its lines."""
        self.lines = lines = []
        for statement in tree.body:
            self.home = statement
            self.handled[type(statement)](statement)
        return lines

    def block(self, statements: Sequence[ast.stmt]) -> None:
        indent, handled = self.indent, self.handled
        self.indent = indent + " "
        self.scope.depth += 1
        before = len(self.lines)
        for statement in statements:
            handled[type(statement)](statement)
        if len(self.lines) == before:
            self.lines.append(self.indent + "pass")
        self.indent = indent
        self.scope.depth -= 1

    def write(self, text: str) -> None:
        self.lines.append(self.indent + text)

    def S_Expr(self, node: ast.Expr) -> None:
        value = node.value
        if type(value) is ast.Constant and type(value.value) is str:
            return
        self.write(self.expr(value))

    def S_Assign(self, node: ast.Assign) -> None:
        value = self.expr(node.value)
        parts: list[str] = []
        for goal in node.targets:
            if type(goal) is ast.Name:
                parts.append(self.bound(goal.id, node.value))
            else:
                parts.append(self.expr(goal))
        parts.append(value)
        self.write(" = ".join(parts))

    def S_AugAssign(self, node: ast.AugAssign) -> None:
        goal = self.expr(node.target)
        self.write(f"{goal} {BINARY[type(node.op)]}= {self.expr(node.value)}")

    def S_AnnAssign(self, node: ast.AnnAssign) -> None:
        goal = node.target
        if isinstance(goal, ast.Name):
            text = self.bound(goal.id, node.value)
        else:
            text = self.expr(goal)
        text = f"{text if node.simple else f'({text})'}: {self.expr(node.annotation)}"
        self.write(text if node.value is None else f"{text} = {self.expr(node.value)}")

    def S_Return(self, node: ast.Return) -> None:
        self.write("return" if node.value is None else f"return {self.expr(node.value)}")

    def S_Raise(self, node: ast.Raise) -> None:
        parts = ["raise"]
        if node.exc is not None:
            parts.append(self.exception(node.exc))
        if node.cause is not None:
            parts.append(f"from {self.expr(node.cause)}")
        self.write(" ".join(parts))

    def exception(self, node: ast.expr) -> str:
        """Write what is raised, the constant text of its message blanked."""
        if self.keep_messages or not isinstance(node, ast.Call):
            return self.expr(node)
        func = node.func
        if not ((isinstance(func, ast.Name) and func.id in BUILTINS) or self.facts.path(func)):
            return self.expr(node)
        return self.call(node, {id(item): blanked(self, item) for item in node.args})

    def S_Assert(self, node: ast.Assert) -> None:
        text = f"assert {self.expr(node.test)}"
        if node.msg is None:
            self.write(text)
        elif self.keep_messages:
            self.write(f"{text}, {self.expr(node.msg)}")
        else:
            for part in ast.walk(node.msg):
                if type(part) in NO_NAMES:
                    raise refuse(part, "an assignment or a yield in the message of an assert")
            self.write(f"{text}, ''")

    def S_Delete(self, node: ast.Delete) -> None:
        self.write(f"del {self.each(node.targets)}")

    def S_Pass(self, node: ast.Pass) -> None:
        self.write("pass")

    def S_Break(self, node: ast.Break) -> None:
        self.write("break")

    def S_Continue(self, node: ast.Continue) -> None:
        self.write("continue")

    def S_Global(self, node: ast.Global) -> None:
        if self.scope.kind == MODULE:
            raise refuse(node, "a global statement outside a function")
        self.scope.declared_global.update(node.names)
        self.write(f"global {', '.join([f'{self.key}{name}' + chr(0) for name in node.names])}")

    def S_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.scope.declared_nonlocal.update(node.names)
        self.facts.nonlocals.extend((self.scope, name, node) for name in node.names)
        self.write(f"nonlocal {', '.join([f'{self.key}{name}' + chr(0) for name in node.names])}")

    def S_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            path = alias.name if alias.asname else alias.name.partition(".")[0]
            self.imported(node, alias.asname or path, path)
        names = [a.name + (f" as {a.asname}" if a.asname else "") for a in node.names]
        self.write(f"import {', '.join(names)}")

    def S_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                raise refuse(node, "a star import")
            if alias.name in CATCHING:
                self.facts.catches = True
            self.imported(node, alias.asname or alias.name, f"{module}.{alias.name}")
        names = [a.name + (f" as {a.asname}" if a.asname else "") for a in node.names]
        self.write(f"from {module} import {', '.join(names)}")

    def imported(self, node: ast.stmt, name: str, path: str) -> None:
        if path.partition(".")[0] in REFLECTIVE_MODULES:
            raise refuse(node, "a module that looks at names", path)
        binding = self.scope.bind(name, node, counts=False)
        if binding is None:
            raise refuse(node, "an import to a nonlocal name", name)
        binding.imports += 1
        known = self.facts.imports.setdefault(name, path)
        if known != path:
            self.facts.imports[name] = "?"

    def S_If(self, node: ast.If) -> None:
        self.write(f"if {self.expr(node.test)}:")
        self.block(node.body)
        self.otherwise(node.orelse)

    def otherwise(self, statements: Sequence[ast.stmt], word: str = "else") -> None:
        if statements:
            self.write(f"{word}:")
            self.block(statements)

    def S_For(self, node: ast.For) -> None:
        source = self.expr(node.iter)
        self.write(f"for {self.expr(node.target)} in {source}:")
        self.block(node.body)
        self.otherwise(node.orelse)

    def S_While(self, node: ast.While) -> None:
        self.write(f"while {self.expr(node.test)}:")
        self.block(node.body)
        self.otherwise(node.orelse)

    def S_With(self, node: ast.With) -> None:
        parts: list[str] = []
        for item in node.items:
            call, goal = item.context_expr, item.optional_vars
            if goal is None and isinstance(call, ast.Call) and not call.keywords:
                self.plain = call.func
            text = self.expr(call)
            parts.append(text if goal is None else f"{text} as {self.expr(goal)}")
        self.write(f"with {', '.join(parts)}:")
        self.block(node.body)

    def S_Try(self, node: ast.Try) -> None:
        self.write("try:")
        self.block(node.body)
        for handler in node.handlers:
            text = "except"
            if handler.type is not None:
                text += f" {self.expr(handler.type)}"
            if handler.name is not None:
                self.facts.catches = True
                text += f" as {self.bound(handler.name)}"
            self.write(f"{text}:")
            self.block(handler.body)
        self.otherwise(node.orelse)
        self.otherwise(node.finalbody, "finally")

    # --- definitions

    def S_FunctionDef(self, node: ast.FunctionDef) -> None:
        if getattr(node, "type_params", None):
            raise refuse(node, "type parameters")
        facts = self.facts
        scope = facts.scope(FUNCTION, self.scope, node)
        decorators = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
        paths = [facts.path(decorator) for decorator in decorators]
        if any(path in JIT for path in paths):
            facts.kernels.append(scope)
        if self.scope.kind != FUNCTION and (node.name.startswith("test") or FIXTURE in paths):
            facts.tests.append((scope, set()))
        before, self.target = self.target, Target(function=scope)
        for decorator in node.decorator_list:
            check_decorator(self, decorator)
            self.write(f"@{self.expr(decorator)}")
        self.target = None
        if node.name == "__exit__":
            facts.catches = True
        name = self.bound(node.name, node)
        parameters = self.parameters(node.args, scope)
        result = "" if node.returns is None else f" -> {self.expr(node.returns)}"
        self.write(f"def {name}({parameters}){result}:")
        outer = self.enter(scope)
        self.block(node.body)
        self.enter(outer)
        self.target = before

    def S_ClassDef(self, node: ast.ClassDef) -> None:
        if getattr(node, "type_params", None):
            raise refuse(node, "type parameters")
        before, self.target = self.target, None
        for decorator in node.decorator_list:
            check_decorator(self, decorator)
            self.write(f"@{self.expr(decorator)}")
        scope = self.facts.scope(CLASS, self.scope, node)
        parts = [self.expr(base) for base in node.bases]
        for keyword in node.keywords:
            if keyword.arg != "metaclass":
                raise refuse(node, "a keyword argument of a class", keyword.arg)
            parts.append(f"metaclass={self.expr(keyword.value)}")
        self.write(f"class {self.bound(node.name, node)}({', '.join(parts)}):")
        outer = self.enter(scope)
        self.block(node.body)
        self.enter(outer)
        self.target = before
