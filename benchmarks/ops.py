"""Verifies every op of every family in all its dtypes, and writes the table of docs/ops.md.

`python benchmarks/ops.py --device cpu` verifies one pair for each op and group of dtypes, going round the
strategies (`--all-strategies`: one for each strategy as well), and stores what it saw in
benchmarks/evidence/<device>.json. `--table` writes docs/ops.md from the stored evidence, without verifying.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tritongen
from tritongen.catalog import catalog
from tritongen.errors import TritongenError

ROOT = Path(__file__).parent.parent
EVIDENCE = ROOT / "benchmarks" / "evidence"
TABLE = ROOT / "docs" / "ops.md"


def ops_of(family: str) -> dict[str, list[str]]:
    """Ops of a family by name, with the groups of dtypes that some strategy serves, as `a|b|c`."""
    found: dict[str, dict[str, None]] = {}
    for part in tritongen.space(family).spaces:
        axis = next(axis for axis in part.axes if axis.name == "op")
        if axis.alphabet is not None:
            names = [letter.op.name for letter in axis.alphabet.letters]
        else:
            names = [str(cell.seen) for cell in axis.cells]
        for name in dict.fromkeys(names):
            groups = found.setdefault(name, {})
            try:
                only = catalog().space(family, part.strategy, {"op": [name]})
            except TritongenError:
                continue
            dtypes = next(i for i, a in enumerate(only.axes) if a.name == "dtype")
            for factor in only.factors:
                for at, own in enumerate(factor.axes):
                    if own.name == only.axes[dtypes].name:
                        groups.update(
                            dict.fromkeys(str(own.cells[r.cells[at]].seen) for r in factor.rows)
                        )
    return {name: list(groups) for name, groups in found.items()}


def pairs_to_verify(every: bool) -> Iterator[tritongen.Pair]:
    """One pair for each op and group of dtypes, of one strategy in turn or of every strategy."""
    for family, strategies in tritongen.families().items():
        turn = 0
        for op, groups in ops_of(family).items():
            for group in groups:
                where = {"op": [op], "dtype": group.split("|")}
                turn += 1
                order = [strategies[(turn + k) % len(strategies)] for k in range(len(strategies))]
                for strategy in order:
                    try:
                        pair = next(
                            tritongen.expand(
                                family, strategy=strategy, where=where, limit=1, seed=turn
                            )
                        )
                    except TritongenError:
                        continue
                    yield pair
                    if not every:
                        break


def verify_all(device: str, every: bool, workers: int | None) -> int:
    pairs = list(pairs_to_verify(every))
    print(f"{len(pairs)} pairs", file=sys.stderr)
    start, records, bad = time.perf_counter(), [], 0
    for number, (pair, verdict) in enumerate(
        zip(pairs, tritongen.verify(pairs, device=device, workers=workers), strict=True), start=1
    ):
        key = (pair.family, str(pair.metadata["params"].get("op")))
        if verdict.status != "passed":
            bad += 1
            print(f"{key} {pair.strategy}: {verdict.status}: {verdict.reason}", file=sys.stderr)
        records.append(record(pair, verdict))
        if number % 50 == 0:
            print(f"{number}/{len(pairs)}, {time.perf_counter() - start:.0f} s", file=sys.stderr)
    seconds = time.perf_counter() - start
    name = "cuda" if any(r["evidence"] == "gpu" for r in records) else "cpu"
    EVIDENCE.mkdir(exist_ok=True)
    content = {
        "templates": catalog().digest,
        "records": sorted(records, key=lambda r: json.dumps(r)),
    }
    (EVIDENCE / f"{name}.json").write_text(json.dumps(content, indent=0) + "\n")
    print(
        f"{len(pairs)} pairs, {bad} not passed, {seconds:.0f} s, {len(pairs) / seconds:.2f} pairs/s"
    )
    return 1 if bad else 0


def record(pair: tritongen.Pair, verdict: Any) -> dict[str, Any]:
    op = str(pair.metadata["op"]).split("[")[0].split("(")[0]
    return {
        "family": pair.family,
        "op": op,
        "strategy": pair.strategy,
        "dtypes": pair.metadata["dtypes"],
        "status": verdict.status,
        "evidence": verdict.evidence,
        "device": verdict.device,
        "torch": verdict.torch,
        "triton": verdict.triton,
    }


def load(name: str) -> list[dict[str, Any]]:
    path = EVIDENCE / f"{name}.json"
    return json.loads(path.read_text())["records"] if path.exists() else []


def table() -> str:
    """The page, from the stored evidence: a cell has the strategies that passed."""
    stored = {"cpu": load("cpu"), "cuda": load("cuda")}
    lines = [
        "# Ops",
        "",
        "Every op of every family with the dtypes and strategies in which a pair of it passed: interpreted and",
        "compiled for sm_80, sm_90, sm_100 and gfx942 without a GPU (CPU), and run on one (GPU). Written by",
        "`python benchmarks/ops.py --table` from the verdicts under `benchmarks/evidence`.",
    ]
    for name, records in stored.items():
        seen = sorted({f"{r['device']}, torch {r['torch']}, triton {r['triton']}" for r in records})
        lines += ["", f"{'GPU' if name == 'cuda' else 'CPU'}: {'; '.join(seen) or 'not run'}."]
    for family in tritongen.families():
        lines += ["", f"## {family}", "", "| op | dtypes | CPU | GPU |", "|---|---|---|---|"]
        for op, groups in ops_of(family).items():
            for group in groups:
                cells = [passed(stored[name], family, op, group) for name in ("cpu", "cuda")]
                lines.append(f"| {op} | {group.replace('|', ', ')} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines) + "\n"


def passed(records: list[dict[str, Any]], family: str, op: str, group: str) -> str:
    found = {
        r["strategy"]
        for r in records
        if (r["family"], r["op"], r["status"]) == (family, op, "passed")
        and r["dtypes"] == group.split("|")
    }
    return ", ".join(sorted(found)) or "-"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--all-strategies", action="store_true")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if given.table:
        TABLE.write_text(table())
        return 0
    return verify_all(given.device, given.all_strategies, given.workers)


if __name__ == "__main__":
    sys.exit(main())
