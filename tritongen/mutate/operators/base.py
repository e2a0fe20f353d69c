"""What an operator is, and the registry of all of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from tritongen.mutate.roles import Roles, roles_of
from tritongen.mutate.source import Edit, Source


class Subject(Source):
    """A source with the roles of its names: what operators see."""

    @cached_property
    def roles(self) -> dict[str, Roles]:
        """Roles by name of the jitted function."""
        return roles_of(self)

    def kernels(self) -> Iterator[tuple[ast.FunctionDef, Roles]]:
        """Jitted functions with their roles."""
        for function in self.jitted:
            yield function, self.roles[function.name]


Sites = Callable[[Subject], Iterator[Edit]]


@dataclass(frozen=True, slots=True)
class Operator:
    """A named way to break a kernel.

    `judged_on` are the devices on which the gate can tell the difference; empty where it cannot
    anywhere (`why` says the reason): such mutants are counted as a class of their own. `precision`
    marks operators whose mutants differ in rounding only, for which a run in float64 proves nothing.
    """

    name: str
    summary: str
    sites: Sites
    judged_on: tuple[str, ...] = ("cpu", "cuda")
    precision: bool = False
    why: str = ""


REGISTRY: dict[str, Operator] = {}


def operator(
    name: str,
    summary: str,
    *,
    judged_on: tuple[str, ...] = ("cpu", "cuda"),
    precision: bool = False,
    why: str = "",
) -> Callable[[Sites], Sites]:
    """Register a function that yields the edits of an operator."""

    def register(sites: Sites) -> Sites:
        if name in REGISTRY:
            raise ValueError(f"two operators are named {name}")
        REGISTRY[name] = Operator(name, summary, sites, judged_on, precision, why)
        return sites

    return register
