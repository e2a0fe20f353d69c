"""Script: the GPU mode of a `LocalSubject` without a GPU; prints what was observed as JSON.

Triton compiles the kernels for sm_90 on the CPU; a driver made here "runs" them: tensors lie in
host memory, and what a kernel does is written in torch, by the kernel's name.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch
import triton
import triton.language as tl

from tritongen.verify import redirect

redirect.install()  # before the probe takes torch.cuda.synchronize

from tritongen.verify.judge.records import How, Observation  # noqa: E402
from tritongen.verify.probe import LocalSubject, is_poison, prepare  # noqa: E402
from tritongen.verify.probe.guards import ZONE_LEAST  # noqa: E402

N = 1000
RUN: dict[str, Any] = {}
CASES: dict[str, Any] = {}


class Utils(redirect._DriverUtils):
    """The loader of binaries."""

    @staticmethod
    def load_binary(*_: Any) -> tuple[Any, Any, int, int, int]:
        return object(), 1, 32, 0, 1024


class Launcher:
    """What stands between a compiled kernel and a GPU."""

    def __init__(self, src: Any, metadata: Any) -> None:
        self.name = src.fn.__name__

    def __call__(self, *args: Any) -> None:
        RUN[self.name](*args[9:])


class Driver(redirect.Driver):
    """The driver of Triton for this script."""

    utils = Utils()
    launcher_cls = Launcher


triton.runtime.driver.set_active(Driver())
prepare("cuda")


@triton.jit
def double_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(out_ptr + offsets, x * 2, mask=offsets < n)


@triton.jit
def atomic_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(out_ptr, tl.sum(tl.load(x_ptr + offsets, mask=offsets < n, other=0.0)))


@triton.jit
def dot_kernel(x_ptr, out_ptr, PRECISION: tl.constexpr):
    r = tl.arange(0, 16)
    at = r[:, None] * 16 + r[None, :]
    x = tl.load(x_ptr + at)
    tl.store(out_ptr + at, tl.dot(x, x, input_precision=PRECISION))


@triton.jit
def broken_kernel(x_ptr, out_ptr, n):
    tl.store(out_ptr + tl.arange(0, 3), 1.0)


@triton.autotune(configs=[triton.Config({"BLOCK": 64}), triton.Config({"BLOCK": 128})], key=["n"])
@triton.jit
def tuned_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(out_ptr + offsets, x * BLOCK, mask=offsets < n)


def beyond(tensor: torch.Tensor, offset: int, value: float) -> None:
    """Write outside of a tensor, as a kernel would."""
    at = tensor.storage_offset() + offset
    torch.as_strided(tensor, (1,), (1,), at).fill_(value)


def doubled(x: Any, out: Any, n: int, *_: Any) -> None:
    out.view(-1)[:n] = x.reshape(-1)[:n] * 2


RUN["double_kernel"] = doubled
RUN["tuned_kernel"] = lambda x, out, n, BLOCK: out.copy_(x * BLOCK)
RUN["atomic_kernel"] = lambda x, out, *_: out.add_(x.sum())
RUN["dot_kernel"] = lambda x, out, *_: out.copy_(x @ x)


def double(x: Any) -> Any:
    out = torch.empty_like(x)
    double_kernel[(triton.cdiv(x.numel(), 256),)](x, out, x.numel(), BLOCK=256)
    return out


def vector() -> torch.Tensor:
    return torch.randn(N, generator=torch.Generator().manual_seed(0))


def subject(wrapper: Any, how: How | None = None, given: Any = None, **options: Any) -> Observation:
    given = (vector(),) if given is None else given
    return LocalSubject(wrapper, "cuda", **options).run(given, how or How())


def case(function: Any) -> Any:
    CASES[function.__name__] = function
    return function


def instead(effect: Any) -> Observation:
    """One call of `double` whose kernel has another effect."""
    RUN["double_kernel"] = effect
    try:
        return subject(double)
    finally:
        RUN["double_kernel"] = doubled


@case
def a_right_call_passes():
    for watch in (True, False):
        result = subject(double, How(watch=watch))
        assert result.problem is None, result
        assert torch.equal(result.outputs[0], vector() * 2)
        assert result.launches == {"double_kernel": 1}
        assert not result.atomics
        assert result.precisions == ()


@case
def writes_around_arguments_and_results_show():
    for which, offset in ((0, -1), (0, N), (0, N + 3000), (1, -1), (1, N), (1, N + 9000)):

        def effect(x, out, *rest, which=which, offset=offset):
            doubled(x, out, *rest)
            beyond((x, out)[which], offset, 1.0)

        problem = instead(effect).problem
        assert problem is not None, (which, offset)
        assert problem.check == "memory", problem
        if which == 0:
            assert problem.witness["index"] == offset, problem


@case
def results_made_by_every_factory_have_red_zones():
    def effect(x, out, *rest):
        doubled(x, out, *rest)
        beyond(out, N, 1.0)

    RUN["double_kernel"] = effect
    try:
        for make in (torch.zeros_like, torch.ones_like, torch.clone, lambda x: x.new_zeros(N)):

            def wrapper(x, make=make):
                out = make(x)
                double_kernel[(4,)](x, out, N, BLOCK=256)
                return out

            problem = subject(wrapper).problem
            assert problem is not None
            assert problem.check == "memory", problem
    finally:
        RUN["double_kernel"] = doubled


@case
def changed_arguments_show():
    problem = instead(lambda x, out, *rest: x.view(10, 100)[7, 3:4].fill_(0.0)).problem
    assert problem is not None
    assert (problem.check, problem.witness["index"]) == ("inputs-changed", [703]), problem
    fresh = torch.randn(6, 8).t()[::2]

    def effect(x, out, *_):
        x[2, 5] = 1.0
        out.fill_(0.0)

    RUN["double_kernel"] = effect
    try:
        problem = subject(double, given=(fresh,)).problem
        assert problem is not None
        assert problem.witness["index"] == [2, 5], problem
    finally:
        RUN["double_kernel"] = doubled


@case
def red_zones_read_as_poison_of_either_kind():
    seen = []

    def effect(x, out, *rest):
        doubled(x, out, *rest)
        at = x.storage_offset()
        seen.append(torch.as_strided(x, (64,), (1,), at + N).clone())
        seen.append(torch.as_strided(x, (64,), (1,), at - 64).clone())

    RUN["double_kernel"] = effect
    try:
        for poison in (0, 1):
            assert subject(double, How(poison=poison)).problem is None
    finally:
        RUN["double_kernel"] = doubled
    assert all(bool(zone.isnan().all()) for zone in seen[:2])
    for zone in seen[2:]:
        assert bool(zone.isfinite().all())
        assert bool((zone > 1e35).any())
        assert bool((zone < -1e35).any()), "maximum and minimum both show"


@case
def alignment_and_layout_are_kept():
    seen = []

    def wrapper(*tensors):
        seen.extend(tensors)
        return double(torch.zeros(8))

    base = torch.randn(8, 16)
    given = (base, base[:, 1:], base.t(), base[1].expand(3, 16), base[3:, ::4], base.flatten()[3:])
    result = subject(wrapper, given=given, how=How(watch=False))
    assert result.problem is None, result
    for before, after in zip(given, seen, strict=True):
        assert before.stride() == after.stride()
        assert torch.equal(before, after)
        assert after.data_ptr() % 16 == before.storage_offset() * 4 % 16
        assert after.data_ptr() - after.untyped_storage().data_ptr() >= ZONE_LEAST


@case
def suppressed_launches_do_not_reach_the_driver():
    result = subject(double, How(launches=False))
    assert result.launches == {"double_kernel": 1}, result
    assert bool(is_poison(result.outputs[0], 0).all())


@case
def compiled_kernels_that_are_called_directly_count():
    def wrapper(x):
        out = torch.empty_like(x)
        kernel = double_kernel.warmup(x, out, N, BLOCK=1024, grid=(1,))
        kernel = kernel.result() if hasattr(kernel, "result") else kernel
        kernel._init_handles()
        kernel[(1, 1, 1)](x, out, N, 1024)
        return out

    for launches in (True, False):
        result = subject(wrapper, How(launches=launches))
        assert result.problem is None, result
        assert result.launches == {"double_kernel": 1}, result


@case
def atomics_and_precisions_are_read_from_compiled_code():
    def accumulate(x):
        out = torch.zeros(1)
        atomic_kernel[(4,)](x, out, N, BLOCK=256)
        return out

    assert subject(accumulate).atomics
    for precision in ("ieee", "tf32", "tf32x3"):

        def multiply(x, precision=precision):
            out = torch.empty_like(x)
            dot_kernel[(1,)](x, out, precision)
            return out

        result = subject(multiply, given=(torch.randn(16, 16),))
        assert result.precisions == (precision,), result
        assert not result.atomics


@case
def configurations_are_pinned_without_timing():
    def wrapper(x):
        out = torch.empty_like(x)
        tuned_kernel[lambda meta: (triton.cdiv(N, meta["BLOCK"]),)](x, out, N)
        return out

    for number, factor in ((None, 64), (1, 128), (0, 64)):
        result = subject(wrapper, How(configuration=number))
        assert result.problem is None, result
        assert result.configurations == 2
        assert torch.equal(result.outputs[0], vector() * factor)


@case
def what_triton_refuses_is_a_limit():
    def wrapper(x):
        broken_kernel[(1,)](x, x, 3)

    result = subject(wrapper)
    assert result.limit == "resources", result
    assert "power of 2" in result.refusal

    def fallback(x):
        try:
            return wrapper(x)
        except Exception:
            return x * 2

    problem = subject(fallback).problem
    assert problem is not None
    assert problem.check == "fallback", problem


@case
def an_illegal_address_kills_the_subject():
    def effect(*_):
        raise RuntimeError("Triton Error [CUDA]: an illegal memory access was encountered")

    RUN["double_kernel"] = effect
    try:
        judged = LocalSubject(double, "cuda")
        problem = judged.run((vector(),), How()).problem
    finally:
        RUN["double_kernel"] = doubled
    assert problem is not None
    assert (problem.check, problem.witness["fatal"]) == ("memory", True), problem
    assert judged.dead


@case
def unseen_writes_show():
    def wrapper(x):
        out = double(x)
        with torch._C._DisableTorchDispatch():
            torch.mul(x[5:6], 3, out=out[5:6])
            out[0] = 7.0
        return out

    problem = subject(wrapper).problem
    assert problem is not None
    assert "neither a kernel" in problem.reason, problem


@case
def replacing_the_launcher_shows():
    from triton.runtime import jit

    def wrapper(x):
        jit.JITFunction.run = lambda self, x, out, *args, **kwargs: out.copy_(x)
        return double(x)

    problem = subject(wrapper).problem
    assert problem is not None
    assert "JITFunction.run" in problem.reason, problem
    assert subject(double).problem is None


def main() -> None:
    """Run the cases; what failed, by name."""
    report = {}
    for name in sys.argv[1:] or CASES:
        try:
            CASES[name]()
            report[name] = ["", ""]
        except Exception as error:
            import traceback

            traceback.print_exc()
            report[name] = [type(error).__name__, str(error)[:1000]]
    print(json.dumps(report))


if __name__ == "__main__":
    main()
