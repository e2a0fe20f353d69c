"""The trials of a foreign candidate: the plan fitted to the time there is, until the first problem."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

import torch

from tritongen.verify.foreign.remote import Deadline, RemoteReference, RemoteSubject
from tritongen.verify.judge.loop import judge_trials
from tritongen.verify.judge.plan import Budget, foreign_trials
from tritongen.verify.judge.records import Problem, Trial

CALL_SECONDS = 0.25
SHARE = 0.6
RUNS_PER_TRIAL = 1.5
SMALLEST = 1 << 14
"""Elements that a trial may have however slow the first call was: several blocks of most kernels."""
WIDENED = "float32 "
_HALF = re.compile(r"float16|\bhalf\b|\bfp16\b|\bbf16\b")


def run_trials(
    reference: RemoteReference,
    subject: RemoteSubject,
    arguments: tuple[Any, ...],
    *,
    source: str,
    seed: int,
    strict: bool,
    deadline: Deadline,
    compiles: bool,
    coverage: dict[str, Any],
) -> Problem | None:
    """The first problem of a candidate, or None; `coverage` is filled with what was tried.

    `source` is the candidate's text: one that names a half-precision type is not generic in its
    dtype, so that it is not asked for results in float32 where it was given half precision.
    `compiles` says that a first call takes its time for compiling, not for its elements.
    """
    plan = _Plan(subject, deadline, seed, is_generic=_HALF.search(source) is None)
    plan.compiles = compiles
    problem, covered = judge_trials(reference, subject, plan.trials(arguments), refuse_tf32=strict)
    coverage.update({key: value for key, value in covered.items() if key not in coverage})
    coverage["planned"] = plan.elements
    if plan.cut:
        coverage["cut"] = plan.cut
    if deadline.over:
        return deadline.problem
    if problem is None or problem.check == "reference":
        if reference.deaths and (problem is not None or not reference.role.alive):
            return Problem("worker", reference.deaths[0])
        if problem is not None:
            return problem
    if problem is None and strict:
        problem = _strict(covered)
    return problem


def _strict(covered: dict[str, Any]) -> Problem | None:
    """What `--strict` refuses of a candidate that is right."""
    if covered["partials"]:
        reason = f"torch reduces {covered['partials']} partial results, which --strict refuses"
        return Problem("honesty", reason)
    if "tf32" in covered["precisions"]:
        reason = "tl.dot rounds float32 operands to TF32, which --strict refuses"
        return Problem("precision", reason, {"precisions": covered["precisions"]})
    return None


class _Plan:
    """The given call first; how long it takes decides how large the others are."""

    def __init__(
        self, subject: RemoteSubject, deadline: Deadline, seed: int, *, is_generic: bool
    ) -> None:
        self.is_generic = is_generic
        self.subject = subject
        self.deadline = deadline
        self.seed = seed
        self.elements = 0
        self.compiles = False
        self.cut = ""

    def trials(self, arguments: tuple[Any, ...]) -> Generator[Trial, bool | None, None]:
        """The trials; ends early where time runs short, which `cut` then says."""
        before = self.subject.role.seconds
        accepted = yield Trial("given", "given", arguments)
        budget = self._budget(arguments, self.subject.role.seconds - before)
        self.elements = budget.elements
        plan = foreign_trials(arguments, self.seed, budget)
        end = self.deadline.left * (1 - SHARE)
        made = 1
        try:
            next(plan)
            while True:
                trial = plan.send(accepted)
                if trial.kind.startswith(WIDENED) and not self.is_generic:
                    accepted = True
                    continue
                if self.deadline.left < end:
                    self.cut = f"{made} of up to {budget.trials} trials: time ran short"
                    return
                accepted = yield trial
                made += 1
        except StopIteration:
            return

    def _budget(self, arguments: tuple[Any, ...], seconds: float) -> Budget:
        """Trials of at most so many elements that each call takes its share of the time."""
        usual = Budget()
        share = self.deadline.left * SHARE / (usual.trials * RUNS_PER_TRIAL)
        wanted = min(CALL_SECONDS, share)
        count = sum(item.numel() for item in arguments if isinstance(item, torch.Tensor))
        if self.compiles or not count:
            return usual
        allowed = wanted if seconds > wanted else 4 * wanted
        fitting = int(count * allowed / max(seconds, 1e-4))
        return Budget(elements=max(SMALLEST, min(usual.elements, fitting)))
