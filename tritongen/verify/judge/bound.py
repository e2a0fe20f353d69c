"""Whether results are those that were expected: every element, within its own bound."""

from __future__ import annotations

import math
from typing import Any

import torch

from tritongen.verify.judge import ties
from tritongen.verify.judge.records import Expectation, Problem, Trial

FLUSHED = torch.finfo(torch.float32).tiny


def compare(outputs: tuple[Any, ...], expectation: Expectation, trial: Trial) -> Problem | None:
    """The first thing that is wrong with the results of a trial, or None.

    Number and exact types of the results, shapes, dtypes, contiguity where the reference's result
    is contiguous, and then all elements: integers and booleans exactly, floats within `bound` of
    `exact` rounded to the dtype of the result. NaN and infinity stand where the reference has them
    (either as it is written or in float64); where a result is within its bound of overflow an
    infinity of the right sign will do, and zero where it is subnormal in float32.

    The whole bound takes several runs of the reference; it is worked out only where results
    exceed the part that needs none (`Expectation.widen`).
    """
    while True:
        problem = _compare_all(outputs, expectation, trial)
        if problem is None or problem.check != "numerics" or expectation.widen is None:
            return problem
        if problem.witness.get("got") == "nan":
            return problem  # no bound takes it
        expectation = expectation.widen()


def _compare_all(
    outputs: tuple[Any, ...], expectation: Expectation, trial: Trial
) -> Problem | None:
    if len(outputs) != len(expectation.own):
        reason = f"{len(outputs)} results, expected {len(expectation.own)}"
        return Problem("type", reason, witness_of(trial))
    entries = zip(outputs, expectation.own, expectation.exact, expectation.bound, strict=True)
    for number, (got, own, exact, bound) in enumerate(entries):
        with torch.no_grad():
            problem = _compare_one(got, own, exact, bound, trial.arguments)
        if problem is not None:
            witness = {**witness_of(trial), "output": number, **problem.witness}
            return Problem(problem.check, problem.reason, witness)
    return None


def witness_of(trial: Trial) -> dict[str, Any]:
    """What a witness says of the call: the kind of inputs, shapes and dtypes of the tensors."""
    tensors = [item for item in trial.arguments if isinstance(item, torch.Tensor)]
    witness: dict[str, Any] = {
        "inputs": trial.kind,
        "shape": [list(tensor.shape) for tensor in tensors],
        "dtype": [_name(tensor.dtype) for tensor in tensors],
    }
    if trial.sizes:
        witness["sizes"] = dict(trial.sizes)
    return witness


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _compare_one(
    got: Any, own: Any, exact: Any, bound: Any, arguments: tuple[Any, ...]
) -> Problem | None:
    if not isinstance(own, torch.Tensor):
        return _compare_plain(got, own, exact, bound)
    if type(got) is not torch.Tensor:
        name = type(got).__name__
        return Problem("type", f"the result is of type {name}, expected torch.Tensor", {})
    if got.shape != own.shape:
        reason = f"the result has shape {tuple(got.shape)}, expected {tuple(own.shape)}"
        return Problem("shape", reason, {"expected": list(own.shape), "got": list(got.shape)})
    if got.dtype != own.dtype:
        names = _name(own.dtype), _name(got.dtype)
        reason = f"the result has dtype {names[1]}, expected {names[0]}"
        return Problem("dtype", reason, {"expected": names[0], "got": names[1]})
    if got.layout != own.layout or (own.is_contiguous() and not got.is_contiguous()):
        reason = f"the result has strides {got.stride()}, expected it contiguous"
        found = {"expected": list(own.stride()), "got": list(got.stride())}
        return Problem("layout", reason, found)
    return _compare_values(got.detach(), own, exact, bound, arguments)


def _compare_plain(got: Any, own: Any, exact: Any, bound: Any) -> Problem | None:
    """A result that is no tensor: a number, None, a shape."""
    if type(got) is not type(own):
        reason = f"the result is of type {type(got).__name__}, expected {type(own).__name__}"
        return Problem("type", reason, {})
    if isinstance(own, float):
        seen, written, best = (torch.tensor(v, dtype=torch.float64) for v in (got, own, exact))
        return _compare_values(seen, written, best, bound)
    same = got is own or got == own
    if isinstance(same, bool) and same:
        return None
    if isinstance(own, int) and bound is not None and bool((bound > 0).all()):
        return None
    return Problem("numerics", f"got {got!r}, expected {own!r}", {"expected": own, "got": got})


def _compare_values(
    got: torch.Tensor,
    own: torch.Tensor,
    exact: Any,
    bound: torch.Tensor | None,
    arguments: tuple[Any, ...] = (),
) -> Problem | None:
    if got.numel() == 0:
        return None
    got = got.to(own.device)
    if bound is not None:
        bound = bound.to(own.device)
    if got.is_complex():
        bad = ~((got - exact).abs().to(torch.float64) <= (0.0 if bound is None else bound))
        bad &= ~((got == own) | (got.isnan() & own.isnan()))
    elif got.is_floating_point():
        bad = wrong_floats(got, own, exact, bound)
    else:
        bad = got != own
        if bound is not None:
            bad &= ~(bound > 0)
        if bool(bad.any()):
            as_good = ties.excused(got, own, arguments)
            if as_good is not None:
                bad &= ~as_good
    if not bool(bad.any()):
        return None
    return _numerics(got, own, exact, bound, bad)


def wrong_floats(
    got: torch.Tensor, own: torch.Tensor, exact: torch.Tensor, bound: torch.Tensor | None
) -> torch.Tensor:
    """Where floats are neither within the bound nor excused; all tensors of one shape."""
    wide = got.to(torch.float64)
    best = exact.to(torch.float64)
    rounded = best.to(own.dtype).to(torch.float64)
    limit = torch.zeros_like(best) if bound is None else bound
    ok = (wide - rounded).abs() <= limit
    ok |= wide == rounded
    if bool(ok.all()):
        return ~ok
    ok |= rounded.isnan() & wide.isnan()
    written = own.to(torch.float64)
    # As written the reference overflows or has NaN although float64 does not: both are right.
    ok |= ~written.isfinite() & ((wide == written) | (written.isnan() & wide.isnan()))
    ok |= written.isfinite() & ~best.isfinite() & ((wide - written).abs() <= limit)
    largest = torch.finfo(own.dtype).max
    overflow = (best.abs() + limit >= largest) & ~best.isnan()
    ok |= overflow & wide.isinf() & (wide.sign() == best.sign())
    ok |= overflow & best.isfinite() & ((wide - best).abs() <= limit)
    ok |= (wide == 0) & (best.abs() < FLUSHED)
    return ~ok


def _numerics(
    got: torch.Tensor, own: torch.Tensor, exact: Any, bound: Any, bad: torch.Tensor
) -> Problem:
    """The problem, shown at the element that is furthest beyond its bound."""
    count, total = int(bad.sum()), bad.numel()
    expected = exact if isinstance(exact, torch.Tensor) and own.is_floating_point() else own
    if got.is_floating_point():
        error = (got.to(torch.float64) - expected.to(torch.float64)).abs()
        error = error.nan_to_num(math.inf, math.inf, math.inf)
        if bound is not None:
            error = error / (bound + FLUSHED)
        flat = int(torch.where(bad, error.nan_to_num(math.inf), -1.0).reshape(-1).argmax())
    else:
        flat = int(bad.reshape(-1).to(torch.int8).argmax())
    index = _unravel(flat, tuple(got.shape))
    seen, wanted = got[index].item(), expected[index].item()
    limit = 0.0 if bound is None else float(bound[index])
    place = list(index)
    shown = f"{wanted:.9g}" if isinstance(wanted, float) else repr(wanted)
    value = f"{seen:.9g}" if isinstance(seen, float) else repr(seen)
    reason = f"{count} of {total} elements are wrong; at {place}: got {value}, expected {shown}"
    if isinstance(seen, float):
        reason += f" (bound {limit:.3g})"
    witness = {
        "index": place,
        "expected": _plain(wanted),
        "got": _plain(seen),
        "bound": _plain(limit),
        "wrong": count,
        "elements": total,
    }
    return Problem("numerics", reason, witness)


def _plain(value: Any) -> Any:
    """A number that JSON can hold."""
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return value


def _unravel(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    index: list[int] = []
    for size in reversed(shape):
        flat, rest = divmod(flat, size)
        index.append(rest)
    return tuple(reversed(index))
