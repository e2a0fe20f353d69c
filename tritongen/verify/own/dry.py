"""Launches without compiling: which specialisations a call of the wrapper would need.

The binder that Triton generates for each kernel says what a launch specialises on; asking it costs
microseconds. Works where Triton runs in its normal mode (kinds `cuda` and `compile`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from triton.runtime import autotuner, driver, jit

from tritongen.verify.own.policy import Seen


@dataclass(slots=True)
class Dry:
    """What the launches of one call would be."""

    specialisations: set[str] = field(default_factory=set)
    constants: dict[str, Any] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    ones: int = 0
    sixteens: int = 0
    configurations: int = 1

    def seen(self, dtype: str, elements: int) -> Seen:
        """As the policy reads it; `elements` are those of the largest argument."""
        return Seen(
            dtype,
            frozenset(self.specialisations),
            self.ones,
            self.sixteens,
            frozenset(self.flags),
            elements,
        )


def _note(dry: Dry, function: Any, args: Any, kwargs: dict[str, Any]) -> None:
    active: Any = driver.active
    device = active.get_current_device()
    *_, binder = function.device_caches[device]
    with torch._C.DisableTorchFunction():
        bound, specialization, options = binder(*args, **{**kwargs, "debug": False})
    dry.specialisations.add(f"{function.__name__}|{specialization}|{options}")
    values = list(bound.values())
    for parameter, (kind, mark), value in zip(
        function.params, specialization, values, strict=False
    ):
        if parameter.is_constexpr:
            dry.constants[f"{function.__name__}.{parameter.name}"] = value
            if value is None or isinstance(value, (bool, str)):
                dry.flags.add(f"{function.__name__}.{parameter.name}={value!r}")
        elif kind == "constexpr":
            dry.ones += 1
        elif isinstance(mark, str) and "D" in mark and isinstance(value, int):
            dry.sixteens += 1


@contextlib.contextmanager
def dry_launches(configuration: int = 0) -> Iterator[Dry]:
    """Catch every launch of a block; an autotuned kernel takes one configuration."""
    dry = Dry()

    def run(self: Any, *args: Any, grid: Any, warmup: bool, **kwargs: Any) -> Any:
        _note(dry, self, args, kwargs)
        metadata = SimpleNamespace(shared=0, num_warps=4, num_stages=2, num_ctas=1)
        return SimpleNamespace(n_regs=32, n_spills=0, metadata=metadata, asm={})

    def tuned(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.nargs = dict(zip(self.arg_names, args, strict=False))
        configs = self.prune_configs(kwargs) if len(self.configs) > 1 else self.configs
        dry.configurations = max(dry.configurations, len(configs))
        config = configs[configuration % len(configs)]
        result = self.fn.run(*args, **kwargs, **config.all_kwargs())
        self.nargs = None
        return result

    function: Any = jit.JITFunction
    tuner: Any = autotuner.Autotuner
    before = function.run, tuner.run
    function.run, tuner.run = run, tuned
    try:
        yield dry
    finally:
        function.run, tuner.run = before


def dry_run(wrapper: Callable[..., Any], arguments: tuple[Any, ...], configuration: int = 0) -> Dry:
    """What one call would launch; what the wrapper returns is not computed and not looked at."""
    with dry_launches(configuration) as dry:
        wrapper(*arguments)
    return dry
