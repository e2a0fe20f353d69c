"""The dataset card: YAML front matter for `datasets` and the Hub, then what a reader must know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tritongen.export.files import write_bytes
from tritongen.export.manifest import Manifest
from tritongen.splits import SPLITS

NAME = "README.md"
_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)
_TOP = 40

_EVIDENCE = {
    "none": "nothing was checked",
    "static": "the sources were parsed and inspected, not run",
    "compiled": "every kernel compiled ahead of time for the targets in `verification.targets`",
    "interpreted": "the pair's test passed under Triton's interpreter on a CPU, "
    "and its kernels compiled ahead of time for the targets in `verification.targets`",
    "gpu": "the pair's test passed on a GPU",
    "sanitized": "the pair's test passed on a GPU under compute-sanitizer",
}


def write_card(dataset: Path, manifest: Manifest, *, license: str, name: str) -> None:
    """Write the card of a dataset."""
    text = f"---\n{_front_matter(manifest, license, name)}---\n\n{_body(manifest, name)}"
    write_bytes(dataset / NAME, text.encode())


def _front_matter(manifest: Manifest, license: str, name: str) -> str:
    suffix = manifest.file_format
    lines = [
        f"pretty_name: {_scalar(name)}",
        f"license: {_scalar(license)}",
        "language:",
        "- en",
        "task_categories:",
        "- text-generation",
        "size_categories:",
        f"- {_size(manifest.counts.passed)}",
        "tags:",
        *(f"- {tag}" for tag in ("code", "triton", "pytorch", "gpu", "kernels", "synthetic")),
        "configs:",
        "- config_name: default",
        "  data_files:",
    ]
    for split in SPLITS:
        if manifest.counts.kept["split"].get(split):
            lines += [f"  - split: {split}", f"    path: {split}/*.{suffix}"]
    if suffix == "jsonl":
        lines += ["dataset_info:", "  features:", *_features()]
    return "\n".join(lines) + "\n"


def _features() -> Iterable[str]:
    """The schema for JSON, which has none of its own and is otherwise guessed per file."""
    from tritongen.export.parquet import SCHEMA

    return _fields(SCHEMA, "  ")


def _fields(fields: Iterable[Any], indent: str) -> Iterable[str]:
    import pyarrow as pa

    for field in fields:
        yield f"{indent}- name: {field.name}"
        kind = field.type
        if pa.types.is_struct(kind):
            yield f"{indent}  struct:"
            yield from _fields(kind, indent + "  ")
        elif pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
            yield f"{indent}  list:"
            yield from _fields(kind.value_type, indent + "  ")
        elif pa.types.is_list(kind):
            yield f"{indent}  list: {kind.value_type}"
        else:
            yield f"{indent}  dtype: {'float64' if pa.types.is_float64(kind) else kind}"


def _body(manifest: Manifest, name: str) -> str:
    counts = manifest.counts
    kept = counts.kept
    parts = [
        f"# {name}",
        f"{counts.passed:,} pairs of a PyTorch function and a Triton kernel that computes the "
        "same, each with a pytest test and a one-sentence description. The sources are generated "
        "by tritongen from templates: no code is scraped, none is written by a language model.",
        _LOADING,
        "## Splits",
        _splits(manifest),
        "The split is by `operation_id`, the hash of what is computed, expanded into primitive "
        "operations. An operation stands in one split only, under whatever family, name, dtype, "
        "block size, strategy, naming style or comments.",
        "## Verification",
        _verification(manifest),
        "## Record",
        _table(["field", "content"], _RECORD),
        "## Counts",
        "Pairs in the dataset. A dtype-generic pair counts for each of its dtypes, a chain for each "
        "of its ops.",
    ]
    for title, field in (
        ("Strategy", "strategy"),
        ("Difficulty", "difficulty"),
        ("Operation type", "operation_type"),
        ("Dtype", "dtype"),
        ("Op", "op"),
    ):
        parts.append(_counter(title, kept[field]))
    parts += [
        "## Limits",
        _LIMITS,
        "## Reproduction",
        f"Template hash `{manifest.template_hash}`, configuration hash `{manifest.config_hash}`, "
        + ", ".join(f"{key} {value}" for key, value in sorted(manifest.versions.items()))
        + ". With these the build gives the same records again, byte for byte, apart from the "
        "field `verification` (it holds measured times).",
        "```json\n"
        + json.dumps(manifest.config, indent=1, ensure_ascii=False, sort_keys=True)
        + "\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _splits(manifest: Manifest) -> str:
    splits = [name for name in SPLITS if manifest.counts.kept["split"].get(name)]
    cells = manifest.counts.kept["family_split"]
    rows = [
        [family, *(cells.get(f"{family}/{split}", 0) for split in splits), total]
        for family, total in sorted(manifest.counts.kept["family"].items())
    ]
    totals = [manifest.counts.kept["split"][split] for split in splits]
    rows.append(["**all**", *totals, manifest.counts.passed])
    return _table(["family", *splits, "all"], rows)


def _verification(manifest: Manifest) -> str:
    counts = manifest.counts
    evidence = counts.kept["evidence"]
    if set(counts.kept["status"]) <= {"unverified"}:
        return (
            "**Not verified.** This dataset was built with verification switched off: no pair has "
            "been compiled or run, and wrong ones would not have been noticed. Every record says "
            "so (`verification.status` is `unverified`). Verify before training or publishing."
        )
    parts = [
        f"{manifest.attempted:,} pairs were attempted, {counts.passed:,} passed and entered the "
        f"dataset, {counts.refused:,} were refused and stand under `rejected/` with their reasons. "
        "What `verification.evidence` means:",
        _table(
            ["evidence", "pairs", "meaning"],
            [[key, n, _EVIDENCE.get(key, "")] for key, n in sorted(evidence.items())],
        ),
        _counter("Environment", counts.kept["environment"]),
    ]
    unverified = counts.kept["status"]["unverified"]
    if unverified:
        parts[0] = (
            f"**{unverified:,} of the {counts.passed:,} pairs have not been verified** "
            "(`verification.status` is `unverified`). Of the others, those that passed are in the "
            f"dataset; {counts.refused:,} were refused and stand under `rejected/` with their "
            "reasons. What `verification.evidence` means:"
        )
    if counts.refused:
        parts.append(_counter("Reason of refusal", counts.refusals["reason"]))
    return "\n\n".join(parts)


def _counter(title: str, counter: Mapping[str, int]) -> str:
    ranked = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    table = _table([title.lower(), "pairs"], [[key, n] for key, n in ranked[:_TOP]])
    if len(ranked) > _TOP:
        table += f"\n\n... and {len(ranked) - _TOP:,} more (`manifest.json` has them)."
    return table


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |"]
    lines.append("|" + "|".join(" --- " for _ in head) + "|")
    for row in rows:
        cells = [f"{cell:,}" if isinstance(cell, int) else _cell(str(cell)) for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _scalar(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _size(n: int) -> str:
    return next((name for limit, name in _SIZES if n < limit), "n>1T")


_LOADING = """\
```python
from datasets import load_dataset

data = load_dataset("PATH/TO/THIS/FOLDER")
print(data["train"][0]["triton_code"])
```"""

_RECORD = (
    ("`id`", "hash of the pair's parameters and of the templates used"),
    (
        "`program_id`",
        "the same without naming style, comments and docstring: "
        "one program has several presentations",
    ),
    ("`operation_id`", "what is computed; groups for splitting and deduplication"),
    ("`description`", "one sentence"),
    (
        "`python_code`, `triton_code`, `test_code`",
        "three sources, each with its own imports; joined in one file they are a pytest module",
    ),
    (
        "`metadata`",
        "`operation_type`, `difficulty`, `tags`, `family`, `strategy`, `op`, `dtypes`, `params` "
        "(a JSON object, as a string), `entry` (names of the functions), `atomics`, `requires` "
        "(of the device or of Triton), `targets` (none: all)",
    ),
    (
        "`verification`",
        "`status`, `evidence`, `proof` (`verbatim`: this text ran; `program`: another text of its "
        "program ran, which it is an exact renaming of; `audited`: both), `targets`, `device`, "
        "`torch`, `triton`, `max_abs_error`, `max_rel_error`, `seconds`",
    ),
)

_LIMITS = """\
- The code is synthetic: many records differ only in names, layout, launch form or block sizes.
  Group by `program_id` or `operation_id` where that matters.
- A passed test is evidence for the shapes, inputs, devices and versions that were tried, no proof.
- Kernels are written to be read and to be right; nothing here says how fast they are.
- `difficulty` follows a stated rule over steps, strategy and dimensions; it does not measure how
  hard the task is for a model."""
