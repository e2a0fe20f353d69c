"""The normal form of pairs: renamed ones are one program, and what tells others apart is said."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from canonical_samples import ADD, SOFTMAX, render

from tritongen.canonical import (
    canonical_hash,
    canonical_pair,
    canonical_source,
    kernel_key,
    same_program,
)


@dataclass(frozen=True)
class Sources:
    python_code: str
    triton_code: str
    test_code: str
    metadata: dict[str, Any] = field(default_factory=dict)


def pair(names: dict[str, str] | None = None, **parts: str) -> Sources:
    texts = {
        "python_code": "import torch\ndef $ref($x, $n=1):\n    return torch.exp($x) * $n\n",
        "triton_code": (
            "import torch\nimport triton\n@triton.jit\ndef $kernel($p): pass\n"
            "def $wrap($x):\n    $kernel[(1,)]($x)\n    return $x\n"
        ),
        "test_code": (
            "import torch\ndef test_$it():\n    $x = torch.ones(3)\n"
            "    assert ($ref($x, $n=1) == $wrap($x)).all()\n"
        ),
    }
    sources = {part: render(text, names) for part, text in {**texts, **parts}.items()}
    names = names or {}
    entry = {role: names.get(role, role) for role in ("ref", "wrap", "module")}
    return Sources(**sources, metadata={"entry": entry})


RENAMED = {"ref": "torch_exp", "wrap": "triton_exp", "kernel": "exp_kernel", "n": "times", "x": "t"}
RENAMED["module"] = "NotInThisForm"


def test_renamed_pair_is_the_same_program() -> None:
    assert same_program(pair(), pair(RENAMED)) is None


def test_pair_reads_as_its_joined_sources() -> None:
    sources = pair()
    joined = sources.python_code + sources.triton_code + sources.test_code
    assert canonical_pair(sources).text == canonical_source(joined)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("python_code", "import torch\ndef $ref($x, $n=1):\n    return torch.exp2($x) * $n\n"),
        ("triton_code", "import torch\nimport triton\ndef $wrap($x): return $x\n"),
        ("test_code", "import torch\ndef test_$it(): pass\n"),
        ("test_code", "def test_$it(:\n"),
    ],
)
def test_reason_names_the_source(part: str, text: str) -> None:
    reason = same_program(pair(), pair(RENAMED, **{part: text}))
    assert reason is not None
    assert reason.startswith(part)
    assert "\n" not in reason


def test_refusal_names_the_source() -> None:
    reason = same_program(pair(), pair(triton_code="from torch import *\n"))
    assert reason is not None
    assert reason.startswith("triton_code, line 1: a star import")


def test_statement_in_another_source_is_a_difference() -> None:
    a = pair()
    first, rest = a.triton_code.split("\n", 1)
    moved = Sources(f"{a.python_code}{first}\n", rest, a.test_code, a.metadata)
    assert canonical_pair(moved).text == canonical_pair(a).text
    assert same_program(a, moved) is not None


def test_test_must_call_the_renamed_functions() -> None:
    broken = pair(RENAMED, test_code=pair().test_code)
    assert same_program(pair(), broken) is not None


def test_string_that_is_a_parameter_is_a_difference() -> None:
    text = "import torch\ndef $ref($x, $n=1): return torch.sum($x, 'times')\n"
    reason = same_program(pair(python_code=text), pair(RENAMED, python_code=text))
    assert reason is not None
    assert reason.startswith("names")


def test_entry_points_must_agree() -> None:
    a, b = pair(), pair(RENAMED)
    b.metadata["entry"].update(wrap="torch_exp")
    reason = same_program(a, b)
    assert reason is not None
    assert reason.startswith("metadata")


def test_hashes_follow_the_normal_form() -> None:
    a, b = render(ADD), render(ADD, {"kernel": "add_kernel", "BLOCK": "BLOCK_SIZE"})
    assert canonical_hash(a) == canonical_hash(b)
    assert kernel_key(a) == kernel_key(b)
    assert canonical_hash(a) != canonical_hash(render(SOFTMAX))
    assert re.fullmatch("[0-9a-f]{32}", canonical_hash(a))
