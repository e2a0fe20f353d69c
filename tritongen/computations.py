"""How many computations the strategies of a family serve together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import prod

from tritongen.space import Factor, Space, weight


def distinct_computations(spaces: Sequence[Space]) -> int:
    """Number of points of the semantic axes for which at least one of `spaces` has a program.

    The admitted points of a space are a product of one set per group of axes, so the union is counted by
    inclusion and exclusion over products, and nothing larger than one group is ever listed.
    """
    groups = _semantic_groups(spaces)
    axes = {axis.name: axis for axis in spaces[0].axes}
    ways = {tuple([_admitted(space, group) for group in groups]) for space in spaces}
    total = 0
    for size in range(1, len(ways) + 1):
        for chosen in combinations(ways, size):
            shared = [frozenset.intersection(*sets) for sets in zip(*chosen, strict=True)]
            weights = [
                sum([weight([axes[n] for n in group], cells) for cells in common])
                for group, common in zip(groups, shared, strict=True)
            ]
            total += prod(weights) if size % 2 else -prod(weights)
    return total


def _semantic(factor: Factor) -> list[int]:
    return [i for i, axis in enumerate(factor.axes) if axis.role == "semantic"]


def _semantic_groups(spaces: Sequence[Space]) -> list[tuple[str, ...]]:
    """Semantic axes that some space connects, joined over all spaces."""
    groups: list[set[str]] = []
    for space in spaces:
        for factor in space.factors:
            names = {factor.axes[i].name for i in _semantic(factor)}
            touching = [group for group in groups if group & names]
            if names:
                groups = [group for group in groups if not group & names]
                groups.append(names.union(*touching))
    return [tuple(sorted(group)) for group in groups]


def _admitted(space: Space, group: tuple[str, ...]) -> frozenset[tuple[int, ...]]:
    """Cells of the axes of `group` that a space admits together."""
    names: list[str] = []
    found: set[tuple[int, ...]] = {()}
    for factor in space.factors:
        at = [i for i in _semantic(factor) if factor.axes[i].name in group]
        if at:
            names += [factor.axes[i].name for i in at]
            parts = {tuple([row.cells[i] for i in at]) for row in factor.rows}
            found = {(*left, *right) for left in found for right in parts}
    order = [names.index(name) for name in group]
    return frozenset([tuple([cells[i] for i in order]) for cells in found])
