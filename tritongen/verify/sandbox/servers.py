"""What programs inside a sandbox share: loading a source as a module, and an echo for measuring."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_COUNTER = itertools.count()


def load_module(source: str, name: str = "source") -> ModuleType:
    """Run a source as a new module from a real file in the scratch folder, and give the module.

    Triton reads the source of kernels from the file. Raises what the source raises.
    """
    unique = f"{name}_{next(_COUNTER)}"
    path = Path(os.environ["TMPDIR"]) / f"{unique}.py"
    path.write_text(source, encoding="utf-8")
    module = ModuleType(unique)
    module.__file__ = str(path)
    sys.modules[unique] = module
    exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    return module


def echo(message: dict[str, Any]) -> dict[str, Any]:
    """The message as it came."""
    return message


HANDLERS = {"echo": echo}
