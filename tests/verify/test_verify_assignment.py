"""Which launch is compiled for which target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tritongen.verify.assignment import assignments, weight

TARGETS = ("sm_80", "sm_90", "sm_100", "gfx942")


@dataclass
class Launch:
    """What the assignment reads of a captured launch."""

    key: str
    name: str = "kernel"
    signature: dict[str, str] = field(default_factory=lambda: {"x": "*fp32"})
    constants: dict[tuple[int, ...], Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


def test_the_heaviest_launch_of_each_kernel_meets_every_target() -> None:
    launches = [Launch("a"), Launch("b", signature={"x": "*fp16"}), Launch("c", name="second")]
    dealt = assignments(launches, TARGETS)
    for heavy in (launches[0], launches[2]):
        assert [target for launch, target in dealt if launch is heavy] == list(TARGETS)


def test_every_other_launch_meets_one_target() -> None:
    launches = [Launch("a"), *[Launch(f"half {i}", signature={"x": "*fp16"}) for i in range(40)]]
    dealt = assignments(launches, TARGETS)
    for light in launches[1:]:
        assert sum(launch is light for launch, _ in dealt) == 1
    assert {target for launch, target in dealt if launch is not launches[0]} == set(TARGETS)


def test_the_order_is_that_of_the_targets_and_the_same_each_time() -> None:
    launches = [Launch(f"k{i}", constants={(1,): 16 << i}) for i in range(4)]
    dealt = assignments(launches, TARGETS)
    assert [TARGETS.index(target) for _, target in dealt] == sorted(
        TARGETS.index(target) for _, target in dealt
    )
    assert dealt == assignments(launches, TARGETS)


def test_wider_elements_larger_blocks_and_more_stages_are_heavier() -> None:
    plain = Launch("a", constants={(1,): 64})
    assert weight(plain) > weight(Launch("a", constants={(1,): 32}))
    half = Launch("a", signature={"x": "*bf16"}, constants={(1,): 64})
    assert weight(plain) == 2 * weight(half)
    staged = Launch("a", constants={(1,): 64}, options={"num_stages": 5})
    assert weight(staged) > weight(plain)
