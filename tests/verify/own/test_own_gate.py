"""What a pair's own test lets through is caught by the gate's trials, each by the right check."""

from __future__ import annotations

import pytest
from own_sources import (
    CLOSE,
    CONTIGUOUS,
    HALF,
    HEADER,
    LOOPED,
    MAKE_VECTOR,
    MATRIX,
    PREFIX,
    SCALED,
    VARIANCE,
    VECTOR,
)
from verify_sources import AUTOTUNED, Sources

from tritongen.verify import Gate

RIGHT = {
    "vector": VECTOR,
    "matrix": MATRIX,
    "contiguous": CONTIGUOUS,
    "variance": VARIANCE,
    "scaled": SCALED,
    "looped": LOOPED,
    "half": HALF,
}


@pytest.fixture(scope="module")
def quick(gate: Gate) -> Gate:
    """The warm gate; verdicts of wrong pairs come from the interpreter alone."""
    return gate


@pytest.mark.parametrize("name", RIGHT)
def test_right_pairs_pass_the_whole_gate(quick: Gate, name: str) -> None:
    verdict = quick.check(RIGHT[name], targets=["sm_90"])
    assert (verdict.status, verdict.reason) == ("passed", "")
    tried = verdict.coverage["gate"]
    assert tried["trials"]["sizes"] >= 4
    assert tried["reference"] == {"float64": tried["compared"]}
    assert "zeros" in tried["nulls"]["rejected"]


def swap(pair: Sources, old: str, new: str, **metadata: object) -> Sources:
    """A pair with one edit, and with its metadata or other ones."""
    changed = pair.change(old, new)
    return changed.with_metadata(**metadata) if metadata else changed


WRONG = {
    "tail_without_mask": (
        swap(VECTOR, "mask = offsets < n", "mask = offsets < n + 3"),
        "memory",
        "sizes",
    ),
    "tail_left_out_for_sizes_that_the_test_lacks": (
        swap(VECTOR, "triton.cdiv(n, 256)", "n // 256"),
        "",
        "sizes",
    ),
    "strides_of_input_and_output_swapped": (
        swap(MATRIX, "row * x_row + cols * x_col", "row * out_row + cols * out_col"),
        "",
        "layout",
    ),
    "stride_of_columns_forgotten": (
        swap(MATRIX, "row * x_row + cols * x_col", "row * x_row + cols"),
        "",
        "layout",
    ),
    "contiguous_dropped": (swap(CONTIGUOUS, "x = x.contiguous()", "x = x"), "", "layout"),
    "input_written": (
        swap(
            VECTOR,
            "    tl.store(out_ptr",
            "    tl.store(x_ptr + offsets, x + 0.0, mask=mask & (offsets < 0))\n"
            "    tl.store(x_ptr + offsets, x * 2, mask=mask)\n    tl.store(out_ptr",
        ),
        "inputs-changed",
        "test_pair",
    ),
    "variance_by_the_difference_of_squares": (
        swap(
            VARIANCE,
            "tl.sum(centered * centered, axis=0) / n_cols)",
            "tl.sum(x * x, axis=0) / n_cols - mean * mean)",
        ),
        "numerics",
        "",
    ),
    "scalar_ignored": (swap(SCALED, "* alpha, mask", "* 0.625, mask"), "numerics", "scalars"),
    "loop_steps_too_far": (swap(LOOPED, ", step):", ", 2 * step):"), "", "sizes"),
    "programs_depend_on_each_other": (PREFIX, "repeat", "reverse"),
    "uninitialised_memory_read": (
        swap(
            VECTOR,
            "x * 3 + 1, mask",
            "tl.maximum(tl.load(out_ptr + offsets, mask=mask), x * 3 + 1), mask",
        ),
        "memory",
        "uninitialised",
    ),
    "second_configuration_wrong": (
        swap(
            AUTOTUNED, "out_ptr + offsets, x + x", "out_ptr + offsets, x * (2 + BLOCK_SIZE // 512)"
        ),
        "numerics",
        "autotune configuration 1",
    ),
    "torch_finishes_the_work": (
        swap(VECTOR, "x * 3 + 1, mask", "x * 3, mask").change("return out", "return out + 1"),
        "honesty",
        "add",
    ),
    "half_precision_inside": (
        swap(HALF, "x * 3 + 1, mask", "(x.to(tl.float16) * 3).to(tl.float32) + 1, mask"),
        "",
        "",
    ),
    "result_kept_between_calls": (
        swap(
            VECTOR,
            "    out = torch.empty_like(x)\n",
            "    if x.shape in KEPT:\n        return KEPT[x.shape]\n"
            "    out = KEPT[x.shape] = torch.empty_like(x)\n",
        ).change("def wrapper", "KEPT = {}\n\n\ndef wrapper"),
        "",
        "",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_faults_that_the_own_test_does_not_see_are_caught(quick: Gate, name: str) -> None:
    pair, check, words = WRONG[name]
    verdict = quick.check(pair)
    assert verdict.status == "failed", verdict
    if check:
        assert verdict.check == check, verdict
    group = {"sizes": ("in dimension", "every dimension", "primes"), "layout": ("layout",)}
    assert any(word in verdict.reason for word in group.get(words, (words,))), verdict.reason


NULLED = {
    "zeros": "torch.testing.assert_close(wrapper(*inputs) * 0, expected * 0)",
    "stale buffer": "assert wrapper(*inputs).std() > 0.5 and wrapper(*inputs).mean() < 2",
    "first tile only": "torch.testing.assert_close(wrapper(*inputs)[:8], expected[:8])",
    "all but the last element": "torch.testing.assert_close(wrapper(*inputs)[:-1], expected[:-1])",
}


@pytest.mark.parametrize("name", NULLED)
def test_a_test_that_accepts_a_null_kernel_is_refused(quick: Gate, name: str) -> None:
    judged = "torch.testing.assert_close(wrapper(*inputs), expected, rtol=1e-5, atol=1e-5)"
    assert judged in CLOSE
    test = HEADER + MAKE_VECTOR + CLOSE.replace(judged, NULLED[name])
    verdict = quick.check(Sources(VECTOR.python_code, VECTOR.triton_code, test))
    assert (verdict.status, verdict.check) == ("failed", "null")
    assert verdict.witness is not None
    if name != "stale buffer":
        assert verdict.witness["null"] in (name, "zeros")


def test_identity_is_refused_where_inputs_hide_it_and_not_where_it_is_right(quick: Gate) -> None:
    relu = VECTOR.change("x * 3 + 1", "tl.maximum(x, 0.0)")
    python = "import torch\n\n\ndef reference(x):\n    return torch.relu(x)\n"
    assert quick.check(Sources(python, relu.triton_code, VECTOR.test_code)).passed
    positive = VECTOR.test_code.replace("torch.randn(", "torch.rand(")
    always = quick.check(Sources(python, relu.triton_code, positive))
    assert always.passed
    assert always.coverage["gate"]["nulls"]["right_for_every_input"] == ["identity"]


def test_coverage_says_what_was_tried_and_what_was_left(quick: Gate) -> None:
    tried = quick.check(VECTOR, targets=["sm_90"]).coverage["gate"]
    assert tried["blocks"] == [[256]]
    assert tried["wrapper_runs"] > tried["compared"] > tried["trials"]["sizes"]
    assert set(tried["nulls"]["rejected"]) >= {"zeros", "constant", "identity", "stale buffer"}


def test_a_size_for_which_the_wrapper_raises_is_a_fault_of_our_own_pair(quick: Gate) -> None:
    pair = VECTOR.change("    n = x.numel()\n", "    n = x.numel()\n    assert n % 256 == 0\n")
    verdict = quick.check(pair)
    assert verdict.status == "failed"
    assert "AssertionError" in verdict.reason or "assert" in verdict.reason
