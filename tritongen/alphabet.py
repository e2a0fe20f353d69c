"""Chains of pointwise ops as words of a typed automaton: counted, ranked and unranked without enumeration.

A state is the kind and domain of the running value, the domain of the chain's input and the last op (normal
form forbids an op right after one that it undoes). Words are grouped into classes; rules of a
template see the class only, so a rule costs as much as there are classes, however many words there are.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from types import MappingProxyType
from typing import Any

from tritongen.chain import SCALAR_NAMES, SOURCES, TENSOR_NAMES, Chain, ChainClass, Letter
from tritongen.errors import UnknownNameError
from tritongen.optable import Domain, Op

_State = tuple[str, str, str, str]
_Need = tuple[int, int, int, int, str]


@dataclass(frozen=True, slots=True)
class _Branch:
    """Letters that the automaton cannot tell apart, with what follows them."""

    letters: tuple[Letter, ...]
    after: _State
    need: _Need
    rest: int


class Alphabet:
    """The words of `length` steps over `ops`, grouped by class.

    `length` = (least, most); at most `tensors` tensor operands beyond the input and `scalars` scalars;
    `sources` = the allowed sources of further arguments; `start` = the domain of the input, where it is
    not the first op's to choose (a value computed before, so no op that jumps may come first); `names` =
    names of operands by letter, `add(row)` for instance.
    """

    def __init__(
        self,
        ops: Sequence[Op],
        domains: Mapping[str, Domain],
        *,
        length: tuple[int, int],
        sources: Sequence[str] = SOURCES,
        tensors: int = 3,
        scalars: int = 2,
        kinds: Sequence[str] = ("float", "int"),
        start: str = "",
        methods: bool = False,
        names: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.domains = domains
        self.names = names
        self.methods = methods
        self.length = length
        self.sources = tuple(sources)
        self.tensors = min(tensors, len(TENSOR_NAMES))
        self.scalars = min(scalars, len(SCALAR_NAMES))
        self.kinds = tuple(kinds)
        self.start = start
        self._undone = {name for op in ops for name in op.undoes}
        self._groups = self._alike([letter for op in ops for letter in self._letters(op)])
        self._following: dict[tuple[_State, int], _State | None] = {}
        self._counts: dict[tuple[_State, int], dict[_Need, int]] = {}
        self._tables: dict[tuple[_State, int, _Need], tuple[list[int], list[_Branch]]] = {}
        self.classes = list(self._classes())

    @property
    def letters(self) -> list[Letter]:
        """All letters."""
        return [letter for group in self._groups for letter in group]

    def _letters(self, op: Op) -> Iterator[Letter]:
        sources = self.sources if op.scalars else [s for s in self.sources if s != "scalar"]
        for values in product(*op.params.values()):
            params = tuple(zip(op.params, values, strict=True))
            for chosen in product(sources, repeat=op.arity - 1):
                yield Letter(op, chosen, params)

    def _alike(self, letters: Sequence[Letter]) -> list[tuple[Letter, ...]]:
        groups: dict[Any, list[Letter]] = {}
        for letter in letters:
            op = letter.op
            name = op.name if op.name in self._undone else ""
            firsts = tuple(
                [d for s, d in zip(letter.sources, op.accepts[1:], strict=True) if s == "first"]
            )
            key = (
                *(
                    op.dtypes,
                    op.accepts[0],
                    op.draws[0],
                    op.image,
                    op.yields,
                    op.discontinuous,
                    op.undoes,
                    name,
                ),
                *(op.identity_on, firsts, self._demand(letter)),
            )
            groups.setdefault(key, []).append(letter)
        return [tuple(group) for group in groups.values()]

    def _classes(self) -> Iterator[tuple[ChainClass, int]]:
        low, high = self.length
        for kind, length in product(self.kinds, range(low, high + 1)):
            for need, count in sorted(self._count(self._initial(kind), length).items()):
                tensors, scalars, broadcast, methods, yields = need
                flags = (bool(broadcast), bool(methods))
                yield ChainClass(kind, length, tensors, scalars, *flags, yields), count

    def _initial(self, kind: str) -> _State:
        return (kind, "", "", "")

    def _after(self, state: _State, at: int) -> _State | None:
        """The state after any letter of group `at`, or None where none may follow."""
        key = (state, at)
        if key not in self._following:
            self._following[key] = self._follow(state, self._groups[at][0])
        return self._following[key]

    def _follow(self, state: _State, letter: Letter) -> _State | None:
        kind, domain, start, last = state
        op = letter.op
        if (
            kind not in op.dtypes
            or last in op.undoes
            or (op.discontinuous and (last or self.start))
        ):
            return None
        if not domain:
            domain = start = self.start or op.draws[0].name
        values = self.domains[domain]
        if not values.within(op.accepts[0]):
            return None
        if op.identity_on is not None and values.within(op.identity_on):
            return None
        for source, accepted in zip(letter.sources, op.accepts[1:], strict=True):
            if source == "first" and not (last and self.domains[start].within(accepted)):
                return None
        name = op.name if op.name in self._undone else "*"
        kind = "bool" if op.yields == "bool" else kind
        return (kind, op.image_of(values).name, start, name)

    def _count(self, state: _State, length: int) -> dict[_Need, int]:
        """Number of words of `length` further letters from `state`, by what they need."""
        if length == 0:
            return {(0, 0, 0, 0, "bool" if state[0] == "bool" else "same"): 1}
        key = (state, length)
        if key not in self._counts:
            found: dict[_Need, int] = {}
            for group, need, _, rest, _ in self._branches(state, length):
                found[need] = found.get(need, 0) + len(group) * rest
            self._counts[key] = found
        return self._counts[key]

    def _branches(
        self, state: _State, length: int
    ) -> Iterator[tuple[tuple[Letter, ...], _Need, _State, int, _Need]]:
        for at, group in enumerate(self._groups):
            after = self._after(state, at)
            if after is None or (after[0] == "bool" and length > 1):
                continue
            new, fixed, *flags = self._demand(group[0])
            for rest, count in self._count(after, length - 1).items():
                either = (rest[2] | flags[0], rest[3] | flags[1])
                need = (rest[0] + new, rest[1] + fixed, *either, rest[4])
                if need[0] <= self.tensors and need[1] <= self.scalars:
                    yield group, need, after, count, rest

    def _table(self, state: _State, length: int, need: _Need) -> tuple[list[int], list[_Branch]]:
        key = (state, length, need)
        if key not in self._tables:
            branches = [
                _Branch(group, after, rest, count)
                for group, total, after, count, rest in self._branches(state, length)
                if total == need
            ]
            ends = list(accumulate([len(b.letters) * b.rest for b in branches]))
            self._tables[key] = ends, branches
        return self._tables[key]

    def unrank(self, cls: ChainClass, index: int) -> Chain:
        """Word number `index` of `cls`; the caller keeps `index` below the class's count."""
        state = self._initial(cls.kind)
        flags = (int(cls.broadcast), int(cls.methods))
        need: _Need = (cls.tensors, cls.scalars, *flags, cls.yields)
        letters: list[Letter] = []
        for left in range(cls.length, 0, -1):
            ends, branches = self._table(state, left, need)
            at = bisect_right(ends, index)
            index -= ends[at - 1] if at else 0
            branch = branches[at]
            which, index = divmod(index, branch.rest)
            letters.append(branch.letters[which])
            state, need = branch.after, branch.need
        return self._chain(tuple(letters), cls)

    def _chain(self, letters: tuple[Letter, ...], cls: ChainClass) -> Chain:
        if self.start:
            return Chain(letters, cls, self.domains[self.start], self.names)
        domain = letters[0].op.draws[0] if letters else self.domains["real"]
        return Chain(letters, cls, domain, self.names)

    def parse(self, text: str, place: str) -> list[Chain]:
        """The words written as `text`: a whole word, or an op's name for all its one-step words.

        Raises UnknownNameError where no word of the space is written so.
        """
        written = self._written(text, place)
        found = [c for letters in written for kind in self.kinds for c in self._word(letters, kind)]
        if not found:
            raise UnknownNameError(
                place,
                "this chain is not in the space (its domains, length or operands do not allow it)",
                value=text,
                known=sorted({letter.op.name for letter in self.letters}),
            )
        return found

    def _written(self, text: str, place: str) -> list[tuple[Letter, ...]]:
        if text.strip() == "identity":
            return [()]
        by_text = {letter.text: letter for letter in self.letters}
        names = {letter.op.name for letter in self.letters}
        parts = [part.strip() for part in re.split(r"\s*>\s*", text.strip())]
        if len(parts) == 1 and parts[0] in names:
            return [(letter,) for letter in self.letters if letter.op.name == parts[0]]
        for part in parts:
            if part not in by_text:
                raise UnknownNameError(
                    place, "unknown step of a chain", value=part, known=sorted({*names, *by_text})
                )
        return [tuple([by_text[part] for part in parts])]

    def _word(self, letters: tuple[Letter, ...], kind: str) -> Iterator[Chain]:
        state: _State | None = self._initial(kind)
        tensors = scalars = broadcast = methods = 0
        for letter in letters:
            if state is None or state[0] == "bool":
                return
            state = self._follow(state, letter)
            new, fixed, wide, spelled = self._demand(letter)
            tensors, scalars = tensors + new, scalars + fixed
            broadcast, methods = broadcast | wide, methods | spelled
        low, high = self.length
        if state is None or tensors > self.tensors or scalars > self.scalars:
            return
        if low <= len(letters) <= high:
            yields = "bool" if state[0] == "bool" else "same"
            flags = (bool(broadcast), bool(methods))
            cls = ChainClass(kind, len(letters), tensors, scalars, *flags, yields)
            yield self._chain(letters, cls)

    def _demand(self, letter: Letter) -> tuple[int, int, int, int]:
        """New tensors, scalars, whether a vector is broadcast, whether there is a method spelling."""
        vectors = sum([s in ("row", "col") for s in letter.sources])
        fixed = letter.sources.count("scalar")
        spelled = self.methods and letter.op.method != ""
        return letter.sources.count("new") + vectors, fixed, int(vectors > 0), int(spelled)
