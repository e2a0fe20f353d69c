"""A reference in this process: copies of the arguments, a set seed, any precision."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from tritongen.verify.cases import one_line
from tritongen.verify.judge.noise import RUNS, Noise, mark_inputs
from tritongen.verify.judge.promotion import Promotion, map_tensors, promoted, tell_nominal
from tritongen.verify.judge.records import Precision, Ran

GAIN = 4.0
MANY = 16 * RUNS
CHOICES = 8


def flatten(result: Any) -> tuple[Any, ...]:
    """The parts of a result, through nested tuples, lists and dicts, in order."""
    if isinstance(result, (tuple, list)) and not isinstance(result, torch.Size):
        return tuple(item for part in result for item in flatten(part))
    if isinstance(result, dict):
        return tuple(item for part in result.values() for item in flatten(part))
    return (result,)


def copy_values(values: Any) -> Any:
    """Arguments whose tensors share no memory with the given ones; strides are kept."""
    return map_tensors(_copy, values)


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        copy = torch.empty_strided(
            tensor.size(), tensor.stride(), dtype=tensor.dtype, device=tensor.device
        )
        if any(s == 0 and n > 1 for s, n in zip(tensor.stride(), tensor.size(), strict=True)):
            narrow = tuple(
                slice(0, 1) if stride == 0 else slice(None) for stride in tensor.stride()
            )
            copy[narrow].copy_(tensor.detach()[narrow])
        else:
            copy.copy_(tensor.detach())
    return copy.requires_grad_(True) if tensor.requires_grad else copy


def set_seeds(seed: int) -> None:
    """Set every generator that a reference may draw from."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    random.seed(seed)
    np.random.seed(seed % (1 << 32))


class LocalReference:
    """The reference function, called in this process.

    Args:
        function: takes the arguments of a trial by position.
        seed: set before every run.
        surroundings: makes a context for each run (the redirection of devices, say).
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        seed: int = 0,
        surroundings: Callable[[], contextlib.AbstractContextManager[Any]] | None = None,
    ) -> None:
        self.function = function
        self.seed = seed
        self.surroundings = surroundings or contextlib.nullcontext

    def run(self, arguments: tuple[Any, ...], precision: Precision) -> Ran:
        """The results for copies of the arguments, flat; an exception as `error`."""
        try:
            with self.surroundings(), _exact_dots():
                if precision in ("own", "again"):
                    return Ran(self._call(arguments, self.seed + (precision == "again")))
                default = _default(arguments)
                if precision in ("float32", "float64"):
                    mode = Promotion(getattr(torch, precision), default)
                    return Ran(self._under(mode, arguments))
                if precision.startswith("spread"):
                    runs = MANY if precision.endswith("more") else RUNS
                    return Ran(self._spread(arguments, default, "tf32" in precision, runs))
                return Ran(error=f"no precision is called {precision!r}")
        except Exception as error:
            return Ran(error=one_line(f"{type(error).__name__}: {error}"))

    def _call(self, arguments: tuple[Any, ...], seed: int) -> tuple[Any, ...]:
        set_seeds(seed)
        return tuple(_detached(item) for item in flatten(self.function(*copy_values(arguments))))

    def _under(self, mode: Promotion, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        set_seeds(self.seed)
        copies = copy_values(arguments)
        copies = map_tensors(lambda tensor: _enter(mode, tensor), copies)
        if isinstance(mode, Noise):
            mark_inputs(copies)
        with promoted(mode):
            results = flatten(self.function(*copies))
        return tuple(_detached(item) for item in results)

    def _spread(
        self, arguments: tuple[Any, ...], default: torch.dtype, tf32: bool, runs: int
    ) -> tuple[Any, ...]:
        """The float64 results, then how far each moves under rounding."""
        exact = self._under(Promotion(torch.float64, default), arguments)
        total: list[Any] = [None] * len(exact)
        draws = [Noise(run, default, tf32=tf32) for run in range(runs)]
        chooses = [_is_choice(item) for item in exact]
        if any(chooses):
            draws += [Noise(run, default, tf32=tf32, gain=GAIN) for run in range(CHOICES)]
        for number, mode in enumerate(draws):
            noisy = self._under(mode, arguments)
            if len(noisy) != len(exact):
                raise RuntimeError("the number of results depends on rounding")
            for index, (best, moved) in enumerate(zip(exact, noisy, strict=True)):
                if number >= runs and not chooses[index]:
                    continue
                found = _squared(best, moved)
                if found is not None:
                    total[index] = found if total[index] is None else total[index] + found
        roots = (None if item is None else (item / runs).sqrt() for item in total)
        return (*exact, *roots)


def _enter(mode: Promotion, tensor: torch.Tensor) -> torch.Tensor:
    """An argument under a promotion: widened, and told what it stands for."""
    if tensor.dtype not in mode.narrow:
        return tensor
    wide = tensor.detach().to(mode.target)
    wide.requires_grad_(tensor.requires_grad)
    tell_nominal(wide, tensor.dtype)
    return wide


def _detached(value: Any) -> Any:
    return value.detach() if isinstance(value, torch.Tensor) else value


def _default(arguments: Any) -> torch.dtype:
    """The dtype that tensors of unknown origin stand for: the widest of the arguments."""
    found: list[torch.dtype] = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.is_floating_point() and tensor.dtype.itemsize > 1:
            found.append(tensor.dtype)
        return tensor

    map_tensors(note, arguments)
    widest = torch.float32 if not found else found[0]
    for dtype in found[1:]:
        widest = torch.promote_types(widest, dtype)
    return widest


def _is_choice(value: Any) -> bool:
    """Whether a result is of integers or booleans, which rounding changes wholly or not at all."""
    if isinstance(value, torch.Tensor):
        return not (value.is_floating_point() or value.is_complex())
    return isinstance(value, int)


def _squared(best: Any, moved: Any) -> torch.Tensor | None:
    """Squared deviations; infinite where one is finite and the other not; 0 or inf of integers."""
    if isinstance(best, (bool, int, float)) and isinstance(moved, (bool, int, float)):
        dtype = torch.float64 if isinstance(best, float) else torch.int64
        best, moved = torch.tensor(best, dtype=dtype), torch.tensor(moved, dtype=dtype)
    if not isinstance(best, torch.Tensor) or not isinstance(moved, torch.Tensor):
        return None
    if best.shape != moved.shape:
        raise RuntimeError("the shape of a result depends on rounding")
    if best.is_complex():
        difference = (best - moved).abs()
        return (difference * difference).nan_to_num(0.0, 0.0, 0.0)
    if not best.is_floating_point():
        return torch.where(best != moved, torch.inf, 0.0).to(torch.float64)
    best, moved = best.to(torch.float64), moved.to(torch.float64)
    same = (best == moved) | (best.isnan() & moved.isnan())
    finite = best.isfinite() & moved.isfinite()
    difference = torch.where(same | ~finite, 0.0, best - moved)
    return torch.where(same | finite, difference * difference, torch.inf)


@contextlib.contextmanager
def _exact_dots() -> Iterator[None]:
    """Without TF32 in torch's own matrix products and convolutions."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before
