"""Torch's operators of several steps, taken apart into steps that can each be moved by rounding.

The common ones are written out here; torch's own table of decompositions has the rest.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import torch


def _mean_and_variance(
    x: torch.Tensor, dims: Any, correction: float | None, keepdim: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    dims = list(range(x.dim())) if dims is None or len(dims) == 0 else list(dims)
    count = math.prod(x.shape[d] for d in dims) if x.dim() else 1
    mean = torch.mean(x, dims, keepdim=True) if x.dim() else x
    centred = x - mean
    total = torch.sum(centred * centred, dims, keepdim=keepdim) if x.dim() else centred * centred
    divisor = max(0.0, count - (1.0 if correction is None else float(correction)))
    variance = total / divisor if divisor else total * math.nan
    # Adding and taking away this is nothing, but for rounding: of running (Welford) moments, whose
    # error is that of mean times deviation. The square of the mean would be the one-pass formula's.
    running = 0.5 * (mean if keepdim or not x.dim() else mean.squeeze(dims)).abs() * variance.sqrt()
    variance = (variance + running) - running
    return mean if keepdim or not x.dim() else mean.squeeze(dims), variance


def _var(x: Any, dim: Any = None, *, correction: Any = None, keepdim: bool = False) -> Any:
    return _mean_and_variance(x, dim, correction, keepdim)[1]


def _std(x: Any, dim: Any = None, *, correction: Any = None, keepdim: bool = False) -> Any:
    return _mean_and_variance(x, dim, correction, keepdim)[1].sqrt()


def _var_mean(x: Any, dim: Any = None, *, correction: Any = None, keepdim: bool = False) -> Any:
    mean, variance = _mean_and_variance(x, dim, correction, keepdim)
    return variance, mean


def _std_mean(x: Any, dim: Any = None, *, correction: Any = None, keepdim: bool = False) -> Any:
    mean, variance = _mean_and_variance(x, dim, correction, keepdim)
    return variance.sqrt(), mean


def _softmax(x: torch.Tensor, dim: int, _half: bool) -> torch.Tensor:
    if not x.numel():
        return torch.empty_like(x)
    weights = torch.exp(x - torch.amax(x, dim, keepdim=True)) if x.dim() else torch.exp(x - x)
    return weights / weights.sum(dim, keepdim=True) if x.dim() else weights / weights


def _log_softmax(x: torch.Tensor, dim: int, _half: bool) -> torch.Tensor:
    if not x.numel():
        return torch.empty_like(x)
    if not x.dim():
        return x - x
    # As x - logsumexp, the less exact of the two usual ways
    top = torch.amax(x, dim, keepdim=True)
    return x - (top + torch.exp(x - top).sum(dim, keepdim=True).log())


def _layer_norm(
    x: torch.Tensor, shape: Any, weight: Any, bias: Any, eps: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    dims = list(range(x.dim() - len(shape), x.dim()))
    mean, variance = _mean_and_variance(x, dims, 0, True)
    scale = torch.rsqrt(variance + eps)
    result = (x - mean) * scale
    if weight is not None:
        result = result * weight
    return result if bias is None else result + bias, mean, scale


def _group_norm(
    x: torch.Tensor,
    weight: Any,
    bias: Any,
    batch: int,
    channels: int,
    _inner: int,
    groups: int,
    eps: float,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    grouped = x.reshape(batch, groups, -1)
    mean, variance = _mean_and_variance(grouped, [2], 0, True)
    scale = torch.rsqrt(variance + eps)
    result = ((grouped - mean) * scale).reshape(x.shape)
    shape = [1, channels] + [1] * (x.dim() - 2)
    if weight is not None:
        result = result * weight.reshape(shape)
    if bias is not None:
        result = result + bias.reshape(shape)
    return result, mean.squeeze(2), scale.squeeze(2)


def _rms_norm(
    x: torch.Tensor, shape: Any, weight: Any, eps: float | None
) -> tuple[torch.Tensor, torch.Tensor]:
    dims = list(range(x.dim() - len(shape), x.dim()))
    least = torch.finfo(torch.float32).eps if eps is None else eps
    scale = torch.rsqrt((x * x).mean(dims, keepdim=True) + least)
    result = x * scale
    return result if weight is None else result * weight, scale


def _silu(x: torch.Tensor) -> torch.Tensor:
    return x * torch.sigmoid(x)


def _gelu(x: torch.Tensor, *, approximate: str = "none") -> torch.Tensor:
    if approximate == "tanh":
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))
        return 0.5 * x * (1 + torch.tanh(inner))
    return 0.5 * x * (1 + torch.erf(x * math.sqrt(0.5)))


def _attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    dropout: float = 0.0,
    is_causal: bool = False,
    *,
    attn_mask: Any = None,
    scale: float | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    if dropout:
        raise NotImplementedError("attention with dropout")
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = torch.matmul(query, key.transpose(-1, -2)) * factor
    if is_causal:
        visible = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        scores = scores.masked_fill(~visible, -math.inf)
    if attn_mask is not None:
        scores = scores + attn_mask
    return torch.matmul(torch.softmax(scores, -1), value), torch.logsumexp(scores, -1)


@functools.lru_cache(1)
def _written_out() -> dict[Any, Callable[..., Any]]:
    aten = torch.ops.aten
    written: dict[Any, Callable[..., Any]] = {
        aten.native_group_norm.default: _group_norm,
        aten.var.correction: _var,
        aten.std.correction: _std,
        aten.var_mean.correction: _var_mean,
        aten.std_mean.correction: _std_mean,
        aten._softmax.default: _softmax,
        aten._log_softmax.default: _log_softmax,
        aten.native_layer_norm.default: _layer_norm,
        aten._scaled_dot_product_flash_attention_for_cpu.default: _attention,
        aten.silu.default: _silu,
        aten.gelu.default: _gelu,
    }
    if hasattr(aten, "_fused_rms_norm"):
        written[aten._fused_rms_norm.default] = _rms_norm
    return written


@functools.lru_cache(1)
def _table() -> dict[Any, Callable[..., Any]]:
    from torch._decomp import decomposition_table

    return dict(decomposition_table)


def parts_of(func: Any) -> Callable[..., Any] | None:
    """A function of simpler operators that gives what an operator gives, if one is known."""
    return _written_out().get(func) or _table().get(func)  # the table takes a second to load
