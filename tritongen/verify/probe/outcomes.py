"""What an exception means, and a wrapper's results as one flat sequence."""

from __future__ import annotations

from typing import Any

import torch
from triton.errors import TritonError
from triton.runtime.errors import InterpreterError

from tritongen.verify.cases import describe, one_line, root_cause
from tritongen.verify.judge.records import Problem
from tritongen.verify.memory import OutOfBounds
from tritongen.verify.probe import originals as o

MAX_DEPTH = 8
_PLAIN = (bool, int, float, complex, str, bytes, torch.dtype, torch.device)
FATAL_WORDS = (
    *("cuda error", "illegal memory access", "device-side assert", "misaligned address"),
    *("unspecified launch failure", "triton error [cuda]", "acceleratorerror"),
)
MEMORY_WORDS = ("illegal memory access", "misaligned address", "illegal address")
REFUSED_LAUNCH = ("invalid argument", "out of resource", "out of memory", "too many resources")


def words_of(error: BaseException, limit: int = 400) -> str:
    try:
        return one_line(describe(error), limit)
    except Exception:
        return type(error).__name__


def chain_of(error: BaseException) -> list[BaseException]:
    """An exception and what it came from."""
    found: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        item = todo.pop()
        if item is not None and not any(item is known for known in found):
            found.append(item)
            todo += [item.__cause__, item.__context__]
    return found


def is_resources(error: BaseException) -> bool:
    """Triton's compilation or resource error, or what the interpreter does not support."""
    root = root_cause(error)
    if isinstance(root, OutOfBounds):
        return False
    if isinstance(root, NotImplementedError) and "interpreter" in str(root):
        return True
    if isinstance(root, MemoryError) or isinstance(error, torch.cuda.OutOfMemoryError):
        return True
    if isinstance(error, InterpreterError):
        return False
    if isinstance(error, TritonError) or isinstance(root, TritonError):
        return True
    text = str(error).lower()
    return "triton error [cuda]" in text and any(word in text for word in REFUSED_LAUNCH)


def of_language(error: BaseException) -> bool:
    """Whether Triton's own checks of an operation raised, as its compiler would."""
    trace, module, function = root_cause(error).__traceback__, "", ""
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        function = trace.tb_frame.f_code.co_name
        trace = trace.tb_next
    if function in ("create_assert", "create_assume"):
        return False
    return module.startswith(("triton.language", "triton.runtime.interpreter"))


def flatten(value: Any, flat: list[Any], depth: int = 0) -> Problem | None:
    """Results in order: exact tensors and plain values, in lists, tuples and dicts."""
    kind = type(value)
    if isinstance(value, torch.Tensor):
        if kind is not torch.Tensor:
            return _strange(kind, flat)
        layout = o.get_layout(value)
        if layout is not o.strided:
            return Problem("layout", f"result {len(flat)} has the layout {layout}")
        flat.append(value)
        return None
    items: Any = None
    if isinstance(value, tuple):
        items = tuple.__iter__(value)
    elif kind is list:
        items = iter(value)
    elif kind is dict:
        items = iter(value.values())
    if items is not None:
        if depth > MAX_DEPTH:
            return Problem("type", "the results are nested too deeply")
        for item in items:
            problem = flatten(item, flat, depth + 1)
            if problem is not None:
                return problem
        return None
    if value is None or kind in _PLAIN:
        flat.append(value)
        return None
    return _strange(kind, flat)


def _strange(kind: type, flat: list[Any]) -> Problem:
    reason = f"result {len(flat)} is a {kind.__name__}, not a torch.Tensor"
    return Problem("type", reason, {"output": len(flat)})
