"""The walk over a syntax tree that writes the normal form, with keys where names go.

A name is written as `NUL scope:name NUL`, and settled after the walk, when every binding of every
scope is known.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tritongen.canonical.facts import AUTOTUNE, HEURISTICS, JIT, Facts, Position, Target
from tritongen.canonical.scopes import (
    CLASS,
    COMPREHENSION,
    FUNCTION,
    Scope,
    is_dunder,
    refuse,
    verbatim,
    words,
)

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.MatMult: "@",
    ast.Div: "/",
    ast.Mod: "%",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.BitAnd: "&",
    ast.FloorDiv: "//",
    ast.Pow: "**",
}
UNARY: dict[type[ast.unaryop], str] = {
    ast.Invert: "~",
    ast.Not: "not ",
    ast.UAdd: "+",
    ast.USub: "-",
}
COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
REFLECTION = words(
    "__dict__ __globals__ __code__ __name__ __qualname__ __closure__ __annotations__ __defaults__ "
    "__kwdefaults__ __doc__ __signature__ __builtins__ __type_params__ arg_names _getframe "
    "f_locals f_globals"
)
# With these a source may look at the message of an exception.
CATCHING = words("raises warns exc_info exception format_exc print_exc")
ATTRIBUTE_FUNCTIONS = frozenset(("getattr", "setattr", "hasattr", "delattr"))


class Table(dict[type, Callable[[Any], Any]]):
    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        def unknown(node: ast.AST) -> Any:
            raise refuse(node, "a construct that the normal form does not cover", kind.__name__)

        return unknown


class Expressions:
    """Writes expressions; see the module's docstring. `special` maps import paths of callees."""

    special: Mapping[str, Callable[[Any, ast.Call], str]]

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.scope = facts.module
        self.key = f"\0{self.scope.id}:"
        self.target: Target | None = None
        self.home: ast.stmt | None = None
        self.plain: ast.expr | None = None
        self.nesting = 0
        self.written = Table(
            {getattr(ast, name[2:]): getattr(self, name) for name in dir(self) if name[:2] == "E_"}
        )

    # --- names and scopes

    def enter(self, scope: Scope) -> Scope:
        """Make `scope` the current one and return the one that was."""
        before, self.scope = self.scope, scope
        self.key = f"\0{scope.id}:"
        return before

    def bound(self, name: str, node: ast.AST | None = None) -> str:
        """Bind `name` in the current scope and write it."""
        scope = self.scope
        scope.bind(name, node)
        if scope.kind == CLASS and name not in scope.declared_global:
            if name[:2] == "__" and not is_dunder(name):
                raise refuse(node, "a private name of a class", name)
            self.facts.attributes.add(name)
            return verbatim(name, node)
        return f"{self.key}{name}\0"

    def expr(self, node: ast.expr) -> str:
        """Write an expression."""
        return self.written[type(node)](node)

    def each(self, nodes: Sequence[ast.expr]) -> str:
        written = self.written
        return ", ".join([written[type(node)](node) for node in nodes])

    # --- expressions

    def E_Name(self, node: ast.Name) -> str:
        if type(node.ctx) is not ast.Load:
            return self.bound(node.id)
        return f"{self.key}{node.id}\0"

    def E_Constant(self, node: ast.Constant) -> str:
        value = node.value
        if type(value) is str:
            if value.isidentifier():
                self.facts.strings[value] = None
            return ascii(value)
        if type(value) is int:
            return repr(value) if -(1 << 64) < value < 1 << 64 else hex(value)
        if type(value) is float or type(value) is complex:
            return repr(value).replace("inf", "1e309")
        return "..." if value is ... else repr(value)

    def E_Attribute(self, node: ast.Attribute) -> str:
        attribute = node.attr
        if attribute[:1] == "_":
            if attribute in REFLECTION:
                raise refuse(node, "reflection on names", attribute)
            if attribute[:2] == "__" and not is_dunder(attribute) and self.scope.inside_class():
                raise refuse(node, "a private attribute of a class", attribute)
        elif attribute in REFLECTION or (
            attribute == "modules" and self.facts.path(node) == "sys.modules"
        ):
            raise refuse(node, "reflection on names", attribute)
        elif attribute in CATCHING and node is not self.plain:
            self.facts.catches = True
        if type(node.ctx) is ast.Store:
            self.facts.attributes.add(attribute)
        value = node.value
        text = self.written[type(value)](value)
        if type(value) is ast.Constant:
            if type(value.value) is str:
                self.facts.strings.update(dict.fromkeys(re.findall(r"\w+", value.value)))
            return f"({text}).{attribute}"
        return f"{text}.{attribute}"

    def E_Subscript(self, node: ast.Subscript) -> str:
        index, value = node.slice, node.value
        text = self.written[type(value)](value)
        if type(index) is ast.Tuple:
            inner = self.each(index.elts) + ("," if len(index.elts) == 1 else "")
            return f"{text}[{inner}]" if inner else f"{text}[()]"
        if type(value) is ast.Name and type(index) in (ast.Constant, ast.JoinedStr, ast.BinOp):
            return f"{text}[{self.subscript(value.id, index)}]"
        return f"{text}[{self.written[type(index)](index)}]"

    def subscript(self, base: str, index: ast.expr) -> str:
        """Write a subscript of the name `base`, which may turn out to hold launch arguments."""
        text = index.value if isinstance(index, ast.Constant) else ""
        if isinstance(index, ast.Constant) and not (isinstance(text, str) and text.isidentifier()):
            return self.expr(index)
        return self.position(Position(str(text), index, None, self.scope, base))

    def position(self, position: Position) -> str:
        """Write a string (or another subscript) whose meaning is settled after the walk."""
        positions = self.facts.positions
        positions.append(position)
        if not position.text:
            return self.expr(position.node) if isinstance(position.node, ast.expr) else ""
        return f"'\0p{len(positions) - 1}\0'"

    def E_Call(self, node: ast.Call) -> str:
        func = node.func
        if type(func) is ast.Attribute or type(func) is ast.Name:
            handler = self.special.get(self.facts.path(func))
            if handler is not None:
                return handler(self, node)
        elif type(func) is ast.Subscript:
            self.facts.links.append(
                (Target(expr=func.value, scope=self.scope), self.scope, func.slice)
            )
        elif type(func) is ast.Call and node.args:
            path = self.facts.path(func.func)
            if path in JIT:
                self.facts.jits.append((self.scope, node.args[0]))
            if path in JIT or path in AUTOTUNE or path in HEURISTICS:
                before, self.target = self.target, Target(expr=node.args[0], scope=self.scope)
                text = self.call(node, {})
                self.target = before
                return text
        return self.call(node, {})

    def call(self, node: ast.Call, given: dict[int, str]) -> str:
        """Write a call; `given` holds the texts of arguments that were written already."""
        func, written = node.func, self.written
        if type(func) is ast.Name and func.id in ATTRIBUTE_FUNCTIONS and len(node.args) > 1:
            name = node.args[1]
            sure = type(name) is ast.Constant and name.value not in REFLECTION
            head = f"{self.key}{func.id}{' ' if sure else ''}\0"
        else:
            head = written[type(func)](func)
        if given:
            parts = [given.get(id(item)) or written[type(item)](item) for item in node.args]
        else:
            parts = [written[type(item)](item) for item in node.args]
        if node.keywords:
            calls = self.facts.calls
            key = f"\0k{len(calls)}:"
            calls.append((self.scope, node))
            for keyword in node.keywords:
                value = keyword.value
                text = given.get(id(value)) or written[type(value)](value)
                name = keyword.arg
                parts.append(f"{key}**\0**{text}" if name is None else f"{key}{name}\0={text}")
                if name == "grid":
                    self.launch(func, value)
        return f"{head}({', '.join(parts)})"

    def launch(self, func: ast.expr, grid: ast.expr) -> None:
        if type(func) is ast.Attribute and func.attr in ("run", "warmup"):
            target = Target(expr=func.value, scope=self.scope)
            self.facts.links.append((target, self.scope, grid))

    def E_BinOp(self, node: ast.BinOp) -> str:
        left, right, written = node.left, node.right, self.written
        operator = BINARY[type(node.op)]
        return f"({written[type(left)](left)} {operator} {written[type(right)](right)})"

    def E_UnaryOp(self, node: ast.UnaryOp) -> str:
        return f"({UNARY[type(node.op)]}{self.expr(node.operand)})"

    def E_BoolOp(self, node: ast.BoolOp) -> str:
        word = " and " if type(node.op) is ast.And else " or "
        return f"({word.join([self.expr(value) for value in node.values])})"

    def E_Compare(self, node: ast.Compare) -> str:
        parts = [self.expr(node.left)]
        for operator, right in zip(node.ops, node.comparators, strict=True):
            parts.append(f"{COMPARE[type(operator)]} {self.expr(right)}")
        return f"({' '.join(parts)})"

    def E_IfExp(self, node: ast.IfExp) -> str:
        return f"({self.expr(node.body)} if {self.expr(node.test)} else {self.expr(node.orelse)})"

    def E_NamedExpr(self, node: ast.NamedExpr) -> str:
        here = scope = self.scope
        while scope.kind == COMPREHENSION and scope.parent is not None:
            scope = scope.parent
        if scope.kind == CLASS:
            raise refuse(node, "an assignment expression in a class body")
        self.enter(scope)
        name = self.bound(node.target.id)
        self.enter(here)
        return f"({name} := {self.expr(node.value)})"

    def E_Tuple(self, node: ast.Tuple) -> str:
        return f"({self.each(node.elts)}{',' if len(node.elts) == 1 else ''})"

    def E_List(self, node: ast.List) -> str:
        return f"[{self.each(node.elts)}]"

    def E_Set(self, node: ast.Set) -> str:
        return f"{{{self.each(node.elts)}}}"

    def E_Dict(self, node: ast.Dict) -> str:
        return self.dictionary(node, self.expr)

    def dictionary(self, node: ast.Dict, write_key: Callable[[ast.expr], str]) -> str:
        """Write a dict display, its keys by `write_key`."""
        parts = [
            f"**{self.expr(value)}" if key is None else f"{write_key(key)}: {self.expr(value)}"
            for key, value in zip(node.keys, node.values, strict=True)
        ]
        return f"{{{', '.join(parts)}}}"

    def E_Slice(self, node: ast.Slice) -> str:
        lower, upper, step = (
            "" if part is None else self.expr(part) for part in (node.lower, node.upper, node.step)
        )
        return f"{lower}:{upper}:{step}" if step else f"{lower}:{upper}"

    def E_Starred(self, node: ast.Starred) -> str:
        return f"*{self.expr(node.value)}"

    def E_Yield(self, node: ast.Yield) -> str:
        return f"(yield {self.expr(node.value)})" if node.value else "(yield)"

    def E_YieldFrom(self, node: ast.YieldFrom) -> str:
        return f"(yield from {self.expr(node.value)})"

    def parameters(self, node: ast.arguments, scope: Scope) -> str:
        """Bind the parameters in `scope` and write them; defaults belong to the current scope."""
        parts: list[str] = []
        missing = len(node.posonlyargs) + len(node.args) - len(node.defaults)
        for number, item in enumerate([*node.posonlyargs, *node.args]):
            default = node.defaults[number - missing] if number >= missing else None
            named = number >= len(node.posonlyargs)
            parts.append(self.parameter(item, scope, named, default))
            if number + 1 == len(node.posonlyargs):
                parts.append("/")
        if node.vararg is not None:
            parts.append(f"*{self.parameter(node.vararg, scope, False)}")
        elif node.kwonlyargs:
            parts.append("*")
        for item, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            parts.append(self.parameter(item, scope, True, default))
        if node.kwarg is not None:
            parts.append(f"**{self.parameter(node.kwarg, scope, False)}")
            scope.kwarg = node.kwarg.arg
        return ", ".join(parts)

    def parameter(
        self, node: ast.arg, scope: Scope, named: bool, default: ast.expr | None = None
    ) -> str:
        name = node.arg
        if name in scope.parameters:
            raise refuse(node, "two parameters of one name", name)
        scope.parameters[name] = named
        scope.bind(name)
        text = f"\0{scope.id}:{name}\0"
        if node.annotation is not None:
            text = f"{text}: {self.expr(node.annotation)}"
        return text if default is None else f"{text}={self.expr(default)}"

    def E_Lambda(self, node: ast.Lambda) -> str:
        scope = self.facts.scope(FUNCTION, self.scope, node)
        parameters = self.parameters(node.args, scope)
        outer = self.enter(scope)
        body = self.expr(node.body)
        self.enter(outer)
        return f"(lambda {parameters}: {body})" if parameters else f"(lambda: {body})"

    def comprehension(self, node: Any, *elements: ast.expr) -> tuple[list[str], str]:
        scope = self.facts.scope(COMPREHENSION, self.scope, node)
        clauses: list[str] = []
        outer = self.scope
        for number, clause in enumerate(node.generators):
            if clause.is_async:
                raise refuse(node, "an asynchronous comprehension")
            source = "" if number else self.expr(clause.iter)
            self.enter(scope)
            goal = self.expr(clause.target)
            source = source or self.expr(clause.iter)
            tests = "".join([f" if {self.expr(test)}" for test in clause.ifs])
            clauses.append(f" for {goal} in {source}{tests}")
        parts = [self.expr(element) for element in elements]
        self.enter(outer)
        return parts, "".join(clauses)

    def E_ListComp(self, node: ast.ListComp) -> str:
        (element,), clauses = self.comprehension(node, node.elt)
        return f"[{element}{clauses}]"

    def E_SetComp(self, node: ast.SetComp) -> str:
        (element,), clauses = self.comprehension(node, node.elt)
        return f"{{{element}{clauses}}}"

    def E_GeneratorExp(self, node: ast.GeneratorExp) -> str:
        (element,), clauses = self.comprehension(node, node.elt)
        return f"({element}{clauses})"

    def E_DictComp(self, node: ast.DictComp) -> str:
        (key, value), clauses = self.comprehension(node, node.key, node.value)
        return f"{{{key}: {value}{clauses}}}"

    def E_JoinedStr(self, node: ast.JoinedStr) -> str:
        return self.formatted(node, blank=False)

    def formatted(self, node: ast.JoinedStr, blank: bool) -> str:
        """Write an f-string, without its literal parts where `blank`."""
        if self.nesting > 1:
            raise refuse(node, "f-strings nested more than twice")
        quote = "'''" if self.nesting else '"""'
        self.nesting += 1
        body = self.pieces(node.values, quote, blank)
        self.nesting -= 1
        return f"f{quote}{body}{quote}"

    def pieces(self, values: Sequence[ast.expr], quote: str, blank: bool) -> str:
        parts: list[str] = []
        for value in values:
            if isinstance(value, ast.FormattedValue):
                text = self.expr(value.value)
                if "\\" in text or "#" in text or quote in text:
                    raise refuse(value, "quotes or escapes inside a replacement field")
                end = f"!{chr(value.conversion)}" if value.conversion >= 0 else ""
                if isinstance(value.format_spec, ast.JoinedStr):
                    end += f":{self.pieces(value.format_spec.values, quote, False)}"
                parts.append(f"{{{' ' if text[0] == '{' else ''}{text}{end}}}")
            elif isinstance(value, ast.Constant) and not blank:
                text = str(value.value).encode("unicode_escape").decode("ascii")
                text = text.replace('"', '\\"').replace("'", "\\'")
                parts.append(text.replace("{", "{{").replace("}", "}}"))
        return "".join(parts)
