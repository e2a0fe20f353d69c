"""What a filter leaves of several spaces, and what is said of one that fits none."""

from __future__ import annotations

import re

import pytest

import tritongen
from tritongen.catalog import catalog
from tritongen.errors import ArgumentError, EmptySpaceError, UnknownNameError
from tritongen.sample import plan


def drawn(**arguments):
    chosen = plan(catalog(), count=60, **arguments)
    return [chosen.pair(j) for j in range(len(chosen))]


def test_values_that_different_families_know_take_these_families():
    pairs = drawn(where={"op": ["gelu", "sum"]})
    assert {pair.family for pair in pairs} == {"elementwise", "reduction"}
    assert {pair.metadata["op"] for pair in pairs} == {"gelu", "sum"}


def test_a_space_keeps_those_values_that_it_knows():
    pairs = drawn(families=["elementwise", "softmax"], where={"dtype": ["int32", "float16"]})
    assert {pair.family for pair in pairs} == {"elementwise", "softmax"}
    assert {name for pair in pairs for name in pair.metadata["dtypes"]} == {"int32", "float16"}


def test_a_value_that_no_family_knows_is_named_beside_known_ones():
    with pytest.raises(UnknownNameError, match=r"'gleu'; did you mean '?\w*gelu"):
        drawn(where={"op": ["gelu", "sum", "gleu"]})


def test_an_axis_that_no_family_has_is_named():
    with pytest.raises(UnknownNameError, match=r"unknown axis: 'otype'; did you mean 'dtype'"):
        drawn(where={"otype": ["float16"]})


def test_what_any_of_the_families_knows_is_offered():
    with pytest.raises(UnknownNameError) as caught:
        drawn(families=["elementwise", "softmax"], where={"num_warps": [3]})
    assert caught.value.value == 3
    assert {"4", "8"} <= set(caught.value.known)


def test_axes_that_no_family_has_together_are_an_empty_space_with_the_reasons():
    with pytest.raises(EmptySpaceError, match=r"no space has all.*elementwise/flat: unknown axis"):
        drawn(families=["elementwise", "reduction"], where={"op": ["gelu"], "dim": ["last"]})


def test_a_filter_of_one_family_is_about_that_family_alone():
    own = {"elementwise": {"where": {"op": ["sum"]}}}
    with pytest.raises(UnknownNameError, match="elementwise"):
        drawn(families=["elementwise", "reduction"], per_family=own)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (5, "a mapping from axes to values is expected"),
        (["op"], "a mapping from axes to values is expected"),
        ({3: ["x"]}, "the name of an axis is expected"),
        ({"op": None}, "a value or a list of values is expected"),
        ({"op": {"gelu": 1}}, "a value or a list of values is expected"),
        ({"op": [["gelu"]]}, "a string, a number or a boolean"),
    ],
)
def test_a_filter_of_another_form_is_refused_at_the_call(where, words):
    for call in (tritongen.expand, tritongen.space):
        with pytest.raises(ArgumentError, match=re.escape(words)):
            call("elementwise", where=where)


@pytest.mark.parametrize(
    "arguments",
    [
        {"family": 3},
        {"family": ["softmax"]},
        {"strategy": 3},
        {"strategy": ["looped"]},
        {"templates": 3},
        {"templates": None},
        {"templates": [3]},
    ],
)
def test_names_and_folders_of_another_kind_are_refused_at_the_call(arguments):
    for call in (tritongen.expand, tritongen.space):
        with pytest.raises(ArgumentError):
            call(**({"family": "softmax"} | arguments))


@pytest.mark.parametrize("arguments", [{"seed": "a"}, {"seed": None}, {"seed": 1.5}])
def test_a_seed_that_is_no_whole_number_is_refused(arguments):
    with pytest.raises(ArgumentError, match="seed"):
        tritongen.expand("softmax", limit=1, **arguments)


@pytest.mark.parametrize("limit", ["3", 2.5, True, -1])
def test_a_limit_that_is_no_number_of_pairs_is_refused(limit):
    with pytest.raises(UnknownNameError, match="limit"):
        tritongen.expand("softmax", limit=limit)
