"""Judges every candidate of tests/corpus on one device, several at a time; prints what is misjudged.

`python benchmarks/corpus.py --device cuda --threads 8`. The tests do the same one by one.
"""

from __future__ import annotations

import argparse
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import tritongen

CORPUS = Path(__file__).parent.parent / "tests" / "corpus"


def header(path: Path) -> dict[str, str]:
    """The expectations at the head of a file."""
    head = path.read_text().split("\n# <", 1)[0]
    return dict(re.findall(r"^# (\w+): (.+)$", head, re.MULTILINE))


def judge(path: Path, device: str) -> tuple[Path, dict[str, Any], float]:
    """The verdict of one file and the seconds that it took."""
    started = time.perf_counter()
    timeout = float(header(path).get("timeout", 120))
    verdict = tritongen.check(path, device=device, timeout=timeout)
    return path, verdict, time.perf_counter() - started


def is_as_expected(path: Path, verdict: dict[str, Any]) -> bool:
    """Whether a verdict is the one that the head of the file asks for."""
    if path.parent.name == "right":
        return verdict["correct"]
    return not verdict["correct"] and verdict["check"] in header(path)["expect"].split("|")


def main() -> None:
    """Judge, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth file")
    options = parser.parse_args()
    files = [
        path
        for folder in ("right", "wrong")
        for path in sorted((CORPUS / folder).glob("*.py"))
        if options.device == "auto" or header(path).get("device", options.device) == options.device
    ][:: options.every]
    started = time.perf_counter()
    counts: dict[str, list[int]] = {"right": [0, 0], "wrong": [0, 0]}
    took: list[float] = []
    with ThreadPoolExecutor(options.threads) as threads:
        for path, verdict, seconds in threads.map(lambda p: judge(p, options.device), files):
            good = is_as_expected(path, verdict)
            counts[path.parent.name][not good] += 1
            took.append(seconds)
            if not good:
                words = f"{verdict['check']}: {str(verdict['reason'])[:220]}"
                print(f"MISJUDGED {path.parent.name}/{path.stem}: {words}", flush=True)
    took.sort()
    print("| candidates | judged as they are | misjudged |\n| --- | --- | --- |")
    for name, (good, bad) in counts.items():
        print(f"| {name} | {good} | {bad} |")
    total = time.perf_counter() - started
    print(f"{len(files)} candidates in {total:.0f} s, median {took[len(took) // 2]:.2f} s each")


if __name__ == "__main__":
    main()
