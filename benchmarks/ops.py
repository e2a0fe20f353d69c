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
from itertools import product
from pathlib import Path
from typing import Any

import tritongen
from tritongen.catalog import catalog
from tritongen.errors import TritongenError
from tritongen.space import Space

ROOT = Path(__file__).parent.parent
EVIDENCE = ROOT / "benchmarks" / "evidence"
TABLE = ROOT / "docs" / "ops.md"


# The axes that make up a row of a family's table; a second table for what follows a matrix product.
ROWS = {
    "elementwise": [("op",)],
    "reduction": [("op", "dim")],
    "softmax": [("op", "variant")],
    "layernorm": [("op", "affine", "residual")],
    "matmul": [("op", "layout"), ("epilogue",)],
}

Row = tuple[tuple[str, str], ...]


def rows_of(family: str) -> dict[Row, list[str]]:
    """Rows of a family with the groups of dtypes that some strategy serves, as `a|b|c`."""
    found: dict[Row, dict[str, None]] = {}
    for axes in ROWS.get(family, [("op",)]):
        for part in tritongen.space(family).spaces:
            for values in product(*[values_of(part, name) for name in axes]):
                row = tuple(zip(axes, values, strict=True))
                where = {name: [value] for name, value in row}
                try:
                    only = catalog().space(family, part.strategy, where)
                except TritongenError:
                    continue
                found.setdefault(row, {}).update(dict.fromkeys(dtype_groups(only)))
    return {row: list(groups) for row, groups in found.items()}


def values_of(part: Space, name: str) -> list[str]:
    axis = next(axis for axis in part.axes if axis.name == name)
    if axis.alphabet is not None:
        return list(dict.fromkeys(letter.op.name for letter in axis.alphabet.letters))
    return [str(cell.seen) for cell in axis.cells]


def dtype_groups(only: Space) -> list[str]:
    for factor in only.factors:
        for at, axis in enumerate(factor.axes):
            if axis.name == "dtype":
                return list(dict.fromkeys(str(axis.cells[r.cells[at]].seen) for r in factor.rows))
    return []


def pairs_to_verify(every: bool) -> Iterator[tuple[Row, tritongen.Pair]]:
    """One pair for each row and group of dtypes, of one strategy in turn or of every strategy."""
    for family, strategies in tritongen.families().items():
        turn = 0
        for row, groups in rows_of(family).items():
            for group in groups:
                where = {name: [value] for name, value in row} | {"dtype": group.split("|")}
                turn += 1
                for k in range(len(strategies)):
                    strategy = strategies[(turn + k) % len(strategies)]
                    try:
                        chosen = tritongen.expand(
                            family, strategy=strategy, where=where, limit=1, seed=turn
                        )
                    except TritongenError:
                        continue
                    yield row, next(chosen)
                    if not every:
                        break


def verify_all(device: str, every: bool, workers: int | None) -> int:
    rows, pairs = zip(*pairs_to_verify(every), strict=True)
    print(f"{len(pairs)} pairs", file=sys.stderr)
    start, records, bad = time.perf_counter(), [], 0
    verdicts = tritongen.verify(pairs, device=device, workers=workers)
    for number, (row, pair, verdict) in enumerate(zip(rows, pairs, verdicts, strict=True), start=1):
        if verdict.status != "passed":
            bad += 1
            print(f"{pair.strategy} {row} {pair.metadata['params']}", file=sys.stderr)
            print(f"  {verdict.status}: {verdict.reason[:500]}", file=sys.stderr)
        records.append(record(row, pair, verdict))
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


def record(row: Row, pair: tritongen.Pair, verdict: Any) -> dict[str, Any]:
    return {
        "family": pair.family,
        "row": dict(row),
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
        rows = rows_of(family)
        lines += ["", f"## {family}"]
        for axes in ROWS.get(family, [("op",)]):
            titles = [*axes, "dtypes", "CPU", "GPU"]
            lines += ["", f"| {' | '.join(titles)} |", "|" + "---|" * len(titles)]
            for row, groups in rows.items():
                if tuple(name for name, _ in row) != axes:
                    continue
                for group in groups:
                    cells = [value for _, value in row] + [group.replace("|", ", ")]
                    cells += [passed(stored[name], family, row, group) for name in ("cpu", "cuda")]
                    lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def passed(records: list[dict[str, Any]], family: str, row: Row, group: str) -> str:
    found = {
        r["strategy"]
        for r in records
        if (r["family"], r["row"], r["status"]) == (family, dict(row), "passed")
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
