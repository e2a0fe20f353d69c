"""How fast pairs are made, and what memory that takes.

Prints one table: pairs per second of `expand` in declared order and in a sample, for each family; of
`build` without verification to Parquet; resident memory over a million pairs; and the time of
`space[i]`. One process, one core. Run it on an idle machine: `python benchmarks/expand.py [--quick]`.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path


def resident_mb() -> float:
    """Resident memory of this process in MB, now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


START = resident_mb()

import tritongen  # noqa: E402
from tritongen.pipeline import build  # noqa: E402


def rate(pairs: Iterable[tritongen.Pair]) -> float:
    """Pairs per second, the making of the iterator included."""
    start = time.perf_counter()
    number = sum(1 for _ in pairs)
    return number / (time.perf_counter() - start)


def median_rate(make: Callable[[int], Iterable[tritongen.Pair]], runs: int) -> float:
    """Median over runs; `make` is given the number of the run, so that samples can differ."""
    return statistics.median([rate(make(run)) for run in range(runs)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    quick = parser.parse_args().quick
    scale = 10 if quick else 1
    runs = 3
    print(
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, medians of {runs}"
    )
    print("| what | figure |\n|---|---|")
    n = 20_000 // scale
    for family in tritongen.families():
        dense = median_rate(lambda run, f=family: islice(tritongen.expand(f), n), runs)
        sampled = median_rate(lambda run, f=family: tritongen.expand(f, limit=n, seed=run), runs)
        print(f"| expand {family}, declared order, {n:,} pairs | {dense:,.0f} pairs/s |")
        print(f"| expand {family}, sample of {n:,} | {sampled:,.0f} pairs/s |")
    everything = median_rate(lambda run: tritongen.expand(limit=n, seed=run), runs)
    print(f"| expand all families, sample of {n:,} | {everything:,.0f} pairs/s |")
    million = 1_000_000 // scale
    before = resident_mb()
    whole = rate(tritongen.expand(limit=million, seed=9))
    print(f"| expand all families, sample of {million:,} | {whole:,.0f} pairs/s |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| resident memory, interpreter's start | {START:.0f} MB |")
    print(f"| resident memory before the last line | {before:.0f} MB |")
    print(f"| peak resident memory over {million:,} pairs | {peak:.0f} MB (+{peak - START:.0f}) |")
    print(f"| torch loaded | {'torch' in sys.modules} |")
    with tempfile.TemporaryDirectory() as folder:
        config = {
            "out": f"{folder}/dataset",
            "count": 100_000 // scale,
            "verify": {"device": "none"},
        }
        start = time.perf_counter()
        build(config)
        print(
            f"| build without verification to Parquet | {config['count'] / (time.perf_counter() - start):,.0f} pairs/s |"
        )
    space = tritongen.space("elementwise")
    start = time.perf_counter()
    for k in range(1000):
        space[k * (space.count // 1000)]
    print(
        f"| space[i] over {space.count:,} variants | {(time.perf_counter() - start) * 1e3:.1f} us |"
    )


if __name__ == "__main__":
    main()
