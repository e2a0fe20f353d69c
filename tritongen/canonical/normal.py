"""The normal form of one source, or of several that are read as one module."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tritongen.canonical.callees import Callees
from tritongen.canonical.facts import FIXTURE, Facts, Position, Target
from tritongen.canonical.scopes import (
    CLASS,
    MODULE,
    Binding,
    Scope,
    is_dunder,
    refuse,
    verbatim,
    words,
)
from tritongen.canonical.statements import Writer
from tritongen.errors import VerificationError

DYNAMIC = words(
    "exec eval compile globals locals vars dir __import__ getattr setattr hasattr delattr"
)
# What Triton looks up in a kernel besides locals and globals.
TRITON_BUILTINS = words("len list range float int isinstance getattr hasattr print min max tuple")
# Libraries whose decorators and calls are recognised: their aliases must mean nothing else.
RECOGNISED = frozenset(("triton", "pytest", "functools"))


@dataclass(frozen=True, slots=True)
class Canonical:
    """The normal form: one text per source, the notes on coincidences, and the module's names."""

    parts: tuple[str, ...]
    notes: str
    names: dict[str, str]

    @property
    def text(self) -> str:
        """The normal form of the sources joined."""
        return "".join((*self.parts, self.notes))


class _Names(dict[str, str]):
    """Settles the keys that the writer left, each once."""

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.facts = facts
        self.callees = Callees(facts)
        self.metas: dict[Binding, list[Scope]] = {}
        self.groups: dict[Binding, str] = {}
        self.count = 0
        self.check_scopes()
        self.link_arguments()
        self.strings = [self.settle(position) for position in facts.positions]
        self.name_fixtures()

    def __missing__(self, key: str) -> str:
        head, _, name = key.partition(":")
        if head[0] == "k":
            text = self.callees.keyword(int(head[1:]), name)
        elif head[0] == "p":
            position = self.strings[int(head[1:])]
            text = position if isinstance(position, str) else position.text
        else:
            text = self.read(self.facts.scopes[int(head)], name)
        self[key] = text
        return text

    # --- names

    def read(self, scope: Scope, name: str) -> str:
        """Return the canonical text of `name` where it stands in `scope`."""
        sure = name[-1] == " "
        name = name.rstrip(" ")
        if name[:2] == "__":
            if name in ("__doc__", "__builtins__", "__annotations__", "__dict__"):
                raise refuse(None, "reflection on names", name)
            if not is_dunder(name) and scope.inside_class():
                raise refuse(scope.node, "a private name in a class", name)
        binding = scope.lookup(name)
        if binding is None:
            if name in DYNAMIC and not sure:
                raise refuse(scope.node, "a construct that reads or makes names at run time", name)
            return verbatim(name, scope.node)
        text = binding.text
        if binding.scope.kind == CLASS and scope.parent is not None:
            outer = scope.parent.lookup(name)
            if outer is not None and outer.text != text:
                raise refuse(scope.node, "a class body reads a name that it shadows", name)
        return text

    def check_scopes(self) -> None:
        """Count nonlocal bindings, and refuse aliases of recognised libraries that are rebound."""
        facts = self.facts
        for scope, name, node in facts.nonlocals:
            binding = scope.lookup(name)
            if binding is None or binding.scope.kind == MODULE or name in scope.names:
                raise refuse(node, "a nonlocal name without a binding around it", name)
            binding.sites += 2
            binding.node = binding.history = None
        aliases = [a for a, p in facts.imports.items() if p.partition(".")[0] in RECOGNISED | {"?"}]
        for scope in facts.scopes:
            for name in aliases:
                binding = scope.names.get(name)
                if binding is not None and binding.sites != binding.imports:
                    raise refuse(scope.node, "the alias of a library is bound again", name)

    # --- strings that name parameters

    def link_arguments(self) -> None:
        """Find the parameters that receive the arguments of a launch by name."""
        homes: dict[int, list[Scope]] = {}
        for target, scope, expr in self.facts.tunings:
            for function in self.functions(target, {}):
                for home in self.callees.homes(expr, scope):
                    homes.setdefault(home, []).append(function)
        self.homes = homes
        for target, scope, expr in self.facts.links:
            receiver = self.callees.function(expr, scope)
            if receiver is None:
                continue
            first = next(iter(receiver.parameters), None)
            if first is None:
                continue
            known = self.metas.setdefault(receiver.names[first], [])
            known.extend(f for f in self.functions(target, homes) if f not in known)

    def functions(self, target: Target, homes: dict[int, list[Scope]]) -> list[Scope]:
        if target.function is not None:
            return [target.function]
        if target.home is not None:
            home = target.home
            value = home.value if isinstance(home, ast.Assign | ast.AnnAssign) else home
            return homes.get(id(value), [])
        if target.expr is None or target.scope is None:
            return []
        function = self.callees.function(target.expr, target.scope)
        return [] if function is None else [function]

    def settle(self, position: Position) -> str | Binding:
        """Return what the string at `position` names."""
        text = position.text
        if position.target is not None:
            functions = self.functions(position.target, self.homes)
        else:
            base = position.scope.lookup(position.base)
            functions = [] if base is None else self.metas.get(base, [])
        if not text:
            if functions:
                raise refuse(position.node, "a computed name of a launch argument")
            return ""
        named = list({id(f): f.names[text] for f in functions if text in f.parameters}.values())
        if not named:
            if functions:
                return verbatim(text, position.node)
            self.facts.strings[text] = None
            return text
        if len(functions) > 1:
            if len({id(f) for f in functions}) != len(named):
                raise refuse(position.node, "a name that only some of the kernels have", text)
            self.unify(named)
        return named[0]

    def unify(self, bindings: Sequence[Binding]) -> None:
        """Give one name to parameters that one string names; all have that name already."""
        known = {self.groups[b] for b in bindings if b in self.groups}
        if known:
            text = min(known)
        else:
            text = f"m{self.count}"
            self.count += 1
        for binding in [b for b, group in self.groups.items() if group in known] + [*bindings]:
            self.groups[binding] = text
            binding.twin = text

    def name_fixtures(self) -> None:
        """Name parameters of tests and fixtures as pytest finds them."""
        for scope, parametrized in self.facts.tests:
            node = scope.node
            if not isinstance(node, ast.FunctionDef):
                continue
            arguments = node.args
            count = len(arguments.args) - len(arguments.defaults)
            names = [item.arg for item in arguments.args[:count]]
            names += [
                item.arg
                for item, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
                if default is None
            ]
            for name in names:
                fixture = self.facts.module.names.get(name)
                if fixture is not None and self.is_fixture(fixture.node):
                    scope.names[name].twin = fixture.text
                elif name not in parametrized:
                    scope.names[name].twin = verbatim(name, node)

    def is_fixture(self, node: ast.AST | None) -> bool:
        if not isinstance(node, ast.FunctionDef):
            return False
        for decorator in node.decorator_list:
            func = decorator.func if isinstance(decorator, ast.Call) else decorator
            if self.facts.path(func) == FIXTURE:
                return True
        return False

    # --- notes

    def notes(self) -> list[str]:
        """Return what a renaming would change although the text does not show it.

        A string outside the listed positions that is also the name of a parameter or of the module,
        and a local of a kernel that hides a global: Triton looks such a name up in the globals
        until it is assigned.
        """
        facts, lines = self.facts, []
        module = facts.module.names
        for text in facts.strings:
            found = [module[text].text] if text in module else []
            if text in self.callees.all_parameters:
                found += [
                    f"{scope.names[text].text} of {scope.id}"
                    for scope in facts.scopes
                    if text in scope.parameters
                ]
            if found and found != [text]:
                lines.append(f"# {text!a} is {', '.join(found)}\n")
        for scope in self.kernels():
            for name, binding in scope.names.items():
                if name in scope.parameters or (name not in module and name not in TRITON_BUILTINS):
                    continue
                hidden = module[name].text if name in module else name
                lines.append(f"# {binding.text} of {scope.id} hides {hidden}\n")
        return lines

    def kernels(self) -> list[Scope]:
        found = {scope.id: scope for scope in self.facts.kernels}
        for scope, expr in self.facts.jits:
            function = self.callees.function(expr, scope)
            if function is not None:
                found[function.id] = function
        return [found[number] for number in sorted(found)]


def settled(lines: list[str], names: dict[str, str]) -> str:
    """Return the text of `lines` with every key replaced."""
    lines.append("")
    parts = "\n".join(lines).split("\0")
    parts[1::2] = [names[key] for key in parts[1::2]]
    return "".join(parts)


def parsed(source: str, label: str) -> ast.Module:
    """Parse a source; a failure is an error that names the line."""
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise VerificationError(
            f"{label}, line {error.lineno}", "does not parse", value=error.msg
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise VerificationError(label, "does not parse", value=str(error)) from None


def _walked(
    trees: Sequence[ast.Module], labels: Sequence[str], *, keep_messages: bool
) -> tuple[Facts, list[list[str]]]:
    facts = Facts()
    writer = Writer(facts, keep_messages=keep_messages)
    parts: list[list[str]] = []
    for tree, label in zip(trees, labels, strict=True):
        try:
            parts.append(writer.module(tree))
        except VerificationError as error:
            place = error.place.replace("source", label, 1)
            raise VerificationError(
                place, error.problem, value=error.value, hint=error.hint
            ) from None
    return facts, parts


@lru_cache(maxsize=64)
def normal_form(sources: tuple[str, ...], labels: tuple[str, ...]) -> Canonical:
    """Return the normal form of `sources`, read as one module in this order."""
    trees = [parsed(source, label) for source, label in zip(sources, labels, strict=True)]
    try:
        facts, lines = _walked(trees, labels, keep_messages=False)
        if facts.catches:
            facts, lines = _walked(trees, labels, keep_messages=True)
        names = _Names(facts)
        parts = tuple([settled(part, names) for part in lines])
        notes = "".join(names.notes())
    except RecursionError:
        raise VerificationError(labels[0], "is nested too deeply") from None
    module = {name: binding.text for name, binding in facts.module.names.items()}
    return Canonical(parts, notes, module)


__all__ = ["Canonical", "normal_form"]
