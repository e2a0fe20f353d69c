"""Made-up pairs with the shape of real ones; run as a program, it builds them (and is killed)."""

from __future__ import annotations

import hashlib
import sys
import time
from dataclasses import dataclass

from tritongen.pair import Pair
from tritongen.pipeline.source import Source
from tritongen.verify.verdict import Verdict

FAMILIES = ("alpha", "beta", "gamma")
OPS = 30
LINE = "    y_{v} = tl.load(x_{v}_ptr + offsets * stride_{p}, mask=mask, other=0.0)  # {o}\n"


@dataclass(frozen=True)
class Point:
    family: str
    program_id: str
    operation_id: str


def digest(text: str, size: int = 16) -> str:
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()


class FakePlan:
    """`count` pairs, four variants per program, families one after the other."""

    def __init__(self, count: int, seed: int = 0, lines: int = 10, variants: int = 4) -> None:
        self.count, self.seed, self.lines, self.variants = count, seed, lines, variants
        self.rendered = 0

    def __len__(self) -> int:
        return self.count

    def _place(self, j: int) -> tuple[str, int, int]:
        program = j // self.variants
        family = FAMILIES[j * len(FAMILIES) // self.count]
        return family, program, j % self.variants

    def point(self, j: int) -> Point:
        family, program, _ = self._place(j)
        return Point(family, digest(f"p{self.seed}/{program}/{family}"), self._operation(program))

    def _operation(self, program: int) -> str:
        return digest(f"op{program % OPS}", 8)

    def pair(self, j: int) -> Pair:
        self.rendered += 1
        family, program, variant = self._place(j)
        op = f"op{program % OPS}"
        body = LINE.format(v=variant, p=program, o=op) * self.lines
        metadata = {
            "operation_type": "elementwise",
            "difficulty": ("easy", "medium", "hard")[program % 3],
            "tags": ["activation", family],
            "family": family,
            "strategy": "flat",
            "op": op,
            "dtypes": ["float32", "float16"] if program % 2 else ["float32"],
            "params": {"BLOCK_SIZE": 128 << variant, "op": op, "eps": 1e-5, "grid": "lambda"},
            "entry": {"reference": f"torch_{op}", "wrapper": f"triton_{op}", "kernel": "k"},
            "atomics": False,
            "requires": [],
            "targets": None if program % 5 else ["sm_90", "sm_100"],
        }
        return Pair(
            id=digest(f"{self.seed}/{j}"),
            program_id=digest(f"p{self.seed}/{program}/{family}"),
            operation_id=self._operation(program),
            family=family,
            strategy="flat",
            description=f"The {op} of a tensor — variant {variant}.",
            python_code=f"import torch\n\n\ndef torch_{op}(x):\n{body}",
            triton_code=f"import triton\n\n\ndef triton_{op}(x):\n{body}",
            test_code=f"def test_{op}():\n    assert {variant}\n",
            metadata=metadata,
        )

    def pairs(self, start: int = 0, stop: int | None = None):
        for j in range(start, self.count if stop is None else stop):
            yield self.pair(j)


def open_source(config):
    plan = FakePlan(config.attempts, config.seed)
    return Source(plan, f"templates-{len(config.templates)}")


class Gate:
    """A verifier: refuses what `refuse` says, with figures in the reason, and counts its work."""

    def __init__(self, delay: float = 0.0, refuse=lambda pair: int(pair.id, 16) % 10 == 0) -> None:
        self.delay, self.refuse, self.seen, self.settings = delay, refuse, [], {}

    def opened(self, device, **settings):
        """This gate in place of the class of the real one."""
        self.settings = {"device": device, **settings}
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def stream(self, pairs):
        for pair in pairs:
            self.seen.append(pair.id)
            time.sleep(self.delay)
            if self.refuse(pair):
                yield Verdict(
                    "failed",
                    reason=f"17.{int(pair.id[:2], 16)} % of the elements of float32 are off",
                    check="numerics",
                    evidence="interpreted",
                    device="cpu",
                    max_abs_error=float("inf"),
                    witness={"expected": float("nan"), "index": (1, 2)},
                )
            else:
                yield Verdict(
                    "passed",
                    evidence="interpreted",
                    targets={"sm_80": "ok", "gfx942": "ok"},
                    device="cpu",
                    torch="2.13.0",
                    triton="3.7.1",
                    max_abs_error=1e-6,
                    max_rel_error=2e-7,
                    seconds=time.monotonic() % 1,
                )


if __name__ == "__main__":
    import tritongen.verify
    from tritongen.pipeline import builder

    builder.open_source = open_source
    out, count, size, device, delay = sys.argv[1:]
    tritongen.verify.Gate = Gate(float(delay)).opened
    config = {
        "out": out,
        "count": int(count),
        "shard_size": int(size),
        "verify": {"device": device},
    }
    print("starting", flush=True)
    print(builder.build(config).resumed)
