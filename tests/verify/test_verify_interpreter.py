"""The faults of Triton's interpreter are still there, and mended here; numbers come out right."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import raw_faults
import torch
from verify_sources import CHECK_CLOSE, HEADER, Sources

from tritongen.verify import Gate
from tritongen.verify.bits import narrow, poison, toward_zero, widen
from tritongen.verify.libdevice import evaluate

float32 = partial(np.array, dtype=np.float32)
FAULTS = [probe.__name__ for probe in raw_faults.PROBES]


@pytest.fixture(scope="module")
def raw() -> dict[str, bool]:
    """Faults of the interpreter as Triton ships it."""
    return raw_faults.run(installed=False)


@pytest.fixture(scope="module")
def mended() -> dict[str, bool]:
    """Faults that remain after ours is installed."""
    return raw_faults.run(installed=True)


@pytest.mark.parametrize("fault", FAULTS)
def test_triton_has_not_repaired_the_fault_itself(raw: dict[str, bool], fault: str) -> None:
    assert raw[fault], f"Triton repaired {fault}: tritongen/verify/interpreter.py can drop it"


@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_is_mended(mended: dict[str, bool], fault: str) -> None:
    assert not mended[fault]


def test_bfloat16_bits_round_like_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    bits = torch.randint(-(2**31), 2**31 - 1, (100_000,), generator=generator, dtype=torch.int64)
    values = bits.to(torch.int32).view(torch.float32)
    expected = values.to(torch.bfloat16)
    got = torch.from_numpy(narrow(values.numpy()).view(np.int16)).view(torch.bfloat16)
    assert torch.equal(got.isnan(), expected.isnan())
    number = ~expected.isnan()
    assert torch.equal(got[number], expected[number])
    assert np.array_equal(widen(narrow(float32([1.0, -2.5]))), float32([1.0, -2.5]))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int32, np.int64])
def test_the_second_poison_shows_in_maxima_and_minima_and_passes_for_an_index(dtype: type) -> None:
    first, second = (poison((8,), dtype, False, kind) for kind in (0, 1))
    assert not np.array_equal(first, second)
    assert second.max() > 1000 or dtype is np.int8
    assert second.min() < -1000 or dtype is np.int8
    assert {0, 1} <= set(second.tolist())
    assert poison((), dtype, False, 1).shape == ()


def test_rounding_toward_zero_never_grows() -> None:
    values = float32([1.0009, -1.0009, 65519.0, 1e-8])
    cut = toward_zero(values, False, np.float16)
    assert np.all(np.abs(cut.astype(np.float32)) <= np.abs(values))


@pytest.mark.parametrize(
    ("symbol", "reference"),
    [
        ("__nv_tanhf", torch.tanh),
        ("__nv_log1pf", torch.log1p),
        ("__nv_expm1f", torch.expm1),
        ("__nv_erff", torch.erf),
        ("__nv_rsqrtf", torch.rsqrt),
        ("__nv_lgammaf", torch.lgamma),
        ("__nv_fast_sinf", torch.sin),
    ],
)
def test_libdevice_symbols_are_correctly_rounded(symbol: str, reference: object) -> None:
    x = torch.linspace(0.05, 5.0, 999)
    got = evaluate(symbol, [x.numpy()], np.float32)
    expected = reference(x.double()).float()  # type: ignore[operator]
    assert np.array_equal(got, expected.numpy())


KERNEL_HEADER = """
import torch
import triton
import triton.language as tl
from triton.language.extra import libdevice


"""


def one_kernel(body: str, reference: str, inputs: str, grid: str = "(1,)") -> Sources:
    """A pair whose kernel has `x_ptr, out_ptr` and one block of 64 elements."""
    code = f"""{KERNEL_HEADER}
@triton.jit
def helper_add(a, b):
    return a + b


@triton.jit
def helper_pick(v1, i1, v2, i2):
    take = (v1 > v2) | ((v1 == v2) & (i1 < i2))
    return tl.where(take, v1, v2), tl.where(take, i1, i2)


@triton.jit
def kernel(x_ptr, out_ptr, eps, flag, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets)
{body}


def wrapper(x, out):
    kernel[{grid}](x, out, 1e-5, True, BLOCK=64)
    return out
"""
    test = f"""{HEADER}{CHECK_CLOSE}

def test_pair():
    torch.manual_seed(0)
    x = {inputs}
    expected = reference(x)
    out = torch.empty(expected.shape, dtype=expected.dtype, device="cuda")
    check_close(wrapper(x, out), expected, 1e-6)
"""
    reference = f"import torch\n\n\ndef reference(x):\n    return {reference}\n"
    return Sources(reference, code, test, {"targets": ["sm_90"]})


BF16 = 'torch.randn(64, device="cuda").bfloat16()'
FLOAT = 'torch.randn(64, device="cuda")'
INTEGER = 'torch.randint(-50, 50, (64,), device="cuda", dtype=torch.int32)'
STORE = "    tl.store(out_ptr + offsets, {})"

CASES = {
    "bf16_sum_of_products": (STORE.format("(x * x + x).to(tl.bfloat16)"), "(x * x + x)", BF16),
    "bf16_scaled": (STORE.format("x * 2.0"), "x * 2.0", BF16),
    "bf16_compare": (STORE.format("tl.where(x > 0, x, -x)"), "x.abs()", BF16),
    "bf16_max": (
        "    tl.store(out_ptr, tl.max(x, axis=0))",
        "x.max()",
        BF16,
    ),
    "fp16_sum": (
        "    tl.store(out_ptr, tl.sum(x.to(tl.float32), axis=0))",
        "x.double().sum().float()",
        'torch.randn(64, device="cuda").half()',
    ),
    "argmax": (
        "    tl.store(out_ptr, tl.argmax(x, axis=0).to(tl.int64))",
        "x.argmax()",
        FLOAT,
    ),
    "argmax_fast": (
        "    tl.store(out_ptr, tl.argmax(x, axis=0, tie_break_left=False).to(tl.int64))",
        "x.argmax()",
        FLOAT,
    ),
    "custom_reduce": (
        "    tl.store(out_ptr, tl.reduce(x, 0, helper_add))",
        "x.sum()",
        INTEGER + ".float()",
    ),
    "pair_reduce": (
        "    value, index = tl.reduce((x, offsets), 0, helper_pick)\n"
        "    tl.store(out_ptr, index.to(tl.int64))",
        "x.argmax()",
        INTEGER,
    ),
    "cumsum": (STORE.format("tl.cumsum(x, axis=0)"), "x.cumsum(0).int()", INTEGER),
    "custom_scan": (
        STORE.format("tl.associative_scan(x, 0, helper_add)"),
        "x.cumsum(0).int()",
        INTEGER,
    ),
    "reverse_scan": (
        STORE.format("tl.cumsum(x, axis=0, reverse=True)"),
        "x.flip(0).cumsum(0).flip(0).int()",
        INTEGER,
    ),
    "sort": (STORE.format("tl.sort(x)"), "x.sort().values", FLOAT),
    "any": (
        "    tl.store(out_ptr, (tl.max((x > 40).to(tl.int32), axis=0) > 0))",
        "(x > 40).any()",
        INTEGER,
    ),
    "xor_sum": (
        "    tl.store(out_ptr, tl.xor_sum(x, axis=0))",
        "torch.tensor(__import__('functools').reduce(int.__xor__, x.tolist()), dtype=torch.int32)",
        INTEGER,
    ),
    "integer_overflow_wraps": (STORE.format("x * 2000000011"), "x * 2000000011", INTEGER),
    "integer_division": (
        STORE.format("x // 7 + x % 7"),
        "torch.div(x, 7, rounding_mode='trunc') + x.fmod(7)",
        INTEGER,
    ),
    "libdevice_pow": (STORE.format("libdevice.pow(x, 3.0)"), "x.double().pow(3).float()", FLOAT),
    "float_argument": (STORE.format("x + eps"), "x + 1e-5", FLOAT),
    "bool_argument": (STORE.format("tl.where(flag, x, 0.0)"), "x", FLOAT),
    "erf": (STORE.format("tl.erf(x)"), "x.double().erf().float()", FLOAT),
    "fma": (
        STORE.format("tl.fma(x, x, x)"),
        "(x.double() * x.double() + x.double()).float()",
        FLOAT,
    ),
    "clamp": (STORE.format("tl.clamp(x, -0.5, 0.5)"), "x.clamp(-0.5, 0.5)", FLOAT),
    "store_of_bool": (STORE.format("x > 0"), "x > 0", FLOAT),
    "while_loop": (
        "    i = 0\n    while i < 3:\n        x = x + 1\n        i += 1\n" + STORE.format("x"),
        "x + 3",
        INTEGER,
    ),
    "block_pointer": (
        "    p = tl.make_block_ptr(x_ptr, (64,), (1,), (0,), (BLOCK,), (0,))\n"
        "    q = tl.make_block_ptr(out_ptr, (64,), (1,), (0,), (BLOCK,), (0,))\n"
        "    tl.store(q, tl.load(p, boundary_check=(0,)) * 2, boundary_check=(0,))",
        "x * 2",
        FLOAT,
    ),
    "tensor_descriptor": (
        "    d = tl.make_tensor_descriptor(x_ptr, [8, 8], [8, 1], [8, 8])\n"
        "    e = tl.make_tensor_descriptor(out_ptr, [8, 8], [8, 1], [8, 8])\n"
        "    e.store([0, 0], d.load([0, 0]) * 2)",
        "x * 2",
        FLOAT,
    ),
    "static_range_and_2d": (
        "    y = tl.reshape(x, (8, 8))\n    total = tl.sum(y, axis=1)\n"
        "    for _ in tl.static_range(2):\n        total = total * 2\n"
        "    tl.store(out_ptr + tl.arange(0, 8), total)",
        "x.reshape(8, 8).sum(1).float() * 4",
        INTEGER + ".float()",
    ),
}


def test_kernels_of_many_kinds_pass(gate: Gate) -> None:
    verdicts = dict(
        zip(CASES, gate.stream(one_kernel(*case) for case in CASES.values()), strict=True)
    )
    failures = {name: v.reason for name, v in verdicts.items() if v.status != "passed"}
    assert failures == {}
    evidence = {name: v.evidence for name, v in verdicts.items() if v.evidence != "interpreted"}
    assert evidence == {}


def test_the_same_kernels_with_a_wrong_reference_fail(gate: Gate) -> None:
    wrong = {
        name: one_kernel(body, f"~({reference})" if ">" in reference else f"({reference}) + 1", x)
        for name, (body, reference, x) in CASES.items()
    }
    verdicts = dict(zip(wrong, gate.stream(wrong.values()), strict=True))
    assert {name: v.status for name, v in verdicts.items() if v.status != "failed"} == {}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int32"])
def test_atomics_sum_over_duplicate_addresses(gate: Gate, dtype: str) -> None:
    pair = one_kernel(
        "    tl.atomic_add(out_ptr + offsets % 4, x)",
        "x.reshape(16, 4).sum(0, dtype=x.dtype)",
        f'torch.randint(-4, 5, (64,), device="cuda").to(torch.{dtype})',
    )
    zeroed = Sources(
        pair.python_code,
        pair.triton_code,
        pair.test_code.replace("torch.empty(", "torch.zeros("),
        pair.metadata,
    )
    verdict = gate.check(zeroed)
    assert verdict.passed, verdict
    assert not gate.check(pair).passed
