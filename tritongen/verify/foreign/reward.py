"""`reward`: a score in [0, 1] for what a model wrote, from the same verdict as `check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tritongen.errors import TritongenError
from tritongen.verify.device import resolve_device
from tritongen.verify.foreign.check import check_timeout, said, within
from tritongen.verify.foreign.completion import triton_code
from tritongen.verify.foreign.form import Form, FormError, blocks_of, read_parts
from tritongen.verify.foreign.session import Options, judge
from tritongen.verify.foreign.verdict import refused
from tritongen.verify.foreign.zygotes import shared
from tritongen.verify.judge.records import Problem

WEIGHTS = {
    "form": 0.05,
    "loads": 0.05,
    "runs": 0.1,
    "results": 0.1,
    "given": 0.1,
    "correct": 0.6,
}
"""What each part adds: the code has kernel and wrapper; it loads; the wrapper runs and launches a
kernel; its results have the right types, shapes, dtypes and layouts; they are right for the given
inputs; everything holds. The first five are at most 0.4: only a right candidate has more."""

CHEATS = frozenset(("static", "launch", "honesty", "cache", "fallback", "isolation"))
"""Checks after which every part is 0."""


@dataclass(frozen=True, slots=True)
class Reward:
    """A score in [0, 1], the parts that it is the sum of, and the verdict."""

    score: float
    parts: dict[str, float] = field(default_factory=dict)
    verdict: dict[str, Any] = field(default_factory=dict)


def reward(
    python_code: str,
    completion: str,
    *,
    test_inputs: str | Sequence[Any] | None = None,
    device: str = "auto",
    timeout: float = 60.0,
    strict: bool = False,
    entry: str | None = None,
    seed: int | None = None,
    tier: str = "auto",
) -> Reward:
    """Score a completion against a reference.

    Args:
        python_code: source of the reference.
        completion: what the model wrote: three blocks (only TRITON is read), fenced code among
            words, or plain code.
        test_inputs: source that defines `get_test_inputs()`, or the positional arguments
            themselves. By default `python_code` defines it; a completion never does.
        device: `cuda`, `cpu` or `auto`.
        timeout: seconds for all of it; then the score is 0.
        strict, entry, seed, tier: as for `check`.

    Returns:
        a `Reward`: 1 only if the candidate is right, 0 if it cannot be judged or cheats, else the
        sum of its parts (`WEIGHTS`). Never raises, whatever it is given.
    """
    try:
        verdict = _verdict(
            python_code, completion, test_inputs, device, timeout, strict, entry, seed, tier
        )
    except TritongenError as error:
        verdict = refused(Problem("requires", str(error)))
    except Exception as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())[:600]
        verdict = refused(Problem("internal", words))
    parts = parts_of(verdict)
    return Reward(round(sum(parts.values()), 6), parts, verdict)


def parts_of(verdict: dict[str, Any]) -> dict[str, float]:
    """The parts of the score of a verdict."""
    check = verdict["check"]
    if verdict["correct"] is True:
        return dict(WEIGHTS)
    if verdict["status"] != "SUCCESS" or check in CHEATS:
        return dict.fromkeys(WEIGHTS, 0.0)
    given = int(verdict["coverage"].get("trials") or 0) > 0
    runs = given or check not in ("exception", "compile")
    shaped = given or (runs and check not in ("type", "shape", "dtype", "device", "layout"))
    reached = {"form": True, "loads": True, "runs": runs, "results": shaped, "given": given}
    return {name: weight * reached.get(name, False) for name, weight in WEIGHTS.items()}


def _verdict(
    python_code: Any,
    completion: Any,
    test_inputs: Any,
    device: str,
    timeout: float,
    strict: bool,
    entry: str | None,
    seed: int | None,
    tier: str,
) -> dict[str, Any]:
    check_timeout(timeout)
    if not isinstance(python_code, str) or not isinstance(completion, str):
        return refused(Problem("form", "reference and completion are texts"))
    given: tuple[Any, ...] | None = None
    if test_inputs is not None and not isinstance(test_inputs, str):
        given = tuple(_plain(item) for item in test_inputs)
        if not given:
            return refused(Problem("form", "test_inputs is empty"))
    try:
        form = _form(python_code, completion, test_inputs, given, entry)
    except FormError as error:
        return refused(Problem("form", said(error)))
    options = Options(
        resolve_device(device), bool(strict), False, float(timeout), seed, timings=False
    )
    return within(timeout, lambda: judge(form, options, shared(tier), given=given))


def _form(
    python_code: str,
    completion: str,
    test_inputs: Any,
    given: tuple[Any, ...] | None,
    entry: str | None,
) -> Form:
    blocks = blocks_of(python_code)
    python = blocks.get("PYTHON", python_code)
    test: str | None = blocks.get("TEST", "")
    if isinstance(test_inputs, str):
        test = test_inputs
    elif given is not None:
        test = None
    return read_parts(python, triton_code(completion), test, place="completion", entry=entry)


def _plain(value: Any) -> Any:
    """An argument as it can be sent: tensors in host memory."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.detach().cpu().as_subclass(torch.Tensor)
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    if value is None or isinstance(value, (bool, int, float, complex, str, torch.dtype)):
        return value
    raise TypeError(f"test_inputs has a {type(value).__name__}, which cannot be judged")
