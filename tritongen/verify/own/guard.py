"""The wrapper as the pair's own test sees it: each call is also a trial of the gate."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from tritongen.verify.judge.records import How, Observation, Problem, Trial
from tritongen.verify.own.session import Cost, Session
from tritongen.verify.own.trials import Maker


class Refused(Exception):
    """A call within the pair's own test went wrong in a way that the gate itself saw."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


class Enough(Exception):
    """The call was all that was wanted of the test."""


@dataclass(slots=True)
class Guard:
    """Stands for the wrapper in the module; `calls` holds what was observed and not yet judged."""

    session: Session
    maker: Maker | None = None
    case: str = ""
    how: How = field(default_factory=How)
    calls: list[tuple[Trial, Observation, Cost]] = field(default_factory=list)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The wrapper's results for copies of the arguments, watched from all sides."""
        wrapper = self.session.entry.wrapper
        trial = Trial(self.case, "given", positional(wrapper, args, kwargs))
        observation, problem = self.session.observe(trial, self.how)
        if self.maker is not None and self.maker.calls:
            dims = self.maker.calls[-1].dims
            self.session.tiles.append((dims, dict(self.session.watch.latest)))
        if problem is not None and problem.check == "exception":
            # The test, and who reads its outcome, must see the exception itself
            result = wrapper(*args, **kwargs)
            self.calls.append((trial, observation, (0, 0)))
            return result
        if problem is not None:
            raise Refused(problem)
        self.calls.append((trial, observation, self.session.cost))
        return restored(observation.outputs)

    def settle(self, compared: bool = True) -> Problem | None:
        """Judge what the last case called; only what the subject saw unless it is `compared`."""
        calls, self.calls = self.calls, []
        for trial, observation, cost in calls:
            problem = observation.problem
            if problem is None and compared:
                problem = self.session.settle(trial, observation, cost)
            if problem is not None:
                return problem
        return None


def positional(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> tuple[Any, ...]:
    """The arguments of a call as a tuple, defaults that stand before a given one filled in."""
    if not kwargs:
        return args
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        raise TypeError(f"keyword-only arguments are not supported: {', '.join(bound.kwargs)}")
    return bound.args


def restored(outputs: tuple[Any, ...]) -> Any:
    """Flat results as a function returns them."""
    return outputs[0] if len(outputs) == 1 else outputs


@contextlib.contextmanager
def replaced(module: ModuleType, **values: Any) -> Iterator[None]:
    """Names of a module bound to something else for a while."""
    before = {name: getattr(module, name) for name in values}
    for name, value in values.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)
