"""Measures the gate: programs and pairs a second, start-up, what a crash costs; prints a table.

`python benchmarks/verify.py --device cuda --programs 40 --texts 8` verifies so many programs of each family
with so many naming variants each, one family after the other on one warm gate, then all of them mixed.
`--crash` adds what an illegal address costs. `--json FILE` stores the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import tritongen
from tritongen.catalog import catalog
from tritongen.pair import Pair
from tritongen.sample import plan
from tritongen.verify import Gate, Verdict

CRASH = """
@triton.jit
def _fault(x_ptr, BLOCK: tl.constexpr):
    tl.store(x_ptr + (1 << 40) + tl.arange(0, BLOCK), 1.0)
"""


def texts(family: str, programs: int, variants: int, seed: int) -> Iterator[Pair]:
    """`variants` naming variants of each of `programs` programs, those of a program together."""
    chosen = plan(catalog(), [family], count=programs, seed=seed)
    for j in range(len(chosen)):
        yield from islice(chosen.presentations(j), variants)


def measure(gate: Gate, pairs: Sequence[Pair], name: str) -> dict[str, Any]:
    """Verify `pairs`; what it took."""
    started = time.perf_counter()
    verdicts = list(gate.stream(pairs))
    seconds = time.perf_counter() - started
    return summary(name, pairs, verdicts, seconds)


def summary(
    name: str, pairs: Sequence[Pair], verdicts: Sequence[Verdict], seconds: float
) -> dict[str, Any]:
    """The figures of one run."""
    programs = len({pair.program_id for pair in pairs})
    ran = [v for v in verdicts if v.proof != "program"]
    proofs = Counter(v.proof for v in verdicts)
    failed = [(p, v) for p, v in zip(pairs, verdicts, strict=True) if not v.passed]
    for pair, verdict in failed[:5]:
        print(f"  {pair.strategy} {pair.metadata['op']}: {verdict.check}: {verdict.reason[:300]}")

    def each(key: str) -> float:
        values = [figure(v, key) for v in ran]
        return round(statistics.mean(values), 1) if values else 0.0

    return {
        "what": name,
        "pairs": len(pairs),
        "programs": programs,
        "passed": sum(v.passed for v in verdicts),
        "pairs/s": round(len(pairs) / seconds, 1),
        "programs/s": round(programs / seconds, 2),
        "specialisations": each("specialisations"),
        "launches": each("launches"),
        "worker s": round(statistics.median([v.seconds for v in ran] or [0.0]), 2),
        "verbatim": proofs["verbatim"],
        "audited": proofs["audited"],
        "seconds": round(seconds, 1),
    }


def figure(verdict: Verdict, key: str) -> int:
    """A number of the coverage: what was compiled stands with the gate's own account of it."""
    gate = verdict.coverage.get("gate")
    compiled = gate.get("compiled", {}) if isinstance(gate, dict) else {}
    return verdict.coverage.get(key) or compiled.get(key) or 0


def crash_cost(gate: Gate, pairs: Sequence[Pair]) -> dict[str, Any]:
    """How much longer a run takes with one pair in it that dies of an illegal address."""
    wrong = pairs[len(pairs) // 2]
    kernel = (
        f"{wrong.triton_code}\n{CRASH}\n_fault[(1,)](torch.zeros(16, device='cuda'), BLOCK=16)\n"
    )
    bad = Pair.from_record({**wrong.to_record(), "triton_code": kernel})
    started = time.perf_counter()
    before = list(gate.stream(pairs))
    plain = time.perf_counter() - started
    at = len(pairs) // 2
    started = time.perf_counter()
    after = list(gate.stream([*pairs[:at], bad, *pairs[at:]]))
    seconds = time.perf_counter() - started
    others = after[:at] + after[at + 1 :]
    return {
        "crash": after[at].reason[:120],
        "extra seconds": round(seconds - plain, 2),
        "others unchanged": [v.status for v in others] == [v.status for v in before],
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as a Markdown table."""
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(str(row[name]) for name in names) + " |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--programs", type=int, default=32, help="programs of each family")
    parser.add_argument("--texts", type=int, default=8, help="naming variants of each program")
    parser.add_argument("--families", default="", help="only these, comma-separated")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--each", action="store_true", help="a row for each family as well")
    parser.add_argument("--rotate", action="store_true", help="one half precision a program")
    parser.add_argument("--crash", action="store_true", help="what an illegal address costs")
    parser.add_argument("--json", type=Path, help="store the figures here")
    options = parser.parse_args()
    families = [name for name in options.families.split(",") if name] or list(tritongen.families())
    rows: list[dict[str, Any]] = []
    sets = {
        name: list(texts(name, options.programs, options.texts, options.seed)) for name in families
    }
    with Gate(options.device, workers=options.workers, rotate=options.rotate) as gate:
        started = time.perf_counter()
        warm = list(gate.stream(texts(families[0], 2 * gate.pool.workers, 1, options.seed + 1)))
        start_up = time.perf_counter() - started
        if options.each:
            for name, pairs in sets.items():
                rows.append(measure(gate, pairs, name))
                print(rows[-1], flush=True)
        bundles = []
        for name in families:
            pairs = list(texts(name, options.programs, options.texts, options.seed + 2))
            bundles.append(
                [pairs[i : i + options.texts] for i in range(0, len(pairs), options.texts)]
            )
        mixed = list(chain.from_iterable(chain.from_iterable(zip(*bundles, strict=False))))
        rows.append(measure(gate, mixed, "all"))
        extra = crash_cost(gate, sets[families[0]][::8][:32]) if options.crash else {}
    environment = {
        "device": warm[0].device,
        "torch": warm[0].torch,
        "triton": warm[0].triton,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "workers": gate.pool.workers,
    }
    print(table(rows))
    print(f"first {len(warm)} pairs from a cold start: {start_up:.1f} s")
    print(extra or "", environment)
    if options.json:
        stored = {"rows": rows, "start_up": start_up, "crash": extra, "environment": environment}
        options.json.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
