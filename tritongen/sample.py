"""Plans: which variants of which families, in which order. A plan is lazily indexable at any length.

With a count, families share it by weight, strategies of a family share equally, and so do the ops or
chain lengths of a strategy; within one of these, programs are spread evenly. A small sample takes one
presentation of each program, a large one several (a sample of `BUNDLE` times k takes k), which follow
each other. Without a count, everything comes in declared order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any
from zlib import crc32

from tritongen.catalog import Catalog
from tritongen.errors import UnknownNameError
from tritongen.pair import Pair
from tritongen.render import Renderer
from tritongen.selection import check_where, select
from tritongen.space import Point, Space
from tritongen.spread import pick

BUNDLE = 128


class Planned:
    """One position of a plan, not rendered yet."""

    __slots__ = ("_renderer", "family", "operation_id", "point", "program_id", "strategy")

    def __init__(self, renderer: Renderer, point: Point) -> None:
        self._renderer = renderer
        self.point = point
        self.family = renderer.family.name
        self.strategy = renderer.strategy.path.name
        self.program_id = renderer.program_id(point)
        self.operation_id = renderer.operation_id(point)

    def pair(self) -> Pair:
        """Render the pair."""
        return self._renderer.pair(self.point)


class Part:
    """`n` variants of one stratum, `bundle` of each program where they suffice."""

    __slots__ = ("bundle", "n", "renderer", "seed", "space")

    def __init__(self, space: Space, renderer: Renderer, n: int, seed: str, bundle: int) -> None:
        self.space = space
        self.renderer = renderer
        self.n = n
        self.seed = crc32(seed.encode())
        self.bundle = max(min(bundle, space.presentations), -(-n // space.programs))

    def point(self, i: int) -> Point:
        """Point number `i` of the part."""
        presentation = i % self.bundle
        return self.space[self._first(i) + presentation]

    def presentations(self, i: int) -> Iterator[Point]:
        """All presentations of the program of point number `i`."""
        first = self._first(i)
        return map(self.space.__getitem__, range(first, first + self.space.presentations))

    def _first(self, i: int) -> int:
        program = pick(self.space.programs, -(-self.n // self.bundle), self.seed, i // self.bundle)
        return program * self.space.presentations


class Plan:
    """A sequence of variants; `plan[j]` costs microseconds and renders nothing."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = [part for part in parts if part.n]
        self.ends = list(accumulate([part.n for part in self.parts]))

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def _at(self, j: int) -> tuple[Part, int]:
        if not 0 <= j < len(self):
            raise IndexError(f"the plan has {len(self)} positions, not {j}")
        at = bisect_right(self.ends, j)
        return self.parts[at], j - (self.ends[at - 1] if at else 0)

    def point(self, j: int) -> Planned:
        """Position `j` with its ids."""
        part, i = self._at(j)
        return Planned(part.renderer, part.point(i))

    def pair(self, j: int) -> Pair:
        """Position `j`, rendered."""
        part, i = self._at(j)
        return part.renderer.pair(part.point(i))

    def presentations(self, j: int) -> Iterator[Pair]:
        """All presentations of the program at position `j`, rendered."""
        part, i = self._at(j)
        return map(part.renderer.pair, part.presentations(i))

    def pairs(self, start: int = 0, stop: int | None = None) -> Iterator[Pair]:
        """Positions from `start` to before `stop`, rendered."""
        stop = len(self) if stop is None else min(stop, len(self))
        while start < stop:
            part, i = self._at(start)
            render, point = part.renderer.pair, part.point
            n = min(part.n, i + stop - start)
            for k in range(i, n):
                yield render(point(k))
            start += n - i


def share(total: int, capacities: Sequence[int], weights: Sequence[float], seed: str) -> list[int]:
    """Divide `total` by `weights`, none above its capacity; remainders go in an order drawn from `seed`."""
    given = [0] * len(capacities)
    order = sorted(range(len(capacities)), key=lambda i: crc32(f"{seed}/{i}".encode()))
    left = min(total, sum(capacities))
    while left:
        open_ = [i for i in order if given[i] < capacities[i] and weights[i] > 0]
        if not open_:
            break
        whole = sum([weights[i] for i in open_])
        step = {i: min(capacities[i] - given[i], int(left * weights[i] / whole)) for i in open_}
        if not any(step.values()):
            for i in open_[:left]:
                given[i] += 1
            left -= min(left, len(open_))
            continue
        for i, n in step.items():
            given[i] += n
            left -= n
    return given


def plan(
    catalog: Catalog,
    families: Sequence[str] | None = None,
    *,
    strategies: Sequence[str] | None = None,
    where: Mapping[str, Any] | None = None,
    per_family: Mapping[str, Mapping[str, Any]] | None = None,
    count: int | None = None,
    seed: int = 0,
    weights: Mapping[str, float] | None = None,
    tuning: int = 4,
    presentations: int = 8,
) -> Plan:
    """The plan of `count` variants (all, if None) of `families` (all, if None).

    `where` filters axes of every family; `per_family[name]` may hold `where` and `strategies` of one.
    A value counts where it is known; a family or strategy that lacks an axis of `where`, or all its
    values, is left out.

    Raises UnknownNameError for what none has, EmptySpaceError, ArgumentError for a filter of
    another form, and TemplateError for a broken template.
    """
    if families is None and catalog.broken:
        raise next(iter(catalog.broken.values()))
    names = list(catalog.families) if families is None else list(families)
    wanted: list[tuple[str, str]] = []
    own = {name: (per_family or {}).get(name, {}) for name in names}
    for name in names:
        known = catalog.family(name).strategies
        for strategy in own[name].get("strategies") or strategies or known:
            if families is None and strategy not in known:
                continue
            catalog.strategy(name, strategy)
            wanted.append((name, strategy))
    if not wanted:
        raise UnknownNameError(
            "strategy",
            "no family has this strategy",
            value=strategies,
            known=sorted({s for f in catalog.families.values() for s in f.strategies}),
        )
    found = select(
        catalog,
        wanted,
        check_where(where),
        {name: check_where(own[name].get("where"), f"where of {name}") for name in names},
        tuning=tuning,
        presentations=presentations,
    )
    spaces: dict[str, list[Space]] = {}
    for space in found:
        spaces.setdefault(space.family, []).append(space)
    return Plan(_parts(catalog, spaces, count, seed, weights or {}))


def _parts(
    catalog: Catalog,
    spaces: Mapping[str, list[Space]],
    count: int | None,
    seed: int,
    weights: Mapping[str, float],
) -> Iterator[Part]:
    names = list(spaces)
    bundle = 1 if count is None else count // BUNDLE
    totals = [sum([s.count for s in spaces[name]]) for name in names]
    if count is None:
        quota = totals
    else:
        quota = share(count, totals, [weights.get(n, 1.0) for n in names], f"{seed}")
    for name, n in zip(names, quota, strict=True):
        sizes = [s.count for s in spaces[name]]
        parts = share(n, sizes, [1.0] * len(sizes), f"{seed}/{name}")
        for space, m in zip(spaces[name], parts, strict=True):
            renderer = renderer_of(catalog, name, space.strategy)
            if m == space.count:
                yield Part(space, renderer, m, "", space.presentations)
                continue
            strata = space.strata()
            key = f"{seed}/{name}/{space.strategy}"
            for at, k in enumerate(share(m, [s.count for s in strata], [1.0] * len(strata), key)):
                if k:
                    yield Part(strata[at], renderer, k, f"{key}/{at}", max(1, bundle))


def renderer_of(catalog: Catalog, family: str, strategy: str) -> Renderer:
    """The renderer of a strategy, made once per catalog."""
    key = ("renderer", family, strategy)
    made: dict[Any, Any] = catalog.made
    if key not in made:
        made[key] = Renderer(catalog, family, strategy)
    return made[key]
