"""Right pairs pass with their evidence; wrong ones fail by the check that should see them."""

from __future__ import annotations

import pytest
import verify_sources as sources
from verify_sources import (
    ATOMIC,
    AUTOTUNED,
    CHECK_CLOSE,
    ELEMENTWISE,
    HEADER,
    MATMUL,
    SOFTMAX,
    TWO_KERNELS,
    Sources,
)

from tritongen.verify import DEFAULT_TARGETS, Gate, Verdict

RIGHT = ["ELEMENTWISE", "SOFTMAX", "MATMUL", "AUTOTUNED", "TWO_KERNELS", "ATOMIC"]


@pytest.mark.parametrize("name", RIGHT)
def test_right_pairs_pass_interpreted_on_all_targets(gate: Gate, name: str) -> None:
    verdict = gate.check(getattr(sources, name))
    assert (verdict.status, verdict.reason) == ("passed", "")
    assert verdict.evidence == "interpreted"
    assert verdict.targets == dict.fromkeys(DEFAULT_TARGETS, "ok")
    assert verdict.coverage["launches"] >= 2
    assert verdict.coverage["comparisons"] >= 2
    assert verdict.max_abs_error is not None
    assert verdict.max_abs_error < 0.1
    assert verdict.torch
    assert verdict.triton
    assert verdict.device == "cpu"
    assert Verdict.from_record(verdict.to_record()) == verdict


WRONG = {
    "load_mask_missing": (
        ELEMENTWISE.change("x_ptr + offsets, mask=mask", "x_ptr + offsets"),
        "memory",
    ),
    "store_mask_missing": (
        ELEMENTWISE.change("element_ty), mask=mask", "element_ty)"),
        "memory",
    ),
    "store_before_buffer": (
        ELEMENTWISE.change("out_ptr + offsets", "out_ptr + offsets - 1"),
        "memory",
    ),
    "constant_off_by_1_percent": (
        ELEMENTWISE.change("result = x *", "result = 1.01 * x *"),
        "test",
    ),
    "operator_swapped": (ELEMENTWISE.change("tl.sigmoid(x) + y", "tl.sigmoid(x) - y"), "test"),
    "grid_one_short": (
        ELEMENTWISE.change('triton.cdiv(n_elements, meta["BLOCK_SIZE"]),', "1,"),
        "test",
    ),
    "rounding_missing": (
        SOFTMAX.change("x / tl.sum(x, axis=0)", "x / tl.sum(x, axis=0) * 1.01"),
        "test",
    ),
    "masked_load_without_other": (SOFTMAX.change(', other=-float("inf")', ""), "test"),
    "last_tile_skipped": (
        MATMUL.change("range(0, K, BLOCK_K)", "range(0, K - BLOCK_K, BLOCK_K)"),
        "test",
    ),
    "k_mask_missing": (MATMUL.change(" & (ks[None, :] < K)", ""), "memory"),
    "output_never_written": (
        TWO_KERNELS.change("tl.store(out_ptr, ", "tl.device_assert("),
        "honesty",
    ),
    "second_configuration_wrong": (
        AUTOTUNED.change(
            "out_ptr + offsets, x + x", "out_ptr + offsets, x * (2 + BLOCK_SIZE // 512)"
        ),
        "numerics",
    ),
    "atomics_on_uninitialised": (ATOMIC.change("torch.zeros", "torch.empty"), "test"),
    "falls_back_to_torch": (
        ELEMENTWISE.change(
            "silu_add_kernel[grid](", "return x * torch.sigmoid(x) + y\n    silu_add_kernel[grid]("
        ),
        "launch",
    ),
    "no_kernel_launched": (
        SOFTMAX.change(
            "softmax_kernel[(n_rows,)](",
            "return torch.softmax(x, dim=-1)\n    softmax_kernel[(n_rows,)](",
        ),
        "launch",
    ),
    "output_in_host_memory": (
        ELEMENTWISE.change("torch.empty_like(x)", "torch.empty(x.shape, dtype=x.dtype)"),
        "exception",
    ),
    "unknown_launch_option": (
        ELEMENTWISE.change("num_warps=4", "num_wraps=4"),
        "compile_or_exception",
    ),
    "import_fails": (
        ELEMENTWISE.change("import triton\n", "import triton\nimport no_such_module\n"),
        "load",
    ),
    "syntax_error": (ELEMENTWISE.change("def triton_silu_add", "def def triton_silu_add"), "load"),
    "name_missing": (ELEMENTWISE.change("result = x *", "result = zzz *"), "compile"),
    "block_not_power_of_two": (ELEMENTWISE.change("BLOCK_SIZE=256", "BLOCK_SIZE=200"), ""),
    "too_many_threads": (ELEMENTWISE.change("num_warps=4", "num_warps=64"), "compile"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_pairs_fail_by_the_right_check(gate: Gate, name: str) -> None:
    pair, check = WRONG[name]
    verdict = gate.check(pair)
    assert verdict.status == "failed", verdict
    assert verdict.reason
    assert "\n" not in verdict.reason
    if check and check != "compile_or_exception":
        assert verdict.check == check, verdict
    assert verdict.evidence in ("none", "static", "interpreted")


def test_a_failure_names_test_parameters_and_message(gate: Gate) -> None:
    verdict = gate.check(WRONG["constant_off_by_1_percent"][0])
    assert verdict.reason.startswith("test_silu_add[1-float32]: max error") or (
        verdict.reason.startswith("test_silu_add[") and "max error" in verdict.reason
    )
    assert verdict.witness is not None
    assert verdict.witness["case"].startswith("test_silu_add[")


def test_an_access_outside_a_buffer_names_kernel_argument_and_index(gate: Gate) -> None:
    verdict = gate.check(WRONG["store_mask_missing"][0])
    assert verdict.witness is not None
    assert verdict.witness["kernel"] == "silu_add_kernel"
    assert verdict.witness["argument"] == "out_ptr"
    assert verdict.witness["index"] == verdict.witness["size"]
    assert "store outside its buffer" in verdict.reason


def test_autotune_failure_names_the_configuration(gate: Gate) -> None:
    verdict = gate.check(WRONG["second_configuration_wrong"][0])
    assert "autotune configuration 1" in verdict.reason


def test_missing_reset_to_zero_of_an_autotuned_accumulation_is_seen(gate: Gate) -> None:
    tuned = """@triton.autotune(
    configs=[triton.Config({"BLOCK_SIZE": 128}), triton.Config({"BLOCK_SIZE": 256})], key=["n"]KEEP
)
@triton.jit
def total_kernel("""
    base = ATOMIC.change(", BLOCK_SIZE=256)", ")").change(
        "(triton.cdiv(x.numel(), 256),)", 'lambda m: (triton.cdiv(x.numel(), m["BLOCK_SIZE"]),)'
    )
    head = "@triton.jit\ndef total_kernel("
    wrong = base.change(head, tuned.replace("KEEP", ""))
    right = base.change(head, tuned.replace("KEEP", ', reset_to_zero=["out_ptr"]'))
    assert gate.check(wrong).check == "test"
    assert gate.check(right).status == "passed"


def test_shared_memory_beyond_a_target_fails_that_target_only(gate: Gate) -> None:
    pair = MATMUL.change(
        "BLOCK_M=32, BLOCK_N=32, BLOCK_K=32", "BLOCK_M=128, BLOCK_N=128, BLOCK_K=64"
    )
    pair = pair.change(
        "(triton.cdiv(M, 32), triton.cdiv(N, 32))", "(triton.cdiv(M, 128), triton.cdiv(N, 128))"
    )
    pair = pair.change("num_stages=2", "num_stages=5").change(
        "for k in range(0, K", "for k in range(0, K"
    )
    small = Sources(
        pair.python_code,
        pair.triton_code,
        pair.test_code.replace("torch.float32, torch.bfloat16]", "torch.bfloat16]").replace(
            "(33, 47, 70), (64, 32, 64)", "(64, 32, 64)"
        ),
    )
    verdict = gate.check(small, targets=["sm_90", "sm_86"])
    assert verdict.status == "failed"
    assert verdict.check == "compile"
    assert "shared memory" in verdict.targets["sm_86"]
    assert verdict.targets["sm_90"] == "ok"


def test_declared_targets_are_the_ones_compiled(gate: Gate) -> None:
    verdict = gate.check(SOFTMAX.with_metadata(targets=["sm_90"]))
    assert verdict.targets == {"sm_90": "ok"}


def test_a_requirement_that_triton_lacks_is_an_error(gate: Gate) -> None:
    assert gate.check(SOFTMAX.with_metadata(requires=["tensor_descriptor"])).passed
    verdict = gate.check(SOFTMAX.with_metadata(requires=["teleportation"]))
    assert (verdict.status, verdict.check) == ("error", "requires")
    assert "teleportation" in verdict.reason


def test_inline_assembly_gives_compiled_evidence_and_says_why(gate: Gate) -> None:
    asm = (
        'result = tl.inline_asm_elementwise("mov.b32 $0, $1;", "=r,r", [x * tl.sigmoid(x) + y], '
        "dtype=tl.float32, is_pure=True, pack=1)"
    )
    verdict = gate.check(
        ELEMENTWISE.change("result = x * tl.sigmoid(x) + y", asm).with_metadata(targets=["sm_90"])
    )
    assert (verdict.status, verdict.evidence) == ("passed", "compiled")
    assert "inline_asm" in verdict.reason
    assert verdict.coverage["not_interpreted"]


def test_skips_marks_and_bare_asserts(gate: Gate) -> None:
    tests = (
        HEADER
        + """
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_shape():
    x = torch.randn(4, 8, device="cuda")
    assert x.is_cuda and x.device.type == "cuda"
    assert triton_softmax(x).shape == (4, 9)


@pytest.mark.skip(reason="never")
def test_never():
    raise SystemExit
"""
    )
    verdict = gate.check(Sources(SOFTMAX.python_code, SOFTMAX.triton_code, tests))
    assert verdict.check == "test"
    assert "assert triton_softmax(x).shape == (4, 9)" in verdict.reason
    right = tests.replace("(4, 9)", "(4, 8)") + SOFTMAX.test_code.removeprefix(HEADER)
    verdict = gate.check(Sources(SOFTMAX.python_code, SOFTMAX.triton_code, right))
    assert verdict.passed
    assert verdict.coverage["skipped"] >= 1
    skipped = tests.replace("not torch.cuda.is_available()", "True")
    assert gate.check(Sources(SOFTMAX.python_code, SOFTMAX.triton_code, skipped)).status == "failed"


def test_no_tests_fail_and_fixtures_are_an_error(gate: Gate) -> None:
    none = gate.check(Sources(SOFTMAX.python_code, SOFTMAX.triton_code, HEADER))
    assert (none.status, none.check) == ("failed", "form")
    fixture = HEADER + "\ndef test_x(tmp_path):\n    pass\n"
    verdict = gate.check(Sources(SOFTMAX.python_code, SOFTMAX.triton_code, fixture))
    assert verdict.status == "error"
    assert "tmp_path" in verdict.reason


def test_a_module_reference_and_device_shims(gate: Gate) -> None:
    python_code = """
import torch
from torch import nn


class Scale(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.linear = nn.Linear(n, n, bias=False)
        self.weight = nn.Parameter(torch.ones(n))

    def forward(self, x):
        return x * self.weight
"""
    triton_code = """
import torch
import triton
import triton.language as tl


@triton.jit
def scale_kernel(x_ptr, w_ptr, out_ptr, n, total, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    for start in range(pid * BLOCK, total, tl.num_programs(0) * BLOCK):
        offsets = start + tl.arange(0, BLOCK)
        mask = offsets < total
        x = tl.load(x_ptr + offsets, mask=mask)
        w = tl.load(w_ptr + offsets % n, mask=mask)
        tl.store(out_ptr + offsets, x * w, mask=mask)


def triton_scale(x, weight):
    out = torch.empty_like(x)
    sms = torch.cuda.get_device_properties(x.device).multi_processor_count
    device = triton.runtime.driver.active.get_current_device()
    other = triton.runtime.driver.active.utils.get_device_properties(device)
    assert sms == other["multiprocessor_count"]
    with torch.cuda.device(x.device):
        scale_kernel[(min(sms, triton.cdiv(x.numel(), 16)),)](
            x, weight, out, x.shape[-1], x.numel(), BLOCK=16
        )
    return out
"""
    test_code = (
        HEADER
        + """
def test_scale():
    torch.manual_seed(0)
    module = Scale(40).to("cuda")
    with torch.no_grad():
        module.weight.copy_(torch.randn(40).cuda())
    x = torch.randn(11, 40).to(torch.device("cuda"))
    zero = torch.zeros(3, device="cuda") + torch.full((3,), 2.0, device="cuda")
    assert zero.device == x.device and torch.arange(3, device=x.device).is_cuda
    assert torch.cuda.device_count() == 1 and torch.cuda.current_device() == 0
    out = triton_scale(x, module.weight)
    torch.cuda.synchronize()
    torch.testing.assert_close(out, module(x).detach())
"""
    )
    verdict = gate.check(Sources(python_code, triton_code, test_code))
    assert verdict.passed, verdict


def test_check_close_defined_by_the_pair_is_observed(gate: Gate) -> None:
    assert "def check_close" in CHECK_CLOSE
    verdict = gate.check(MATMUL)
    assert verdict.max_abs_error is not None
    assert 0 < verdict.max_abs_error < 1
    assert verdict.max_rel_error is not None


def test_a_pair_with_inputs_instead_of_tests_is_compared_with_its_reference(gate: Gate) -> None:
    inputs = "def get_test_inputs():\n    return (torch.randn(3, 70, device='cuda'),)\n"
    entry = {"reference": "torch_softmax", "wrapper": "triton_softmax"}
    pair = Sources(SOFTMAX.python_code, SOFTMAX.triton_code, inputs, {"entry": entry})
    assert gate.check(pair).evidence == "interpreted"
    wrong = pair.change("x / tl.sum(x, axis=0)", "x / tl.sum(x, axis=0) * 1.001")
    assert gate.check(wrong).check == "test"
    unnamed = gate.check(pair.with_metadata())
    assert unnamed.status == "error"
    assert "entry points" in unnamed.reason


def test_a_kernel_that_writes_nothing_cannot_live_on_freed_memory(gate: Gate) -> None:
    silent = SOFTMAX.change("cols, x / tl.sum(x, axis=0), mask=mask", "cols, x, mask=cols < 0")
    test = (
        HEADER
        + """
def test_softmax():
    x = torch.randn(64, 64, device="cuda")
    expected = torch_softmax(x)
    freed = [expected.clone() for _ in range(8)]
    del freed
    torch.testing.assert_close(triton_softmax(x), expected)
"""
    )
    assert gate.check(Sources(silent.python_code, silent.triton_code, test)).check == "honesty"
    assert gate.check(Sources(SOFTMAX.python_code, SOFTMAX.triton_code, test)).passed
