"""In a sandbox: a block as a module of its own, loaded from a real file."""

from __future__ import annotations

import contextlib
import linecache
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

NAMES = {"PYTHON": "candidate_python", "TRITON": "candidate_triton", "TEST": "candidate_test"}


def load(block: str, source: Mapping[str, Any], folder: Path, **given: Any) -> ModuleType:
    """The module of a block.

    `source` has `text`, `imports` (lines run first) and `offset` (lines of the file before it, so
    that messages name the lines of the file). `given` are names that the block finds defined.
    """
    name = NAMES[block]
    path = folder / f"{name}.py"
    path.write_text("\n" * source["offset"] + source["text"], encoding="utf-8")
    linecache.cache.pop(str(path), None)
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    module.__dict__.update(given)
    for line in source["imports"]:
        with contextlib.suppress(ImportError):
            exec(line, module.__dict__)
    code = compile(path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True)
    exec(code, module.__dict__)
    return module


def entry_point(module: ModuleType, name: str) -> Callable[..., Any]:
    """The function of that name; of a class the instance made with `get_init_inputs()` or nothing."""
    value: Any = getattr(module, name)
    if isinstance(value, type):
        arguments: Any = getattr(module, "get_init_inputs", list)
        made: Any = value
        value = made(*arguments())
    if not callable(value):
        raise TypeError(f"{name} is no function but a {type(value).__name__}")
    return value


def public_names(module: ModuleType) -> dict[str, Any]:
    """What a block defines, for the block that may use it."""
    return {key: value for key, value in vars(module).items() if not key.startswith("__")}


def describe(error: BaseException) -> str:
    """An exception in one line, with the line of the candidate that raised it."""
    from tritongen.verify.cases import one_line

    if isinstance(error, SystemExit):
        return f"the code called sys.exit({error.code}){place_of(error)}"
    return one_line(f"{type(error).__name__}: {error}")[:600] + place_of(error)


def place_of(error: BaseException) -> str:
    """The innermost line of the candidate in the trace of an exception, as ` (TRITON line 7)`."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        stem = Path(trace.tb_frame.f_code.co_filename).stem
        block = next((key for key, value in NAMES.items() if value == stem), "")
        if block:
            place = f" ({block} line {trace.tb_lineno})"
        trace = trace.tb_next
    return place
