"""`tritongen check`: judge one file in the three-block form, written by anyone.

Its TEST block has inputs only, so a test is supplied: all elements of the wrapper's result against the
reference in float64 (in its own dtype where float64 fails), within one rounding to the output dtype and a
few times the error that the reference makes itself.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

from tritongen.errors import InputFileError
from tritongen.pair import Pair
from tritongen.verify.gate import Device, verify

_TEST = """

def check_close(actual, expected, bound):
    wrong = (actual.double() - expected.double()).abs() > bound
    wrong |= torch.isnan(actual) != torch.isnan(expected)
    wrong |= torch.isinf(expected) & (actual != expected)
    assert not bool(wrong.any()), f"{int(wrong.sum())} of {wrong.numel()} elements exceed their bound"


def _copies(values, dtype):
    floating = [torch.is_tensor(v) and v.is_floating_point() for v in values]
    wide = [v.to(dtype) if f else v for v, f in zip(values, floating)]
    return [v.clone() if torch.is_tensor(v) else v for v in wide]


def _tensors(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def test_candidate():
    inputs = get_test_inputs()
    own = [v.clone() if torch.is_tensor(v) else v for v in inputs]
    eager = _tensors(_reference(*own))
    try:
        expected = _tensors(_reference(*_copies(inputs, torch.float64)))
        narrow = _tensors(_reference(*_copies(inputs, torch.float32)))
    except Exception:
        expected = narrow = eager
    actual = _tensors(_candidate(*inputs))
    assert len(actual) == len(eager), f"{len(actual)} results, the reference gives {len(eager)}"
    for got, same, ref, near in zip(actual, eager, expected, narrow):
        assert got.shape == same.shape, f"shape {tuple(got.shape)}, expected {tuple(same.shape)}"
        assert got.dtype == same.dtype, f"dtype {got.dtype}, expected {same.dtype}"
        if not got.is_floating_point():
            assert torch.equal(got, same), "integer or boolean results differ"
            continue
        info = torch.finfo(got.dtype)
        error = (near.double() - ref.double()).abs()
        yardstick = torch.cat([error[error.isfinite()], error.new_zeros(1)]).max()
        bound = info.eps * ref.double().abs() + 4.0 * yardstick + info.tiny
        check_close(got, ref.to(got.dtype), bound)
"""

_ALONE = """

# The reference runs in names of its own, whatever the other blocks define
_own = {{"__name__": __name__}}
exec({source!r}, _own)
_reference = _own[{entry!r}]
"""


def check_file(path: Path, *, device: Device = "auto", timeout: float = 120.0) -> dict[str, Any]:
    """Judge the candidate in `path`.

    `status` is SUCCESS where it ran and FAILED where it could not be judged; `correct` says whether it is
    right. Raises InputFileError where the file cannot be read or lacks a block.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(str(path), f"cannot be read ({error})") from None
    verdict = verify(candidate(text, str(path)), device=device, timeout=timeout)
    return {
        "status": "FAILED" if verdict.status == "error" else "SUCCESS",
        "correct": verdict.status == "passed",
        "reason": verdict.reason,
        "check": verdict.check,
        "witness": verdict.witness,
        "coverage": dict(verdict.coverage),
        "evidence": verdict.evidence,
        "targets": dict(verdict.targets),
        "environment": {
            "device": verdict.device,
            "torch": verdict.torch,
            "triton": verdict.triton,
        },
    }


def candidate(text: str, place: str) -> Pair:
    """The pair of a three-block file, with the supplied test; reference and wrapper may share a name.

    Raises InputFileError for a missing block, a block that does not parse and an unclear entry point.
    """
    pair = Pair.from_blocks(text, place=place)
    references = _entries(pair.python_code, f"{place}: PYTHON")
    wrappers = _entries(pair.triton_code, f"{place}: TRITON")
    shared = [name for name in wrappers if name in references]
    reference = _only(shared or references, f"{place}: PYTHON")
    wrapper = _only(shared or wrappers, f"{place}: TRITON")
    return replace(
        pair,
        python_code=pair.python_code + _ALONE.format(source=pair.python_code, entry=reference),
        triton_code=f"{pair.triton_code}\n\n_candidate = {wrapper}\n",
        test_code=pair.test_code + _TEST,
    )


def _only(names: list[str], place: str) -> str:
    if len(names) != 1:
        raise InputFileError(
            place,
            "one top-level function that no other one calls is expected as the entry point",
            value=names,
            hint="give reference and wrapper the same name, or leave one entry function each",
        )
    return names[0]


def _entries(source: str, place: str) -> list[str]:
    """Top-level host functions that no other function of the source calls."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise InputFileError(place, f"does not parse (line {error.lineno}: {error.msg})") from None
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    host = [name for name, node in functions.items() if not _is_kernel(node)]
    called = {
        inner.id
        for name, node in functions.items()
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and inner.id != name
    }
    return [name for name in host if name not in called]


def _is_kernel(node: ast.FunctionDef) -> bool:
    return any(["triton" in ast.unparse(decorator) for decorator in node.decorator_list])
