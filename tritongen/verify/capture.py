"""Launches caught before they happen: which kernel, which types, constants and options.

In a process of kind `compile` the pair's tests run with Triton in its normal mode, but a launch
is only written down. Of each (kernel, dtypes, constants, options) ONE specialisation is kept: the
one observed with the most arguments divisible by 16 and the fewest equal to 1. It vectorises and
pipelines the most, so it is the one that needs the most shared memory.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from triton._utils import find_paths_if, get_iterable_path
from triton.runtime import autotuner, jit

from tritongen.verify.kernelkey import kernel_key, value_key
from tritongen.verify.redirect import refuse_host_tensor


@dataclass(slots=True)
class Launch:
    """One specialisation of one kernel, ready to be compiled for a target."""

    function: Any
    signature: dict[str, Any]
    constants: dict[tuple[int, ...], Any]
    attributes: dict[tuple[int, ...], str]
    options: dict[str, Any]
    key: str
    rank: tuple[int, int]

    @property
    def name(self) -> str:
        """The kernel's name in its source."""
        return self.function.__name__


@dataclass(slots=True)
class Captured:
    """All launches of a pair."""

    launches: dict[str, Launch] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    every_specialisation: bool = False


STATE = Captured()


def _capture(self: Any, *args: Any, grid: Any, warmup: bool, **kwargs: Any) -> Any:
    """What stands in for `JITFunction.run`."""
    for hook in self.pre_run_hooks:
        hook(*args, **kwargs)
    *_, binder = self.device_caches[0]
    arguments = {**kwargs, "debug": False}
    with torch._C.DisableTorchFunction():
        bound, specialization, _ = binder(*args, **arguments)
    if not warmup:
        for name, value in bound.items():
            refuse_host_tensor(value, name)
        if callable(grid):
            grid = grid(bound)
        STATE.counts[self.__name__] += 1
    parameters = [parameter.name for parameter in self.params]
    types = [item[0] for item in specialization]
    constants = {
        path: get_iterable_path(list(bound.values()), path)
        for path in find_paths_if(types, lambda _, value: value == "constexpr")
    }
    marks = ["" if item[0] == "constexpr" else item[1] for item in specialization]
    attributes = {
        path: str(get_iterable_path(marks, path))
        for path in find_paths_if(marks, lambda _, value: isinstance(value, str))
    }
    options = {key: value for key, value in kwargs.items() if key not in parameters}
    declared = {parameter.num for parameter in self.params if parameter.is_constexpr}
    launch = Launch(
        function=self,
        signature=dict(zip(parameters, types, strict=True)),
        constants=constants,
        attributes=attributes,
        options=options,
        key=_launch_key(self, types, constants, declared, options),
        rank=(
            sum("D" in mark for mark in attributes.values()),
            -sum(path[0] not in declared for path in constants),
        ),
    )
    if STATE.every_specialisation:
        launch.key += f"|{sorted(attributes.items())}{sorted(map(str, constants))}"
    best = STATE.launches.get(launch.key)
    if best is None or launch.rank > best.rank:
        STATE.launches[launch.key] = launch
    return _compiled_stub()


def _launch_key(
    function: Any, types: list[Any], constants: Any, declared: set[int], options: dict[str, Any]
) -> str:
    base = [
        "i32" if kind == "constexpr" and index not in declared else kind
        for index, kind in enumerate(types)
    ]
    values = [(path, value_key(value)) for path, value in constants.items() if path[0] in declared]
    settings = sorted((key, repr(value)) for key, value in options.items())
    return f"{kernel_key(function)}|{base}|{values}|{settings}"


def compile_key(launch: Launch) -> str:
    """What the result of compiling a launch for a target depends on."""
    constants = sorted((path, value_key(value)) for path, value in launch.constants.items())
    attributes = sorted(launch.attributes.items())
    settings = sorted((key, repr(value)) for key, value in launch.options.items())
    kinds = list(launch.signature.values())
    return f"{kernel_key(launch.function)}|{kinds}|{constants}|{attributes}|{settings}"


def _compiled_stub() -> Any:
    """Something that host code may ask for registers and shared memory."""
    metadata = SimpleNamespace(shared=0, num_warps=4, num_stages=2, num_ctas=1)
    return SimpleNamespace(
        n_regs=32, n_spills=0, metadata=metadata, asm={}, _init_handles=lambda: None
    )


def _every_configuration(self: Any, *args: Any, **kwargs: Any) -> Any:
    """What stands in for `Autotuner.run`: all configurations are launched."""
    self.nargs = dict(zip(self.arg_names, args, strict=False))
    result = None
    for config in self.prune_configs(kwargs) if len(self.configs) > 1 else self.configs:
        clash = kwargs.keys() & config.kwargs.keys()
        if clash:
            raise ValueError(f"Conflicting meta-parameters: {', '.join(sorted(clash))}.")
        self.best_config = config
        if config.pre_hook is not None:
            config.pre_hook({**self.nargs, **kwargs, **config.all_kwargs()})
        result = self.fn.run(*args, **kwargs, **config.all_kwargs())
    self.nargs = None
    return result


def install() -> None:
    """Catch all launches of this process."""
    function: Any = jit.JITFunction
    tuner: Any = autotuner.Autotuner
    function.run = _capture
    tuner.run = _every_configuration


def begin(every_specialisation: bool = False) -> Captured:
    """Forget the launches of the pair before."""
    global STATE
    STATE = Captured(every_specialisation=every_specialisation)
    return STATE
