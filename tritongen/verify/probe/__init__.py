"""The subject: one call of a wrapper, watched from all sides.

`LocalSubject(wrapper, mode)` runs a wrapper within this process, on copies of the arguments that
lie between red zones, and tells what it did: results, memory faults, what it asked of torch, which
kernels it launched. Call `prepare(mode)` before a candidate is loaded. Importing this package loads
torch and triton.
"""

from __future__ import annotations

from tritongen.verify.probe.guards import is_poison
from tritongen.verify.probe.subject import LocalSubject, prepare

__all__ = ["LocalSubject", "is_poison", "prepare"]
