"""A reference in another precision: every cast, factory and scalar limit within it follows.

`Promotion` is a dispatch mode. Below it each float16, bfloat16 and float32 tensor that an operator
takes, makes or casts to has the target dtype instead, so `x.float()`, `dtype=torch.float32`,
`torch.zeros(...)` and parameters made on the way are computed in the target precision. Tensors
remember the dtype that they would have had (`nominal_dtype`). Random numbers are drawn in that
dtype and widened, so that a seed gives the same numbers as in an ordinary run.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

LOW = frozenset({torch.float16, torch.bfloat16, torch.float32})
_COMPLEX = {torch.complex32: torch.complex64, torch.complex64: torch.complex128}
_NOMINAL = "_nominal_dtype"

_RANDOM_FACTORIES = frozenset({"rand", "randn", "normal", "rand_like", "randn_like", "bernoulli"})
_RANDOM_FILLS = frozenset(
    {"uniform_", "normal_", "exponential_", "bernoulli_", "cauchy_", "log_normal_", "geometric_"}
)
_FACTORIES = frozenset(
    {"empty", "zeros", "ones", "full", "rand", "randn", "linspace", "logspace", "scalar_tensor"}
    | {"eye", "empty_strided", "normal", "hann_window", "hamming_window"}
)


class PromotionError(RuntimeError):
    """The reference does what has no meaning in another precision (it reads bits)."""


def unit_roundoff(dtype: torch.dtype) -> float:
    """Half the distance from 1 to the next number of a floating dtype."""
    return torch.finfo(dtype).eps / 2


def nominal_dtype(tensor: torch.Tensor, default: torch.dtype) -> torch.dtype:
    """The dtype that a promoted tensor stands for."""
    found = getattr(tensor, _NOMINAL, None)
    if found is not None:
        return found
    return tensor.dtype if tensor.dtype in LOW else default


def tell_nominal(tensor: torch.Tensor, dtype: torch.dtype) -> None:
    """Say which dtype a promoted tensor stands for."""
    setattr(tensor, _NOMINAL, dtype)


@functools.lru_cache(4096)
def _written(func: Any) -> frozenset[int | str]:
    """Positions and names of the arguments that an operator writes to."""
    schema = getattr(func, "_schema", None)
    if schema is None:
        return frozenset()
    found: set[int | str] = set()
    for index, argument in enumerate(schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            found |= {index, argument.name}
    return frozenset(found)


@functools.lru_cache(16)
def _limits(target: torch.dtype) -> dict[float, str]:
    """Numbers that can only have come from `torch.finfo(target)`, and what they are called."""
    info = torch.finfo(target)
    return {info.eps: "eps", info.tiny: "tiny", info.max: "max", info.min: "min"}


def operator_name(func: Any) -> str:
    """`add` for `aten.add.Tensor`; in-place operators keep their underscore."""
    packet = getattr(func, "overloadpacket", None)
    return getattr(packet, "__name__", None) or getattr(func, "__name__", "")


def is_float(value: Any) -> bool:
    """Whether a value is a tensor of real or complex floating numbers."""
    return isinstance(value, torch.Tensor) and (value.is_floating_point() or value.is_complex())


def map_tensors(function: Any, value: Any) -> Any:
    """A value with a function applied to its tensors, through tuples and lists."""
    if isinstance(value, torch.Tensor):
        return function(value)
    if isinstance(value, (tuple, list)):
        items = [map_tensors(function, item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


def each_tensor(value: Any) -> Iterator[torch.Tensor]:
    """The tensors of a value, through tuples and lists."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from each_tensor(item)


class Promotion(TorchDispatchMode):
    """Computes in `target` (float32 or float64) what the code asks for in narrower floats."""

    def __init__(self, target: torch.dtype, default: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.target = target
        self.default = default
        self.narrow = frozenset(d for d in LOW if torch.finfo(d).bits < torch.finfo(target).bits)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False: nothing is compiled here, and the guard costs a second and time at every call."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operator with its floats widened."""
        kwargs = dict(kwargs) if kwargs else {}
        name = operator_name(func)
        if name == "view" and len(args) > 1 and isinstance(args[1], torch.dtype):
            raise PromotionError("the reference reinterprets the bits of a tensor")
        nominal = self.nominal_of(name, args, kwargs)
        if name in _RANDOM_FACTORIES:
            return self._draw(func, args, kwargs, nominal)
        written = _written(func)
        args = tuple(
            item if index in written else self._widen(item, nominal)
            for index, item in enumerate(args)
        )
        kwargs = {
            key: item if key in written else self._widen(item, nominal)
            for key, item in kwargs.items()
        }
        if name in _RANDOM_FILLS and args and args[0].dtype == self.target != nominal:
            drawn = torch.empty_like(args[0], dtype=nominal)
            func(drawn, *args[1:], **kwargs)
            return args[0].copy_(drawn)
        result = self.call(func, name, args, kwargs, nominal)
        return self._mark(result, nominal, bool(written))

    def call(
        self, func: Any, name: str, args: Any, kwargs: dict[str, Any], nominal: torch.dtype
    ) -> Any:
        """Run an operator whose arguments are widened."""
        return func(*args, **kwargs)

    def nominal_of(self, name: str, args: Any, kwargs: dict[str, Any]) -> torch.dtype:
        """The dtype that the result of an operator would have without the promotion."""
        asked = kwargs.get("dtype")
        if asked is None:
            asked = next((item for item in args if isinstance(item, torch.dtype)), None)
        if asked is not None and asked.is_floating_point:
            return asked
        if name in _FACTORIES:
            return torch.float32
        best: dict[bool, torch.dtype] = {}
        for item in (*args, *kwargs.values()):
            for tensor in each_tensor(item):
                if tensor.is_floating_point():
                    dtype = nominal_dtype(tensor, self.default)
                    has_dims = tensor.dim() > 0
                    old = best.get(has_dims)
                    best[has_dims] = dtype if old is None else torch.promote_types(old, dtype)
        return best.get(True) or best.get(False) or self.default

    def _widen(self, value: Any, nominal: torch.dtype) -> Any:
        if isinstance(value, torch.Tensor):
            if value.dtype in self.narrow:
                wide = value.to(self.target)
                setattr(wide, _NOMINAL, value.dtype)
                return wide
            if value.dtype in _COMPLEX and self.target is torch.float64:
                return value.to(torch.complex128)
            return value
        if isinstance(value, torch.dtype):
            if value in self.narrow:
                return self.target
            return torch.complex128 if value in _COMPLEX else value
        if isinstance(value, float):
            limit = _limits(self.target).get(value)
            return getattr(torch.finfo(nominal), limit) if limit else value
        if isinstance(value, (tuple, list)) and any(not isinstance(i, int) for i in value):
            return type(value)(self._widen(item, nominal) for item in value)
        return value

    def _draw(self, func: Any, args: Any, kwargs: dict[str, Any], nominal: torch.dtype) -> Any:
        if any(isinstance(item, torch.Tensor) for item in args) and "dtype" not in kwargs:
            args = tuple(
                i.to(nominal) if isinstance(i, torch.Tensor) and i.is_floating_point() else i
                for i in args
            )
        elif nominal in LOW:
            kwargs["dtype"] = nominal
        return self._mark(func(*args, **kwargs), nominal, False)

    def _mark(self, result: Any, nominal: torch.dtype, written: bool) -> Any:
        """The results in the target dtype, with the dtype that they stand for."""

        def mark(tensor: torch.Tensor) -> torch.Tensor:
            if tensor.dtype in self.narrow and not written:
                own = tensor.dtype
                tensor = tensor.to(self.target)
                setattr(tensor, _NOMINAL, own)
            elif tensor.is_floating_point() and not (written and hasattr(tensor, _NOMINAL)):
                setattr(tensor, _NOMINAL, nominal)
            return tensor

        return map_tensors(mark, result)


@contextlib.contextmanager
def promoted(mode: Promotion) -> Iterator[Promotion]:
    """Run a block under a promotion; Python floats become tensors of the target dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(mode.target)
    try:
        with mode:
            yield mode
    finally:
        torch.set_default_dtype(before)
