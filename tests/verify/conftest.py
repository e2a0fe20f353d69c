"""One warm gate for all tests of verification."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tritongen.verify import Gate


@pytest.fixture(scope="session")
def gate() -> Iterator[Gate]:
    """A gate on the CPU whose workers stay warm over the tests."""
    with Gate("cpu", workers=2, timeout=60.0) as warm:
        yield warm
