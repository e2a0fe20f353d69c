"""Script for a GPU: what a call costs, and an illegal address, which ends the process."""

from __future__ import annotations

import json
import time

import torch
import triton
import triton.language as tl

from tritongen.verify.judge.records import How
from tritongen.verify.probe import LocalSubject


@triton.jit
def far_kernel(x_ptr, out_ptr, distance):
    tl.store(out_ptr + distance, tl.load(x_ptr))


@triton.jit
def copy_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n), mask=offsets < n)


def far(x):
    out = torch.empty_like(x)
    far_kernel[(1,)](x, out, 1 << 40)
    return out


def near(x):
    out = torch.empty_like(x)
    copy_kernel[(triton.cdiv(x.numel(), 1024),)](x, out, x.numel(), BLOCK=1024)
    return out


def timed(call, count: int = 300) -> float:
    """Milliseconds per call."""
    for _ in range(20):
        call()
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(count):
        call()
    torch.cuda.synchronize()
    return (time.perf_counter() - started) / count * 1e3


def main() -> None:
    """Print the report as JSON."""
    x = torch.randn(100_000, device="cuda")
    subject = LocalSubject(near, "cuda")
    assert subject.run((x,), How()).problem is None
    plain = timed(lambda: near(x))
    costs = [timed(lambda w=w: subject.run((x,), How(watch=w))) - plain for w in (True, False)]
    report = {"overhead": [f"{cost:.3f}" for cost in costs]}
    judged = LocalSubject(far, "cuda")
    problem = judged.run((x,), How()).problem
    fatal = problem is not None and problem.witness.get("fatal")
    report["illegal"] = [problem.check if problem else "", str(fatal), str(bool(judged.dead))]
    print(json.dumps(report))


if __name__ == "__main__":
    main()
