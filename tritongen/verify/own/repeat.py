"""Trials run again in other ways: twice, in reverse, on other poison, with launches suppressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from tritongen.verify.judge.bound import compare
from tritongen.verify.judge.records import How, Problem, Trial
from tritongen.verify.own.nulls import same
from tritongen.verify.own.session import Held, Session, located

POISONED = 2
REVERSED = 2
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
    """With launches suppressed the results must be wrong, whatever memory held before.

    One trial where they are wrong is enough: a result may be that with which a kernel starts.
    """
    telling = [item for item in session.held if _telling(item)]
    first = _largest(telling, 1)
    others = [item for item in session.held if item not in first]
    for held in first + others if telling else []:
        for poison in (0, 1):
            how = How(poison=poison, launches=False, watch=False)
            observation, problem = session.observe(held.trial, how)
            if problem is not None or _plainly_wrong(observation.outputs, held.expectation.exact):
                return None
            if compare(observation.outputs, held.expectation, held.trial) is not None:
                return None
    if not telling:
        return None
    reason = "the results are right even where no kernel is launched"
    return located(Problem("honesty", reason), first[0].trial)


def _plainly_wrong(outputs: Sequence[Any], exact: Sequence[Any]) -> bool:
    """Whether some result is so far off that no bound need be worked out."""
    for got, best in zip(outputs, exact, strict=False):
        if not isinstance(got, torch.Tensor) or not isinstance(best, torch.Tensor):
            continue
        if got.shape != best.shape or not (got.is_floating_point() and got.numel()):
            continue
        wide, target = got.to(best.device, torch.float64), best.to(torch.float64)
        if not bool(target.isfinite().all()):
            continue
        error = (wide - target).abs().amax()
        if not bool(error <= 0.05 * target.abs().amax()):
            return True
    return False


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
    key: Callable[[Trial], frozenset[str]] | None = None,
) -> tuple[Problem | None, int]:
    """Every other autotune configuration gives what is expected; and how many runs that took.

    With `key` (what a trial specialises on) each configuration runs the trials of one such set
    only, so that it costs one compilation of each kernel.
    """
    runs = 0
    groups: dict[Any, list[Held]] = {}
    if session.configurations > 1:
        for item in session.held:
            groups.setdefault(key(item.trial) if key else None, []).append(item)
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
