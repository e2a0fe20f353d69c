"""The bounds: wrong formulas fail in float32, honest kernels never do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import honest_kernels as honest
import pytest
import torch
import torch.nn.functional as F

from tritongen.verify.judge import draws
from tritongen.verify.judge.bound import compare
from tritongen.verify.judge.local import LocalReference
from tritongen.verify.judge.oracle import expect
from tritongen.verify.judge.records import Expectation, Problem, Trial


def judged(
    reference: Callable[..., Any],
    kernel: Callable[..., Any],
    *arguments: Any,
    tf32: bool = False,
) -> Problem | None:
    """What the comparison says of one call."""
    expectation = expect(LocalReference(reference), arguments, tf32=tf32)
    if isinstance(expectation, Problem):
        return expectation
    outputs = kernel(*arguments)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return compare(outputs, expectation, Trial("t", "given", arguments))


def drawn(way: Any, kind: str, dtype: torch.dtype, seed: int) -> list[torch.Tensor]:
    """Arguments of a way of computing, of one kind."""
    generator = torch.Generator().manual_seed(seed)
    made = []
    for index, shape in enumerate(way.shapes):
        x = torch.randn(shape, generator=generator)
        if way.positive:
            x = x.abs() + 0.01
        low = 1e-6 if way.positive else -float("inf")
        if index == 0 or len(shape) > 1:
            x = draws.transform(kind, x.to(dtype), generator, low=low)
        made.append(x.to(dtype))
    return made


@pytest.mark.parametrize("name", honest.WAYS)
def test_an_honest_float32_kernel_is_right(name: str) -> None:
    way = honest.WAYS[name]
    for seed in range(3):
        for kind in way.kinds:
            arguments = drawn(way, kind, torch.float32, seed)
            problem = judged(way.reference, way.kernel, *arguments)
            assert problem is None, (kind, seed, problem)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", [name for name, way in honest.WAYS.items() if way.half])
def test_a_half_kernel_that_rounds_once_is_right(name: str, dtype: torch.dtype) -> None:
    way = honest.WAYS[name]
    for seed in range(2):
        for kind in way.kinds:
            arguments = drawn(way, kind, dtype, seed)
            problem = judged(way.reference, way.kernel, *arguments)
            assert problem is None, (kind, seed, problem)


def rows(*shape: int, seed: int = 0) -> torch.Tensor:
    """Normal values."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def without_max(x: torch.Tensor) -> torch.Tensor:
    """A softmax that forgets to subtract the maximum."""
    top = torch.exp(x)
    return top / top.sum(-1, keepdim=True)


def biased_layer_norm(x: torch.Tensor) -> torch.Tensor:
    """A layer norm with the variance over N - 1."""
    centred = x - x.mean(-1, keepdim=True)
    return centred * torch.rsqrt(x.var(-1, keepdim=True) + 1e-5)


def layer_norm_with(eps: float) -> Callable[..., Any]:
    """A layer norm of the last dimension."""
    return lambda x: F.layer_norm(x, (x.shape[-1],), eps=eps)


def one_pass_variance(x: torch.Tensor) -> torch.Tensor:
    """The mean of squares minus the square of the mean."""
    return (x * x).mean(-1) - x.mean(-1) ** 2


def last_argmax(x: torch.Tensor) -> torch.Tensor:
    """Of equal maxima the last, where torch takes the first."""
    return x.shape[-1] - 1 - x.flip(-1).argmax(-1)


def missing_last_k(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """A loop over K that is one short."""
    return a[:, :-1] @ b[:-1]


X = rows(17, 1024)
TIED = (rows(17, 64) * 2).round() / 2
A, B = rows(33, 64, seed=1), rows(64, 47, seed=2)
Q, K, V = (rows(2, 50, 32, seed=s) for s in (3, 4, 5))
WRONG: dict[str, tuple[Any, Any, tuple[torch.Tensor, ...]]] = {
    "gelu by tanh": (F.gelu, lambda x: F.gelu(x, approximate="tanh"), (X,)),
    "variance over N-1": (lambda x: x.var(-1, correction=0), lambda x: x.var(-1), (X,)),
    "variance over N-1 in a layer norm": (layer_norm_with(1e-5), biased_layer_norm, (X,)),
    "slope 0.0101": (lambda x: F.leaky_relu(x), lambda x: F.leaky_relu(x, 0.0101), (X,)),
    "exp off by 1e-4": (torch.exp, lambda x: torch.exp(x) * (1 + 1e-4), (X,)),
    "exp off by 1e-5": (torch.exp, lambda x: torch.exp(x) * (1 + 1e-5), (X,)),
    "softmax without maximum": (lambda x: torch.softmax(x, -1), without_max, (X * 40,)),
    "one-pass variance, large mean": (
        lambda x: x.var(-1, correction=0), one_pass_variance, (X + 1000,),
    ),
    "epsilon 1e-6 for 1e-5, small values": (
        layer_norm_with(1e-5), layer_norm_with(1e-6), (X * 1e-3,),
    ),
    "a sum without its last element": (lambda x: x.sum(-1), lambda x: x[:, :-1].sum(-1), (X,)),
    "a mean over N+1": (lambda x: x.mean(-1), lambda x: x.sum(-1) / 1025, (X.abs(),)),
    "K one short": (torch.matmul, missing_last_k, (A, B)),
    "tf32 where it is not allowed": (torch.matmul, honest.tf32_matmul, (A, B)),
    "bfloat16 operands": (
        torch.matmul, lambda a, b: a.bfloat16().float() @ b.bfloat16().float(), (A, B),
    ),
    "float16 in between": (F.silu, lambda x: x * torch.sigmoid(x).half().float(), (X,)),
    "mean of V for attention": (
        F.scaled_dot_product_attention,
        lambda q, k, v: v.mean(-2, keepdim=True).expand_as(v).contiguous(), (Q, K, V),
    ),
    "causal, off by one": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        lambda q, k, v: F.scaled_dot_product_attention(
            q, k, v, attn_mask=torch.ones(50, 50, dtype=torch.bool).tril(1)
        ),
        (Q, K, V),
    ),
    "the last of equal maxima": (lambda x: x.argmax(-1), last_argmax, (TIED,)),
    "> for >= at ties": (
        lambda x: torch.where(x >= 0.5, x, -x), lambda x: torch.where(x > 0.5, x, -x), (TIED,),
    ),
    "one small element wrong among large": (
        lambda x: x * 2, lambda x: (x * 2).index_fill(0, torch.tensor([3]), 2.1e-6),
        (torch.tensor([1e6, 1.0, 1e3, 1e-6, 1e5]),),
    ),
    "identity for relu": (torch.relu, lambda x: x.clone(), (X,)),
    "zeros for a half softmax": (
        lambda x: torch.softmax(x, -1), torch.zeros_like, (X.half().repeat(1, 64),),
    ),
    "bfloat16 sum": (
        lambda x: x.sum(-1), lambda x: honest.sequential_sum(x) * 1.05, (X.bfloat16(),),
    ),
    "tanh of half the scale": (torch.tanh, lambda x: torch.tanh(x * 1.0001), (X,)),
    "rms instead of layer norm": (
        layer_norm_with(1e-5), lambda x: F.rms_norm(x, (x.shape[-1],), eps=1e-5), (X,),
    ),
    "cross entropy without the maximum": (
        lambda x: F.cross_entropy(x, torch.arange(17)),
        lambda x: (torch.log(torch.exp(x).sum(-1)) - x[range(17), range(17)]).mean(),
        (X * 60,),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_kernel_is_seen(name: str) -> None:
    reference, kernel, arguments = WRONG[name]
    assert judged(reference, reference, *arguments) is None
    problem = judged(reference, kernel, *arguments)
    assert problem is not None
    assert problem.check == "numerics"
    assert {"index", "expected", "got", "bound", "wrong"} <= set(problem.witness)


@pytest.mark.parametrize("k", [1, 16, 64, 1000])
def test_a_tf32_dot_is_right_only_where_it_is_declared(k: int) -> None:
    for seed in range(4):
        a, b = rows(64, k, seed=seed), rows(k, 64, seed=seed + 10)
        assert judged(torch.matmul, honest.tf32_matmul, a, b, tf32=True) is None
        assert judged(torch.matmul, honest.tf32_matmul, a, b) is not None
        bad = judged(torch.matmul, lambda a, b: honest.tf32_matmul(a, b) * 1.05, a, b, tf32=True)
        assert bad is not None


@pytest.mark.parametrize("values", ["normal", "positive", "sorted", "constant", "large mean"])
def test_a_sequential_sum_of_65536_is_right(values: str) -> None:
    x = rows(4, 65536)
    x = {
        "normal": x,
        "positive": x.abs(),
        "sorted": x.sort().values,
        "constant": torch.full_like(x, 0.1),
        "large mean": x * 1e-3 + 100,
    }[values]
    for kernel in (honest.sequential_sum, honest.atomic_sum, honest.blockwise_sum):
        assert judged(lambda x: x.sum(-1), kernel, x) is None
        assert judged(lambda x: x.mean(-1), lambda x, k=kernel: k(x) / 65536, x) is None
    assert judged(lambda x: x.sum(-1), lambda x: x.sum(-1) * 1.05, x) is not None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_half_kernel_that_rounds_at_each_step_is_right(dtype: torch.dtype) -> None:
    x, y = rows(17, 300).to(dtype), rows(17, 300, seed=1).to(dtype)
    assert judged(F.silu, lambda x: x * (1 / (1 + torch.exp(-x))), x) is None
    assert (
        judged(lambda x, y: torch.tanh(x * y + 1) * y, lambda x, y: torch.tanh(1 + y * x) * y, x, y)
        is None
    )
    assert (
        judged(lambda x: (x * 3 + 1) / 7, lambda x: (x.float() * 3 + 1).to(dtype) * (1 / 7), x)
        is None
    )


def test_an_upcasting_half_reference_is_held_to_one_rounding() -> None:
    x = rows(17, 300).bfloat16()

    def reference(x: torch.Tensor) -> torch.Tensor:
        wide = x.float()
        return (wide * torch.sigmoid(wide) * 3 + wide.exp() / 7).to(x.dtype)

    def stepwise(x: torch.Tensor) -> torch.Tensor:
        return ((x * torch.sigmoid(x)) * 3) + (x.exp() / 7)

    assert judged(reference, reference, x) is None
    assert judged(reference, stepwise, x) is not None


def test_where_the_reference_overflows_as_written_both_answers_are_right() -> None:
    x = torch.tensor([1.0, 100.0, -100.0])
    naive = lambda x: torch.log(1 + torch.exp(x))  # noqa: E731
    assert judged(naive, F.softplus, x) is None
    assert judged(naive, naive, x) is None
    assert judged(naive, lambda x: naive(x).clamp(max=90.0), x) is not None


def test_a_reference_that_raises_is_a_problem_of_the_reference() -> None:
    problem = expect(LocalReference(lambda x: x @ x), (rows(3, 4),))
    assert isinstance(problem, Problem)
    assert problem.check == "reference"
    assert "shapes" in problem.reason


def test_a_random_reference_is_a_problem_of_the_reference() -> None:
    x = rows(3, 4)
    problem = expect(LocalReference(lambda x: x + torch.rand_like(x)), (x,), twice=True)
    assert isinstance(problem, Problem)
    assert "random" in problem.reason

    def seeded(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(3)
        return x + torch.rand_like(x)

    assert isinstance(expect(LocalReference(seeded), (x,), twice=True), Expectation)


def test_a_reference_that_reads_bits_falls_back_to_its_own_dtype() -> None:
    def reference(x: torch.Tensor) -> torch.Tensor:
        return (x.view(torch.int32) & ~0x7FFFFF).view(torch.float32) * 1.5

    made = expect(LocalReference(reference), (rows(3, 40),))
    assert isinstance(made, Expectation)
    assert made.reference == "eager"
    assert judged(reference, reference, rows(3, 40)) is None
    assert judged(reference, lambda x: reference(x) * 1.001, rows(3, 40)) is not None


def test_without_noise_perturbed_inputs_give_the_bound() -> None:
    class Plain(LocalReference):
        def run(self, arguments: Any, precision: Any) -> Any:
            if precision.startswith("spread"):
                precision = "no such precision"
            return super().run(arguments, precision)

    x = rows(17, 1024)
    made = expect(Plain(F.gelu), (x,))
    assert isinstance(made, Expectation)
    assert made.reference == "float64"
    trial = Trial("t", "given", (x,))
    assert compare((F.gelu(x),), made, trial) is None
    assert compare((F.gelu(x, approximate="tanh"),), made, trial) is not None


def test_indices_that_rounding_decides_are_excused_and_no_others() -> None:
    x = torch.zeros(2, 8)
    x[0, 3] = x[1, 5] = 1.0
    x[1, 6] = 1.0 + 2**-23
    reference = lambda x: (x * 0.3 * 3.3).argmax(-1)  # noqa: E731
    made = expect(LocalReference(reference), (x,))
    assert isinstance(made, Expectation)
    trial = Trial("t", "given", (x,))
    assert compare((torch.tensor([3, 5]),), made, trial) is None
    assert compare((torch.tensor([3, 6]),), made, trial) is None
    assert compare((torch.tensor([2, 6]),), made, trial) is not None


def swapped_ties(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A top-k that takes the last of equal values first."""
    values, indices = x.flip(-1).sort(stable=True, dim=-1, descending=True)
    return values[:, :5], (x.shape[-1] - 1 - indices)[:, :5]


def test_equal_values_may_be_sorted_in_any_order_but_each_only_once() -> None:
    def reference(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        values, indices = x.sort(stable=True, dim=-1, descending=True)
        return values[:, :5], indices[:, :5]

    def repeated(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        values, indices = reference(x)
        return values, indices[:, :1].expand(-1, 5).contiguous()

    assert not torch.equal(reference(TIED)[1], swapped_ties(TIED)[1])
    assert judged(reference, swapped_ties, TIED) is None
    assert judged(reference, repeated, TIED) is not None
    wrong = judged(reference, lambda x: (reference(x)[0], reference(x)[1].flip(-1)), rows(17, 64))
    assert wrong is not None


def test_what_is_only_copied_or_chosen_must_be_equal() -> None:
    def nudge(x: torch.Tensor) -> torch.Tensor:
        return (x.double() * (1 + 2.0**-23)).float()

    references = (
        lambda x: x.t().contiguous(),
        torch.relu,
        lambda x: x.amax(-1),
        lambda x: x.roll(3, 0),
    )
    for reference in references:
        assert judged(reference, reference, X) is None
        assert judged(reference, lambda x, f=reference: nudge(f(x)), X) is not None
    assert judged(lambda x: x * 1.7, lambda x: nudge(x * 1.7), X) is None


def centred(x: torch.Tensor) -> torch.Tensor:
    """Values less the mean of their row, cut off below zero."""
    return torch.relu((x - x.mean(-1, keepdim=True)) * 300.0)


@pytest.mark.parametrize("value", [0.1, 0.3, 0.7, 1.1, 1000.1, -3.3])
def test_a_constant_row_may_come_out_on_either_side_of_a_kink(value: float) -> None:
    x = torch.full((64, 77), value)
    error = 2.0**-23 * abs(value) * 300
    assert judged(centred, lambda x: torch.full_like(x, error), x) is None
    assert judged(centred, lambda x: torch.full_like(x, 40 * error), x) is not None


def test_beside_a_clamp_the_rounding_of_tf32_shows_on_the_free_side() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(128, 128, generator=generator) for _ in range(2))

    def reference(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.clamp(a @ b, -1, 1)

    def truncated(x: torch.Tensor) -> torch.Tensor:
        return (x.view(torch.int32) & ~0x1FFF).view(torch.float32)

    def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.clamp(truncated(a) @ truncated(b), -1, 1)

    assert judged(reference, kernel, a, b, tf32=True) is None
    assert judged(reference, kernel, a, b) is not None


def test_constant_rows_lose_to_one_side_under_tf32() -> None:
    a = torch.full((32, 128), 1.0 + 2.0**-10 - 2.0**-23)
    b = torch.full((128, 32), 1.0 + 2.0**-10 - 2.0**-23)

    def truncated(x: torch.Tensor) -> torch.Tensor:
        return (x.view(torch.int32) & ~0x1FFF).view(torch.float32)

    def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return truncated(a) @ truncated(b)

    assert judged(torch.matmul, kernel, a, b, tf32=True) is None


def test_a_reference_runs_in_noise_only_where_results_need_it() -> None:
    seen: list[str] = []

    class Counted(LocalReference):
        def run(self, arguments: tuple[Any, ...], precision: Any) -> Any:
            seen.append(precision)
            return super().run(arguments, precision)

    x = torch.randn(100, generator=torch.Generator().manual_seed(0))
    expectation = expect(Counted(torch.tanh), (x,))
    assert isinstance(expectation, Expectation)
    trial = Trial("t", "given", (x,))
    assert compare((torch.tanh(x.double()).float(),), expectation, trial) is None
    assert seen == ["own", "float64"]
    assert compare((torch.tanh(x) * (1 + 2e-7),), expectation, trial) is None
    assert seen == ["own", "float64", "spread"]
    assert compare((torch.tanh(x) * 1.001,), expectation, trial) is not None
    assert seen == ["own", "float64", "spread", "spread-more"]
