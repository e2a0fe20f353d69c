"""Exact, indexable spaces: the product of all axes of a strategy, less what rules drop.

Rules touch few axes, so axes are factored into the groups that rules connect; each group is counted
once and unranked through its own table. Nothing is ever enumerated beyond one group's cells.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import prod
from typing import Any
from zlib import crc32

from tritongen.axes import ROLES, Axis
from tritongen.errors import EmptySpaceError, TemplateError
from tritongen.expr import Expression
from tritongen.spread import spread

GROUP_LIMIT = 1_000_000
TUNING_CAP = "at most {} tuning points of one form"
PRESENTATION_CAP = "at most {} presentations of one program"


@dataclass(frozen=True)
class Rule:
    """A condition that must hold, with the reason that a reader understands."""

    reason: str
    condition: Expression
    collapses: str = ""


class Row:
    """One admitted combination of cells of a factor."""

    __slots__ = ("cells", "fixed", "texts", "weight")

    def __init__(self, cells: tuple[int, ...], weight: int) -> None:
        self.cells = cells
        self.weight = weight
        self.fixed: dict[str, Any] | None = None
        self.texts = ("", "", "")

    def freeze(self, axes: Sequence[Axis]) -> None:
        """Work out values and texts once, for a row without chains to unrank."""
        values = {a.name: a.cells[c].value(0) for a, c in zip(axes, self.cells, strict=True)}
        self.texts = _texts(axes, values)
        self.fixed = values


def _texts(axes: Sequence[Axis], values: Mapping[str, Any]) -> tuple[str, str, str]:
    texts = ["", "", ""]
    for axis in axes:
        texts[_TEXT_OF[axis.role]] += f"{axis.name}={values[axis.name]};"
    return texts[0], texts[1], texts[2]


_TEXT_OF = {"semantic": 0, "form": 1, "tuning": 1, "presentation": 2}


def weight(axes: Sequence[Axis], cells: Sequence[int]) -> int:
    """Number of points behind one cell of each of some axes."""
    return prod([axis.cells[c].weight for axis, c in zip(axes, cells, strict=True)])


class Factor:
    """A group of axes that rules connect, with the table of its admitted rows.

    With `rotate` < number of rows only so many are visible at a time; which ones depends on the hash of
    what comes before (used to cap tuning points and presentations).
    """

    def __init__(self, axes: Sequence[Axis], rows: list[Row], rotate: int = 0) -> None:
        self.axes = tuple(axes)
        self.rows = rows
        self.rotate = rotate if 0 < rotate < len(rows) else 0
        self.ends = list(accumulate([row.weight for row in rows]))

    @property
    def kept(self) -> int:
        """Number of points of the factor."""
        return self.rotate or (self.ends[-1] if self.ends else 0)

    def unrank(self, index: int, key: str, values: dict[str, Any]) -> tuple[str, str, str]:
        """Put the values of point `index` into `values`; returns its canonical texts (computation, form
        and tuning, presentation)."""
        if self.rotate:
            step = len(self.rows) // self.rotate
            row = self.rows[(crc32(key.encode()) + index * step) % len(self.rows)]
            index = 0
        else:
            at = bisect_right(self.ends, index)
            index -= self.ends[at - 1] if at else 0
            row = self.rows[at]
        if row.weight == 1:
            if row.fixed is None:
                row.freeze(self.axes)
            values.update(row.fixed or {})
            return row.texts
        own: dict[str, Any] = {}
        for axis, cell in zip(self.axes, row.cells, strict=True):
            chosen = axis.cells[cell]
            index, rest = divmod(index, chosen.weight)
            own[axis.name] = chosen.value(rest)
        values.update(own)
        return _texts(self.axes, own)

    def distinct(self, roles: Sequence[str]) -> int:
        """Number of distinct projections of the rows onto the axes of `roles`, by weight."""
        at = [i for i, axis in enumerate(self.axes) if axis.role in roles]
        if len(at) == len(self.axes):
            return self.kept
        seen = {tuple([row.cells[i] for i in at]) for row in self.rows}
        return sum([weight([self.axes[i] for i in at], cells) for cells in seen])


@dataclass(frozen=True, slots=True)
class Point:
    """One variant: the value of every axis. `program` and `presentation` are canonical texts."""

    values: dict[str, Any]
    computation: str
    program: str
    presentation: str


class Space:
    """The variants of one strategy of one family."""

    def __init__(
        self,
        family: str,
        strategy: str,
        axes: Sequence[Axis],
        rules: Sequence[Rule],
        lets: Mapping[str, Expression],
        *,
        tuning: int = 4,
        presentations: int = 8,
    ) -> None:
        self.family = family
        self.strategy = strategy
        self.axes = sorted(axes, key=lambda axis: ROLES.index(axis.role))
        self.rules = tuple(rules)
        self.lets = dict(lets)
        self.caps = (tuning, presentations)
        self.dropped: dict[str, int] = {}
        self.factors = self._factor()
        self._shown = [f for f in self.factors if f.axes[0].role == "presentation"]
        self._last: tuple[int, dict[str, Any], str, str] = (-1, {}, "", "")
        if self.count == 0:
            raise EmptySpaceError(
                f"{family}/{strategy}",
                "the rules and filters leave nothing",
                known=[f"{reason} (drops {n})" for reason, n in self.dropped.items()],
                hint="relax `where` or the rules named above",
            )

    # -- factoring ---------------------------------------------------------------------------------

    def _axes_of(self, rule: Rule) -> frozenset[str]:
        names, todo = set(), set(rule.condition.names)
        while todo:
            name = todo.pop()
            if name in self.lets and name not in names:
                todo |= self.lets[name].names
            names.add(name)
        if rule.collapses:
            names.add(rule.collapses)
        shown = sorted(names & {axis.name for axis in self.axes if axis.role == "presentation"})
        if shown:
            raise TemplateError(
                rule.condition.place,
                f"the rule {rule.reason!r} depends on how a program is presented",
                value=shown,
                hint="rules may use semantic, form and tuning axes",
            )
        known = {axis.name for axis in self.axes}
        for name in names - known - self.lets.keys():
            raise TemplateError(
                rule.condition.place,
                f"the rule {rule.reason!r} uses an unknown name",
                value=name,
                known=sorted(known | self.lets.keys()),
            )
        return frozenset(names & known)

    def _factor(self) -> list[Factor]:
        parent = {axis.name: axis.name for axis in self.axes}

        def find(name: str) -> str:
            while parent[name] != name:
                name = parent[name]
            return name

        def join(names: Iterable[str]) -> None:
            roots = [find(name) for name in names]
            for root in roots[1:]:
                parent[find(root)] = find(roots[0])

        touched = [(rule, self._axes_of(rule)) for rule in self.rules]
        for _, names in touched:
            join(sorted(names))
        for role in ("tuning", "presentation"):
            join([axis.name for axis in self.axes if axis.role == role])
        groups: dict[str, list[Axis]] = {}
        for axis in self.axes:
            groups.setdefault(find(axis.name), []).append(axis)
        ordered = sorted(groups.values(), key=lambda g: max(ROLES.index(a.role) for a in g))
        factors = []
        before, full = 1, prod([axis.size for axis in self.axes])
        for group in ordered:
            names = {axis.name for axis in group}
            rules = [rule for rule, used in touched if used and used <= names]
            size = prod([axis.size for axis in group])
            full //= size or 1
            factor, lost = self._table(group, rules)
            for reason, count in lost.items():
                self.dropped[reason] = self.dropped.get(reason, 0) + count * before * full
            before *= factor.kept
            factors.append(factor)
        return factors

    def _table(self, group: list[Axis], rules: list[Rule]) -> tuple[Factor, dict[str, int]]:
        combinations = prod([len(axis.cells) for axis in group])
        if combinations > GROUP_LIMIT:
            raise TemplateError(
                rules[0].condition.place if rules else f"{self.family}/{self.strategy}",
                f"rules connect {combinations} combinations; at most {GROUP_LIMIT} can be counted",
                value=[axis.name for axis in group],
                hint="split the rule, or the axes that it connects",
            )
        rows: list[Row] = []
        lost: dict[str, int] = {}
        sizes = [axis.size for axis in group]
        checks = [_Check(rule, self._axes_of(rule), group, self.lets) for rule in rules]
        due = [[c for c in checks if c.last == at] for at in range(len(group))]

        def extend(cells: tuple[int, ...], weight: int) -> None:
            at = len(cells)
            if at == len(group):
                rows.append(Row(cells, weight))
                return
            for index, cell in enumerate(group[at].cells):
                longer = (*cells, index)
                broken = next((check for check in due[at] if not check(longer)), None)
                if broken is None:
                    extend(longer, weight * cell.weight)
                else:
                    gone = weight * cell.weight * prod(sizes[at + 1 :])
                    lost[broken.reason] = lost.get(broken.reason, 0) + gone

        extend((), 1)
        return self._cap(group, rows, lost)

    def _cap(
        self, group: list[Axis], rows: list[Row], lost: dict[str, int]
    ) -> tuple[Factor, dict[str, int]]:
        roles = {axis.role for axis in group}
        tuning, presentations = self.caps
        for role, cap, text in (
            ("tuning", tuning, TUNING_CAP),
            ("presentation", presentations, PRESENTATION_CAP),
        ):
            if role not in roles or len(rows) <= cap:
                continue
            if roles == {role}:
                lost[text.format(cap)] = len(rows) - cap
                return Factor(group, rows, rotate=cap), lost
            kept = self._capped(group, rows, role, cap)
            gone = sum([row.weight for row in rows]) - sum([row.weight for row in kept])
            if gone:
                lost[text.format(cap)] = gone
            rows = kept
        return Factor(group, rows), lost

    def _capped(self, group: list[Axis], rows: list[Row], role: str, cap: int) -> list[Row]:
        other = [i for i, axis in enumerate(group) if axis.role != role]
        bundles: dict[tuple[int, ...], list[Row]] = {}
        for row in rows:
            bundles.setdefault(tuple([row.cells[i] for i in other]), []).append(row)
        kept = []
        for key, bundle in bundles.items():
            if len(bundle) > cap:
                texts = [str(group[i].cells[c].seen) for i, c in zip(other, key, strict=True)]
                start, step = crc32("|".join(texts).encode()), len(bundle) // cap
                chosen = {(start + k * step) % len(bundle) for k in range(cap)}
                bundle = [row for at, row in enumerate(bundle) if at in chosen]
            kept += bundle
        return kept

    # -- what a user sees --------------------------------------------------------------------------

    @cached_property
    def count(self) -> int:
        """Number of variants."""
        return prod([factor.kept for factor in self.factors])

    def __len__(self) -> int:
        return self.count

    @cached_property
    def product(self) -> int:
        """Product of the axes' sizes, before any rule or cap: `count` plus all of `dropped`."""
        return prod([axis.size for axis in self.axes])

    @cached_property
    def presentations(self) -> int:
        """Number of variants of one program."""
        return prod([f.kept for f in self._shown])

    @cached_property
    def programs(self) -> int:
        """Number of programs."""
        return self.count // self.presentations

    @cached_property
    def computations(self) -> int:
        """Number of distinct points of the semantic axes that have a program."""
        return prod(
            [f.distinct(("semantic",)) for f in self.factors if f.axes[0].role == "semantic"]
        )

    def __getitem__(self, index: int) -> Point:
        """Variant number `index`; raises IndexError outside the space."""
        if not -self.count <= index < self.count:
            raise IndexError(
                f"{self.family}/{self.strategy} has {self.count} variants, not {index}"
            )
        number, shown = divmod(index % self.count, self.presentations)
        program = self._last if self._last[0] == number else self._program(number)
        values = dict(program[1])
        texts = ""
        for factor in self._shown:
            shown, digit = divmod(shown, factor.kept)
            texts += factor.unrank(digit, program[3], values)[2]
        return Point(values, program[2], program[3], texts)

    def _program(self, number: int) -> tuple[int, dict[str, Any], str, str]:
        """Program `number`: its values and its texts as computation and as program; the last one is kept,
        since the variants of a program mostly follow each other."""
        digits, index = [], number
        made = [factor for factor in self.factors if factor not in self._shown]
        for factor in reversed(made):
            index, digit = divmod(index, factor.kept)
            digits.append(digit)
        values: dict[str, Any] = {}
        computation = way = ""
        for factor, digit in zip(made, reversed(digits), strict=True):
            texts = factor.unrank(digit, computation + way if factor.rotate else "", values)
            computation += texts[0]
            way += texts[1]
        self._last = (number, values, computation, computation + way)
        return self._last

    def __iter__(self) -> Iterator[Point]:
        for index in range(self.count):
            yield self[index]

    def sample(self, n: int, seed: int = 0) -> Iterator[Point]:
        """`n` distinct variants (all, if there are fewer), spread evenly; the same for the same seed."""
        for index in spread(self.count, n, f"{self.family}/{self.strategy}/{seed}"):
            yield self[index]

    def strata(self) -> list[Space]:
        """The space cut by its first op or chain axis: one space for each op or chain length that has variants."""
        axis = next((a for a in self.axes if a.role == "semantic" and a.cells[0].stratum), None)
        if axis is None:
            return [self]
        slices = [self._slice(axis, s) for s in dict.fromkeys([c.stratum for c in axis.cells])]
        return [part for part in slices if part.count]

    def _slice(self, axis: Axis, stratum: str) -> Space:
        space = object.__new__(Space)
        space.__dict__.update({k: v for k, v in self.__dict__.items() if k not in _CACHED})
        space.factors = [
            _sliced(factor, axis, stratum) if axis in factor.axes else factor
            for factor in self.factors
        ]
        space._last = (-1, {}, "", "")
        return space


_CACHED = ("count", "presentations", "programs", "computations", "product")


def _sliced(factor: Factor, axis: Axis, stratum: str) -> Factor:
    at = factor.axes.index(axis)
    rows = [row for row in factor.rows if axis.cells[row.cells[at]].stratum == stratum]
    return Factor(factor.axes, rows, factor.rotate)


class _Check:
    """A rule over the cells of a group, worked out once for each combination of the axes it is about."""

    def __init__(
        self,
        rule: Rule,
        names: frozenset[str],
        group: Sequence[Axis],
        lets: Mapping[str, Expression],
    ) -> None:
        self.rule = rule
        self.reason = rule.reason
        self.lets = lets
        self.about = [(at, axis) for at, axis in enumerate(group) if axis.name in names]
        self.last = self.about[-1][0]
        self.collapsed = next((pair for pair in self.about if pair[1].name == rule.collapses), None)
        self.known: dict[tuple[int, ...], bool] = {}

    def __call__(self, cells: tuple[int, ...]) -> bool:
        """Whether the rule holds at `cells`."""
        if self.collapsed is not None and self.collapsed[1].is_first(cells[self.collapsed[0]]):
            return True
        key = tuple([cells[at] for at, _ in self.about])
        if key not in self.known:
            values = {axis.name: axis.cells[cells[at]].seen for at, axis in self.about}
            self.known[key] = bool(self.rule.condition(_Scope(values, self.lets)))
        return self.known[key]


class _Scope(dict[str, Any]):
    """Values of axes and, on demand, of `let` names."""

    def __init__(self, values: Mapping[str, Any], lets: Mapping[str, Expression]) -> None:
        super().__init__(values)
        self.lets = lets

    def __missing__(self, name: str) -> Any:
        if name not in self.lets:
            raise KeyError(name)
        self[name] = self.lets[name](self)
        return self[name]


def scope(values: Mapping[str, Any], lets: Mapping[str, Expression]) -> dict[str, Any]:
    """`values` with every `let` name worked out."""
    known = _Scope(values, lets)
    for name in lets:
        known[name]
    return dict(known)
