"""What a sandbox of the foreign gate answers: one role for each, chosen by its first message.

Imported in a zygote and nowhere else: importing it warms the process up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tritongen.verify.foreign import candidate_side, compile_side, reference_side
from tritongen.verify.foreign.load import describe
from tritongen.verify.foreign.warm import warm

ROLE: dict[str, Any] = {}


def _guarded(function: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """A handler that answers `{"raised": ...}` for what the candidate's own code raises."""

    def handler(message: dict[str, Any]) -> dict[str, Any]:
        try:
            return function(message)
        except BaseException as error:
            return {"raised": describe(error)}

    return handler


def _load_reference(message: dict[str, Any]) -> dict[str, Any]:
    ROLE["reference"] = reference_side.ReferenceSide(message)
    return {}


def _inputs(_message: dict[str, Any]) -> dict[str, Any]:
    return {"arguments": ROLE["reference"].inputs()}


def _traits(message: dict[str, Any]) -> dict[str, Any]:
    return ROLE["reference"].traits(message["arguments"])


def _reference(message: dict[str, Any]) -> dict[str, Any]:
    return ROLE["reference"].run(message["arguments"], message["precision"])


def _load_candidate(message: dict[str, Any]) -> dict[str, Any]:
    ROLE["candidate"] = candidate_side.CandidateSide(message)
    return {"environment": ROLE["candidate"].environment()}


def _candidate(message: dict[str, Any]) -> dict[str, Any]:
    return ROLE["candidate"].run(message)


def _timing(message: dict[str, Any]) -> dict[str, Any]:
    return ROLE[message["role"]].timing(message["arguments"], message["seconds"])


def _load_compiler(message: dict[str, Any]) -> dict[str, Any]:
    ROLE["compile"] = compile_side.CompileSide(message)
    return {}


def _capture(message: dict[str, Any]) -> dict[str, Any]:
    return ROLE["compile"].capture(message["arguments"])


def _compile(message: dict[str, Any]) -> dict[str, Any]:
    return ROLE["compile"].compile(message["target"])


HANDLERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "load-reference": _guarded(_load_reference),
    "inputs": _guarded(_inputs),
    "traits": _guarded(_traits),
    "reference": _guarded(_reference),
    "load-candidate": _guarded(_load_candidate),
    "candidate": _guarded(_candidate),
    "timing": _guarded(_timing),
    "load-compile": _guarded(_load_compiler),
    "capture": _guarded(_capture),
    "compile": _guarded(_compile),
}

warm()
