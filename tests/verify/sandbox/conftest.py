"""Zygotes that the tests of the sandbox share: each takes seconds to start, forking takes none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tritongen.verify.sandbox import Zygote, available_parts

sys.path.insert(0, str(Path(__file__).parent))

from sandbox_tools import HANDLERS, TIGHT

TIER = os.environ.get("TRITONGEN_TEST_TIER", "auto")


@pytest.fixture(scope="session")
def zygotes() -> Iterator[Callable[..., Zygote]]:
    """Makes zygotes, one per kind."""
    made: dict[Any, Zygote] = {}

    def make(mode: str = "interpret", tier: str = "auto", parts: Any = None) -> Zygote:
        key = (mode, tier, parts)
        if key not in made:
            made[key] = Zygote(mode, HANDLERS, tier=tier, limits=TIGHT, _parts=parts)  # type: ignore[arg-type]
        return made[key]

    yield make
    for zygote in made.values():
        zygote.close()


@pytest.fixture(scope="session")
def guarded(zygotes: Callable[..., Zygote]) -> Zygote:
    """The best isolation of this machine; no processes may be started in it."""
    return zygotes("interpret", TIER)


@pytest.fixture(scope="session")
def compiling(zygotes: Callable[..., Zygote]) -> Zygote:
    """The best isolation in which programs such as ptxas can be run."""
    return zygotes("compile", TIER)


@pytest.fixture(scope="session")
def bare(zygotes: Callable[..., Zygote]) -> Zygote:
    """No isolation at all: what the protections are compared with."""
    return zygotes("interpret", "process", frozenset())


@pytest.fixture
def isolated() -> None:
    """Skips where the kernel has neither namespaces nor Landlock."""
    if not {"seccomp", "landlock"} <= available_parts():
        pytest.skip("needs seccomp and Landlock")
