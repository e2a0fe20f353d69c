"""A Triton source read for mutation: its tree, its functions, and edits of its text.

Edits splice text where a node stands, so that a mutant keeps every other line as it was.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tritongen.errors import VerificationError

ATOMIC_NODES = (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript, ast.Tuple)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a source: bytes `start` to `end` become `text`."""

    start: int
    end: int
    text: str
    line: int
    description: str


class Source:
    """A module with kernels and their wrapper.

    Raises VerificationError for a text that does not parse.
    """

    def __init__(self, text: str) -> None:
        try:
            self.tree = ast.parse(text)
        except SyntaxError as error:
            raise VerificationError("source", f"it does not parse: {error}") from None
        self.text = text
        self._data = text.encode()
        starts = [0]
        for line in self._data.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        self._starts = starts
        self.parents: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
        self.aliases = self._aliases()

    def _aliases(self) -> dict[str, str]:
        """Names of modules as imported: alias to dotted path."""
        names: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for item in node.names:
                    names[item.asname or item.name.partition(".")[0]] = (
                        item.name if item.asname else item.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and node.module:
                for item in node.names:
                    names[item.asname or item.name] = f"{node.module}.{item.name}"
        return names

    # --- text

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node stands, in bytes."""
        start = self._starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        end = self._starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
        return start, end

    def code(self, node: ast.AST) -> str:
        """The text of a node, on one line where it is an expression."""
        start, end = self.span(node)
        text = self._data[start:end].decode()
        if "\n" in text and isinstance(node, ast.expr):
            return " ".join(text.split()) if "#" not in text else ast.unparse(node)
        return text

    def atom(self, node: ast.expr) -> str:
        """The text of an expression as an operand: in parentheses unless it needs none."""
        text = self.code(node)
        return text if isinstance(node, ATOMIC_NODES) else f"({text})"

    def edit(self, node: ast.AST, text: str, description: str) -> Edit:
        """Replace the text of a node."""
        start, end = self.span(node)
        return Edit(start, end, text, node.lineno, description)  # type: ignore[attr-defined]

    def apply(self, edit: Edit) -> str:
        """The source after an edit."""
        data = self._data[: edit.start] + edit.text.encode() + self._data[edit.end :]
        return data.decode()

    def rebuild(
        self,
        call: ast.Call,
        *,
        drop: tuple[str, ...] = (),
        put: dict[str, str] | None = None,
        arguments: list[str] | None = None,
        function: str | None = None,
    ) -> str:
        """The text of a call with keywords dropped or put, or other arguments or function."""
        put = dict(put or {})
        parts = arguments if arguments is not None else [self.code(a) for a in call.args]
        parts = list(parts)
        for keyword in call.keywords:
            name = keyword.arg
            if name is None:
                parts.append(f"**{self.code(keyword.value)}")
            elif name not in drop:
                parts.append(f"{name}={put.pop(name, None) or self.code(keyword.value)}")
        parts += [f"{name}={value}" for name, value in put.items()]
        return f"{function or self.code(call.func)}({', '.join(parts)})"

    # --- functions and calls

    @cached_property
    def functions(self) -> list[ast.FunctionDef]:
        """Functions of the module, in order."""
        return [node for node in self.tree.body if isinstance(node, ast.FunctionDef)]

    @cached_property
    def jitted(self) -> list[ast.FunctionDef]:
        """Kernels and their helpers: what `triton.jit` decorates."""
        return [f for f in self.functions if any(self._is_jit(d) for d in f.decorator_list)]

    @cached_property
    def host(self) -> list[ast.FunctionDef]:
        """The wrapper and other functions that run on the host."""
        jitted = set(self.jitted)
        return [function for function in self.functions if function not in jitted]

    def _is_jit(self, decorator: ast.expr) -> bool:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        return self.path(target) in ("triton.jit", "triton.runtime.jit.jit")

    @cached_property
    def by_name(self) -> dict[str, ast.FunctionDef]:
        """Functions of the module by name."""
        return {function.name: function for function in self.functions}

    def path(self, node: ast.expr) -> str:
        """The dotted path that an expression names, imports resolved; empty if it names none."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        parts.append(self.aliases.get(node.id, node.id))
        return ".".join(reversed(parts))

    def language(self, node: ast.AST) -> str:
        """`load` for a call of `tl.load`, and so on; empty for what is no such call."""
        if not isinstance(node, ast.Call):
            return ""
        head, _, name = self.path(node.func).rpartition(".")
        return name if head == "triton.language" else ""

    def walk(self, node: ast.AST) -> Iterator[ast.AST]:
        """Nodes below a function's body (or any node) in the order of the text."""
        for child in self._below(node):
            yield child
            yield from self.walk(child)

    @staticmethod
    def _below(node: ast.AST) -> list[ast.AST]:
        if isinstance(node, ast.FunctionDef):
            body: list[ast.AST] = list(node.body)
            first = body[0] if body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                body = body[1:]
            return body
        return list(ast.iter_child_nodes(node))

    def calls(self, function: ast.AST, *names: str) -> Iterator[ast.Call]:
        """Calls of `tl.<name>` below a node."""
        for node in self.walk(function):
            if isinstance(node, ast.Call) and self.language(node) in names:
                yield node

    @cached_property
    def launches(self) -> list[tuple[ast.FunctionDef, ast.Call, ast.FunctionDef]]:
        """Launches: the host function, the call, the kernel."""
        found = []
        for function in self.host:
            for node in self.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Subscript):
                    name = node.func.value
                    kernel = self.by_name.get(name.id) if isinstance(name, ast.Name) else None
                    if kernel is not None and kernel in self.jitted:
                        found.append((function, node, kernel))
        return found

    @cached_property
    def helpers(self) -> set[str]:
        """Names of jitted functions that other jitted functions call."""
        named = {f.name for f in self.jitted}
        return {
            node.func.id
            for function in self.jitted
            for node in self.walk(function)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in named
        }

    def grid(self, function: ast.FunctionDef, launch: ast.Call) -> ast.expr | None:
        """The sizes of a launch: the tuple behind a name or a lambda."""
        node: ast.expr = launch.func.slice  # type: ignore[attr-defined]
        for _ in range(3):
            if isinstance(node, ast.Name):
                values = [v for n, v in assignments(function) if n == node.id and v is not None]
                if len(values) != 1:
                    return None
                node = values[0]
            elif isinstance(node, ast.Lambda):
                node = node.body
            else:
                return node
        return node


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword of a call."""
    return next((k.value for k in call.keywords if k.arg == name), None)


def names_in(node: ast.AST) -> set[str]:
    """Names that are read below a node."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def targets_of(node: ast.expr) -> list[str]:
    """Names that an assignment to `node` binds."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Tuple | ast.List):
        return [name for item in node.elts for name in targets_of(item)]
    return []


def assignments(function: ast.AST) -> list[tuple[str, ast.expr | None]]:
    """Names bound in a function with what they are bound to, in the order of the text."""
    found: list[tuple[str, ast.expr | None]] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs: list[tuple[ast.expr, ast.expr]] = [(target, node.value)]
                if (
                    isinstance(target, ast.Tuple)
                    and isinstance(node.value, ast.Tuple)
                    and len(target.elts) == len(node.value.elts)
                ):
                    pairs = list(zip(target.elts, node.value.elts, strict=True))
                found += [(name, value) for part, value in pairs for name in targets_of(part)]
        elif isinstance(node, ast.AugAssign) or (isinstance(node, ast.AnnAssign) and node.value):
            found += [(name, node.value) for name in targets_of(node.target)]
        elif isinstance(node, ast.For):
            found += [(name, node.iter) for name in targets_of(node.target)]
    return found


def parameters(function: ast.FunctionDef) -> list[str]:
    """Parameter names in order."""
    arguments = function.args
    return [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
