"""One pair under the whole gate: calls of its wrapper, what they should give, and what they gave.

A session holds the reference, the subject and every trial that was settled with its expectation,
so that later checks (other configurations, orders, poisons) need no reference again.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from tritongen.verify.judge.bound import compare
from tritongen.verify.judge.oracle import expect
from tritongen.verify.judge.records import (
    Expectation,
    How,
    Observation,
    Problem,
    Reference,
    Subject,
    Trial,
)
from tritongen.verify.own.constants import Watch
from tritongen.verify.own.device import KEY, multiprocessors
from tritongen.verify.own.entry import Entry
from tritongen.verify.own.layouts import KINDS

RELAID = tuple(f"{kind} layout" for kind in KINDS)
Cost = tuple[int, int]
"""Programs of a grid, and accesses to memory."""


@dataclass(slots=True)
class Held:
    """A trial that passed: what it should give, and what it gave as the code has it."""

    trial: Trial
    expectation: Expectation
    outputs: tuple[Any, ...]
    programs: int = 0
    accesses: int = 0

    @property
    def dtype(self) -> str:
        """The dtype of the first floating-point argument, else of the first tensor."""
        return dtype_of(self.trial.arguments)


@dataclass(slots=True)
class Session:
    """What the checks of one pair share."""

    entry: Entry
    reference: Reference
    subject: Subject
    atomics: bool = False
    held: list[Held] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)
    tiles: list[tuple[tuple[int, ...], dict[str, Any]]] = field(default_factory=list)
    strict_dots: bool = False
    configurations: int = 1
    launches: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    cost: Cost = (0, 0)
    programs: Callable[[], int] = lambda: 0

    def observe(self, trial: Trial, how: How) -> tuple[Observation, Problem | None]:
        """One call, and what the subject itself saw go wrong; nothing is compared yet."""
        self.runs += 1
        watch = self.watch
        before = self.programs(), watch.accesses
        watch.latest = {}
        with multiprocessors(trial.sizes.get(KEY)):
            observation = self.subject.run(trial.arguments, how)
        self.cost = self.programs() - before[0], watch.accesses - before[1]
        self.launches.update(observation.launches)
        self.configurations = max(self.configurations, observation.configurations)
        problem = observation.problem
        if problem is None and observation.limit:
            problem = Problem("exception", observation.refusal)
        if trial.kind in RELAID:
            observation = replace(observation, outputs=_contiguous(observation.outputs))
        return observation, problem and located(problem, trial)

    def settle(self, trial: Trial, observation: Observation, cost: Cost = (0, 0)) -> Problem | None:
        """Compare one observation under the gate's own bound; a trial that passes is held.

        `cost` is how many programs of a grid it took, and how many accesses to memory.
        """
        tf32 = "tf32" in observation.precisions and not self.strict_dots
        expectation = expect(self.reference, trial.arguments, tf32=tf32)
        if isinstance(expectation, Problem):
            return located(expectation, trial)
        problem = compare(observation.outputs, expectation, trial)
        if problem is not None:
            return located(problem, trial)
        self.held.append(Held(trial, expectation, observation.outputs, *cost))
        return None

    def again(self, held: Held, how: How) -> tuple[Observation, Problem | None]:
        """Run a held trial in another way and compare with what is expected."""
        observation, problem = self.observe(held.trial, how)
        if problem is None:
            problem = compare(observation.outputs, held.expectation, held.trial)
        return observation, problem and located(problem, held.trial)


def _contiguous(outputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Results at the strides that contiguous inputs would give: those of others are not defined."""
    return tuple(
        value.contiguous() if isinstance(value, torch.Tensor) else value for value in outputs
    )


def dtype_of(arguments: tuple[Any, ...]) -> str:
    """The dtype of the first floating-point tensor, else of the first tensor, without `torch.`."""
    tensors = [item for item in arguments if isinstance(item, torch.Tensor)]
    floats = [item for item in tensors if item.is_floating_point()]
    first = next(iter(floats or tensors), None)
    return "" if first is None else str(first.dtype).removeprefix("torch.")


def elements_of(arguments: tuple[Any, ...]) -> int:
    """The elements of the largest tensor among the arguments."""
    return max((item.numel() for item in arguments if isinstance(item, torch.Tensor)), default=0)


def located(problem: Problem, trial: Trial) -> Problem:
    """A problem with the name of the trial, and with shapes, dtype and kind in its witness."""
    shapes = [list(item.shape) for item in trial.arguments if isinstance(item, torch.Tensor)]
    known: dict[str, Any] = {
        "trial": trial.name,
        "shape": shapes,
        "dtype": dtype_of(trial.arguments),
        "inputs": trial.kind,
    }
    reason = problem.reason
    if not reason.startswith(trial.name):
        reason = f"{trial.name}: {reason}"
    return Problem(problem.check, reason, {**known, **problem.witness})


@dataclass(slots=True)
class Budget:
    """What optional work may cost, in accesses to memory (of the interpreter) and in runs."""

    watch: Watch
    accesses: int
    runs: int
    start: int = -1
    used: int = 0

    def __post_init__(self) -> None:
        """Start to count now."""
        self.start = self.watch.accesses

    @property
    def spent(self) -> bool:
        """Whether it is used up."""
        return self.used >= self.runs or self.watch.accesses - self.start > self.accesses


def parameter_names(function: Callable[..., Any]) -> list[str]:
    """The names of a function's parameters in order."""
    return list(inspect.signature(function).parameters)
