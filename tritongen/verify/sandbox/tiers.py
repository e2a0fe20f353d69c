"""Which isolation this machine has: tiers by name, best first, found out by trying.

A tier is a set of parts. Every tier has `session` (its own session and standard streams),
`limits` (rlimits, the deadline, watched memory) and `capabilities` (none are left). Root becomes
`nobody` where that user can read what is needed (`user` in the report). Parts beyond those of the
tier are added where they work and do not change its nature. The tier asked for is the tier used,
or there is an `IsolationError`: never a lower one.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tritongen.verify.sandbox import cgroup, landlock, seccomp
from tritongen.verify.sandbox.records import IsolationError

BASIC = frozenset({"session", "limits", "capabilities"})
TIERS: dict[str, frozenset[str]] = {
    "landlock+namespaces+seccomp": BASIC | {"landlock", "namespaces", "seccomp"},
    "bubblewrap": BASIC | {"bubblewrap", "seccomp"},
    "namespaces": BASIC | {"namespaces", "seccomp"},
    "landlock+seccomp": BASIC | {"landlock", "seccomp"},
    "process": BASIC,
}
EXTRA: dict[str, frozenset[str]] = {
    "bubblewrap": frozenset({"landlock"}),
    "process": frozenset({"seccomp"}),
}
ALWAYS_EXTRA = frozenset({"cgroup"})
PROBE_SECONDS = 60


def available_parts() -> frozenset[str]:
    """The parts that work here; tried once per process."""
    return _available_parts(os.getpid())


@functools.cache
def _available_parts(_pid: int) -> frozenset[str]:
    parts = set(BASIC)
    if not sys.platform.startswith("linux"):
        return frozenset({"limits"})
    if landlock.abi() >= 1:
        parts.add("landlock")
    if seccomp.available():
        parts.add("seccomp")
    if cgroup.works():
        parts.add("cgroup")
    if _works([sys.executable, "-I", "-S", str(Path(__file__).with_name("tryout.py"))]):
        parts.add("namespaces")
    if shutil.which("bwrap") and _works(
        [*("bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc"),
         *("--tmpfs", "/tmp", "--", sys.executable, "-I", "-S", "-c", "pass")]
    ):  # fmt: skip
        parts.add("bubblewrap")
    return frozenset(parts)


def _works(command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PROBE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def available_tiers() -> tuple[str, ...]:
    """Names of the tiers that this machine has, best first."""
    have = available_parts()
    return tuple(name for name, parts in TIERS.items() if parts <= have)


def best_tier() -> str:
    """Name of the best of them. Raises `IsolationError` where there is none."""
    tiers = available_tiers()
    if not tiers:
        raise IsolationError("isolation", "no foreign code can be run here: Linux is needed")
    return tiers[0]


def choose(tier: str = "auto", require: Iterable[str] = ()) -> tuple[str, frozenset[str]]:
    """Name and parts of the tier to use.

    `auto` is the best one. `require` names parts (`landlock`, `namespaces`, `seccomp`, ...) that it
    must have. Raises `IsolationError`.
    """
    have = available_parts()
    name = best_tier() if tier == "auto" else tier
    if name not in TIERS:
        raise IsolationError("isolation", "unknown tier", value=tier, known=("auto", *TIERS))
    missing = sorted(TIERS[name] - have)
    if missing:
        raise IsolationError(
            "isolation",
            f"this machine lacks {', '.join(missing)} for the tier",
            value=name,
            hint=f"available here: {', '.join(available_tiers()) or 'none'}",
        )
    parts = TIERS[name] | (have & (EXTRA.get(name, frozenset()) | ALWAYS_EXTRA))
    lacking = sorted(set(require) - parts)
    if lacking:
        raise IsolationError(
            "isolation",
            f"the tier {name} does not include {', '.join(lacking)}",
            hint=f"available here: {', '.join(available_tiers())}",
        )
    return name, parts
