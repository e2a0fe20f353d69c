"""A test for pairs that bring inputs instead of tests: `get_test_inputs()` in the test block.

The reference runs in float64 where it can, its result is rounded to the dtype that the reference
gives in eager mode, and all elements must agree to a few units of that dtype.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import torch

from tritongen.verify.cases import Case, CaseError

RELATIVE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}


def case_from_inputs(module: ModuleType, entry: Mapping[str, str]) -> Case | None:
    """The one case of a pair with `get_test_inputs`, or None if there is no such function."""
    make = getattr(module, "get_test_inputs", None)
    if not inspect.isfunction(make):
        return None
    reference = getattr(module, entry.get("reference", ""), None)
    wrapper = getattr(module, entry.get("wrapper", ""), None)
    if not callable(reference) or not callable(wrapper):
        raise CaseError(f"the entry points are not defined: {dict(entry) or 'none are given'}")
    if reference is wrapper:
        raise CaseError("reference and wrapper have one name, so one hides the other")

    def compare() -> None:
        inputs = make()
        inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
        eager = _flat(reference(*_copies(inputs)))
        actual = _flat(wrapper(*_copies(inputs)))
        if len(actual) != len(eager):
            raise AssertionError(f"{len(actual)} results, expected {len(eager)}")
        precise = _precise(reference, inputs, eager)
        for got, same, best in zip(actual, eager, precise, strict=True):
            _compare(got, same, best)

    return Case(compare, {}, "get_test_inputs")


def _copies(values: tuple[Any, ...], wide: bool = False) -> list[Any]:
    copies = [v.clone() if isinstance(v, torch.Tensor) else v for v in values]
    if wide:
        copies = [
            v.double() if isinstance(v, torch.Tensor) and v.is_floating_point() else v
            for v in copies
        ]
    return copies


def _flat(result: Any) -> list[Any]:
    if isinstance(result, (tuple, list)):
        return [item for part in result for item in _flat(part)]
    return [result]


def _precise(reference: Any, inputs: tuple[Any, ...], eager: list[Any]) -> list[Any]:
    """The reference in float64; what it gives in eager mode where that fails."""
    try:
        wide = _flat(reference(*_copies(inputs, wide=True)))
    except Exception:
        return eager
    return wide if len(wide) == len(eager) else eager


def _compare(got: Any, eager: Any, precise: Any) -> None:
    if not isinstance(eager, torch.Tensor):
        if got != eager:
            raise AssertionError(f"got {got!r}, expected {eager!r}")
        return
    if not isinstance(got, torch.Tensor):
        raise AssertionError(f"got {type(got).__name__}, expected a tensor")
    if got.dtype != eager.dtype or got.shape != eager.shape:
        raise AssertionError(
            f"got {got.dtype} {tuple(got.shape)}, expected {eager.dtype} {tuple(eager.shape)}"
        )
    relative = RELATIVE.get(eager.dtype, 0.0)
    if not relative:
        torch.testing.assert_close(got, eager, rtol=0, atol=0, equal_nan=True)
        return
    expected = precise.to(eager.dtype)
    finite = precise[torch.isfinite(precise)]
    scale = float(finite.abs().max()) if finite.numel() else 0.0
    torch.testing.assert_close(got, expected, rtol=relative, atol=relative * scale, equal_nan=True)
