"""Equivalence is decided by evidence: what agrees in float64 on every input, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mutation_sources import SCALE, pair_of

from tritongen.mutate import OPERATORS, Mutant, Referee
from tritongen.mutate.equivalent import block_sizes


@pytest.fixture(scope="module")
def referee() -> Iterator[Referee]:
    with Referee(seconds=6.0) as warm:
        yield warm


def mutant_of(old: str, new: str, operator: str = "drop-term", original: str = SCALE) -> Mutant:
    assert old in original
    text = original.replace(old, new)
    return Mutant(pair_of(original), OPERATORS[operator], 0, 1, f"{old} -> {new}", text)


EQUIVALENT = [
    ("x * 2.5", "2.5 * x", "drop-term"),
    ("x * 2.5", "x + 1.5 * x", "drop-term"),
    ("mask=mask).to(tl.float32)", "mask=mask, other=7.0).to(tl.float32)", "change-other"),
    ("(triton.cdiv(n, 64),)", "(triton.cdiv(n, 64) + 1,)", "grid-one-over"),
]
DIFFERENT = [
    ("x * 2.5", "x * 2.50001", "nudge-constant", "float64: element"),
    ("x * 2.5", "tl.minimum(x, 500.0) * 2.5", "swap-function", "float64: element"),
    ("offs, mask=mask).to", "offs).to", "drop-mask", "OutOfBounds"),
    ("offs < n", "offs <= n", "weaken-bound", "OutOfBounds"),
    ("torch.empty_like(x)", "x", "write-input", "an input was written to"),
    ("torch.empty_like(x)", "torch.empty_like(x).double()", "allocation-dtype", ""),
    ("x = x.contiguous()", "x = x", "drop-contiguous", "strided"),
    ("x * 2.5", "(x * 2.5).to(tl.float16)", "round-result", "float"),
    ("x * 2.5", "tl.log(tl.exp(x * 2.5))", "drop-function", ": element"),
    ("x * 2.5", "x * undefined", "drop-term", "NameError"),
    ("torch.empty_like(x)", "torch.zeros_like(x, device='cpu')", "drop-fill", "Triton"),
    ("n = x.numel()", "n = min(x.numel(), 300)", "size-off-by-one", "element"),
]


@pytest.mark.parametrize(("old", "new", "operator"), EQUIVALENT, ids=[c[1] for c in EQUIVALENT])
def test_mutants_that_compute_the_same_are_equivalent(referee, old, new, operator):
    decision = referee.decide(mutant_of(old, new, operator))
    assert decision.equivalent, decision.reason
    assert "calls agree in float64" in decision.reason
    assert "float16" in decision.reason


@pytest.mark.parametrize(
    ("old", "new", "operator", "reason"), DIFFERENT, ids=[case[1] for case in DIFFERENT]
)
def test_mutants_that_differ_anywhere_are_not(referee, old, new, operator, reason):
    decision = referee.decide(mutant_of(old, new, operator))
    assert not decision.equivalent
    assert reason in decision.reason


def test_rounding_counts_where_rounding_is_what_an_operator_changes(referee):
    """In float64 a cast to float32 that is left out changes nothing; in float16 it does."""
    body = "x * 2.5"
    original = SCALE.replace(body, "(x + 1000.0) - 1000.0 + x * 2.5")
    mutant = mutant_of(".to(tl.float32)", "", "drop-cast", original)
    decision = referee.decide(mutant)
    assert not decision.equivalent
    assert "float16" in decision.reason


def test_overflow_counts_in_the_pairs_own_dtypes(referee):
    """exp(x) of large values is finite in float64 and not in float32."""
    original = SCALE.replace("x * 2.5", "tl.log(1.0 + tl.exp(tl.minimum(x, 20.0)))")
    mutant = mutant_of("tl.minimum(x, 20.0)", "x", "drop-function", original)
    assert not referee.decide(mutant).equivalent


def test_a_mutant_that_hangs_or_kills_its_process_is_not_equivalent():
    with Referee(seconds=0.5) as referee:
        referee.patience = 20.0
        dead = referee.decide(mutant_of("n = x.numel()", "n = x.numel(); import os; os._exit(3)"))
        assert not dead.equivalent
        assert "died" in dead.reason
        hangs = mutant_of("n = x.numel()", "n = x.numel(); import time; time.sleep(600)")
        referee.patience = 8.0
        assert not referee.decide(hangs).equivalent
        referee.patience = 60.0
        assert referee.decide(mutant_of("x * 2.5", "2.5 * x")).equivalent


def test_inputs_reach_beyond_several_blocks():
    mutant = mutant_of("BLOCK=64", "BLOCK=32")
    assert 64 in block_sizes(mutant)


def test_a_referee_dies_with_its_parent():
    """Even one that hangs in a mutant leaves no process behind."""
    code = (
        "import os, time, threading\n"
        "from mutation_sources import SCALE, pair_of\n"
        "from tritongen.mutate import OPERATORS, Mutant, Referee\n"
        "text = SCALE.replace('n = x.numel()', 'n = x.numel(); import time; time.sleep(600)')\n"
        "referee = Referee()\n"
        "process = referee._start()\n"
        "print(process.pid, flush=True)\n"
        "def end():\n"
        "    time.sleep(6)\n"
        "    os._exit(0)\n"
        "threading.Thread(target=end, daemon=True).start()\n"
        "referee.decide(Mutant(pair_of(), OPERATORS['drop-term'], 0, 1, '', text))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120
    )
    assert result.returncode == 0, result.stderr
    pid = int(result.stdout)
    for _ in range(100):
        try:
            if "zombie" in Path(f"/proc/{pid}/status").read_text():
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.1)
    pytest.fail("the referee outlived its parent")
