"""What the tests compare: errors measured in float64, on the way to the test's own judgement."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch

NAMES = ("check_close",)


@dataclass(slots=True)
class Errors:
    """The largest errors seen, and how many comparisons there were."""

    comparisons: int = 0
    paused: bool = False
    max_abs: float | None = None
    max_rel: float | None = None

    def observe(self, actual: Any, expected: Any) -> None:
        """Take one comparison into account; what cannot be compared is the test's affair."""
        if self.paused:
            return
        self.comparisons += 1
        if isinstance(actual, (tuple, list)) and isinstance(expected, (tuple, list)):
            for pair in zip(actual, expected, strict=False):
                self.observe(*pair)
            return
        with contextlib.suppress(Exception), torch._C.DisableTorchFunction(), torch.no_grad():
            a = torch.as_tensor(actual).detach().to(torch.float64)
            e = torch.as_tensor(expected).detach().to(torch.float64)
            if a.shape != e.shape or a.numel() == 0:
                return
            e = e.to(a.device)
            difference = (a - e).abs()
            finite = torch.isfinite(difference)
            if not bool(finite.any()):
                return
            worst = float(difference[finite].max())
            self.max_abs = max(worst, self.max_abs or 0.0)
            judged = finite & (e != 0)
            if bool(judged.any()):
                relative = float((difference[judged] / e[judged].abs()).max())
                self.max_rel = max(relative, self.max_rel or 0.0)


def _watched(function: Callable[..., Any], errors: Errors, judge: bool) -> Callable[..., Any]:
    def watched(*args: Any, **kwargs: Any) -> Any:
        actual = args[0] if args else kwargs.get("actual")
        expected = args[1] if len(args) > 1 else kwargs.get("expected")
        if not judge:
            errors.comparisons += 1
            return None
        errors.observe(actual, expected)
        return function(*args, **kwargs)

    return watched


@contextlib.contextmanager
def watching(module: ModuleType, errors: Errors, judge: bool = True) -> Iterator[None]:
    """Wrap `check_close` and `torch.testing.assert_close` in a module's namespace.

    Without `judge` the comparisons do nothing: nothing was computed, so nothing can be equal.
    """
    original = torch.testing.assert_close
    replaced = _watched(original, errors, judge)
    for name, value in list(vars(module).items()):
        if value is original:
            setattr(module, name, replaced)
        elif name in NAMES and callable(value):
            setattr(module, name, _watched(value, errors, judge))
    torch.testing.assert_close = replaced
    try:
        yield
    finally:
        torch.testing.assert_close = original
