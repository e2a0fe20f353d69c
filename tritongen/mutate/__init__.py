"""Mutation testing of the gate: kernels broken in named ways, and what notices.

`mutate` makes mutants of pairs, sends them through the gate and reports what was killed.
"""

from __future__ import annotations

from tritongen.mutate.equivalent import Equivalence, Referee
from tritongen.mutate.mutants import Mutant, mutants_of
from tritongen.mutate.operators import OPERATORS, Operator
from tritongen.mutate.report import MutationReport, Result, Share
from tritongen.mutate.run import mutate

__all__ = [
    "OPERATORS",
    "Equivalence",
    "Mutant",
    "MutationReport",
    "Operator",
    "Referee",
    "Result",
    "Share",
    "mutants_of",
    "mutate",
]
