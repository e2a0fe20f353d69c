"""Mutants of a pair: the same reference and test, one change in the kernels or the wrapper."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from tritongen.canonical import canonical_source
from tritongen.errors import VerificationError
from tritongen.mutate.operators import Operator, Subject
from tritongen.mutate.source import Edit
from tritongen.verify.own.layout_rules import accepted_layouts


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mutant; `pair` is what it was made of. It can be verified as a pair can."""

    pair: Any
    operator: Operator
    number: int
    line: int
    description: str
    triton_code: str

    @property
    def id(self) -> str:
        """Stable name: the pair's id, the operator, and which of its mutants."""
        return f"{self.pair.id}:{self.operator.name}:{self.number}"

    @property
    def python_code(self) -> str:
        """The pair's reference."""
        return self.pair.python_code

    @property
    def test_code(self) -> str:
        """The pair's tests."""
        return self.pair.test_code

    @property
    def metadata(self) -> dict[str, Any]:
        """The pair's metadata, and which layouts its wrapper says it takes: the mutant's may lie."""
        given = dict(self.pair.metadata or {})
        wrapper = (given.get("entry") or {}).get("wrapper")
        if wrapper:
            given.setdefault("layouts", accepted_layouts(self.pair.triton_code, wrapper))
        return given

    @property
    def family(self) -> str:
        """The pair's family."""
        return getattr(self.pair, "family", "")


@lru_cache(maxsize=4096)
def normal(source: str) -> str:
    """The canonical source, or the dumped tree of a source that has none."""
    try:
        return canonical_source(source)
    except VerificationError:
        return ast.dump(ast.parse(source))


def sites(subject: Subject, operators: Iterable[Operator]) -> Iterator[tuple[Operator, int, Edit]]:
    """Every edit of every operator, operators in their order and edits in that of the text."""
    for op in operators:
        edits = list(dict.fromkeys(op.sites(subject)))
        for number, edit in enumerate(sorted(edits, key=lambda e: (e.start, e.end, e.text))):
            yield op, number, edit


def mutants_of(
    pair: Any, operators: Iterable[Operator], *, limit: int | None = None, seed: int = 0
) -> list[Mutant]:
    """Mutants of a pair that parse, differ from it and from each other in canonical source.

    With `limit`, a seeded sample: operators take turns in random order, each with a random one of
    its sites. The result is in the order of operators and text in any case.
    """
    subject = Subject(pair.triton_code)
    by_operator: dict[str, list[tuple[Operator, int, Edit]]] = {}
    for site in sites(subject, operators):
        by_operator.setdefault(site[0].name, []).append(site)
    order: list[tuple[Operator, int, Edit]] = []
    if limit is None:
        order = [site for group in by_operator.values() for site in group]
    else:
        key = blake2b(f"{seed}/{normal(pair.triton_code)}".encode(), digest_size=8).digest()
        generator = random.Random(key)
        groups = list(by_operator.values())
        generator.shuffle(groups)
        for group in groups:
            generator.shuffle(group)
        depth = max((len(group) for group in groups), default=0)
        order = [group[i] for i in range(depth) for group in groups if i < len(group)]
    seen = {normal(pair.triton_code)}
    found: list[Mutant] = []
    for op, number, edit in order:
        if limit is not None and len(found) >= limit:
            break
        text = subject.apply(edit)
        try:
            compile(text, "<mutant>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        form = normal(text)
        if form in seen:
            continue
        seen.add(form)
        found.append(Mutant(pair, op, number, edit.line, edit.description, text))
    rank = {op: position for position, op in enumerate(by_operator)}
    return sorted(found, key=lambda m: (rank[m.operator.name], m.number))
