"""`check`: the verdict on one candidate, from a file or a text."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tritongen.errors import InputFileError, VerificationError
from tritongen.verify.device import resolve_device
from tritongen.verify.foreign.form import FormError, read_blocks
from tritongen.verify.foreign.session import Options, judge
from tritongen.verify.foreign.verdict import refused
from tritongen.verify.foreign.zygotes import TRUSTED, shared
from tritongen.verify.judge.records import Problem

GRACE_SECONDS = 10.0
_FORKED = False


def check(
    path_or_text: str | Path,
    *,
    device: str = "auto",
    strict: bool = False,
    trust: bool = False,
    timeout: float = 120.0,
    seed: int | None = None,
    entry: str | None = None,
    tier: str = "auto",
) -> dict[str, Any]:
    """Judge one candidate in the three-block form.

    Args:
        path_or_text: a file; a string with line breaks is the text itself.
        device: `cuda`, `cpu` (ahead-of-time compilation and Triton's interpreter), or `auto`.
        strict: also refuse TF32 for float32 operands and reductions of partial results by torch.
        trust: run without sandboxes, in one process; for code one wrote oneself.
        timeout: seconds for all of it.
        seed: of the inputs that are drawn; a secret one by default. The verdict has it.
        entry: name of the entry point on both sides, or `REFERENCE:WRAPPER`.
        tier: the isolation that is wanted; an error where this machine does not have it.

    Returns:
        the verdict, a dictionary that is standard JSON, with the same keys whatever happened.

    Raises:
        InputFileError: the file cannot be read.
        DeviceError: a GPU is asked for and there is none.
        VerificationError: a bad timeout.
    """
    check_timeout(timeout)
    text, place = _text(path_or_text)
    try:
        form = read_blocks(text, place=place, entry=entry)
    except FormError as error:
        return refused(Problem("form", said(error)))
    zygotes = shared(TRUSTED if trust else tier)
    if device == "cpu":
        _start(lambda: [zygotes.get("interpret"), zygotes.get("compile")])
    options = Options(resolve_device(device), strict, trust, float(timeout), seed)
    return within(timeout, lambda: judge(form, options, zygotes))


def check_timeout(timeout: Any) -> None:
    """Raise VerificationError unless it is a positive number of seconds."""
    number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)
    if not number or not 0 < timeout < 1e7:
        raise VerificationError("timeout", "a number of seconds above 0 is expected", value=timeout)


def said(error: FormError) -> str:
    """What is missing, with the hint."""
    return f"{error.problem}; {error.hint}" if error.hint else error.problem


def _text(path_or_text: str | Path) -> tuple[str, str]:
    if isinstance(path_or_text, str) and "\n" in path_or_text:
        return path_or_text, "candidate"
    path = Path(path_or_text)
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputFileError(str(path), f"cannot be read ({error})") from None


def _start(begin: Callable[[], Any]) -> None:
    """Start processes early; what goes wrong is said when they are used."""
    with contextlib.suppress(Exception):
        begin()


def within(seconds: float, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """`work` in a thread of its own, so that no mode, default device or grad setting of the caller
    reaches it; a timeout where it does not end."""
    done: list[dict[str, Any]] = []

    def run() -> None:
        if _FORKED:
            import torch

            torch.set_num_threads(1)
        done.append(work())

    thread = threading.Thread(target=run, name="tritongen-judge", daemon=True)
    thread.start()
    thread.join(seconds + GRACE_SECONDS)
    if done:
        return done[0]
    if thread.is_alive():
        return refused(Problem("timeout", f"timeout after {seconds:g} s"))
    return refused(Problem("internal", "the judgement ended without a verdict"))


def _after_fork() -> None:
    global _FORKED
    _FORKED = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
