"""What a call launches: counted, suppressed, and read from compiled code.

`Launches` is the record of one call, in both modes. For GPUs `install` puts it between Triton and
the driver: every launch goes through `CompiledKernel.run`, whichever way the wrapper spells it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from triton.compiler import CompiledKernel
from triton.runtime import autotuner, jit

from tritongen.verify.arguments import tensors_of
from tritongen.verify.probe import originals as o
from tritongen.verify.probe.ledger import Ledger
from tritongen.verify.tuning import tuned

_DOT = re.compile(r"tt\.dot\b(?!_scaled)([^\n]*)")
_PRECISION = re.compile(r"inputPrecision = (\w+)")
_ATOMIC_PTX = re.compile(r"\b(?:atom|red)\b[^\n;]*\.global")
_GCN_ATOMIC = re.compile(r"\b(?:global|flat|buffer)_atomic")


class Launches:
    """The launches of one call."""

    def __init__(self, ledger: Ledger, *, suppressed: bool, pinned: int | None, tune: bool) -> None:
        self.ledger = ledger
        self.suppressed = suppressed
        self.pinned = pinned
        self.tune = tune
        self.counts: Counter[str] = Counter()
        self.configurations = 1
        self.atomics = False
        self.precisions: set[str] = set()
        self.failure: tuple[str, BaseException] | None = None
        self.after_failure = 0
        self.kept: list[str] = []
        self.done = 0

    def launching(self, kernel: str, tensors: list[torch.Tensor]) -> None:
        """A kernel is about to run."""
        self.counts[kernel] += 1
        self.ledger.launching(tensors)

    def launched(self, kernel: str, tensors: list[torch.Tensor], written: set[int] | None) -> None:
        """A kernel ran, and wrote the storages at `written` (None: not known)."""
        self.done += 1
        self.after_failure += self.failure is not None
        if self.ledger.launched(tensors, written):
            self.kept.append(kernel)

    def failed(self, kernel: str, error: BaseException) -> None:
        """A kernel did not compile, or failed while it ran."""
        if self.failure is None:
            self.failure = (kernel, error)
        self.after_failure = 0


class _Active:
    """The record of the call under way, if there is one."""

    __slots__ = ("call", "guarded")

    def __init__(self) -> None:
        self.call: Launches | None = None
        self.guarded: list[tuple[Any, str, Any]] = []


ACTIVE = _Active()
_FACTS: dict[str, tuple[frozenset[str], bool]] = {}


def facts_of(kernel: Any) -> tuple[frozenset[str], bool]:
    """Precisions of float32 dots in a compiled kernel, and whether it has atomics."""
    key = str(kernel.hash)
    found = _FACTS.get(key)
    if found is None:
        found = _FACTS[key] = read_assembly(kernel.asm)
    return found


def read_assembly(assembly: Any) -> tuple[frozenset[str], bool]:
    """The same of a kernel's texts by stage (`ttir`, `ptx`, `amdgcn`)."""
    ttir = str(assembly.get("ttir", ""))
    precisions = set()
    for line in _DOT.findall(ttir):
        operands = line.rpartition(" : ")[2].partition("->")[0].split("*")[0]
        if "xf32" in operands:
            named = _PRECISION.search(line)
            precisions.add(named[1].lower() if named else "ieee")
    atomics = "tt.atomic_" in ttir or "tt.descriptor_reduce" in ttir
    atomics = atomics or bool(_ATOMIC_PTX.search(str(assembly.get("ptx", ""))))
    atomics = atomics or bool(_GCN_ATOMIC.search(str(assembly.get("amdgcn", ""))))
    return frozenset(precisions), atomics


def _kernel_name(kernel: Any) -> str:
    function = getattr(kernel.src, "fn", None)
    return getattr(function, "__name__", "") or str(kernel.metadata.name)


def _watched_launcher(original: Callable[[Any], Any], kernel: Any) -> Any:
    call = ACTIVE.call
    launcher = original(kernel)
    if call is None:
        return launcher

    def launch(*args: Any) -> Any:
        name = _kernel_name(kernel)
        with o.no_functions(), o.no_dispatch():
            tensors = tensors_of(args[9:])
            precisions, atomics = facts_of(kernel)
            call.precisions |= precisions
            call.atomics |= atomics
            call.launching(name, tensors)
            if call.suppressed:
                return None
            result = launcher(*args)
            call.launched(name, tensors, None)
            return result

    return launch


def install() -> None:
    """Stand between Triton and the driver, for the life of this process; once."""
    if ACTIVE.guarded:
        return
    launcher: Any = CompiledKernel.run
    function_run: Any = jit.JITFunction.run
    tuner_run: Any = autotuner.Autotuner.run
    get_launcher = launcher.fget

    def run(self: Any, *args: Any, grid: Any, warmup: bool, **kwargs: Any) -> Any:
        call = ACTIVE.call
        if call is None:
            return function_run(self, *args, grid=grid, warmup=warmup, **kwargs)
        try:
            return function_run(self, *args, grid=grid, warmup=warmup, **kwargs)
        except Exception as error:
            call.failed(self.fn.__name__, error)
            raise

    def tune(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = ACTIVE.call
        if call is None or (call.tune and call.pinned is None):
            return tuner_run(self, *args, **kwargs)
        failure = call.failure
        result, count = tuned(self, args, kwargs, call.pinned)
        call.failure = failure  # configurations that did not fit are the autotuner's affair
        call.configurations = max(call.configurations, count)
        return result

    kernel_class: Any = CompiledKernel
    kernel_class.run = property(lambda self: _watched_launcher(get_launcher, self))
    function_class: Any = jit.JITFunction
    function_class.run = run
    tuner_class: Any = autotuner.Autotuner
    tuner_class.run = tune
    guard_attributes(
        [(kernel_class, "run"), (function_class, "run"), (tuner_class, "run")]
        + [(kernel_class, "__getitem__"), (jit.KernelInterface, "__getitem__")]
    )


def guard_attributes(places: list[tuple[Any, str]]) -> None:
    """Remember attributes that a candidate may not replace."""
    ACTIVE.guarded += [(owner, name, vars(owner).get(name)) for owner, name in places]


def replaced_attributes() -> list[str]:
    """Which of them were replaced; they are put back."""
    found = []
    for owner, name, value in ACTIVE.guarded:
        if vars(owner).get(name) is not value:
            found.append(f"{owner.__name__}.{name}")
            if value is None:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
    return found
