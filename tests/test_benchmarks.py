"""The scripts under benchmarks/ and the pages that they write."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import tritongen

ROOT = Path(__file__).parent.parent


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_ops_is_what_the_evidence_gives():
    assert (ROOT / "docs" / "ops.md").read_text() == load("ops").table()


def test_every_op_has_passed_in_all_its_dtypes_on_the_cpu_and_on_a_gpu():
    ops = load("ops")
    for device in ("cpu", "cuda"):
        records = ops.load(device)
        for family in tritongen.families():
            for row, groups in ops.rows_of(family).items():
                for group in groups:
                    assert ops.passed(records, family, row, group) != "-", (
                        device,
                        family,
                        row,
                        group,
                    )


FLOATS = ["float32", "float16", "bfloat16"]


def test_every_op_of_the_tables_is_there_in_all_floating_point_dtypes():
    ops = load("ops")
    for family in tritongen.families():
        found: dict[tuple, set[str]] = {}
        for row, groups in ops.rows_of(family).items():
            found.setdefault(row, set()).update(
                name for group in groups for name in group.split("|")
            )
        for row, dtypes in found.items():
            integers_only = dict(row).get("op", "").startswith("bitwise")
            assert integers_only or set(FLOATS) <= dtypes, (family, row, dtypes)
