"""Memory, exceptions, and what is read of kernels."""

from __future__ import annotations

import sys

import torch
import triton
from probe_kernels import (
    N,
    accumulating_kernel,
    add,
    add_kernel,
    asserting_kernel,
    atomic_kernel,
    broken_kernel,
    case,
    division_kernel,
    dot_kernel,
    inputs,
    observed,
    relay_kernel,
    rows_kernel,
    subject,
    tuned_kernel,
    unmasked_kernel,
)

from tritongen.verify.judge.records import How, Observation
from tritongen.verify.probe import is_poison

# Memory.


@case("inputs-changed", "argument x at [0]")
def changes_an_argument(x, y):
    return add(x, y, x)


@observed("")
def a_mutable_argument_may_change():
    x, y = inputs()
    result = subject(changes_an_argument, (x, y), mutable={0})
    assert torch.equal(result.outputs[0], x + y), result
    assert torch.equal(x, inputs()[0]), "the caller's tensor"
    return result


@case("inputs-changed", "argument y")
def torch_changes_an_argument(x, y):
    y.zero_()
    return add(x, y)


@case("memory", "element 1000 of x", cuda="")
def reads_past_the_end(x, y):
    out = torch.empty(N + 24, device="cuda")
    add_kernel[(4,)](x, y, out, N + 24, BLOCK=256)
    return out


@case("memory", "store outside its buffer: element 1000 of out_ptr")
def writes_past_the_end(x, y):
    out = torch.empty_like(x)
    unmasked_kernel[(4,)](x, out, N, BLOCK=256)
    return out


@observed("memory", "before", cuda=None)
def reads_before_a_view_show():
    def wrapper(x):
        out = torch.empty(4, device="cuda")
        add_kernel[(1,)](x, x, out, 4, BLOCK=4)
        rows_kernel[(1,)](x, out, -1, 1, BLOCK=1, WIDE=False)
        rows_kernel[(2,)](x, out, -1, 1, BLOCK=1, WIDE=False)
        return out

    result = subject(wrapper, (torch.arange(64.0)[4:8],))
    assert result.problem.witness["index"] == -1, result
    return Observation(problem=result.problem.__class__("memory", "before"))


@observed("memory", "in a gap of argument x")
def writes_into_the_gaps_of_a_view_show():
    def wrapper(x):
        out = torch.empty(4, 5, device="cuda")
        rows_kernel[(3,)](x, out, 8, 5, BLOCK=8, WIDE=True)
        return out

    return subject(wrapper, (torch.randn(4, 8)[:, :5],))


@observed("")
def layouts_are_kept():
    seen = []

    def wrapper(*tensors):
        seen.extend((t.shape, t.stride(), t.data_ptr() % 16, t.clone()) for t in tensors)
        return add(torch.zeros_like(tensors[0]), torch.zeros_like(tensors[0]))

    base = torch.randn(6, 8)
    given = (base, base.t(), base[:, 1:5], base[1].expand(4, 8), base[2:4, ::3], base.flatten())
    given = (*given, base.unfold(1, 4, 1), base[:0], torch.tensor(3.0), base.to(torch.bfloat16))
    result = subject(wrapper, given)
    for tensor, (shape, stride, align, copy) in zip(given, seen, strict=True):
        assert (tensor.shape, tensor.stride()) == (shape, stride), (tensor.stride(), stride)
        assert tensor.numel() == 0 or tensor.storage_offset() * 4 % 16 == align
        assert torch.equal(tensor.cpu(), copy.cpu())
    return result


@observed("")
def every_dtype_is_poisoned_under_both():
    dtypes = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.bool]
    dtypes += [torch.uint8, torch.int16, torch.int32, torch.int64, torch.complex64]
    dtypes += [torch.float8_e4m3fn, torch.float8_e5m2]
    for poison in (0, 1):
        fresh: list[torch.Tensor] = []

        def wrapper(x, y, fresh=fresh):
            fresh += [torch.empty(7, dtype=dtype, device="cuda") for dtype in dtypes]
            fresh += [x.new_empty(3), torch.empty_strided((2, 3), (5, 1)), torch.empty_like(x)]
            fresh.append(torch.ops.aten.empty.memory_format([4]))
            return add(x, y)

        assert subject(wrapper, how=How(poison=poison)).problem is None
        for tensor in fresh:
            assert bool(is_poison(tensor, poison).all()), (poison, tensor)
            assert not bool(is_poison(tensor, 1 - poison).any()), (poison, tensor)
            if tensor.is_floating_point() and poison == 0:
                assert bool(tensor.float().isnan().all())
    return Observation()


@observed("")
def suppressed_launches_leave_poison():
    for poison in (0, 1):
        result = subject(add, how=How(poison=poison, launches=False))
        assert result.launches == {"add_kernel": 1}, result
        assert bool(is_poison(result.outputs[0], poison).all())
    return result


# Exceptions.


@case("limit:declared", "only small")
def a_declared_limit(x, y):
    raise ValueError("only small inputs")


@case("exception", "late")
def an_exception_after_a_launch(x, y):
    add(x, y)
    raise ValueError("late")


@case("limit:resources", "power of 2")
def what_triton_refuses_is_a_limit(x, y):
    broken_kernel[(1,)](x, x, 3)


@case("limit:resources")
def a_static_assertion_is_a_limit(x, y):
    asserting_kernel[(1,)](x, x, N=3)


@case("exception", "undefined_name", cuda="limit:resources")
def a_fault_of_the_kernel_is_an_exception(x, y):
    division_kernel[(1,)](x, x, 3)


@case("exception", "sys.exit(3)")
def leaving_the_process_is_an_exception(x, y):
    sys.exit(3)


@observed("exception", "cpu tensor?")
def a_host_tensor_is_refused():
    def wrapper(x, y):
        return add(x.cpu(), y)

    return subject(wrapper, inputs(8))


@case("device", "host memory", cuda="")
def a_result_in_host_memory(x, y):
    return add(x, y)[:8].cpu()


@case("type", "Special")
def a_subclass_is_no_result(x, y):
    class Special(torch.Tensor):
        pass

    return add(x, y).as_subclass(Special)


@observed("")
def attributes_of_a_result_are_dropped():
    def wrapper(x, y):
        out = add(x, y)
        out.numel = lambda: 0
        return {"sum": (out, [1, None])}

    result = subject(wrapper)
    assert result.outputs[0].numel() == N
    assert result.outputs[1:] == (1, None), result
    return result


# Facts.


@observed("")
def atomics_are_seen():
    def wrapper(x):
        out = torch.zeros((), device="cuda")
        atomic_kernel[(4,)](x, out, N, BLOCK=256)
        return out

    result = subject(wrapper, (inputs()[0],))
    assert result.atomics
    assert not subject(add).atomics
    return result


@observed("")
def the_precision_of_dots_is_seen():
    for precision in ("ieee", "tf32", "tf32x3"):

        def wrapper(x, precision=precision):
            out = torch.empty_like(x)
            dot_kernel[(1,)](x, out, precision)
            return out

        result = subject(wrapper, (torch.randn(16, 16),))
        assert result.precisions == (precision,), result
        assert subject(wrapper, (torch.randn(16, 16).half(),)).precisions == ()
    return result


@observed("")
def one_configuration_is_pinned():
    def wrapper(x):
        out = torch.empty_like(x)
        tuned_kernel[lambda meta: (triton.cdiv(N, meta["BLOCK"]),)](x, out, N)
        return out

    x = inputs()[0]
    for number, factor in ((None, 2), (0, 2), (1, 3)):
        result = subject(wrapper, (x,), How(configuration=number))
        assert result.configurations == 2
        assert torch.equal(result.outputs[0], x * factor), (number, result)
    return result


@observed("")
def a_buffer_that_tuning_does_not_reset_shows():
    def wrapper(x):
        out = torch.zeros((), device="cuda")
        accumulating_kernel[lambda meta: (triton.cdiv(N, meta["BLOCK"]),)](x, out, N)
        return out

    x = inputs()[0]
    result = subject(wrapper, (x,))
    assert not torch.allclose(result.outputs[0], x.sum(), rtol=1e-3)
    return result


@observed("", cuda=None)
def programs_that_read_each_other_depend_on_the_order():
    def wrapper(x):
        out = torch.zeros_like(x)
        relay_kernel[(8,)](out, 8)
        return out

    given = (torch.zeros(8),)
    forward, backward = (subject(wrapper, given, How(reverse=r)).outputs[0] for r in (0, 1))
    assert not torch.equal(forward, backward)
    orders = [subject(add, how=How(reverse=r)).outputs[0] for r in (False, True)]
    assert torch.equal(*orders)
    return Observation()
