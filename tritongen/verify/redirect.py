"""CUDA without a GPU: code that says `device="cuda"` runs on the CPU, its text untouched.

A `TorchFunctionMode` sends every device argument to the CPU and keeps track of where a tensor
claims to be, so that `x.device` and `x.is_cuda` answer as on a GPU machine and a tensor that would
really lie in host memory is refused at a launch, as Triton refuses it. `torch.cuda` and the
driver of Triton answer for one small invented device.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

MULTIPROCESSORS = 8
CAPABILITY = (9, 0)
_PLACE = "_claimed_place"

_PROPERTIES = SimpleNamespace(
    name="tritongen reference device",
    major=CAPABILITY[0],
    minor=CAPABILITY[1],
    multi_processor_count=MULTIPROCESSORS,
    total_memory=16 << 30,
    warp_size=32,
    max_threads_per_multi_processor=2048,
    regs_per_multiprocessor=65536,
    shared_memory_per_block=49152,
    shared_memory_per_block_optin=232448,
    shared_memory_per_multiprocessor=233472,
    L2_cache_size=50 << 20,
    is_integrated=0,
    is_multi_gpu_board=0,
    gcnArchName="",
)


def place_of(tensor: Any) -> str | None:
    """`cuda`, `cpu`, or None where the history of a tensor is not known (then it is trusted)."""
    return getattr(tensor, _PLACE, None)


def claim_place(tensor: Any, place: str) -> None:
    """Say where a tensor claims to be."""
    setattr(tensor, _PLACE, place)


def _kind(device: Any) -> str | None:
    """Where a device argument points: `cuda`, `cpu`, or None if it is no device."""
    if isinstance(device, torch.device):
        return device.type
    if isinstance(device, str):
        head = device.split(":")[0]
        return head if head in ("cuda", "cpu", "meta") else None
    return None


_CREATE = {
    getattr(torch, name)
    for name in (
        *("arange", "as_tensor", "bartlett_window", "empty", "empty_strided", "eye", "full"),
        *("hann_window", "linspace", "logspace", "normal", "ones", "rand", "randint", "randn"),
        *("randperm", "tensor", "zeros", "tril_indices", "triu_indices"),
    )
}
_EMPTY = {torch.empty, torch.empty_like, torch.empty_strided, torch.Tensor.new_empty} | {
    torch.Tensor.new_empty_strided
}
_GET_DEVICE = torch.Tensor.device.__get__  # type: ignore[attr-defined]
_GET_IS_CUDA = torch.Tensor.is_cuda.__get__  # type: ignore[attr-defined]
_GET_IS_CPU = torch.Tensor.is_cpu.__get__  # type: ignore[attr-defined]


class Redirect(TorchFunctionMode):
    """The mode; `poison` fills fresh uninitialised memory with NaN or extremes."""

    def __init__(self, poison: bool = True) -> None:
        super().__init__()
        self.poison = poison

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run `func` with its device arguments changed to the CPU."""
        kwargs = dict(kwargs) if kwargs else {}
        if func is torch.device:
            return func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        if name == "__get__":
            if func == _GET_DEVICE:
                return _claimed_device(args[0])
            if func == _GET_IS_CUDA:
                return place_of(args[0]) != "cpu"
            if func == _GET_IS_CPU:
                return place_of(args[0]) == "cpu"
        elif name in ("to", "cuda", "cpu") and args and isinstance(args[0], torch.Tensor):
            return _move(name, args[0], args[1:], kwargs)
        elif name == "get_device" and args and isinstance(args[0], torch.Tensor):
            return -1 if place_of(args[0]) == "cpu" else 0
        wanted = None
        if "device" in kwargs and kwargs["device"] is not None:
            wanted = _kind(kwargs["device"]) or "cuda"
            if wanted != "meta":
                kwargs["device"] = "cpu"
        elif func in _CREATE:
            wanted = "cpu" if func is not torch.as_tensor else None
        kwargs.pop("pin_memory", None)
        result = func(*args, **kwargs)
        if isinstance(result, torch.Tensor):
            setattr(result, _PLACE, wanted or _place_of_all(args))
            if self.poison and func in _EMPTY:
                fill_poison(result)
        elif isinstance(result, (tuple, list)):
            place = wanted or _place_of_all(args)
            for item in result:
                if isinstance(item, torch.Tensor):
                    setattr(item, _PLACE, place)
        return result


def fill_poison(tensor: torch.Tensor) -> None:
    """Fill uninitialised memory with values that no kernel can mistake for a result."""
    if tensor.requires_grad or tensor.is_meta or tensor.numel() == 0:
        return
    if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
        tensor.fill_(float("nan"))
    elif tensor.dtype is torch.bool:
        tensor.fill_(True)
    else:
        tensor.fill_(torch.iinfo(tensor.dtype).max - 37)


def _place_of_all(args: Any) -> str | None:
    """Where the result of an operation lies: on the device if any of its tensors does."""
    place: str | None = None
    first = True
    for item in args:
        if isinstance(item, (tuple, list)):
            found = _place_of_all(item) if any(isinstance(i, torch.Tensor) for i in item) else None
            if found is None:
                continue
        elif isinstance(item, torch.Tensor):
            found = place_of(item)
        else:
            continue
        if found == "cuda":
            return "cuda"
        place = found if first or found == place else None
        first = False
    return place


def _claimed_device(tensor: torch.Tensor) -> torch.device:
    return torch.device("cpu") if place_of(tensor) == "cpu" else torch.device("cuda", 0)


def _move(name: str, tensor: torch.Tensor, args: Any, kwargs: dict[str, Any]) -> torch.Tensor:
    """`to`, `cuda` and `cpu`: a change of the claimed place makes a copy, as on a GPU."""
    wanted: str | None = name if name != "to" else None
    rest: list[Any] = []
    if name == "to":
        for item in args:
            if isinstance(item, torch.Tensor):
                wanted = place_of(item) or "cuda"
                rest.append(item.dtype)
            elif (kind := _kind(item)) is not None:
                wanted = kind
                rest.append("cpu")
            elif isinstance(item, int) and not isinstance(item, bool):
                wanted = "cuda"
                rest.append("cpu")
            else:
                rest.append(item)
        device = kwargs.pop("device", None)
        if device is not None:
            wanted = _kind(device) or "cuda"
        other = kwargs.pop("other", None)
        if isinstance(other, torch.Tensor):
            wanted, kwargs["dtype"] = place_of(other) or "cuda", other.dtype
    else:
        kwargs = {k: v for k, v in kwargs.items() if k == "memory_format"}
    here = place_of(tensor)
    target = wanted or here
    result = tensor.to(*rest, **kwargs) if rest or kwargs else tensor
    moved = (here or "cuda") != (target or "cuda")
    if moved and result is tensor:
        result = tensor.clone()
    if result is not tensor or here is None:
        setattr(result, _PLACE, target)
    return result


class _GeneratorMeta(type(torch._C.Generator)):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, torch._C.Generator)


class _Generator(torch._C.Generator, metaclass=_GeneratorMeta):
    """`torch.Generator(device="cuda")` as a generator of the CPU."""

    def __new__(cls, device: Any = "cpu") -> Any:
        return torch._C.Generator(device="cpu")


class _Event:
    """A CUDA event that times nothing."""

    def __init__(self, *_: Any, **__: Any) -> None: ...
    def record(self, *_: Any) -> None: ...
    def synchronize(self) -> None: ...
    def wait(self, *_: Any) -> None: ...
    def query(self) -> bool:
        return True

    def elapsed_time(self, _: Any) -> float:
        return 0.001


class _Stream(_Event):
    cuda_stream = 0
    device_index = 0

    def wait_stream(self, *_: Any) -> None: ...
    def wait_event(self, *_: Any) -> None: ...
    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_: Any) -> None: ...


class _Context:
    """`torch.cuda.device(...)` and `torch.cuda.stream(...)`."""

    def __init__(self, *_: Any, **__: Any) -> None: ...
    def __enter__(self) -> _Context:
        return self

    def __exit__(self, *_: Any) -> None: ...


def _do_nothing(name: str) -> Any:
    """A function of its own for each name: torch._dynamo refuses one under several names."""

    def nothing(*_: Any, **__: Any) -> None:
        return None

    nothing.__name__ = nothing.__qualname__ = name
    return nothing


_CUDA: dict[str, Any] = {
    "is_available": lambda: True,
    "is_initialized": lambda: True,
    "device_count": lambda: 1,
    "current_device": lambda: 0,
    "get_device_properties": lambda *_: _PROPERTIES,
    "get_device_capability": lambda *_: CAPABILITY,
    "get_device_name": lambda *_: _PROPERTIES.name,
    "is_bf16_supported": lambda *_, **__: True,
    "memory_allocated": lambda *_: 0,
    "max_memory_allocated": lambda *_: 0,
    "memory_reserved": lambda *_: 0,
    "mem_get_info": lambda *_: (8 << 30, 16 << 30),
    "current_stream": _Stream,
    "default_stream": _Stream,
    "Event": _Event,
    "Stream": _Stream,
    "device": _Context,
    "device_of": _Context,
    "stream": _Context,
    "manual_seed": lambda seed: torch.default_generator.manual_seed(seed),
    "manual_seed_all": _do_nothing("manual_seed_all"),
    **{
        name: _do_nothing(name)
        for name in ("synchronize", "empty_cache", "set_device", "init", "reset_peak_memory_stats")
    },
}


class _DriverUtils:
    @staticmethod
    def get_device_properties(_device: int = 0) -> dict[str, int]:
        return {
            "max_shared_mem": 232448,
            "max_num_regs": 65536,
            "multiprocessor_count": MULTIPROCESSORS,
            "warpSize": 32,
            "sm_clock_rate": 1_700_000,
            "mem_clock_rate": 2_600_000,
            "mem_bus_width": 5120,
        }


class Driver:
    """What kernels' hosts and Triton's launcher ask of `triton.runtime.driver.active`."""

    utils = _DriverUtils()

    def __init__(self) -> None:
        from triton.backends.compiler import GPUTarget

        self._target = GPUTarget("cuda", CAPABILITY[0] * 10 + CAPABILITY[1], 32)

    def get_current_target(self) -> Any:
        return self._target

    def get_current_device(self) -> int:
        return 0

    def set_current_device(self, _device: int) -> None: ...

    def get_current_stream(self, _device: int = 0) -> int:
        return 0

    def get_device_capability(self, *_: Any) -> tuple[int, int]:
        return CAPABILITY

    def get_active_torch_device(self) -> torch.device:
        return torch.device("cuda", 0)

    def get_device_interface(self) -> Any:
        return torch.cuda

    def get_benchmarker(self) -> Any:
        return lambda call, *_, quantiles=(0.5,), **__: (call(), [0.001 for _ in quantiles])[1]

    def get_empty_cache_for_benchmark(self) -> torch.Tensor:
        return torch.zeros(1)

    def clear_cache(self, _cache: Any) -> None: ...


def install() -> None:
    """Replace `torch.cuda`, `torch.Generator` and Triton's driver for the life of the process."""
    import triton

    for name, value in _CUDA.items():
        setattr(torch.cuda, name, value)
    torch.Generator = _Generator  # type: ignore[misc, assignment]
    triton.runtime.driver.set_active(Driver())  # type: ignore[arg-type]


@contextlib.contextmanager
def redirected(poison: bool = True) -> Iterator[None]:
    """Run a block as if the one device were a GPU."""
    with Redirect(poison):
        yield


def refuse_host_tensor(value: Any, name: str) -> None:
    """Raise what Triton raises on a GPU machine for a tensor in host memory."""
    if isinstance(value, torch.Tensor) and place_of(value) == "cpu":
        raise ValueError(f"Pointer argument {name!r} cannot be accessed from Triton (cpu tensor?)")
