"""Run with TRITON_INTERPRET=1 on files of the corpus: would the usual check take them?

The usual check runs reference and wrapper in one process on the given inputs and compares with
`allclose(rtol=1e-2, atol=1e-2)`. Prints one line of JSON: the outcome for each file.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from tritongen.verify import interpreter, redirect
from tritongen.verify.foreign.form import read_blocks
from tritongen.verify.foreign.load import load, public_names


def usual_check(path: Path, folder: Path) -> str:
    """`passes`, or what is against it."""
    form = read_blocks(path.read_text())
    if form.test is None:
        return "there are no inputs"
    torch.manual_seed(0)
    with redirect.redirected():
        python = load("PYTHON", _plain(form.python), folder)
        test = load("TEST", _plain(form.test), folder, **public_names(python))
        triton = load("TRITON", _plain(form.triton), folder)
        given: Any = vars(test)["get_test_inputs"]()
        inputs = given if isinstance(given, (tuple, list)) else (given,)
        expected = _flat(vars(python)[form.reference](*_copies(inputs)))
        actual = _flat(vars(triton)[form.wrapper](*_copies(inputs)))
        for got, want in zip(actual, expected, strict=True):
            if not torch.allclose(got.double(), want.double(), rtol=1e-2, atol=1e-2):
                return "differs"
    return "passes"


def _plain(source: Any) -> dict[str, Any]:
    return {"text": source.text, "imports": source.imports, "offset": source.offset}


def _copies(values: Any) -> list[Any]:
    return [v.clone() if torch.is_tensor(v) and v.is_contiguous() else v for v in values]


def _flat(result: Any) -> list[Any]:
    if isinstance(result, (tuple, list)):
        return [item for part in result for item in _flat(part)]
    return [result]


def main(paths: list[str]) -> None:
    """Check every file, one after the other."""
    redirect.install()
    interpreter.install()
    torch.set_num_threads(1)
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in map(Path, paths):
            interpreter.STATE.reset()
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    found[path.stem] = usual_check(path, Path(folder))
            except Exception as error:
                found[path.stem] = f"{type(error).__name__}: {error}"[:200]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
