"""Sizes, layouts, values, nulls and the policy: what each makes of what it is given."""

from __future__ import annotations

import pytest
import torch

from tritongen.verify.own import nulls, values
from tritongen.verify.own.layout_rules import accepted_layouts
from tritongen.verify.own.layouts import relaid
from tritongen.verify.own.nulls import NULLS, Facts, same
from tritongen.verify.own.policy import Compilable, Seen, choose, compile_plan
from tritongen.verify.own.shapes import (
    Blocks,
    block_sizes,
    blocks_by_dimension,
    is_prime,
    prime_above,
    sizes_to_try,
    units,
)

# Sizes


def test_blocks_are_the_powers_of_two_among_the_constants() -> None:
    assert block_sizes([64, 3, True, 1, 2, "exp", None, 48, 128, 64]) == [2, 64, 128]


def test_a_fixed_block_belongs_to_the_dimension_whose_sizes_lie_around_it() -> None:
    calls = [((1, 1), {"k.B": 64}), ((4, 64), {"k.B": 64}), ((3, 131), {"k.B": 64})]
    assert blocks_by_dimension(calls, {"k.B": {64}}) == [Blocks(), Blocks((64,))]
    far = [((1, 1), {"k.B": 64}), ((4, 9), {"k.B": 64})]
    assert blocks_by_dimension(far, {"k.B": {64}}) == [Blocks((), (64,)), Blocks((), (64,))]


def test_a_constant_that_follows_a_size_is_a_block_of_whole_rows() -> None:
    calls = [((3, 50), {"k.B": 64}), ((5, 128), {"k.B": 128}), ((9, 5), {"k.B": 8})]
    found = blocks_by_dimension(calls, {"k.B": {8, 64, 128}})
    assert found == [Blocks(), Blocks(rows=(64, 128))]
    sizes = {size.dims[1] for size in sizes_to_try([(3, 50)], found, 1 << 20)}
    assert {53, 63, 64, 65, 97, 127, 128} <= sizes
    assert max(sizes) == 128


def test_every_dimension_in_turn_gets_the_sizes_around_its_block() -> None:
    blocks = [Blocks((32,)), Blocks((64,))]
    sizes = {size.dims for size in sizes_to_try([(1, 1), (32, 64), (31, 67)], blocks, 1 << 20)}
    for dim, block in ((0, 32), (1, 64)):
        tried = {dims[dim] for dims in sizes}
        assert {1, block - 1, block, block + 1, prime_above(block + block // 2)} <= tried
        assert any(size > 2 * block and size % block for size in tried)
    assert (81, 161) in sizes
    assert not sizes & {(1, 1), (32, 64), (31, 67)}
    assert max(a * b for a, b in sizes) <= 1 << 20
    assert all(a * b <= 3000 for a, b in {s.dims for s in sizes_to_try([(1, 1)], blocks, 3000)})


def test_sizes_keep_to_the_least_and_to_the_multiples_that_the_test_uses() -> None:
    seen = [(2, 8), (2, 64), (5, 24)]
    assert units(seen) == [1, 8]
    assert units([(64,), (128,), (256,)]) == [1]
    for size in sizes_to_try(seen, [Blocks(), Blocks((64,))], 1 << 20):
        assert size.dims[0] >= 2
        assert size.dims[1] % 8 == 0


def test_positions_are_tried_beyond_what_half_precision_holds() -> None:
    sizes = sizes_to_try([(3, 5)], [Blocks(), Blocks()], 1 << 20, True)
    assert any(max(size.dims) > 2048 for size in sizes)
    assert is_prime(3001)


# Layouts

WRAPPER = """
def wrapper(x, y, z, v, w, eps):
    x = x.movedim(0, -1).contiguous()
    n = y.shape[0]
    kernel[(n,)](x, y, y.stride(0), z.stride(0), z.stride(-1), v.stride(), w, eps, out.stride(0))
"""


def test_a_wrapper_takes_the_layouts_whose_strides_it_reads_or_that_it_copies() -> None:
    found = accepted_layouts(WRAPPER, "wrapper")
    assert found == {"x": "any", "y": [0], "z": [-1, 0], "v": "any"}
    assert accepted_layouts(WRAPPER, "other") == {}
    assert accepted_layouts("def broken(", "broken") == {}


@pytest.mark.parametrize("kind", ["padded", "turned"])
def test_other_layouts_hold_the_same_values_at_strides_of_their_own(kind: str) -> None:
    x, y = torch.randn(4, 6), torch.randn(2, 3, 5)
    made = relaid((x, y, 2.0), ["x", "y", "eps"], {"x": "any", "y": "any"}, kind)
    assert made is not None
    for before, after in zip((x, y), made[:2], strict=True):
        assert torch.equal(before, after)
        assert after.stride() != before.stride()
        assert (after.stride(-1) == 1) == (kind == "padded")
    assert made[0].untyped_storage().nbytes() > x.untyped_storage().nbytes()


def test_only_the_strides_that_are_read_change() -> None:
    x, y = torch.randn(4, 6), torch.randn(4, 6)
    padded = relaid((x, y), ["x", "y"], {"x": [0]}, "padded")
    assert padded is not None
    assert padded[0].stride(1) == 1
    assert padded[0].stride(0) > 6
    assert padded[1].is_contiguous()
    assert relaid((x,), ["x"], {"x": [0]}, "turned") is None
    assert relaid((x,), ["x"], {"x": [1]}, "padded") is None
    assert relaid((x,), ["x"], {}, "padded") is None


# Values


def test_hard_values_stay_in_the_range_that_was_seen() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(6, 100, generator=generator) * 3 + 0.5
    mask = torch.full((6, 100), float("-inf"))
    ranges = values.observed([(x, mask, 3)])
    assert ranges[1] is None
    assert ranges[2] is None
    for kind in values.KINDS:
        made = values.changed((x, mask, 3), ranges, kind, 1)
        if kind == "zero rows":
            assert made is None
            continue
        assert made is not None
        assert made[0].min() >= x.min()
        assert made[0].max() <= x.max()
        assert torch.equal(made[1], mask)
        assert made[2] == 3


def test_a_gap_around_zero_is_kept() -> None:
    x = torch.randn(1000)
    x = torch.where(x < 0, x - 0.25, x + 0.25)
    ranges = values.observed([(x,)])
    for kind in values.KINDS:
        made = values.changed((x,), ranges, kind, 1)
        assert made is None or made[0].abs().min() >= x.abs().min()


def test_each_kind_of_values_is_what_its_name_says() -> None:
    x = torch.randn(8, 64)
    x[0, 0] = 0.0
    ranges = values.observed([(x,)])
    made = {kind: values.changed((x,), ranges, kind, 1) for kind in values.KINDS}
    found = {kind: value[0] for kind, value in made.items() if value is not None}
    assert (found["constant rows"] == found["constant rows"][:, :1]).all()
    assert len(found["ties"].unique()) <= 3
    assert (found["zero rows"][::2] == 0).all()
    assert found["large mean"].std() < found["large mean"].mean().abs() / 50
    assert found["scale 1e-3"].abs().max() < 0.01
    assert found["scale 30"].abs().mean() > x.abs().mean()


# Nulls


def facts(arguments: tuple[object, ...], *outputs: torch.Tensor) -> Facts:
    """Facts whose earlier results are the right ones."""
    return Facts(arguments, outputs, lambda: tuple(value.clone() for value in outputs), 4)


def only(made: tuple[torch.Tensor, ...] | None) -> torch.Tensor:
    """The one result of a null that must have one."""
    assert made is not None
    return made[0]


def test_nulls_have_the_form_of_the_right_results() -> None:
    x = torch.randn(5, 7)
    for right in (torch.softmax(x, -1), x.sum(-1), x.sum(), (x > 0), x.argmax(-1)):
        for name, null in NULLS.items():
            given = facts((x,), right.half() if right.is_floating_point() else right)
            made = null(given)
            if made is None:
                assert name == "identity"
                continue
            assert made[0].shape == right.shape
            assert made[0].dtype == given.outputs[0].dtype


def test_partial_nulls_are_right_where_they_say() -> None:
    right = torch.arange(1.0, 13.0)
    first = only(nulls.first_tile(facts((right,), right)))
    assert torch.equal(first[:4], right[:4])
    assert not first[4:].any()
    most = only(nulls.all_but_last(facts((right,), right)))
    assert torch.equal(most[:-1], right[:-1])
    assert most[-1] != right[-1]
    for all_alike in (torch.zeros(3), torch.ones(2, dtype=torch.bool), torch.full((2,), 5)):
        most = only(nulls.all_but_last(facts((all_alike,), all_alike)))
        assert most[-1] != all_alike[-1]


def test_results_are_the_same_bit_for_bit_with_nan_where_nan_is() -> None:
    x = torch.tensor([1.0, float("nan")])
    assert same((x,), (x.clone(),))
    assert not same((x,), (x.half(),))
    assert not same((x,), (torch.tensor([1.0, 2.0]),))
    assert not same((x,), (x, x))


# Policy


def seen(dtype: str, key: str, ones: int = 0, sixteens: int = 0, *flags: str) -> Seen:
    """A call with one specialisation."""
    return Seen(dtype, frozenset({f"{dtype}|{key}"}), ones, sixteens, frozenset(flags))


def calls_of(dtypes: list[str]) -> list[Seen]:
    """For each dtype: size 1, a multiple of 16, and three general sizes."""
    found = []
    for dtype in dtypes:
        found += [seen(dtype, "one", 1, 0), seen(dtype, "sixteen", 0, 3)]
        found += [seen(dtype, "general"), seen(dtype, "general"), seen(dtype, "general")]
    return found


def test_each_dtype_gets_the_general_class_and_one_of_them_that_divisible_by_16() -> None:
    calls = calls_of(["float16", "float32"])
    choice = choose(calls, 0x0100)
    assert choice.groups == {"general": ["float16", "float32"], "divisible by 16": ["float16"]}
    assert choice.specialisations == {"float16|general", "float32|general", "float16|sixteen"}
    assert choice.run == [1, 2, 3, 4, 7, 8, 9]
    assert choice.left == {
        "float16, equal to 1": 1,
        "float32, equal to 1": 1,
        "float32, divisible by 16": 1,
    }
    assert choice.coverage()["specialisations"] == 3


def test_one_program_in_eight_gets_the_class_equal_to_one() -> None:
    calls = calls_of(["float32"])
    taken = ["equal to 1" in choose(calls, number << 8).groups for number in range(64)]
    assert sum(taken) == 8


def test_every_value_of_a_flag_is_compiled_and_full_runs_everything() -> None:
    calls = [seen("float32", "a", 0, 0, "EVEN=False"), seen("float32", "b", 0, 2, "EVEN=False")]
    calls += [seen("float32", "c", 0, 1, "EVEN=True"), seen("float16", "c", 0, 1, "EVEN=True")]
    for number in range(40):
        choice = choose(calls, number << 8)
        flags = {flag for index in choice.run for flag in calls[index].flags}
        assert flags == {"EVEN=False", "EVEN=True"}
    assert choose(calls, 1, full=True).run == [0, 1, 2, 3]
    assert choose([], 1).run == []


def test_the_most_demanding_launch_is_compiled_for_each_target_and_every_label_once() -> None:
    launches = [
        Compilable("kernel", width, size, frozenset({f"dtype {width}", f"size {size}"}))
        for width in (2, 4)
        for size in (64, 128, 256)
    ]
    targets = ["sm_80", "sm_90", "gfx942"]
    plan = compile_plan(launches, targets, 5)
    assert all(5 in indices for indices in plan.values())
    compiled = {index for indices in plan.values() for index in indices}
    assert {label for index in compiled for label in launches[index].labels} == {
        *("dtype 2", "dtype 4", "size 64", "size 128", "size 256")
    }
    assert sum(map(len, plan.values())) <= 6
    everything = compile_plan(launches, targets, 5, "all")
    assert everything == {target: [0, 1, 2, 3, 4, 5] for target in targets}
