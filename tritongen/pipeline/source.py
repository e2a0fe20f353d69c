"""Where a build's pairs come from: the plan of its configuration, behind a narrow interface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tritongen.pair import Pair

if TYPE_CHECKING:
    from tritongen.pipeline.config import BuildConfig


class PointLike(Protocol):
    """A planned variant that is not rendered yet."""

    @property
    def family(self) -> str: ...
    @property
    def program_id(self) -> str: ...
    @property
    def operation_id(self) -> str: ...


class PlanLike(Protocol):
    """A lazily indexable sequence of variants; those of one program follow each other."""

    def __len__(self) -> int: ...
    def point(self, j: int, /) -> PointLike: ...
    def pairs(self, start: int, stop: int, /) -> Iterator[Pair]: ...


@dataclass(frozen=True, slots=True)
class Source:
    """A plan, and the hash of the templates that it comes from."""

    plan: PlanLike
    template_hash: str


def open_source(config: BuildConfig) -> Source:
    """The source of a configuration; raises what the catalog and the plan raise."""
    from tritongen.catalog import catalog
    from tritongen.sample import plan

    known = catalog(config.templates)
    chosen = config.families or {}
    drawn = plan(
        known,
        list(chosen) or None,
        where=config.where,
        per_family={
            name: {"where": family.where, "strategies": family.strategies}
            for name, family in chosen.items()
        },
        count=config.attempts,
        seed=config.seed,
        weights={name: family.weight for name, family in chosen.items()},
        tuning=config.tuning,
        presentations=config.presentations,
    )
    return Source(drawn, known.digest)


def operations(plan: PlanLike) -> Iterator[tuple[str, str]]:
    """(family, operation_id) of every program of a plan, in order.

    Programs mostly have equally many variants, so the end of one is guessed from the one before.
    """
    total, j, run = len(plan), 0, 1
    while j < total:
        point = plan.point(j)
        yield point.family, point.operation_id
        program, end = point.program_id, j + 1
        if run > 1 and j + run <= total and plan.point(j + run - 1).program_id == program:
            end = j + run
        while end < total and plan.point(end).program_id == program:
            end += 1
        run, j = end - j, end


def bounds(plan: PlanLike, shard: int, size: int) -> tuple[int, int]:
    """Where a shard starts and stops: at multiples of `size`, moved on to the next program."""
    return _next_program(plan, shard * size), _next_program(plan, (shard + 1) * size)


def _next_program(plan: PlanLike, j: int) -> int:
    total = len(plan)
    if j <= 0 or j >= total:
        return max(0, min(j, total))
    program = plan.point(j - 1).program_id
    while j < total and plan.point(j).program_id == program:
        j += 1
    return j
