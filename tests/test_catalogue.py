"""Every family and strategy of the catalogue: form of the rendered code, and one verified example each."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tritongen
from tritongen.canonical import same_program
from tritongen.catalog import catalog
from tritongen.sample import renderer_of

STRATEGIES = [(f, s) for f, names in tritongen.families().items() for s in names]
EXAMPLES = 560


def space_of(family: str, strategy: str):
    return catalog().space(family, strategy)


def pair_of(family: str, strategy: str, index: int):
    return renderer_of(catalog(), family, strategy).pair(space_of(family, strategy)[index])


@st.composite
def variants(draw):
    family, strategy = draw(st.sampled_from(STRATEGIES))
    return family, strategy, draw(st.integers(0, space_of(family, strategy).count - 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("rendered")


def test_sampled_variants_compile_and_are_formatted(folder):
    """One folder, one call of the formatter: a file that it would change is named."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(variants())
    def write(variant):
        pair = pair_of(*variant)
        for source in (pair.python_code, pair.triton_code, pair.test_code, pair.joined):
            ast.parse(source)
        (folder / f"{pair.family}_{pair.strategy}_{pair.id}.py").write_text(pair.joined)

    write()
    assert len(list(folder.iterdir())) >= 500
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[:3000]


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(variants(), st.integers(1, 7))
def test_variants_of_a_program_alpha_rename_to_one_source(variant, other):
    family, strategy, index = variant
    space = space_of(family, strategy)
    first = index - index % space.presentations
    left = pair_of(family, strategy, index)
    right = pair_of(family, strategy, first + (index + other) % space.presentations)
    assert left.program_id == right.program_id
    assert same_program(left, right) is None


@pytest.mark.parametrize(
    ("family", "strategy"), STRATEGIES, ids=[f"{f}-{s}" for f, s in STRATEGIES]
)
def test_no_source_has_unused_imports_or_names(family, strategy, tmp_path):
    for number, pair in enumerate(tritongen.expand(family, strategy=strategy, limit=20, seed=5)):
        for part in ("python", "triton"):
            (tmp_path / f"{number}_{part}.py").write_text(getattr(pair, f"{part}_code"))
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "F,E7,E9",
        "--ignore",
        "E731,E741",
        str(tmp_path),
    ]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[:3000]


@pytest.mark.parametrize("family", tritongen.families())
def test_sources_stand_alone_with_different_entry_names(family):
    for pair in tritongen.expand(family, limit=40):
        entry = pair.metadata["entry"]
        assert f"def {entry['reference']}(" in pair.python_code
        assert f"def {entry['wrapper']}(" in pair.triton_code
        assert entry["reference"] != entry["wrapper"]
        assert "def get_test_inputs():" in pair.test_code
        for source, module in (
            (pair.python_code, "torch"),
            (pair.triton_code, "triton"),
            (pair.test_code, "torch"),
        ):
            assert f"import {module}" in source or f"from {module}" in source


@pytest.mark.parametrize("family", tritongen.families())
def test_a_family_has_five_form_axes(family):
    axes = {
        a.name for part in tritongen.space(family).spaces for a in part.axes if a.role == "form"
    }
    assert len(axes) >= 5, axes


def test_the_five_families_are_as_large_as_promised():
    whole = [tritongen.space(family) for family in tritongen.families()]
    assert sum(space.computations for space in whole) >= 2_500
    assert sum(space.programs for space in whole) >= 100_000
    assert sum(space.count for space in whole) >= 20_000_000


def test_difficulties_are_all_there():
    found = {pair.metadata["difficulty"] for pair in tritongen.expand(limit=200)}
    assert found == {"easy", "medium", "hard"}


def test_every_strategy_has_a_verified_example():
    """One pair of each strategy, interpreted and compiled for every target."""
    pairs = [
        pair
        for family, strategy in STRATEGIES
        for pair in tritongen.expand(family, strategy=strategy, limit=1, seed=1)
    ]
    for pair, verdict in zip(pairs, tritongen.verify(pairs, device="cpu"), strict=True):
        assert verdict.status == "passed", (pair.family, pair.strategy, verdict.reason)
        assert verdict.evidence == "interpreted", (pair.family, pair.strategy, verdict.coverage)


@pytest.mark.gpu
def test_every_strategy_passes_on_the_gpu():
    pairs = [
        pair
        for family, strategy in STRATEGIES
        for pair in tritongen.expand(family, strategy=strategy, limit=4, seed=2)
    ]
    for pair, verdict in zip(pairs, tritongen.verify(pairs, device="cuda"), strict=True):
        assert (verdict.status, verdict.evidence) == ("passed", "gpu"), (
            pair.metadata["params"],
            verdict.reason,
        )
