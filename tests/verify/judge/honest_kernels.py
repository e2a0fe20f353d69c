"""References with honest ways to compute them in float32, as kernels do: for the tests of bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

LOG2E = 1.4426950408889634


@dataclass(frozen=True)
class Way:
    """A reference, one honest way to compute it, and the shapes of its arguments."""

    reference: Callable[..., Any]
    kernel: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...] = ((17, 300),)
    positive: bool = False
    half: bool = True
    kinds: tuple[str, ...] = ("given", "scale 0.001", "scale 30", "large mean", "constant rows")


def sequential_sum(x: torch.Tensor) -> torch.Tensor:
    """Left to right in float32, over the last dimension."""
    rows = np.cumsum(x.float().numpy(), axis=-1, dtype=np.float32)
    return torch.from_numpy(rows[..., -1].copy()).to(x.dtype)


def sequential_cumsum(x: torch.Tensor) -> torch.Tensor:
    """A scan, left to right in float32."""
    return torch.from_numpy(np.cumsum(x.float().numpy(), axis=-1, dtype=np.float32)).to(x.dtype)


def blockwise_sum(x: torch.Tensor, block: int = 64) -> torch.Tensor:
    """Sums of blocks in parallel lanes, then a tree over the lanes."""
    x32 = F.pad(x.float(), (0, -x.shape[-1] % block))
    lanes = torch.zeros(*x32.shape[:-1], block)
    for start in range(0, x32.shape[-1], block):
        lanes = lanes + x32[..., start : start + block]
    while lanes.shape[-1] > 1:
        half = lanes.shape[-1] // 2
        lanes = lanes[..., :half] + lanes[..., half:]
    return lanes[..., 0].to(x.dtype)


def atomic_sum(x: torch.Tensor) -> torch.Tensor:
    """Partial sums added in a random order."""
    parts = list(F.pad(x.float(), (0, -x.shape[-1] % 16)).split(16, -1))
    order = torch.randperm(len(parts)).tolist()
    total = torch.zeros(x.shape[:-1])
    for index in order:
        total = total + parts[index].sum(-1)
    return total.to(x.dtype)


def online_softmax(x: torch.Tensor) -> torch.Tensor:
    """Running maximum and denominator over blocks, with exp2."""
    x32 = x.float() * LOG2E
    top = torch.full((*x.shape[:-1], 1), -math.inf)
    total = torch.zeros(*x.shape[:-1], 1)
    for part in x32.split(32, -1):
        new = torch.maximum(top, part.amax(-1, keepdim=True))
        total = total * torch.exp2(top - new) + torch.exp2(part - new).sum(-1, keepdim=True)
        top = new
    return (torch.exp2(x32 - top) * (1 / total)).to(x.dtype)


def exp_softmax(x: torch.Tensor) -> torch.Tensor:
    """One block, exp and division."""
    x32 = x.float()
    top = torch.exp(x32 - x32.amax(-1, keepdim=True))
    return (top / blockwise_sum(top)[..., None]).to(x.dtype)


def log_softmax(x: torch.Tensor) -> torch.Tensor:
    """x - max - log(sum)."""
    x32 = x.float()
    top = x32.amax(-1, keepdim=True)
    total = blockwise_sum(torch.exp(x32 - top))[..., None]
    return (x32 - (top + torch.log(total))).to(x.dtype)


def welford(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance of the last dimension, one element at a time, in float32."""
    x32 = x.float()
    mean = torch.zeros(x.shape[:-1])
    m2 = torch.zeros(x.shape[:-1])
    for index in range(x.shape[-1]):
        delta = x32[..., index] - mean
        mean = mean + delta / (index + 1)
        m2 = m2 + delta * (x32[..., index] - mean)
    return mean, m2 / x.shape[-1]


def two_pass(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean, then the mean of squared deviations, in float32."""
    x32 = x.float()
    mean = blockwise_sum(x32) * (1.0 / x.shape[-1])
    return mean, blockwise_sum((x32 - mean[..., None]) ** 2) * (1.0 / x.shape[-1])


def normalise(moments: Callable[..., Any]) -> Callable[..., Any]:
    """A layer norm by given moments."""

    def kernel(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        mean, variance = moments(x)
        scale = (1.0 / torch.sqrt(variance + 1e-5))[..., None]
        result = (x.float() - mean[..., None]) * scale * weight.float() + bias.float()
        return result.to(x.dtype)

    return kernel


def reference_layer_norm(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Layer norm over the last dimension."""
    return F.layer_norm(x, (x.shape[-1],), weight, bias)


def rms_norm(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """RMS norm with a float32 accumulator."""
    x32 = x.float()
    scale = torch.rsqrt(blockwise_sum(x32 * x32) / x.shape[-1] + 1e-6)[..., None]
    return (x32 * scale * weight.float()).to(x.dtype)


def reference_rms_norm(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """RMS norm as models write it."""
    x32 = x.float()
    x32 = x32 * torch.rsqrt(x32.pow(2).mean(-1, keepdim=True) + 1e-6)
    return x32.to(x.dtype) * weight


def blocked_matmul(a: torch.Tensor, b: torch.Tensor, block: int = 32) -> torch.Tensor:
    """K in blocks, accumulated in float32."""
    total = torch.zeros(*a.shape[:-1], b.shape[-1])
    for start in range(0, a.shape[-1], block):
        left, right = a[..., start : start + block], b[..., start : start + block, :]
        total = total + left.float() @ right.float()
    return total.to(a.dtype)


def split_matmul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Two halves of K added at the end."""
    half = a.shape[-1] // 2
    left = blocked_matmul(a[:, :half].float(), b[:half].float())
    return (blocked_matmul(a[:, half:].float(), b[half:].float()) + left).to(a.dtype)


def sequential_matmul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """One multiply-add after the other."""
    products = a.float().numpy()[:, :, None] * b.float().numpy()[None]
    total = np.cumsum(products, axis=1, dtype=np.float32)[:, -1]
    return torch.from_numpy(total.copy()).to(a.dtype)


def to_tf32(x: torch.Tensor) -> torch.Tensor:
    """The operand that a TF32 dot sees: ten bits of mantissa, the rest cut off."""
    return (x.contiguous().view(torch.int32) & ~0x1FFF).view(torch.float32)


def tf32_matmul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """A dot of TF32 operands, float32 accumulator."""
    return blocked_matmul(to_tf32(a), to_tf32(b))


def flash_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Online softmax over blocks of keys; probabilities rounded to the dtype of v."""
    scale = LOG2E / math.sqrt(q.shape[-1])
    top = torch.full((*q.shape[:-1], 1), -math.inf)
    total = torch.zeros(*q.shape[:-1], 1)
    result = torch.zeros(q.shape)
    for start in range(0, k.shape[-2], 16):
        part = slice(start, start + 16)
        scores = q.float() @ k[..., part, :].float().transpose(-1, -2) * scale
        new = torch.maximum(top, scores.amax(-1, keepdim=True))
        weights = torch.exp2(scores - new)
        shrink = torch.exp2(top - new)
        total = total * shrink + weights.sum(-1, keepdim=True)
        result = result * shrink + weights.to(v.dtype).float() @ v[..., part, :].float()
        top = new
    return (result / total).to(q.dtype)


def steps_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Attention in separate steps."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    return torch.softmax(scores, dim=-1) @ v


def erf_by_polynomial(x: torch.Tensor) -> torch.Tensor:
    """Abramowitz and Stegun 7.1.26 in float32."""
    t = 1 / (1 + 0.3275911 * x.abs())
    poly = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    return torch.sign(x) * (1 - poly * torch.exp(-x * x))


def in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    """Computed in float32, rounded once."""

    def kernel(*args: torch.Tensor) -> torch.Tensor:
        return function(*(a.float() for a in args)).to(args[0].dtype)

    return kernel


def jittered(x: torch.Tensor, ulps: float = 1.5) -> torch.Tensor:
    """Values off by up to some ulps, as approximate instructions give them."""
    noise = (torch.rand(x.shape, dtype=torch.float64) * 2 - 1) * ulps * 2.0**-23
    return (x.double() * (1 + noise)).to(x.dtype)


def cross_entropy(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean of logsumexp minus the target's score."""
    x32 = x.float()
    top = x32.amax(-1)
    lse = torch.log(blockwise_sum(torch.exp(x32 - top[..., None]))) + top
    return (lse - x32.gather(-1, target[:, None])[:, 0]).mean().to(x.dtype)


def gelu_tanh_by_sigmoid(x: torch.Tensor) -> torch.Tensor:
    """x * sigmoid(2 z), the same as 0.5 x (1 + tanh z)."""
    z = 0.7978845608028654 * (x + 0.044715 * x * x * x)
    return x / (1 + torch.exp(-2 * z))


ROWS = (17, 300)
WAYS: dict[str, Way] = {
    "sum, sequential": Way(lambda x: x.sum(-1), sequential_sum),
    "sum, blocks": Way(lambda x: x.sum(-1), blockwise_sum),
    "sum, atomics": Way(lambda x: x.sum(-1), atomic_sum),
    "mean": Way(lambda x: x.mean(-1), in_float32(lambda x: sequential_sum(x) / x.shape[-1])),
    "cumsum": Way(lambda x: x.cumsum(-1), sequential_cumsum),
    "softmax, online": Way(lambda x: torch.softmax(x, -1), online_softmax),
    "softmax, exp": Way(lambda x: F.softmax(x, dim=-1), exp_softmax),
    "log_softmax": Way(lambda x: F.log_softmax(x, -1), log_softmax),
    "logsumexp": Way(
        lambda x: torch.logsumexp(x, -1),
        in_float32(lambda x: torch.log(torch.exp(x - x.amax(-1, True)).sum(-1)) + x.amax(-1)),
    ),
    "variance, Welford": Way(
        lambda x: x.var(-1, unbiased=False), lambda x: welford(x)[1].to(x.dtype)
    ),
    "variance, two passes": Way(
        lambda x: torch.var(x, -1, correction=0), lambda x: two_pass(x)[1].to(x.dtype)
    ),
    "layer norm, Welford": Way(
        reference_layer_norm,
        normalise(welford),
        (ROWS, (300,), (300,)),
        kinds=("given", "scale 30", "large mean"),
    ),
    "layer norm, two passes": Way(
        reference_layer_norm,
        normalise(two_pass),
        (ROWS, (300,), (300,)),
        kinds=("given", "scale 0.001", "scale 30", "large mean"),
    ),
    "rms norm": Way(reference_rms_norm, rms_norm, (ROWS, (300,))),
    "l2 normalise": Way(
        lambda x: F.normalize(x, dim=-1),
        in_float32(lambda x: x / torch.sqrt((x * x).sum(-1, keepdim=True)).clamp_min(1e-12)),
    ),
    "matmul, K in blocks": Way(torch.matmul, blocked_matmul, ((33, 200), (200, 47))),
    "matmul, K split": Way(torch.matmul, split_matmul, ((33, 200), (200, 47))),
    "matmul, one by one": Way(torch.matmul, sequential_matmul, ((33, 200), (200, 47))),
    "attention, flash": Way(
        F.scaled_dot_product_attention,
        flash_attention,
        ((2, 3, 50, 32),) * 3,
        kinds=("given", "scale 0.001"),
    ),
    "attention, steps": Way(
        steps_attention, flash_attention, ((2, 3, 50, 32),) * 3, kinds=("given", "scale 0.001")
    ),
    "cross entropy": Way(lambda x: F.cross_entropy(x, TARGET), lambda x: cross_entropy(x, TARGET)),
    "gelu, erf": Way(F.gelu, in_float32(lambda x: 0.5 * x * (1 + torch.erf(x * 0.70710678)))),
    "gelu, polynomial erf": Way(
        F.gelu, in_float32(lambda x: 0.5 * x * (1 + erf_by_polynomial(x * 0.70710678)))
    ),
    "gelu, tanh": Way(lambda x: F.gelu(x, approximate="tanh"), in_float32(gelu_tanh_by_sigmoid)),
    "tanh": Way(torch.tanh, in_float32(lambda x: jittered(torch.tanh(x)))),
    "tanh by sigmoid": Way(torch.tanh, in_float32(lambda x: 2 * torch.sigmoid(2 * x) - 1)),
    "sigmoid": Way(torch.sigmoid, in_float32(lambda x: 1 / (1 + torch.exp2(-x * LOG2E)))),
    "silu": Way(F.silu, in_float32(lambda x: x / (1 + torch.exp(-x)))),
    "softplus": Way(
        F.softplus, in_float32(lambda x: torch.where(x > 20, x, torch.log(1 + torch.exp(x))))
    ),
    "elu": Way(F.elu, in_float32(lambda x: torch.where(x > 0, x, torch.exp(x) - 1))),
    "mish": Way(
        F.mish, in_float32(lambda x: x * torch.tanh(torch.log(1 + torch.exp(x.clamp(max=60)))))
    ),
    "log1p": Way(torch.log1p, in_float32(lambda x: torch.log(1 + x)), positive=True),
    "expm1": Way(torch.expm1, in_float32(lambda x: torch.exp(x) - 1), kinds=("given", "scale 1")),
    "exp2": Way(torch.exp, in_float32(lambda x: torch.exp2(x * LOG2E))),
    "pow": Way(
        lambda x: x**2.5, in_float32(lambda x: torch.exp2(2.5 * torch.log2(x))), positive=True
    ),
    "rsqrt": Way(torch.rsqrt, in_float32(lambda x: jittered(torch.rsqrt(x), 2)), positive=True),
    "division": Way(lambda x: x / 3.7, in_float32(lambda x: x * (1 / 3.7))),
    "division of tensors": Way(
        lambda x, y: x / (y.abs() + 1),
        in_float32(lambda x, y: x * (1 / (y.abs() + 1))),
        (ROWS, ROWS),
    ),
    "chain": Way(
        lambda x, y: torch.tanh(x * y + 1) * F.silu(y),
        in_float32(lambda x, y: torch.tanh(x * y + 1) * (y * torch.sigmoid(y))),
        (ROWS, ROWS),
    ),
    "leaky relu": Way(
        lambda x: F.leaky_relu(x, 0.01), in_float32(lambda x: torch.where(x > 0, x, x * 0.01))
    ),
    "argmax": Way(lambda x: x.argmax(-1), lambda x: x.float().argmax(-1)),
    "product": Way(
        lambda x: (1 + x * 0.01).prod(-1),
        in_float32(lambda x: torch.exp(torch.log(1 + x * 0.01).sum(-1))),
        positive=True,
        kinds=("given", "scale 0.001"),
        half=False,
    ),
    "mse": Way(F.mse_loss, in_float32(lambda x, y: ((x - y) ** 2).sum() / x.numel()), (ROWS, ROWS)),
    "cosine similarity": Way(
        lambda x, y: F.cosine_similarity(x, y, dim=-1),
        in_float32(lambda x, y: (x * y).sum(-1) / torch.sqrt((x * x).sum(-1) * (y * y).sum(-1))),
        (ROWS, ROWS),
        half=False,
    ),
    "convolution": Way(
        lambda x, w: F.conv1d(x[:, None], w[:, None]),
        in_float32(lambda x, w: (x.unfold(-1, 5, 1)[:, None] * w[None, :, None]).sum(-1)),
        (ROWS, (4, 5)),
    ),
    "group norm": Way(
        lambda x: F.group_norm(x, 3),
        in_float32(
            lambda x: torch.cat(
                [
                    (p - p.mean(-1, True))
                    * torch.rsqrt(p.var(-1, unbiased=False, keepdim=True) + 1e-5)
                    for p in x.split(100, -1)
                ],
                -1,
            )
        ),
        kinds=("given", "scale 30", "large mean"),
    ),
}
TARGET = torch.arange(17) * 7 % 300
