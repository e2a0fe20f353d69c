"""One warm gate for all tests of verification."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tritongen.verify import Gate

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def gate() -> Iterator[Gate]:
    """A gate on the CPU whose workers stay warm over the tests."""
    with Gate("cpu", workers=2, timeout=60.0) as warm:
        yield warm
