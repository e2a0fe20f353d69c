"""A reference in float64: casts, factories, parameters and limits follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tritongen.verify.judge.local import LocalReference, copy_values, flatten
from tritongen.verify.judge.noise import deltas
from tritongen.verify.redirect import redirected

X = torch.randn(5, 33, generator=torch.Generator().manual_seed(0))


def seeded_linear(x: torch.Tensor) -> torch.Tensor:
    """A module whose parameters are made on the way, from a seed."""
    torch.manual_seed(1)
    layer = nn.Linear(33, 7)
    with torch.no_grad():
        return layer(x)


def linear_in_float64(x: torch.Tensor) -> torch.Tensor:
    """The same layer, its float32 parameters widened."""
    torch.manual_seed(1)
    layer = nn.Linear(33, 7)
    return F.linear(x, layer.weight.detach().double(), layer.bias.detach().double())


def into_float32_buffer(x: torch.Tensor) -> torch.Tensor:
    """Results written to a buffer whose dtype is spelled out."""
    out = torch.empty(x.shape, dtype=torch.float32, device=x.device)
    for row in range(x.shape[0]):
        out[row] = x[row].float() / 3
    return out


CASES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "float()": (lambda x: x.float() / 3, lambda x: x / 3),
    "to a dtype": (lambda x: x.to(torch.float32).exp().to(x.dtype), torch.exp),
    "to the dtype of another": (lambda x: x.exp().to(x.dtype), torch.exp),
    "dtype argument": (lambda x: F.softmax(x, -1, dtype=torch.float32), lambda x: F.softmax(x, -1)),
    "sum with dtype": (lambda x: x.sum(-1, dtype=torch.float32) / 3, lambda x: x.sum(-1) / 3),
    "factory": (
        lambda x: x * torch.full((33,), 1.0, dtype=torch.float32) / torch.arange(1, 34),
        lambda x: x / torch.arange(1, 34),
    ),
    "integers divided": (
        lambda x: x * (torch.arange(33) / 7), lambda x: x * (torch.arange(33).double() / 7)
    ),
    "buffer": (into_float32_buffer, lambda x: x / 3),
    "through half": (lambda x: x.half().exp().float(), torch.exp),
    "layer norm": (lambda x: F.layer_norm(x, (33,)), lambda x: F.layer_norm(x, (33,))),
    "seeded module": (seeded_linear, linear_in_float64),
    "eps of the dtype": (
        lambda x: x + torch.finfo(x.dtype).eps, lambda x: x + torch.finfo(torch.float32).eps
    ),
    "default eps of rms norm": (
        lambda x: F.rms_norm(x * 1e-3, (33,)),
        lambda x: x * 1e-3 * torch.rsqrt((x * 1e-3).pow(2).mean(-1, keepdim=True) + 2**-23),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_reference_is_computed_in_float64(name: str) -> None:
    reference, exact = CASES[name]
    ran = LocalReference(reference).run((X,), "float64")
    assert ran.ok, ran.error
    assert ran.outputs[0].dtype == torch.float64
    torch.testing.assert_close(ran.outputs[0], exact(X.double()), rtol=1e-13, atol=1e-13)
    own = LocalReference(reference).run((X,), "own").outputs[0]
    assert own.dtype == torch.float32
    assert not torch.equal(own.double(), ran.outputs[0])


def test_half_inputs_are_computed_in_float32_as_well() -> None:
    ran = LocalReference(lambda x: (x * 3).exp()).run((X.bfloat16(),), "float32")
    assert ran.outputs[0].dtype == torch.float32
    torch.testing.assert_close(ran.outputs[0], (X.bfloat16().float() * 3).exp())


def test_random_numbers_are_those_of_an_ordinary_run() -> None:
    def reference(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(5)
        return x * torch.rand_like(x) + torch.randn(33) + torch.empty(33).uniform_(0, 1)

    runs = [LocalReference(reference).run((X,), p).outputs[0] for p in ("own", "float64")]
    torch.testing.assert_close(runs[0].double(), runs[1], rtol=1e-6, atol=1e-6)


def test_gradients_are_computed_in_float64() -> None:
    def reference(x: torch.Tensor) -> torch.Tensor:
        x = x.detach().requires_grad_(True)
        return torch.autograd.grad(F.gelu(x).sum(), x)[0]

    ran = LocalReference(reference).run((X,), "float64")
    torch.testing.assert_close(ran.outputs[0], reference(X.double()), rtol=1e-13, atol=1e-13)
    assert LocalReference(reference).run((X,), "spread").ok


@pytest.mark.parametrize("precision", ["own", "float64", "spread", "spread-tf32"])
def test_cuda_strings_work_under_the_redirection(precision: Any) -> None:
    def reference(x: torch.Tensor) -> torch.Tensor:
        scale = torch.full((33,), 2.0, device="cuda", dtype=torch.float32)
        return (x.to("cuda") * scale).to(x.device)

    ran = LocalReference(reference, surroundings=redirected).run((X,), precision)
    assert ran.ok, ran.error
    torch.testing.assert_close(ran.outputs[0].double(), X.double() * 2)


def test_the_default_dtype_is_left_as_it_was() -> None:
    def fails(x: torch.Tensor) -> torch.Tensor:
        raise ValueError("no")

    ran = LocalReference(fails).run((X,), "float64")
    assert ran.error == "ValueError: no"
    assert torch.get_default_dtype() == torch.float32


def test_arguments_are_never_written_to() -> None:
    def reference(x: torch.Tensor) -> torch.Tensor:
        x += 1
        return x

    before = X.clone()
    for precision in ("own", "float64", "spread"):
        ran = LocalReference(reference).run((X,), precision)
        assert ran.ok
        torch.testing.assert_close(ran.outputs[0].float(), before + 1)
    assert torch.equal(X, before)


def test_copies_keep_strides_and_nesting() -> None:
    expanded = torch.randn(1, 5).expand(4, 5)
    values = (X.t(), [expanded, 3], {"a": None})
    copies = copy_values(values)
    assert copies[0].stride() == X.t().stride()
    assert copies[1][0].stride() == (0, 1)
    assert torch.equal(copies[1][0], expanded)
    assert copies[0].data_ptr() != X.data_ptr()
    assert flatten(({"a": 1}, [2, (3,)])) == (1, 2, 3)


def test_noise_is_a_function_of_the_value_without_a_bias() -> None:
    x = torch.randn(100000, generator=torch.Generator().manual_seed(0)).double()
    first, second = deltas(x, 12345), deltas(x, 54321)
    assert torch.equal(first, deltas(x.clone(), 12345))
    assert float(first.abs().min()) >= 0.5
    assert float(first.abs().max()) <= 1.0
    assert abs(float(first.mean())) < 0.01
    assert abs(float((first * second).mean())) < 0.01
    assert abs(float((first[1:] * first[:-1]).mean())) < 0.01


def test_ties_survive_the_noise_and_spread_is_local() -> None:
    x = torch.tensor([[1.0, 3.0, 3.0, 2.0]] * 3)
    ran = LocalReference(lambda x: ((x * 0.3).argmax(-1), x * 0.3)).run((x,), "spread")
    assert ran.ok
    assert float(ran.outputs[2].max()) == 0.0
    wide = torch.tensor([1e-6, 1e6, 1.0])
    exact, spread = LocalReference(torch.sin).run((wide * 0 + wide,), "spread").outputs
    assert float(spread[0]) < 1e-6
    assert exact.shape == spread.shape


NORMS: dict[str, Callable[..., Any]] = {
    "group": lambda x: F.group_norm(x, 3, torch.ones(33) * 1.5, torch.ones(33)),
    "batch": lambda x: F.batch_norm(x, None, None, training=True),
    "batch, in use": lambda x: F.batch_norm(x, torch.zeros(33), torch.ones(33)),
    "rms": lambda x: F.rms_norm(x, (33,), torch.ones(33) * 2),
    "var and mean": lambda x: torch.var_mean(x, -1),
    "max and index": lambda x: torch.max(x, -1),
    "softmax": lambda x: F.softmax(x, -1),
    "log softmax": lambda x: F.log_softmax(x, 0),
    "layer": lambda x: F.layer_norm(x, (33,), torch.ones(33) * 2, torch.ones(33)),
    "std": lambda x: x.std(),
    "gelu": F.gelu,
    "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "attention": lambda x: F.scaled_dot_product_attention(x[None], x[None], x[None], is_causal=True),
    "attention, mask and scale": lambda x: F.scaled_dot_product_attention(
        x[None], x[None], x[None], attn_mask=torch.eye(5), scale=0.3
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NORMS)
def test_an_operator_taken_apart_is_the_same_operator(name: str) -> None:
    ran = LocalReference(NORMS[name]).run((X,), "spread")
    assert ran.ok, ran.error
    half = len(ran.outputs) // 2
    for exact, spread in zip(ran.outputs[:half], ran.outputs[half:], strict=True):
        if exact.is_floating_point() and name != "max and index":
            assert float((spread / (exact.abs() + 0.1)).max()) < 1e-4
            assert float((spread / (exact.abs() + 0.1)).median()) > 1e-8
