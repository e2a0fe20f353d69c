"""Columns made from buffers are those that pyarrow would make."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tritongen.export.columns import flags, lists, numbers, texts

relaxed = settings(deadline=None)
text = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def same(made, values, kind):
    made.validate(full=True)
    assert made.equals(pa.array(values, kind))


@given(st.lists(text))
@relaxed
def test_texts(values):
    same(texts(values), values, pa.string())


@given(st.lists(st.none() | st.floats(allow_nan=False)))
@relaxed
def test_numbers(values):
    same(numbers(values), values, pa.float64())


@given(st.lists(st.none() | st.booleans()))
@relaxed
def test_flags(values):
    same(flags(values), values, pa.bool_())


@given(st.lists(st.none() | st.lists(text, max_size=4)))
@relaxed
def test_lists(values):
    kind = pa.list_(pa.string())
    same(lists(values, kind), values, kind)
