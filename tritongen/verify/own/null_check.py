"""The check `null`: no null kernel passes the pair's own test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import torch

from tritongen.verify.cases import Case, outcome_of
from tritongen.verify.judge.bound import compare
from tritongen.verify.judge.records import Problem
from tritongen.verify.own.guard import positional, replaced, restored
from tritongen.verify.own.nulls import NULLS, STALE, Facts, Null, Outputs
from tritongen.verify.own.session import Session
from tritongen.verify.own.trials import SEED, Maker


class NotApplicable(Exception):
    """The null has no results of the right form for these arguments."""


@dataclass(slots=True)
class NullRun:
    """One null in the place of the wrapper over the cases of the test."""

    session: Session
    null: Null
    maker: Maker | None
    tile: int
    refused: bool = False
    kept: dict[Any, Outputs] = field(default_factory=dict)
    """By form of the results: those of the last call that gave results of this form."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the null gives for the arguments of one call."""
        arguments = positional(self.session.entry.wrapper, args, kwargs)
        right, made = self.results(arguments)
        if made is None:
            self.refused = True
            raise NotApplicable
        self.kept[form_of(right)] = right
        return restored(made)

    def results(self, arguments: tuple[Any, ...]) -> tuple[Outputs, Outputs | None]:
        """The right results, and those of the null."""
        right = self._right(arguments)
        facts = Facts(arguments, right, lambda: self._earlier(arguments, right), self.tile)
        try:
            return right, self.null(facts)
        except (RuntimeError, TypeError, ValueError, IndexError):
            return right, None

    def _right(self, arguments: tuple[Any, ...]) -> Outputs:
        ran = self.session.reference.run(arguments, "own")
        if not ran.ok:
            raise NotApplicable
        return _beside(ran.outputs, arguments)

    def _earlier(self, arguments: tuple[Any, ...], right: Outputs) -> Outputs | None:
        """The results of the call before with results of this form, as a buffer may hold them.

        At the first such call, the right results for inputs that the test would draw from another
        seed.
        """
        kept = self.kept.get(form_of(right))
        if kept is not None:
            return kept
        others = other_inputs(arguments, self.maker)
        ran = self.session.reference.run(others, "own") if others is not None else None
        return _beside(ran.outputs, arguments) if ran is not None and ran.ok else None


def _beside(outputs: Outputs, arguments: tuple[Any, ...]) -> Outputs:
    """Results on the device of the arguments, where a wrapper would leave them."""
    tensors = [item for item in arguments if isinstance(item, torch.Tensor)]
    if not tensors or tensors[0].device.type == "cpu":
        return outputs
    device = tensors[0].device
    return tuple(o.to(device) if isinstance(o, torch.Tensor) else o for o in outputs)


def form_of(outputs: Outputs) -> tuple[Any, ...]:
    """Shapes and dtypes of results."""
    return tuple(
        (tuple(item.shape), item.dtype) if isinstance(item, torch.Tensor) else type(item)
        for item in outputs
    )


def other_inputs(arguments: tuple[Any, ...], maker: Maker | None) -> tuple[Any, ...] | None:
    """Inputs like the given ones with other values: of another seed, else rolled and doubled."""
    if maker is not None and maker.calls:
        last = maker.calls[-1]
        return maker.draw(last.dims, last.dtype, dict(last.extra), SEED)
    return tuple(
        value.roll(1) * 2
        if isinstance(value, torch.Tensor) and value.dtype != torch.bool
        else value
        for value in arguments
    )


@dataclass(slots=True)
class NullReport:
    """What came of the check: nulls rejected, not applicable, and right for every input."""

    rejected: list[str] = field(default_factory=list)
    not_applicable: list[str] = field(default_factory=list)
    right: list[str] = field(default_factory=list)
    cases: int = 0

    def coverage(self) -> dict[str, Any]:
        """As plain data, empty lists left out."""
        found = {
            "rejected": self.rejected,
            "not_applicable": self.not_applicable,
            "right_for_every_input": self.right,
        }
        return {key: value for key, value in found.items() if value} | {"cases": self.cases}


def check_nulls(
    session: Session,
    module: ModuleType,
    cases: Sequence[Case],
    maker: Maker | None,
    tile: int,
    run: Callable[[Case], None],
) -> tuple[Problem | None, NullReport]:
    """Run the test on every null; the pair is refused if one passes all cases."""
    report = NullReport()
    order = list(cases)
    for name, null in NULLS.items():
        stand_in = NullRun(session, null, maker, tile)
        rejected = False
        for case in list(cases) if name == STALE else list(order):
            report.cases += 1
            if _rejects(module, session.entry.wrapper_name, stand_in, maker, case, run):
                rejected = True
                # Whatever rejects one null is likely to reject the next
                order.remove(case)
                order.insert(0, case)
                break
        if rejected:
            report.rejected.append(name)
        elif stand_in.refused:
            report.not_applicable.append(name)
        elif _right_everywhere(session, stand_in):
            report.right.append(name)
        else:
            reason = f"a null kernel ({name}) passes all {len(order)} cases of the pair's own test"
            return Problem("null", reason, {"null": name}), report
    return None, report


def _rejects(
    module: ModuleType,
    name: str,
    stand_in: NullRun,
    maker: Maker | None,
    case: Case,
    run: Callable[[Case], None],
) -> bool:
    values: dict[str, Any] = {name: stand_in}
    if maker is not None:
        values["make_inputs"] = maker
    try:
        with replaced(module, **values):
            run(case)
    except NotApplicable:
        return False
    except Exception as error:
        return outcome_of(error) in ("failed", "exception")
    return False


def _right_everywhere(session: Session, stand_in: NullRun) -> bool:
    """Whether the null gives the right results on all trials of the gate."""
    for held in session.held:
        try:
            _, made = stand_in.results(held.trial.arguments)
        except NotApplicable:
            return False
        if made is None:
            return False
        if compare(made, held.expectation, held.trial) is not None:
            return False
    return bool(session.held)
