"""Every operator makes the mutant that its name says, of a hand-written kernel."""

from __future__ import annotations

import ast

import pytest
from mutation_sources import BLOCK_POINTER, ROWS, SCALE, TILES, TUNED

from tritongen.errors import UnknownNameError, VerificationError
from tritongen.mutate.operators import OPERATORS, Subject, chosen

SOURCES = {"scale": SCALE, "rows": ROWS, "tiles": TILES, "tuned": TUNED, "block": BLOCK_POINTER}
CASES = [
    ("drop-mask", "scale", "tl.load(x_ptr + offs).to(tl.float32)"),
    ("drop-mask", "block", "x = tl.load(x_block)"),
    ("weaken-bound", "scale", "mask = offs <= n"),
    ("tighten-bound", "scale", "mask = offs < n - 1"),
    ("bound-of-other-dimension", "tiles", "mask = (rows[:, None] < N) & (cols[None, :] < N)"),
    ("drop-conjunct", "tiles", "mask = rows[:, None] < M\n"),
    ("mask-union", "tiles", "mask = (rows[:, None] < M) | (cols[None, :] < N)"),
    ("change-other", "tiles", "mask=(rows[:, None] < M) & inside[None, :],\n            other=1.0"),
    ("drop-other", "tuned", "x = tl.load(x_ptr + offs, mask=mask)"),
    ("drop-guard", "rows", "    x = x\n"),
    ("change-neutral", "rows", "x = tl.where(mask, x, 0.0)"),
    ("loop-ends-early", "tiles", "range(0, K - (TILE), TILE)"),
    ("loop-starts-late", "tiles", "range(TILE, K, TILE)"),
    ("loop-skips", "tiles", "range(0, K, 2 * (TILE))"),
    ("floor-division", "scale", "grid = ((n // 64),)"),
    ("swap-program-axes", "tiles", "pid_m = tl.program_id(axis=1)"),
    ("drop-program-id", "scale", "pid = (tl.program_id(axis=0) * 0)"),
    ("shift-program-id", "scale", "pid = (tl.program_id(axis=0) + 1)"),
    ("grid-one-short", "scale", "grid = (triton.cdiv(n, 64) - 1,)"),
    ("grid-one-over", "rows", "grid = (M + 1,)"),
    ("swap-grid", "tiles", "grid = (triton.cdiv(N, 16), triton.cdiv(M, 16))"),
    ("negate-condition", "tiles", "if not (start >= 0):"),
    ("drop-rebinding", "rows", "x = tl.load(x_ptr + row * stride_m + cols * stride_n, mask=mask"),
    ("drop-store", "scale", "    pass\n"),
    ("break-configuration", "tuned", 'triton.Config({"BLOCK": 48})'),
    ("drop-reset", "tuned", 'key=["n"])'),
    ("swap-operator", "scale", "x / 2.5"),
    ("swap-index-operator", "scale", "pid + BLOCK + tl.arange"),
    ("drop-index-term", "scale", "tl.load((x_ptr), mask=mask)"),
    ("subtract-update", "tuned", "total -= 1.0"),
    ("drop-accumulation", "tiles", 'tl.dot(a, b, input_precision="ieee")'),
    ("nudge-constant", "scale", "x * 2.525"),
    ("flip-sign", "scale", "x * (-2.5)"),
    ("drop-negation", "tuned", "return value + other"),
    ("swap-function", "rows", "tl.exp2(x - top)"),
    ("drop-function", "rows", "weights = (x - top)"),
    ("drop-maximum", "rows", "weights = tl.exp(x)"),
    ("reduction-axis", "tiles", None),
    ("reduction-kind", "rows", "tl.max(weights, axis=0) / N"),
    ("drop-factor", "scale", "tl.store(out_ptr + offs, (x), mask=mask)"),
    ("drop-term", "tuned", "return (other)"),
    ("divisor-off-by-one", "rows", "tl.sum(weights, axis=0) / (N - 1)"),
    ("drop-epsilon", "rows", "tl.sqrt(total * total)"),
    ("epsilon-outside", "rows", "(tl.sqrt(total * total) + eps)"),
    ("swap-branches", "tuned", "tl.where(value > y, y, value)"),
    ("opposite-comparison", "tuned", "tl.where(value < y, value, y)"),
    ("ties", "tuned", "tl.where(value >= y, value, y)"),
    ("initial-value", "tiles", "(tl.zeros((TILE, TILE), dtype=tl.float32) + 1)"),
    ("drop-cast", "scale", "x = tl.load(x_ptr + offs, mask=mask)\n"),
    ("cast-to-half", "scale", ".to(tl.float16)"),
    ("half-accumulator", "tiles", "tl.zeros((TILE, TILE), dtype=tl.float16)"),
    ("round-result", "tuned", "tl.store(out_ptr, total.to(tl.float16))"),
    ("half-partials", "tuned", "torch.zeros((1,), device=x.device, dtype=torch.float16)"),
    ("drop-result-cast", "rows", "return out\n"),
    ("lower-input-precision", "tiles", 'input_precision="tf32"'),
    ("drop-wide-offsets", "tiles", "out_ptr + rows[:, None] * N"),
    ("drop-stride", "rows", "x_ptr + row * stride_m + (cols), mask"),
    ("swap-strides", "rows", "softmax_kernel[grid](x, out, x.stride(1), x.stride(0), M, N"),
    ("block-strides", "block", "(M, N), (1, N), (0, 0)"),
    ("swap-broadcast", "tiles", "(rows[None, :] < M) & (cols[None, :] < N)"),
    ("load-other-pointer", "scale", "tl.load(out_ptr + offs"),
    ("store-other-pointer", "scale", "tl.store(x_ptr + offs"),
    ("store-other-value", "rows", "tl.store(out_ptr + row * N + cols, top, mask=mask)"),
    ("transpose-operand", "tiles", "tl.dot(a.T, b, total"),
    ("swap-operands", "tiles", "tl.dot(b, a, total"),
    ("atomic-to-store", "tuned", "tl.store(out_ptr, tl.sum(value, axis=0))"),
    ("swap-helper-arguments", "tuned", "value = lift(y, x)"),
    ("drop-contiguous", "scale", "x = x\n"),
    ("allocation-dtype", "scale", "torch.empty_like(x, dtype=torch.float64)"),
    ("allocation-shape", "tuned", "torch.empty((n,), device=x.device"),
    ("drop-fill", "tuned", "held = torch.empty((1,), device=x.device, dtype=torch.float32)"),
    ("write-input", "scale", "out = x\n"),
    ("size-off-by-one", "scale", "scale_kernel[grid](x, out, n - 1, BLOCK=64)"),
    ("swap-sizes", "tiles", "product_kernel[grid](a, b, out, N, M, K, TILE=16)"),
    ("swap-tensors", "scale", "scale_kernel[grid](out, x, n, BLOCK=64)"),
    ("swap-scalars", "block", "(x, out, 8, 8, -factor, TILE=8)"),
    ("block-mismatch", "scale", "scale_kernel[grid](x, out, n, BLOCK=32)"),
    ("half-block", "rows", "BLOCK=max(1, triton.next_power_of_2(N) // 2)"),
    ("drop-launch", "tuned", "    total_kernel[grid](x, y, held, n)\n    pass\n"),
    ("swap-results", "tuned", "return held, out"),
    ("swap-dimensions", "rows", "N, M = x.shape"),
]


def mutated(operator: str, source: str) -> list[str]:
    subject = Subject(SOURCES[source])
    return [subject.apply(edit) for edit in OPERATORS[operator].sites(subject)]


@pytest.mark.parametrize(("operator", "source", "expected"), CASES, ids=[c[0] for c in CASES])
def test_an_operator_makes_the_mutant_of_its_name(operator, source, expected):
    made = mutated(operator, source)
    if expected is None:
        assert made == []
        return
    assert any(expected in text for text in made), "\n".join(made)
    for text in made:
        ast.parse(text)
        assert text != SOURCES[source]


def test_every_operator_has_a_case():
    assert {case[0] for case in CASES} == set(OPERATORS)
    assert len(OPERATORS) >= 28


def test_an_axis_is_exchanged_only_where_tiles_have_two():
    text = SCALE.replace("x * 2.5", "x[:, None] * tl.sum(x, axis=0)")
    subject = Subject(text)
    made = [subject.apply(edit) for edit in OPERATORS["reduction-axis"].sites(subject)]
    assert len(made) == 1
    assert "tl.sum(x, axis=1)" in made[0]
    assert mutated("reduction-axis", "rows") == []


def test_what_stands_in_for_masked_lanes_matters_only_where_they_meet_others():
    """Lanes that are guarded, or stored under the same mask, are left alone."""
    assert mutated("change-other", "rows") == []
    assert mutated("drop-other", "scale") == []
    assert len(mutated("change-other", "tuned")) == 2


def test_whole_numbers_are_not_rounded_to_half():
    text = TUNED.replace("dtype=x.dtype", "dtype=torch.int64")
    assert list(OPERATORS["round-result"].sites(Subject(text))) == []
    assert mutated("round-result", "tuned")


def test_grids_that_masks_cut_off_get_no_further_program():
    assert mutated("grid-one-over", "scale") == []
    assert mutated("grid-one-over", "tiles") == []


def test_docstrings_are_left_alone():
    text = SCALE.replace('"""Twice x."""', '"""Twice x, 2.5 * 1.0 < n."""')
    subject = Subject(text)
    for operator in OPERATORS.values():
        for edit in operator.sites(subject):
            assert "Twice x, 2.5 * 1.0 < n." in subject.apply(edit)


def test_text_outside_of_ascii_keeps_its_places():
    text = SCALE.replace("    pid = ", "    # größer als ∞\n    pid = ").replace(
        "x * 2.5, mask", "x * 2.5, mask"
    )
    subject = Subject(text.replace('"""Launch."""', '"""Größe – ∞."""'))
    (edit,) = OPERATORS["nudge-constant"].sites(subject)
    assert "x * 2.525, mask=mask)" in subject.apply(edit)


def test_other_names_of_the_modules_are_understood():
    text = SCALE.replace("import triton.language as tl", "from triton import language as lang")
    subject = Subject(text.replace("tl.", "lang."))
    made = [subject.apply(edit) for edit in OPERATORS["drop-mask"].sites(subject)]
    assert len(made) == 2
    assert "lang.load(x_ptr + offs).to(lang.float32)" in made[0]


def test_operators_are_chosen_by_device_and_name():
    on_cpu = {op.name for op in chosen(None, "cpu")}
    on_gpu = {op.name for op in chosen(None, "cuda")}
    assert "lower-input-precision" in on_gpu - on_cpu
    assert "drop-wide-offsets" not in on_cpu | on_gpu
    assert [op.name for op in chosen(["drop-mask", "drop-mask"], "cpu")] == ["drop-mask"]
    with pytest.raises(UnknownNameError, match="did you mean 'drop-mask'"):
        chosen(["drop-msk"], "cpu")


def test_operators_that_cannot_be_judged_say_why():
    for op in OPERATORS.values():
        assert op.summary
        if op.judged_on != ("cpu", "cuda"):
            assert op.why


def test_a_source_that_does_not_parse_is_refused():
    with pytest.raises(VerificationError, match="does not parse"):
        Subject("def f(:\n")
