"""One record of a dataset: its fields, and its plain form for JSON.

Both formats hold the same content. Two fields are open-ended and are flattened so that every shard
of every split has one schema: `metadata.params` is a JSON object as a string,
`verification.targets` a list of {target, result}. `decode_record` undoes that.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

TEXT_FIELDS = (
    "id",
    "program_id",
    "operation_id",
    "description",
    "python_code",
    "triton_code",
    "test_code",
)
METADATA_FIELDS = (
    "operation_type",
    "difficulty",
    "tags",
    "family",
    "strategy",
    "op",
    "dtypes",
    "params",
    "entry",
    "atomics",
    "requires",
    "targets",
)
ENTRY_FIELDS = ("reference", "module", "wrapper", "kernel", "test")
VERIFICATION_FIELDS = (
    "status",
    "evidence",
    "proof",
    "targets",
    "device",
    "torch",
    "triton",
    "max_abs_error",
    "max_rel_error",
    "seconds",
)
FIELDS = (*TEXT_FIELDS, "metadata", "verification")


class PairLike(Protocol):
    """What the exporters read of a `tritongen.pair.Pair`."""

    @property
    def id(self) -> str: ...
    @property
    def program_id(self) -> str: ...
    @property
    def operation_id(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def strategy(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def python_code(self) -> str: ...
    @property
    def triton_code(self) -> str: ...
    @property
    def test_code(self) -> str: ...
    @property
    def metadata(self) -> dict[str, Any]: ...


class VerdictLike(Protocol):
    """What the exporters read of a `tritongen.verify.Verdict`."""

    @property
    def status(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def check(self) -> str: ...
    @property
    def evidence(self) -> str: ...
    @property
    def proof(self) -> str: ...
    @property
    def targets(self) -> Mapping[str, str]: ...
    @property
    def device(self) -> str: ...
    @property
    def torch(self) -> str: ...
    @property
    def triton(self) -> str: ...
    @property
    def max_abs_error(self) -> float | None: ...
    @property
    def max_rel_error(self) -> float | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def coverage(self) -> Mapping[str, Any]: ...
    @property
    def witness(self) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class Verification:
    """A verdict that stands without the verifier: the unverified one, or one read from a file."""

    status: str = "unverified"
    reason: str = ""
    check: str = ""
    evidence: str = "none"
    proof: str = "verbatim"
    targets: Mapping[str, str] = field(default_factory=dict)
    device: str = ""
    torch: str = ""
    triton: str = ""
    max_abs_error: float | None = None
    max_rel_error: float | None = None
    seconds: float = 0.0
    coverage: Mapping[str, Any] = field(default_factory=dict)
    witness: Mapping[str, Any] | None = None


UNVERIFIED = Verification()

encode_params = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def record(pair: PairLike, verdict: VerdictLike) -> dict[str, Any]:
    """The record of a pair as it stands in a JSONL shard."""
    metadata = pair.metadata
    values: dict[str, Any] = {name: getattr(pair, name) for name in TEXT_FIELDS}
    values["metadata"] = {name: metadata.get(name) for name in METADATA_FIELDS}
    entry = metadata.get("entry") or {}
    values["metadata"] |= {
        "family": pair.family,
        "strategy": pair.strategy,
        "tags": list(metadata.get("tags") or ()),
        "dtypes": list(metadata.get("dtypes") or ()),
        "params": encode_params(metadata.get("params") or {}),
        "entry": {name: entry.get(name) for name in ENTRY_FIELDS},
        "requires": _listed(metadata.get("requires")),
        "targets": _listed(metadata.get("targets")),
    }
    values["verification"] = encode_verification(verdict)
    return values


def encode_verification(verdict: VerdictLike) -> dict[str, Any]:
    """The field `verification` of a record as it stands in a JSONL shard."""
    return {
        "status": verdict.status,
        "evidence": verdict.evidence,
        "proof": verdict.proof,
        "targets": [
            {"target": target, "result": result} for target, result in verdict.targets.items()
        ],
        "device": verdict.device,
        "torch": verdict.torch,
        "triton": verdict.triton,
        "max_abs_error": finite(verdict.max_abs_error),
        "max_rel_error": finite(verdict.max_rel_error),
        "seconds": finite(verdict.seconds),
    }


def rejected_record(pair: PairLike, verdict: VerdictLike) -> dict[str, Any]:
    """The record of a refused pair: as in a shard, and why it was refused."""
    values = record(pair, verdict)
    values["verification"] |= {
        "reason": verdict.reason,
        "check": verdict.check,
        "coverage": dict(verdict.coverage),
        "witness": None if verdict.witness is None else dict(verdict.witness),
    }
    return values


def decode_record(values: dict[str, Any]) -> dict[str, Any]:
    """A record with `metadata.params` and `verification.targets` as mappings again.

    Names that `metadata.entry` does not have are left out of it.
    """
    metadata = dict(values["metadata"])
    metadata["params"] = json.loads(metadata["params"])
    entry = metadata["entry"] or {}
    metadata["entry"] = {name: value for name, value in entry.items() if value is not None}
    verification = dict(values["verification"])
    verification["targets"] = {
        item["target"]: item["result"] for item in verification["targets"] or ()
    }
    return {**values, "metadata": metadata, "verification": verification}


def encode_line(values: Mapping[str, Any]) -> bytes:
    """One line of JSON, the same for equal content, strict enough for every parser."""
    text = json.dumps(_jsonable(values), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n"


def finite(value: float | None) -> float | None:
    """The value, or None where it is not a finite number."""
    return value if value is not None and math.isfinite(value) else None


def _listed(values: Iterable[str] | None) -> list[str] | None:
    return None if values is None else list(values)


def _jsonable(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)
