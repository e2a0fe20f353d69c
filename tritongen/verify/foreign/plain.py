"""Observations as plain values, and back: the second half believes nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tritongen.verify.judge.records import CHECKS, How, Observation, Problem

MAX_TEXT = 2000
MAX_ITEMS = 64


class PlainError(ValueError):
    """What came is no observation."""


def how_to_plain(how: How) -> dict[str, Any]:
    """How a call is to be made, as plain values."""
    return {
        "poison": how.poison,
        "launches": how.launches,
        "reverse": how.reverse,
        "configuration": how.configuration,
        "watch": how.watch,
    }


def observation_to_plain(observation: Observation) -> dict[str, Any]:
    """An observation as plain values and tensors."""
    problem = observation.problem
    return {
        "outputs": observation.outputs,
        "problem": problem
        and {
            "check": problem.check,
            "reason": problem.reason,
            "witness": json_value(problem.witness),
        },
        "limit": observation.limit,
        "refusal": observation.refusal,
        "launches": dict(observation.launches),
        "configurations": observation.configurations,
        "atomics": observation.atomics,
        "partials": observation.partials,
        "precisions": tuple(observation.precisions),
        "notes": tuple(observation.notes),
    }


def observation_from_plain(value: Any) -> Observation:
    """The observation that a sandbox sent; raises PlainError where it is none."""
    if not isinstance(value, Mapping) or not isinstance(value.get("outputs"), (tuple, list)):
        raise PlainError("no observation")
    problem = value.get("problem")
    launches = value.get("launches")
    if not isinstance(launches, Mapping) or value.get("limit") not in ("", "declared", "resources"):
        raise PlainError("an observation that is none")
    return Observation(
        outputs=tuple(value["outputs"]),
        problem=None if problem is None else _problem(problem),
        limit=value["limit"],
        refusal=_text(value.get("refusal")),
        launches={_text(key): _count(number) for key, number in list(launches.items())[:MAX_ITEMS]},
        configurations=max(1, min(_count(value.get("configurations")), 4096)),
        atomics=value.get("atomics") is True,
        partials=_count(value.get("partials")),
        precisions=tuple(_text(item) for item in _items(value.get("precisions"))),
        notes=tuple(_text(item) for item in _items(value.get("notes"))),
    )


def _problem(value: Any) -> Problem:
    if not isinstance(value, Mapping) or value.get("check") not in CHECKS:
        raise PlainError("a problem that is none")
    witness = json_value(value.get("witness"))
    return Problem(
        str(value["check"]),
        _text(value.get("reason")) or "no reason was given",
        witness if isinstance(witness, dict) else {},
    )


def _items(value: Any) -> list[Any]:
    return list(value)[:MAX_ITEMS] if isinstance(value, (tuple, list)) else []


def _count(value: Any) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return max(0, min(value, 1 << 62)) if whole else 0


def _text(value: Any) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def json_value(value: Any, depth: int = 0) -> Any:
    """A value as standard JSON: floats that are no numbers as text, anything unknown as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 1 << 63 else str(value)[:MAX_TEXT]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if depth < 6 and isinstance(value, Mapping):
        items = list(value.items())[:MAX_ITEMS]
        return {str(key)[:MAX_TEXT]: json_value(item, depth + 1) for key, item in items}
    if depth < 6 and isinstance(value, (tuple, list, set, frozenset)):
        return [json_value(item, depth + 1) for item in list(value)[:MAX_ITEMS]]
    return str(value)[:MAX_TEXT]
