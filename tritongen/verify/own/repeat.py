"""Trials run again in other ways: twice, in reverse, on other poison, with launches suppressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from tritongen.verify.judge.bound import compare
from tritongen.verify.judge.records import How, Problem
from tritongen.verify.own.nulls import same
from tritongen.verify.own.session import Held, Session, located

POISONED = 3
REVERSED = 3
QUICK = 160


def _spread(held: Sequence[Held], count: int, start: int) -> list[Held]:
    """`count` of the trials that do not take long at equal distances, from an offset on."""
    held = [item for item in held if item.accesses <= QUICK] or list(held)
    count = min(count, len(held))
    return [held[(start + step * len(held) // count) % len(held)] for step in range(count)]


def _largest(held: Sequence[Held], count: int) -> list[Held]:
    """The trials with the most programs that do not take long, one of each dtype first."""
    if not held:
        return []
    quick = [item for item in held if item.accesses <= QUICK] or [
        min(held, key=lambda item: item.accesses)
    ]
    ranked = sorted(quick, key=lambda item: -item.programs)
    first = list({item.dtype: item for item in reversed(ranked)}.values())
    rest = [item for item in ranked if item not in first]
    return (sorted(first, key=lambda item: -item.programs) + rest)[:count]


def _again(session: Session, held: Held, how: How, check: str, words: str) -> Problem | None:
    observation, problem = session.again(held, how)
    if problem is not None:
        reason = f"{words}: {problem.reason}"
        check = problem.check if problem.check != "numerics" else check
        return Problem(check, reason, problem.witness)
    if not session.atomics and not same(held.outputs, observation.outputs):
        return located(Problem(check, f"{words}: the result is another"), held.trial)
    return None


def check_repeats(session: Session, interpreted: bool, number: int) -> Problem | None:
    """Results depend on nothing but the arguments, and kernels make them."""
    if not session.held:
        return None
    for held in _largest(session.held, 1):
        problem = _again(session, held, How(watch=False), "repeat", "run a second time")
        if problem is not None:
            return problem
    if interpreted:
        several = [item for item in session.held if item.programs > 1]
        for held in _largest(several, REVERSED):
            how = How(reverse=True, watch=False)
            problem = _again(session, held, how, "repeat", "with its programs in reverse order")
            if problem is not None:
                return problem
    for held in _spread(session.held, POISONED, number):
        how = How(poison=1, watch=False)
        problem = _again(session, held, how, "memory", "on other uninitialised memory")
        if problem is not None:
            return problem
    return check_launches_matter(session)


def check_launches_matter(session: Session) -> Problem | None:
    """With launches suppressed the results must be wrong, whatever memory held before."""
    for held in _largest([item for item in session.held if _telling(item)], 1):
        for poison in (0, 1):
            how = How(poison=poison, launches=False, watch=False)
            observation, problem = session.observe(held.trial, how)
            if problem is None:
                problem = compare(observation.outputs, held.expectation, held.trial)
            if problem is not None:
                return None
        reason = "the results are right even where no kernel is launched"
        return located(Problem("honesty", reason), held.trial)
    return None


def _telling(held: Held) -> bool:
    """Whether the expected results are something that memory does not hold by itself."""
    return any(
        isinstance(value, torch.Tensor) and bool((torch.isfinite(value) & (value != 0)).any())
        for value in held.expectation.own
    )


def check_configurations(
    session: Session,
    share: int,
    number: int,
    full: bool = False,
    key: Callable[[Held], frozenset[str]] | None = None,
) -> tuple[Problem | None, int]:
    """Every other autotune configuration gives what is expected; and how many runs that took.

    With `key` (what a trial specialises on) each configuration runs the trials of one such set
    only, so that it costs one compilation of each kernel.
    """
    runs = 0
    groups: dict[Any, list[Held]] = {}
    if session.configurations > 1:
        for item in session.held:
            groups.setdefault(key(item) if key else None, []).append(item)
    largest = sorted(groups.values(), key=len, reverse=True)[:3]
    for index in range(1, session.configurations):
        group = largest[(number + index) % len(largest)] if largest else []
        held = session.held if full else _spread(group, share, number + index)
        for item in held:
            runs += 1
            _, problem = session.again(item, How(configuration=index, watch=False))
            if problem is not None:
                reason = f"autotune configuration {index}: {problem.reason}"
                witness: dict[str, Any] = {**problem.witness, "configuration": index}
                return Problem(problem.check, reason, witness), runs
    return None, runs
