"""Script: wrappers that do one thing each, run as a `LocalSubject`; prints what was observed.

Run with TRITON_INTERPRET=1, or with PROBE_MODE=cuda on a GPU; names of cases are arguments.
"""

from __future__ import annotations

import json
import sys

import probe_honesty  # noqa: F401
import probe_memory  # noqa: F401
from probe_kernels import CASES, MODE, ON_CUDA, add, case

case()(add)


def main() -> None:
    """Run all cases, or those named, and print their outcome as JSON."""
    report = {}
    for name in sys.argv[1:] or CASES:
        if MODE == "cuda" and ON_CUDA[name] is None:
            continue
        try:
            found = CASES[name]()
        except Exception as error:
            report[name] = [f"raised {type(error).__name__}", str(error)[:2000]]
            continue
        if found.problem is not None:
            report[name] = [found.problem.check, found.problem.reason]
        elif found.limit:
            report[name] = [f"limit:{found.limit}", found.refusal]
        else:
            report[name] = ["", ""]
    if MODE == "cuda":
        report = {name: [*found, ON_CUDA[name]] for name, found in report.items()}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
