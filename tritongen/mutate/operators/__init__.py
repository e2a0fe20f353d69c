"""Operators: named ways to break a kernel."""

from __future__ import annotations

from collections.abc import Iterable

from tritongen.errors import UnknownNameError
from tritongen.mutate.operators import (  # noqa: F401  (importing registers)
    addressing,
    arithmetic,
    control,
    dtypes,
    masks,
    wrappers,
)
from tritongen.mutate.operators.base import REGISTRY, Operator, Subject

OPERATORS: dict[str, Operator] = dict(REGISTRY)


def chosen(names: Iterable[str] | None, device: str) -> list[Operator]:
    """The operators of these names, or all that the gate can judge on a device.

    Raises UnknownNameError for a name that is no operator's.
    """
    if names is None:
        return [op for op in OPERATORS.values() if device in op.judged_on]
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in OPERATORS:
            raise UnknownNameError("operators", "unknown operator", value=name, known=OPERATORS)
    return [op for op in OPERATORS.values() if op.name in wanted]


__all__ = ["OPERATORS", "Operator", "Subject", "chosen"]
