from __future__ import annotations

import pytest

from tritongen.bindings import bind, shapes_to_test
from tritongen.catalog import catalog
from tritongen.errors import TemplateError
from tritongen.expr import expression
from tritongen.header import DimSpec
from tritongen.sample import renderer_of
from tritongen.space import scope


def dim(name="N", tile="", **options):
    return DimSpec(name, expression(tile, "here") if tile else None, **options)


def bindings_of(family, strategy, where, templates=()):
    known = catalog(templates)
    point = known.space(family, strategy, where)[0]
    contract = known.family(family).contract.header
    way = known.strategy(family, strategy).header
    return bind(contract, way, scope(point.values, known.lets(family, strategy)))


def test_shapes_lie_below_on_and_beyond_the_tile():
    assert shapes_to_test([dim(tile="BLOCK")], {"BLOCK": 64}) == [(1,), (64,), (131,), (63,)]


@pytest.mark.parametrize("tile", [2, 8, 16, 64, 1024])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_some_shape_is_no_multiple_of_the_tile_in_any_dimension(tile, dims):
    shapes = shapes_to_test([dim(str(i), "T") for i in range(dims)], {"T": tile})
    assert any(all(size % tile for size in shape) and max(shape) > tile for shape in shapes)
    assert len(shapes) >= 3


def test_dimensions_do_not_move_together():
    shapes = shapes_to_test([dim("M", "T"), dim("N", "T")], {"T": 32})
    assert any(m > 32 > n for m, n in shapes)
    assert any(m < 32 < n for m, n in shapes)


def test_sizes_without_a_tile_are_small_and_several():
    shapes = shapes_to_test([dim()], {})
    assert len(set(shapes)) >= 3
    assert max(shapes) < (10,)


def test_fixed_sizes_are_taken_as_they_are():
    assert set(shapes_to_test([dim(sizes=(5, 9))], {})) == {(5,), (9,)}


def test_sizes_stay_within_their_limits():
    for (size,) in shapes_to_test([dim(tile="64", min=4, max=100)], {}):
        assert 4 <= size <= 100


@pytest.mark.parametrize("most", [100, 128, 64])
def test_sizes_are_multiples_where_asked_and_never_beyond_the_most(most):
    for (size,) in shapes_to_test([dim(tile="64", multiple_of=16, max=most)], {}):
        assert size % 16 == 0
        assert 0 < size <= most


def test_the_operands_of_a_chain_follow_its_input():
    found = bindings_of("elementwise", "flat", {"op": ["add(new) > mul(scalar)"]})
    assert [(a.name, a.scalar, a.shape_code) for a in found.arguments] == [
        ("x", False, "(N,)"),
        ("y", False, "(N,)"),
        ("alpha", True, "()"),
    ]
    context = found.context()
    assert [a.name for a in context["tensors"]] == ["x", "y"]
    assert [a.name for a in context["scalars"]] == ["alpha"]


def test_operands_draw_from_the_domain_of_their_op():
    known = catalog().tables["pointwise"]["div"]
    found = bindings_of("elementwise", "flat", {"op": ["div(new)"]})
    assert [a.domain for a in found.arguments] == list(known.draws)


@pytest.mark.parametrize(
    ("source", "shape"), [("row", "(N,)"), ("col", "(M, 1)"), ("new", "(M, N)")]
)
def test_vectors_broadcast_against_the_input(source, shape):
    found = bindings_of("elementwise", "tile_2d", {"op": [f"add({source})"]})
    assert (found.arguments[1].shape_code, found.arguments[1].source) == (shape, source)
    assert found.dims == ("M", "N")


def test_dtypes_are_those_of_the_point():
    found = bindings_of("elementwise", "flat", {"op": ["neg"], "dtype": ["float16"]})
    assert found.dtypes == ("float16",)


def test_an_input_may_depend_on_the_point(make_family):
    root = make_family(contract='y = {shape = ["N"], when = "factor == 3"}')
    names = {
        factor: [a.name for a in bindings_of("tiny", "flat", {"factor": [factor]}, root).arguments]
        for factor in (2, 3)
    }
    assert names == {2: ["x"], 3: ["x", "y"]}


def test_a_strategy_may_shape_the_inputs_of_the_contract(make_family):
    root = make_family(strategy='M = {}\n[inputs]\nx = {shape = ["M", "N"], layout = "strided"}')
    (argument,) = bindings_of("tiny", "flat", {}, root).arguments
    assert (argument.shape, argument.layout) == (("M", "N"), "strided")


def test_a_dimension_that_no_input_has_is_left_out(make_family):
    assert bindings_of("tiny", "flat", {}, make_family(strategy="K = {}")).dims == ("N",)


def test_operands_of_what_is_no_chain_are_refused(make_family):
    root = make_family(contract='"*factor" = {shape = ["N"]}')
    with pytest.raises(TemplateError, match=r"not the name of a chain axis: '\*factor'"):
        bindings_of("tiny", "flat", {}, root)


def test_a_domain_that_is_none_is_refused(make_family):
    root = make_family(contract='y = {shape = ["N"], domain = "factor"}')
    with pytest.raises(TemplateError, match=r"tiny\.py\.jinja:\d+: not a domain: 2"):
        bindings_of("tiny", "flat", {}, root)


def test_the_test_of_a_pair_has_the_shapes_of_its_program(make_family):
    known = catalog(make_family())
    renderer = renderer_of(known, "tiny", "flat")
    for point in known.space("tiny", "flat").sample(8):
        block = point.values["BLOCK_SIZE"]
        assert f"SHAPES = [(1,), ({block},), ({2 * block + 3},), ({block - 1},)]" in (
            renderer.pair(point).test_code
        )
