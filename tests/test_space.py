from __future__ import annotations

import time
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tritongen import space
from tritongen.axes import Axis, Cell
from tritongen.catalog import catalog
from tritongen.errors import EmptySpaceError, TemplateError, UnknownNameError
from tritongen.expr import expression
from tritongen.space import Rule, Space
from tritongen.spread import pick, spread


def axis(name, values, role="semantic"):
    return Axis(name, role, tuple(Cell(value, 1, str(value)) for value in values))


def rule(text, collapses=""):
    return Rule(text, expression(text, "here"), collapses)


def make(axes, rules=(), lets=None, **caps):
    return Space("family", "strategy", axes, list(rules), lets or {}, **caps)


def test_count_and_dropped_add_up_to_the_product_of_the_axes():
    made = make(
        [axis("a", range(4)), axis("b", range(5)), axis("c", range(3), "tuning")],
        [rule("a != 1"), rule("a + b < 7"), rule("b > 0", "c")],
    )
    assert made.count + sum(made.dropped.values()) == made.product == 60


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    limit=st.integers(1, 9),
    modulus=st.integers(2, 4),
    tuning=st.integers(1, 5),
)
def test_indexing_lists_each_admitted_combination_once(sizes, limit, modulus, tuning):
    roles = ["semantic", "form", "tuning", "presentation"]
    axes = [axis(f"a{i}", range(n), roles[i]) for i, n in enumerate(sizes)]
    made = make(
        axes,
        [rule(f"a0 + a1 < {limit}"), rule(f"a1 % {modulus} != 1")],
        tuning=tuning,
        presentations=3,
    )
    points = [made[i] for i in range(made.count)]
    assert len({point.program + point.presentation for point in points}) == made.count
    assert all(p.values["a0"] + p.values["a1"] < limit for p in points)
    assert made.count + sum(made.dropped.values()) == made.product


def test_a_false_when_collapses_its_axis_to_the_first_value():
    made = make([axis("a", [False, True]), axis("b", [1, 2, 3])], [rule("a", "b")])
    assert [(p.values["a"], p.values["b"]) for p in made] == [
        (False, 1),
        (True, 1),
        (True, 2),
        (True, 3),
    ]


def test_a_filter_does_not_change_what_an_axis_collapses_to():
    b = axis("b", [1, 2, 3]).only([2, 3], "here")
    made = make([axis("a", [False, True]), b], [rule("a", "b")])
    assert [(p.values["a"], p.values["b"]) for p in made] == [(True, 2), (True, 3)]


def test_a_rule_over_a_let_connects_the_axes_behind_it():
    lets = {"total": expression("a + b", "here")}
    made = make([axis("a", range(3)), axis("b", range(3))], [rule("total == 2")], lets)
    assert [(p.values["a"], p.values["b"]) for p in made] == [(0, 2), (1, 1), (2, 0)]


def test_tuning_points_of_a_form_are_capped_and_spread():
    axes = [
        axis("op", range(40)),
        axis("block", range(9), "tuning"),
        axis("warps", range(2), "tuning"),
    ]
    made = make(axes, tuning=4)
    by_op: dict[int, set] = {}
    for point in made:
        by_op.setdefault(point.values["op"], set()).add(
            (point.values["block"], point.values["warps"])
        )
    assert {len(points) for points in by_op.values()} == {4}
    assert len(set().union(*by_op.values())) == 18


def test_programs_and_computations_leave_out_the_lesser_axes():
    made = make(
        [
            axis("op", range(3)),
            axis("form", range(2), "form"),
            axis("style", range(20), "presentation"),
        ]
    )
    assert (made.computations, made.programs, made.presentations, made.count) == (3, 6, 8, 48)


def test_an_empty_space_names_the_rules():
    with pytest.raises(EmptySpaceError, match=r"a > 5.*drops 3"):
        make([axis("a", range(3))], [rule("a > 5")])


def test_a_rule_over_an_unknown_name_is_refused():
    with pytest.raises(TemplateError, match=r"'blok'.*known: block"):
        make([axis("block", [1])], [rule("blok > 1")])


def test_a_rule_too_wide_to_count_is_refused():
    axes = [axis(f"a{i}", range(40)) for i in range(4)]
    with pytest.raises(TemplateError, match="2560000 combinations"):
        make(axes, [rule("a0 + a1 + a2 + a3 < 9")])


def test_a_space_of_a_million_million_answers_at_once():
    axes = [axis(f"a{i}", range(10)) for i in range(12)]
    made = make(axes, [rule("a0 != a1")])
    assert made.count == 9 * 10**11
    list(islice(made.sample(8, 1), 8))
    start = time.perf_counter()
    for i in range(200):
        made[(made.count // 200) * i]
    list(made.sample(200, 3))
    assert (time.perf_counter() - start) / 400 < 1e-3


def test_indices_outside_are_refused():
    made = make([axis("a", range(3))])
    assert made[-1].values == {"a": 2}
    with pytest.raises(IndexError):
        made[3]


@given(count=st.integers(1, 10**15), n=st.integers(1, 300), seed=st.integers(0, 10**6))
def test_spread_is_ascending_and_without_repetition(count, n, seed):
    indices = list(spread(count, n, str(seed)))
    assert len(indices) == min(count, n)
    assert all(a < b for a, b in pairwise(indices))
    assert 0 <= indices[0] <= indices[-1] < count


def test_pick_gives_single_elements_of_spread():
    from zlib import crc32

    assert [pick(10**20, 50, crc32(b"s"), i) for i in range(50)] == list(spread(10**20, 50, "s"))


def test_every_built_in_space_adds_up():
    for family in catalog().families:
        for part in space(family).spaces:
            assert part.count + sum(part.dropped.values()) == part.product, (family, part.strategy)


def test_computations_of_a_family_count_each_once(make_family):
    root = make_family(strategy='[where]\n"odd" = "factor % 2"')
    text = (root / "triton/tiny/flat.py.jinja").read_text()
    (root / "triton/tiny/other.py.jinja").write_text(text.replace("factor % 2", "factor < 4"))
    whole = space("tiny", templates=root)
    assert [part.computations for part in whole.spaces] == [2, 2]
    assert whole.computations == 3


def test_where_filters_axes(make_family):
    root = make_family()
    filtered = space("tiny", None, {"factor": [3], "dtype": ["float16"]}, templates=root)
    assert {str(p.values["factor"]) for p in filtered} == {"3"}
    assert {p.values["dtype"].names for p in filtered} == {("float16",)}


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"fctor": [3]}, r"unknown axis: 'fctor'; did you mean 'factor'"),
        ({"factor": [4]}, r"no such value: 4.*known: 2, 3, 5"),
        ({"dtype": ["float8"]}, r"unknown dtype: 'float8'"),
        ({"dtype": ["int32"]}, r"no program of this space has the dtype"),
    ],
)
def test_a_filter_on_what_is_not_there_says_what_is(make_family, where, message):
    with pytest.raises(UnknownNameError, match=message):
        space("tiny", None, where, templates=make_family())
