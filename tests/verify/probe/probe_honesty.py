"""What torch may do in a wrapper, and what it may not."""

from __future__ import annotations

import numpy as np
import torch
from probe_kernels import (
    DEVICE,
    KEPT,
    N,
    add,
    add_kernel,
    broken_kernel,
    case,
    inputs,
    noop_kernel,
    observed,
    partial_kernel,
    subject,
    unmasked_kernel,
)

# What torch may do.


@case()
def allocations_views_fills_copies_and_casts(x, y):
    assert x.is_cuda
    assert x.device.type == "cuda"
    flat = x.reshape(-1).contiguous().view(8, -1).t().t().flatten()
    zeros = torch.zeros_like(x, dtype=torch.float16).to(torch.float32)
    y = torch.cat([y[:10], y[10:]]) if y.dim() else y
    zeros[3:5] = 1.0
    zeros.fill_(0.0)
    _ = torch.full((3,), 2.0, device=x.device), x.new_zeros(4), torch.arange(4, device="cuda")
    _ = torch.tensor([1, 2, 3], device="cuda"), torch.ones(2, device="cuda"), x.expand(2, -1)
    _ = torch.broadcast_tensors(x, y), torch.nn.functional.pad(y, (0, 4)), y.half().float()
    _ = x.unbind(), x.chunk(2), x.split(7), x.unsqueeze(0).squeeze(0), x.data, x.detach()
    _ = x.view(torch.int32), torch.as_strided(x, (2, 2), (1, 1)), torch.stack([x, y])
    _ = x.unfold(0, 4, 2), x[None].mT, torch.movedim(x[None], 0, 1), x.repeat(2), x.ndim
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    add(flat, y, out)
    return out.view(2, -1).reshape(x.shape)


@case()
def copies_of_what_kernels_wrote(x, y):
    return add(x, y).to(torch.float16).float().clone()


@case()
def parts_that_kernels_wrote_joined(x, y):
    out = torch.empty_like(x)
    out[:] = add(x, y)
    return torch.cat([out[:8], add(x, y)[8:]])


@case()
def a_few_scalars_read(x, y):
    assert float(x[0]) == x[0].item()
    assert y[:8].tolist()
    return add(x, y)


@case()
def metadata_under_inference_mode(x, y):
    with torch.inference_mode():
        return add(x.reshape(-1), y.view(-1).contiguous())


@case()
def a_kernel_through_autograd_function(x, y):
    class Add(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return add(a, b)

    return Add.apply(x, y)


@observed()
def an_empty_input_needs_no_launch():
    return subject(lambda x, y: torch.empty_like(x), inputs(0))


@case()
def warming_up_first_as_the_tutorial_does(x, y):
    out = torch.empty_like(x)
    kernel = add_kernel.warmup(x, y, out, x.numel(), BLOCK=1024, grid=(1,))
    kernel._init_handles()
    assert kernel.n_regs
    kernel[(1, 1, 1)](x, y, out, x.numel(), 1024)
    return out


# What it may not.


@case("honesty", "aten.add")
def torch_adds(x, y):
    out = torch.empty_like(x)
    noop_kernel[(1,)](x, out, 0)
    return x + y


@case("honesty", "aten.add")
def torch_adds_after_the_launch(x, y):
    return add(x, y) + 0


@case("honesty", "aten.add")
def torch_ops_are_seen(x, y):
    add(x, y)
    return torch.ops.aten.add.Tensor(x, y)


@case("honesty", "aten.add")
def operations_into_out_are_seen(x, y):
    out = add(x, y)
    torch.add(x, y, out=out)
    return out


@case("honesty", "aten.softmax")
def operations_in_inference_mode_are_seen(x, y):
    add(x, y)
    with torch.inference_mode():
        return torch.softmax(x, 0)


@case("honesty", "aten._softmax")
def functions_of_nn_are_seen(x, y):
    add(x, y)
    return torch.nn.functional.softmax(x, 0)


@case("honesty", "aten.add")
def compiled_functions_are_seen(x, y):
    add(x, y)
    return torch.compile(lambda a, b: a + b, backend="eager")(x, y)


@case("honesty", "aten.add")
def autograd_functions_are_seen(x, y):
    class Add(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

    add(x, y)
    return Add.apply(x, y)


@case("honesty", "aten.add")
def function_modes_switched_off_are_seen(x, y):
    add(x, y)
    with torch._C.DisableTorchFunction():
        return x + y


@case("honesty", "aten.index_put")
def writes_by_mask_are_computation(x, y):
    out = add(x, y)
    out[out > 2] = 2.0
    return out


@case("honesty", "host reads", cuda=None)
def numpy_is_a_host_read(x, y):
    add(x, y)
    return torch.from_numpy(np.asarray(x) + y.numpy()).to("cuda")


@case("honesty", "host reads")
def lists_are_a_host_read(x, y):
    out = add(x, y)
    out.copy_(torch.tensor([a + b for a, b in zip(x.tolist(), y.tolist(), strict=True)]))
    return out


@case("honesty", "host reads")
def the_processor_is_a_host_read(x, y):
    add(x, y)
    return x.cpu().cuda()


@case("honesty", "host reads")
def element_by_element_is_a_host_read(x, y):
    out = add(x, y)
    for index in range(20):
        out[index] = float(x[index]) + float(y[index])
    return out


@case("honesty", "untyped_storage", cuda=None)
def storages_are_out_of_reach(x, y):
    out = add(x, y)
    out.untyped_storage().copy_(x.untyped_storage())
    return out


@case("honesty", "to_dlpack")
def dlpack_is_out_of_reach(x, y):
    out = add(x, y)
    torch.from_dlpack(torch.utils.dlpack.to_dlpack(out))
    return out


@case("honesty", "neither a kernel nor")
def writes_that_no_mode_saw_show(x, y):
    out = add(x, y)
    with torch._C._DisableTorchDispatch():
        torch.add(x, y, out=out)
        out[0] = 4.0
    return out


@case("honesty", "neither a kernel nor")
def writes_that_no_mode_saw_show_before_a_launch(x, y):
    held = torch.empty_like(x)
    with torch._C._DisableTorchDispatch():
        torch.mul(x, 2, out=held)
    return add(held, y)


@case("cache", "not allocated in this call")
def results_that_no_mode_saw_show(x, y):
    add(x, y)
    with torch._C._DisableTorchDispatch():
        return x + y


@case("honesty", "disorder")
def modes_taken_away_show(x, y):
    torch._C._pop_torch_dispatch_stack(None)
    return add(x, y)


@case("honesty", "no kernel wrote result 0")
def constants_are_no_result(x, y):
    add(x, y)
    return torch.zeros_like(x)


@case("honesty", "no kernel wrote result 0", cuda="")
def a_buffer_that_no_kernel_wrote_is_no_result(x, y):
    out = torch.zeros_like(x)
    noop_kernel[(1,)](x, out, 0)
    return out


@case("honesty", "no kernel wrote result 0")
def a_copy_of_an_argument_is_no_result(x, y):
    add(x, y)
    return x.clone()


@case("honesty", "is the argument x")
def an_argument_is_no_result(x, y):
    add(x, y)
    return x


@case("honesty", "changed by aten.zero_")
def a_fill_after_the_launch_spoils(x, y):
    out = add(x, y)
    out[500:].zero_()
    return out


@case("honesty", "changed by aten.copy_")
def a_copy_of_arguments_after_the_launch_spoils(x, y):
    out = add(x, y)
    out[500:] = x[500:]
    return out


@case("launch", "no Triton kernel")
def no_launch(x, y):
    return torch.empty_like(x)


@case("launch", "torch did: aten.add")
def torch_instead_of_a_launch(x, y):
    return x + y


@case("honesty", "aten.clone", allow_copies=False)
def copies_where_the_family_is_a_copy(x, y):
    add(x, y)
    return x.clone()


@case("honesty", "aten._to_copy", allow_copies=False)
def casts_where_the_family_is_a_cast(x, y):
    return add(x, y).half()


@case("", allow_copies=False)
def constants_where_the_family_is_a_copy(x, y):
    out = torch.zeros_like(x)
    out[3:] = 2.0
    return add(x, y, out)


@case("honesty", "aten.sum")
def partial_results_are_refused(x, y):
    out = torch.empty(4, device="cuda")
    partial_kernel[(4,)](x, out, N, BLOCK=256)
    return out.sum()


@observed()
def partial_results_are_allowed_and_counted():
    def wrapper(x):
        out = torch.empty(4, device="cuda")
        partial_kernel[(4,)](x, out, N, BLOCK=256)
        return out.sum() / N

    result = subject(wrapper, (inputs()[0],), allow_partials=True)
    assert result.partials == 4, result
    return result


@observed("honesty", "aten.sum")
def reductions_of_arguments_are_not_partial():
    def wrapper(x, y):
        add(x, x)
        return y.sum()

    return subject(wrapper, (inputs()[0], torch.ones(4)), allow_partials=True)


@observed("honesty", "aten.sum")
def reductions_of_large_results_are_not_partial():
    return subject(lambda x, y: add(x, y).sum(), allow_partials=True)


@case("fallback", "aten.add")
def going_on_with_torch_is_a_fallback(x, y):
    out = torch.empty_like(x)
    try:
        broken_kernel[(1,)](x, out, 3)
    except Exception:
        out = x + y
    return out


@case("memory", "outside its buffer")
def a_swallowed_fault_is_a_fault(x, y):
    out = torch.empty_like(x)
    try:
        unmasked_kernel[(4,)](x, out, N, BLOCK=256)
    except Exception:
        return add(x, y)
    return out


@observed("cache", "before the call")
def memory_kept_between_calls_shows():
    KEPT["table"] = torch.ones(N, device=DEVICE)
    return subject(lambda x, y: add(x, KEPT["table"]))


@observed("")
def memory_kept_between_calls_may_be_allowed():
    KEPT["table"] = torch.ones(N, device=DEVICE)
    result = subject(lambda x, y: add(x, KEPT["table"]), allow_kept=True)
    assert "before the call" in result.notes[0], result
    return result


@observed("cache", "not allocated in this call")
def results_in_kept_memory_show():
    def wrapper(x, y):
        if "out" not in KEPT:
            KEPT["out"] = torch.empty_like(x)
        return add(x, y, KEPT["out"])

    assert subject(wrapper, allow_kept=True).problem is None
    return subject(wrapper, allow_kept=True)


@observed("honesty", "GridExecutor.__call__", cuda=None)
def replacing_the_launcher_shows():
    from triton.runtime import interpreter

    def wrapper(x, y):
        interpreter.GridExecutor.__call__ = lambda self, *args, **kwargs: args[2].fill_(1.0)
        return add(x, y)

    result = subject(wrapper)
    assert subject(add).problem is None
    return result


@observed("")
def replaced_functions_of_torch_change_nothing():
    saved = torch.equal, torch.Tensor.copy_, torch.Tensor.clone, torch.empty
    torch.equal = lambda *_: True
    torch.Tensor.clone = lambda self, **_: self
    try:
        assert subject(lambda x, y: add(x, y, x)).problem.check == "inputs-changed"
        return subject(add)
    finally:
        torch.equal, torch.Tensor.copy_, torch.Tensor.clone, torch.empty = saved
