"""The public functions over the catalog: expand, families, space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tritongen.catalog import catalog
from tritongen.computations import distinct_computations
from tritongen.errors import ArgumentError, EmptySpaceError, UnknownNameError
from tritongen.pair import Pair
from tritongen.sample import plan
from tritongen.selection import check_where, select
from tritongen.space import Point, Space
from tritongen.spread import spread

Roots = Sequence[str | Path] | str | Path


def families(templates: Roots = ()) -> dict[str, tuple[str, ...]]:
    """Families by name with the names of their strategies."""
    known = catalog(templates).families
    return {name: tuple(family.strategies) for name, family in known.items()}


def expand(
    family: str | None = None,
    *,
    strategy: str | None = None,
    where: Mapping[str, Any] | None = None,
    limit: int | None = None,
    seed: int = 0,
    templates: Roots = (),
) -> Iterator[Pair]:
    """Pairs of one family or of all, lazily.

    `where` filters axes: `{"dtype": ["float16"], "op": ["sum", "max"]}`. With `limit` a stratified sample
    without repetition, the same for the same `seed`; without, every variant in declared order. `templates`
    are further template folders; theirs come first. Arguments are checked at the call.

    Raises UnknownNameError for what nothing declares, EmptySpaceError where nothing is left, and
    ArgumentError for arguments of another kind.
    """
    _check_name("family", family, optional=True)
    _check_name("strategy", strategy, optional=True)
    if limit is not None and (not _whole(limit) or limit < 0):
        raise UnknownNameError("limit", "a number of pairs, 0 or more, is expected", value=limit)
    if not _whole(seed):
        raise ArgumentError("seed", "a whole number is expected", value=seed)
    chosen = plan(
        catalog(templates),
        None if family is None else [family],
        strategies=None if strategy is None else [strategy],
        where=where,
        count=limit,
        seed=seed,
    )
    return chosen.pairs()


class FamilySpace:
    """The variants of one family, strategy after strategy. `[i]` takes constant time and memory."""

    def __init__(self, family: str, spaces: Sequence[Space], computations: int) -> None:
        self.family = family
        self.spaces = tuple(spaces)
        self.computations = computations

    @property
    def count(self) -> int:
        """Number of variants."""
        return sum([space.count for space in self.spaces])

    @property
    def programs(self) -> int:
        """Number of programs."""
        return sum([space.programs for space in self.spaces])

    @property
    def product(self) -> int:
        """Product of all axes, summed over strategies: `count` plus all of `dropped`."""
        return sum([space.product for space in self.spaces])

    @property
    def dropped(self) -> dict[str, int]:
        """Variants that each rule drops."""
        total: dict[str, int] = {}
        for space in self.spaces:
            for reason, n in space.dropped.items():
                total[reason] = total.get(reason, 0) + n
        return total

    def __getitem__(self, index: int) -> Point:
        """Variant number `index`; raises IndexError outside the space."""
        if not -self.count <= index < self.count:
            raise IndexError(f"{self.family} has {self.count} variants, not {index}")
        index %= self.count
        for space in self.spaces:
            if index < space.count:
                return space[index]
            index -= space.count
        raise IndexError(index)

    def __iter__(self) -> Iterator[Point]:
        for space in self.spaces:
            yield from space

    def sample(self, n: int, seed: int = 0) -> Iterator[Point]:
        """`n` distinct variants, spread evenly over the whole."""
        for index in spread(self.count, n, f"{self.family}/{seed}"):
            yield self[index]


def space(
    family: str,
    strategy: str | None = None,
    where: Mapping[str, Any] | None = None,
    *,
    templates: Roots = (),
) -> FamilySpace:
    """The space of a family, or of one strategy of it. Counting and indexing never enumerate.

    `where` filters axes as in `expand`. Raises UnknownNameError for what is not declared,
    EmptySpaceError where nothing is left, ArgumentError for arguments of another kind.
    """
    _check_name("family", family)
    _check_name("strategy", strategy, optional=True)
    known = catalog(templates)
    names = [strategy] if strategy else list(known.family(family).strategies)
    for name in names:
        known.strategy(family, name)
    spaces = select(known, [(family, name) for name in names], check_where(where))
    if not spaces:
        raise EmptySpaceError(family, "no strategy")
    return FamilySpace(family, spaces, distinct_computations(spaces))


def _check_name(place: str, name: object, *, optional: bool = False) -> None:
    if not isinstance(name, str) and not (optional and name is None):
        raise ArgumentError(place, "a name is expected", value=name)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
