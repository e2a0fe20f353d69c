"""The program under compute-sanitizer: runs one pair a few times and says how often it launched.

As a script: `exec PARENT COMMAND...` becomes COMMAND, which dies with the process PARENT;
`run PARENT FOLDER` runs the pair in FOLDER/spec.json, writes FOLDER/report.json, and ends when
PARENT does. Needs torch and triton, and of this package nothing but `tritongen.verify`.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any


def run(folder: Path) -> None:
    """Run the pair of a folder and write its report."""
    import torch
    import triton
    from triton.runtime import jit

    spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
    launches = 0
    original: Any = jit.JITFunction.run

    def counted(function: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal launches
        launches += not kwargs.get("warmup")
        return original(function, *args, **kwargs)

    jit_function: Any = jit.JITFunction
    jit_function.run = counted
    error, made = "", 0
    try:
        with ExitStack() as stack:
            for call in calls(spec, folder, stack):
                call()
                torch.cuda.synchronize()
                made += 1
    except Exception as problem:
        error = " ".join(f"{type(problem).__name__}: {problem}".split())[:400]
    report = {
        "launches": launches,
        "calls": made,
        "error": error or ("" if made else "there is nothing to call"),
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "triton": triton.__version__,
    }
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")


def calls(spec: dict[str, Any], folder: Path, stack: ExitStack) -> Iterator[Callable[[], Any]]:
    """The wrapper on `get_test_inputs()`, then some of the cases of the pair's own tests."""
    from tritongen.verify.cases import collect
    from tritongen.verify.loader import join, loaded

    python, triton, test = (spec[f"{name}_code"] for name in ("python", "triton", "test"))
    if spec["separate"]:
        kernels = stack.enter_context(loaded(triton, folder))
        tests = stack.enter_context(loaded(join(python, "", test), folder))
    else:
        kernels = tests = stack.enter_context(loaded(join(python, triton, test), folder))
    wrapper = _callable(kernels, spec["wrapper"])
    draw = getattr(tests, "get_test_inputs", None)
    if wrapper is not None and draw is not None:
        yield lambda: _call(wrapper, draw())
    if spec["separate"] or not spec["cases"]:
        return
    cases = [case for case in collect(kernels) if case.skip is None and not case.raises]
    number = min(spec["cases"], len(cases))
    for index in range(number):
        yield cases[(2 * index + 1) * len(cases) // (2 * number)].run


def _callable(module: ModuleType, name: str) -> Callable[..., Any] | None:
    found: Any = getattr(module, name, None) if name else None
    if inspect.isclass(found):
        found = found()
    return found if callable(found) else None


def _call(wrapper: Callable[..., Any], inputs: Any) -> Any:
    if isinstance(inputs, dict):
        return wrapper(**inputs)
    return wrapper(*inputs) if isinstance(inputs, (tuple, list)) else wrapper(inputs)


def _end_with(process: int) -> None:
    """End when a process does that is no parent of this one: the sanitizer stands in between."""
    while True:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            os._exit(1)
        except PermissionError:
            pass
        time.sleep(1.0)


def main() -> None:
    """The two forms of the script."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from boot import PACKAGE, bare_package

    sys.path.pop(0)
    bare_package("tritongen", PACKAGE)
    bare_package("tritongen.verify", PACKAGE / "verify")
    from tritongen.verify.worker import die_with_parent

    if sys.argv[1] == "exec":
        die_with_parent(int(sys.argv[2]))
        os.execv(sys.argv[3], sys.argv[3:])
    threading.Thread(target=_end_with, args=(int(sys.argv[2]),), daemon=True).start()
    run(Path(sys.argv[3]))


if __name__ == "__main__":
    main()
