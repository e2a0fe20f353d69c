"""What a trial should give, and by how much an honest implementation may differ from it.

The bound of an element that is computed is `2 u |ref| + 2 |eager - ref| + 4 deviation`: rounding to the dtype of the
result, what the reference itself loses as it is written, and how far rounding at every step moves
the element (see `noise`). An element that is only copied or chosen must be equal. Where the noise cannot be had, inputs are perturbed by one rounding and
the deviation is taken over the last dimension.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Literal

import torch

from tritongen.verify.judge.promotion import map_tensors, unit_roundoff
from tritongen.verify.judge.records import Expectation, Precision, Problem, Ran, Reference

DEVIATIONS = 4.0
TYPICAL = 0.5
SAMPLE = 1 << 14
PERTURBED = 3
SPREADS: dict[tuple[bool, bool], Precision] = {
    (False, False): "spread",
    (True, False): "spread-tf32",
    (False, True): "spread-more",
    (True, True): "spread-tf32-more",
}
"""By (TF32, many runs): how a reference is asked for its results and their deviations."""


def expect(
    reference: Reference,
    arguments: tuple[Any, ...],
    *,
    tf32: bool = False,
    twice: bool = False,
) -> Expectation | Problem:
    """The expectation of one call.

    Args:
        reference: where the reference runs.
        arguments: of the call; nothing is written to them.
        tf32: whether dots may round float32 operands to TF32.
        twice: also run under another seed. Results that depend on the seed are a problem: no
            wrapper can reproduce them.

    Returns:
        the expectation, or a problem `reference`: it raises, gives nothing, or is random.
    """
    own = reference.run(arguments, "own")
    if not own.ok:
        return Problem("reference", f"the reference raises {own.error}")
    if not own.outputs or all(item is None for item in own.outputs):
        return Problem("reference", "the reference returns nothing")
    if not twice:
        wide = reference.run(arguments, "float64")
        if wide.ok and _agree(own, wide.outputs):
            bounds = tuple(
                _narrow_bound(o, e) for o, e in zip(own.outputs, wide.outputs, strict=True)
            )
            later = cache(lambda: _expect_noise(reference, arguments, own, tf32))
            return Expectation(own.outputs, wide.outputs, bounds, "float64", later)
    made = _expect_noise(reference, arguments, own, tf32)
    if twice:
        problem = _is_random(made, reference.run(arguments, "again"))
        if problem is not None:
            return problem
    return made


def _expect_noise(
    reference: Reference, arguments: tuple[Any, ...], own: Ran, tf32: bool, much: bool = False
) -> Expectation:
    """The expectation with the bound that noise shows.

    A few runs leave out elements beside a kink (a clamp, a relu) which all of them moved to the
    flat side; where results exceed the bound, many runs (`much`) decide.
    """
    count = len(own.outputs)
    is_noise = True
    noisy = reference.run(arguments, SPREADS[tf32, much])
    mode: Literal["float64", "eager"] = "float64"
    if noisy.ok and len(noisy.outputs) == 2 * count and _agree(own, noisy.outputs[:count]):
        exact, deviation = noisy.outputs[:count], noisy.outputs[count:]
    else:
        exact, deviation, mode = _perturbed(reference, arguments, own, tf32)
        is_noise = False
    bounds = tuple(
        _bound(o, e, d, mode, is_noise)
        for o, e, d in zip(own.outputs, exact, deviation, strict=True)
    )
    again = is_noise and not much
    later = cache(lambda: _expect_noise(reference, arguments, own, tf32, True)) if again else None
    return Expectation(own.outputs, tuple(exact), bounds, mode, later)


def _narrow_bound(own: Any, exact: Any) -> torch.Tensor | None:
    """The part of the bound that needs no noise: nothing where the reference loses nothing."""
    bound = _bound(own, exact, None, "float64", is_noise=False)
    if bound is None or not isinstance(own, torch.Tensor) or not own.is_floating_point():
        return None
    return torch.where(own.to(torch.float64) == exact.to(torch.float64), 0.0, bound)


def _agree(own: Ran, outputs: tuple[Any, ...]) -> bool:
    """Whether another precision gave results of the same shapes and kinds."""
    if len(own.outputs) != len(outputs):
        return False
    for left, right in zip(own.outputs, outputs, strict=True):
        if isinstance(left, torch.Tensor):
            if not isinstance(right, torch.Tensor) or left.shape != right.shape:
                return False
            if left.is_floating_point() and not right.is_floating_point():
                return False
        elif isinstance(right, torch.Tensor):
            return False
    return True


def _bound(own: Any, exact: Any, deviation: Any, mode: str, is_noise: bool) -> torch.Tensor | None:
    """The largest error of each element, or None where results must be equal."""
    if isinstance(own, float):
        own = torch.tensor(own, dtype=torch.float64)
        exact = torch.tensor(exact, dtype=torch.float64)
        return _float_bound(own, exact, deviation, mode, torch.float32, is_noise)
    if isinstance(own, int) and not isinstance(own, bool):
        return None if own == exact else torch.tensor(math.inf, dtype=torch.float64)
    if not isinstance(own, torch.Tensor):
        return None
    if own.is_complex():
        size = exact.abs().to(torch.float64)
        error = (own - exact).abs().to(torch.float64)
        loss = 0.0 if deviation is None else deviation
        return 4 * torch.finfo(own.dtype).eps * size + 2 * error + DEVIATIONS * loss
    if not own.is_floating_point():
        unstable = own != exact
        if deviation is not None:
            unstable |= deviation.to(own.device) > 0
        if not bool(unstable.any()):
            return None
        return torch.where(unstable, math.inf, 0.0).to(torch.float64)
    return _float_bound(own, exact, deviation, mode, own.dtype, is_noise)


def _float_bound(
    own: torch.Tensor,
    exact: torch.Tensor,
    deviation: Any,
    mode: str,
    dtype: torch.dtype,
    is_noise: bool,
) -> torch.Tensor:
    info = torch.finfo(dtype)
    best = exact.to(torch.float64).abs()
    unit = unit_roundoff(dtype)
    bound = best * (2 * unit) + info.smallest_normal * info.eps
    loss = (own.to(torch.float64) - exact.to(torch.float64)).abs()
    bound += 2 * torch.where(loss.isfinite(), loss, 0.0)
    if deviation is not None:
        moved = deviation.to(best.device, torch.float64)
        moved = torch.maximum(moved, best * (TYPICAL * _typical(moved, best)))
        bound += DEVIATIONS * moved
        if is_noise:
            # What no rounding moves was only copied or chosen: there nothing else will do.
            bound = torch.where((deviation.to(best.device) == 0) & (loss == 0), 0.0, bound)
    if mode == "eager":
        bound += 8 * unit * best
    return bound.nan_to_num(math.inf, math.inf, math.inf)


def _typical(deviation: torch.Tensor, best: torch.Tensor) -> float:
    """The median relative deviation: an element that noise spared by chance has it too."""
    relative = (deviation / best).reshape(-1)
    if relative.numel() > SAMPLE:
        relative = relative[:: relative.numel() // SAMPLE]
    relative = relative[relative.isfinite()]
    return float(relative.median()) if relative.numel() else 0.0


def _perturbed(
    reference: Reference, arguments: tuple[Any, ...], own: Ran, tf32: bool
) -> tuple[tuple[Any, ...], tuple[Any, ...], Literal["float64", "eager"]]:
    """Results and deviations without noise: from inputs that are perturbed relatively."""
    wide = reference.run(arguments, "float64")
    promotes = wide.ok and _agree(own, wide.outputs)
    base = wide.outputs if promotes else own.outputs
    precision: Precision = "float64" if promotes else "own"
    total: list[Any] = [None] * len(base)
    for draw in range(PERTURBED):
        generator = torch.Generator().manual_seed(draw)
        moved = map_tensors(lambda t, g=generator: _perturb(t, g, promotes, tf32), arguments)
        again = reference.run(moved, precision)
        if not again.ok or not _agree(own, again.outputs):
            continue
        for index, (best, other) in enumerate(zip(base, again.outputs, strict=True)):
            if isinstance(best, torch.Tensor):
                if best.is_floating_point():
                    change = (other.to(torch.float64) - best.to(torch.float64)).abs()
                    change = change.nan_to_num(0.0, 0.0, 0.0)
                else:
                    change = torch.where(best != other, math.inf, 0.0).to(torch.float64)
                total[index] = (
                    change if total[index] is None else torch.maximum(total[index], change)
                )
    for index, (best, eager) in enumerate(zip(base, own.outputs, strict=True)):
        if isinstance(best, torch.Tensor) and best.is_floating_point() and best.dim():
            loss = (best.to(torch.float64) - eager.to(torch.float64)).abs()
            loss = loss.nan_to_num(0.0, 0.0, 0.0)
            seen = loss if total[index] is None else torch.maximum(loss, total[index])
            total[index] = seen.amax(-1, keepdim=True).expand_as(seen) if seen.numel() else seen
    return base, tuple(total), "float64" if promotes else "eager"


def _perturb(
    tensor: torch.Tensor, generator: torch.Generator, wide: bool, tf32: bool
) -> torch.Tensor:
    """A floating tensor with each element moved by one rounding of float32 (or TF32)."""
    if not tensor.is_floating_point() or tensor.dtype.itemsize < 2:
        return tensor
    unit = 2.0**-11 if tf32 and tensor.dtype is torch.float32 else 2.0**-24
    if not wide:
        unit = max(unit, 2 * unit_roundoff(tensor.dtype))
    sign = torch.randint(0, 2, tensor.shape, generator=generator).to(tensor.device) * 2.0 - 1.0
    values = tensor.detach().to(torch.float64) * (1 + unit * sign.to(torch.float64))
    return values if wide else values.to(tensor.dtype)


def _is_random(made: Expectation, other: Ran) -> Problem | None:
    """Whether results differ between seeds by more than rounding."""
    from tritongen.verify.judge.bound import wrong_floats

    if not other.ok or len(other.outputs) != len(made.own):
        return Problem("reference", "the reference is random: two runs end differently")
    for own, again, exact, bound in zip(
        made.own, other.outputs, made.exact, made.bound, strict=True
    ):
        if not isinstance(own, torch.Tensor):
            if own != again and not isinstance(own, float):
                return Problem("reference", "the reference is random: two runs differ")
            continue
        if own.shape != again.shape:
            return Problem("reference", "the reference is random: its shapes differ")
        if own.is_floating_point():
            differs = bool(wrong_floats(again, own, exact, bound).any())
        else:
            wrong = own != again
            differs = bool((wrong if bound is None else wrong & ~(bound > 0)).any())
        if differs:
            return Problem("reference", "the reference is random: two runs differ")
    return None
