from __future__ import annotations

import pytest

from tritongen.axes import make_axis
from tritongen.catalog import catalog
from tritongen.errors import TemplateError, UnknownNameError


def make(spec, name="a", role="form"):
    known = catalog()
    return make_axis(name, role, spec, known.tables, known.domains, "some.py.jinja:7: a")


def seen(axis) -> list[str]:
    return [str(cell.seen) for cell in axis.cells]


def test_values_keep_their_declared_order():
    axis = make([3, 1, 2])
    assert [axis.cells[i].value(0) for i in range(3)] == [3, 1, 2]
    assert axis.size == 3


@pytest.mark.parametrize("spec", [[], "values", 3, None])
def test_an_axis_without_values_is_refused(spec):
    with pytest.raises(TemplateError, match=r"some\.py\.jinja:7: a: axis 'a' needs a list"):
        make(spec)


@pytest.mark.parametrize("spec", [[1, 2, 1], [True, "true"], ["x", "x"]])
def test_a_value_that_stands_twice_is_refused(spec):
    with pytest.raises(TemplateError, match="has a value twice"):
        make(spec)


def test_a_value_of_dtype_is_a_set_of_one_kind():
    axis = make([["float32", "float16"], "int32"], "dtype", "semantic")
    assert [cell.seen.names for cell in axis.cells] == [("float32", "float16"), ("int32",)]
    assert [cell.seen.kind for cell in axis.cells] == ["float", "int"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ([["float32", "int32"]], "several kinds"),
        (["float8"], r"unknown dtype: 'float8'.*known: float32"),
    ],
)
def test_a_wrong_dtype_is_refused(spec, message):
    with pytest.raises(UnknownNameError, match=message):
        make(spec, "dtype")


def test_a_filter_on_dtype_narrows_the_sets():
    axis = make([["float32", "float16", "bfloat16"], ["int32", "int64"]], "dtype")
    kept = axis.only(["bfloat16", "int32"], "where")
    assert [cell.seen.names for cell in kept.cells] == [("bfloat16",), ("int32",)]


def test_a_filter_keeps_declared_order_and_takes_words_for_values():
    assert seen(make([3, 1, 2]).only(["2", 3], "where")) == ["3", "2"]
    assert seen(make([True, False]).only("false", "where")) == ["False"]


def test_a_filter_on_a_missing_value_names_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"where: axis 'a' has no such value.*known: x, y"):
        make(["x", "y"]).only(["z"], "where")


def test_an_axis_over_a_table_has_a_value_for_each_op():
    axis = make({"table": "reduction"})
    assert seen(axis) == list(catalog().tables["reduction"])
    assert {cell.weight for cell in axis.cells} == {1}


def test_ops_are_chosen_by_name_and_left_out_by_name():
    spec = {"table": "pointwise", "ops": ["relu", "exp", "log"], "without": ["exp"]}
    assert seen(make(spec)) == ["relu", "log"]


def test_ops_are_chosen_by_tag():
    table = catalog().tables["pointwise"]
    assert seen(make({"table": "pointwise", "tags": ["rounding"]})) == [
        name for name, op in table.items() if "rounding" in op.tags
    ]


def test_a_chain_axis_counts_all_words_of_its_lengths():
    axis = make({"chain": "pointwise", "ops": ["neg", "exp"], "length": [0, 2], "kinds": ["float"]})
    words = {str(cell.value(i)) for cell in axis.cells for i in range(cell.weight)}
    assert axis.size == len(words)
    assert {"identity", "neg", "exp", "neg > exp", "exp > neg"} <= words


def test_a_filter_on_a_chain_reads_words_and_names():
    axis = make({"chain": "pointwise", "ops": ["add", "relu"], "length": [1, 2]})
    assert set(seen(axis.only("add(row)", "where"))) == {"add(row)"}
    assert set(seen(axis.only(["add(row) > relu"], "where"))) == {"add(row) > relu"}
    assert {"add(new)", "add(row)", "add(col)"} <= set(seen(axis.only("add", "where")))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"tabel": "pointwise"}, r"unknown key of an axis: 'tabel'; did you mean 'table'"),
        ({"table": "pointwise", "length": [1, 2]}, "unknown key of an axis: 'length'"),
        ({"tags": ["smooth"]}, "needs `table` or `chain`"),
        ({"table": "pointwize"}, r"unknown op table: 'pointwize'; did you mean 'pointwise'"),
        ({"chain": "pointwize"}, "unknown op table"),
        ({"table": "pointwise", "ops": ["rellu"]}, r"no such op.*'rellu'; did you mean 'relu6?'"),
        ({"table": "pointwise", "without": ["rellu"]}, "no such op"),
        ({"table": "pointwise", "ops": "relu"}, "ops has the wrong type: 'relu'; ops is a list"),
        ({"table": "pointwise", "tags": ["smoth"]}, r"no op has this tag: 'smoth'; did you mean"),
        ({"table": "pointwise", "ops": ["relu"], "without": ["relu"]}, "no op left"),
        ({"chain": "pointwise", "length": [2, 1]}, r"length is \[least, most\]"),
        ({"chain": "pointwise", "length": [1, 9]}, r"length is \[least, most\]"),
        ({"chain": "pointwise", "length": [1, "2"]}, r"length is \[least, most\]"),
        ({"chain": "pointwise", "length": 2}, "length has the wrong type"),
        ({"chain": "pointwise", "tensors": "2"}, "tensors has the wrong type"),
        ({"chain": "pointwise", "sources": ["rows"]}, "unknown source.*'rows'; did you mean 'row'"),
        ({"chain": "pointwise", "kinds": ["flot"]}, "unknown kind.*'flot'; did you mean 'float'"),
        ({"chain": "pointwise", "start": "reel"}, r"unknown domain: 'reel'; did you mean 'real'"),
        ({"chain": "pointwise", "ops": ["add"], "sources": ["row"], "tensors": 0}, "no chain is"),
    ],
)
def test_a_wrong_declaration_names_its_place_and_what_is_known(spec, message):
    with pytest.raises(TemplateError, match=rf"some\.py\.jinja:7: a: .*{message}"):
        make(spec)
