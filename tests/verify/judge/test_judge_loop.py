"""Plans of trials, and the judging of whole subjects; plain functions stand in for kernels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tritongen.verify.judge.local import LocalReference, copy_values, flatten
from tritongen.verify.judge.loop import judge_trials
from tritongen.verify.judge.plan import Budget, foreign_trials
from tritongen.verify.judge.records import How, Observation, Problem, Trial

X = torch.randn(32, 96, generator=torch.Generator().manual_seed(0))


class Fake:
    """A subject that is a Python function; where launches are suppressed it gives poison."""

    def __init__(self, function: Callable[..., Any], **observed: Any) -> None:
        self.function = function
        self.observed = {"launches": {"kernel": 1}, **observed}
        self.hows: list[How] = []

    def run(self, arguments: tuple[Any, ...], how: How) -> Observation:
        """One call on copies."""
        self.hows.append(how)
        outputs = flatten(self.function(*copy_values(arguments)))
        if not how.launches:
            return Observation(tuple(torch.full_like(o, 37) for o in outputs))
        return Observation(outputs, **self.observed)


def judged(
    reference: Callable[..., Any], subject: Any, *arguments: Any, **options: Any
) -> tuple[Problem | None, dict[str, Any]]:
    """The judgement of a subject (or a function) by the trials of a foreign candidate."""
    subject = subject if hasattr(subject, "run") else Fake(subject)
    return judge_trials(LocalReference(reference), subject, foreign_trials(arguments, 7), **options)


def softmax(x: torch.Tensor) -> torch.Tensor:
    """The reference of most tests."""
    return torch.softmax(x, dim=-1)


def test_the_given_call_comes_first_and_the_seed_decides_the_rest() -> None:
    trials = list(foreign_trials((X, 0.5), 7))
    again = list(foreign_trials((X, 0.5), 7))
    other = list(foreign_trials((X, 0.5), 8))
    assert trials[0].arguments[0] is X
    assert [t.name for t in trials] == [t.name for t in again] == [t.name for t in other]
    assert all(
        torch.equal(a.arguments[0], b.arguments[0]) for a, b in zip(trials, again, strict=True)
    )
    assert not torch.equal(trials[1].arguments[0], other[1].arguments[0])


def test_a_plan_has_all_kinds_and_awkward_sizes_within_its_budget() -> None:
    budget = Budget(trials=100, elements=1 << 14)
    trials = list(foreign_trials((X,), 7, budget))
    kinds = {trial.kind for trial in trials}
    assert {"given", "fresh", "signed", "scale 30", "constant rows", "ties", "zero rows"} <= kinds
    shapes = {tuple(trial.arguments[0].shape) for trial in trials}
    assert {(17, 96), (1, 96), (31, 96), (33, 96), (67, 96), (32, 17), (32, 97)} <= shapes
    assert all(trial.arguments[0].numel() <= 1 << 14 for trial in trials)
    assert len(list(foreign_trials((X,), 7, Budget(trials=5)))) == 5


def test_a_half_example_is_also_run_in_float32_and_not_the_reverse() -> None:
    halves = {str(t.arguments[0].dtype) for t in foreign_trials((X.bfloat16(),), 7)}
    assert halves == {"torch.bfloat16", "torch.float32"}
    assert {str(t.arguments[0].dtype) for t in foreign_trials((X,), 7)} == {"torch.float32"}


def test_multiples_are_tried_where_the_reference_refuses_other_sizes() -> None:
    def heads(x: torch.Tensor, count: int) -> torch.Tensor:
        return torch.softmax(x.view(x.shape[0], count, -1), -1)

    _, coverage = judged(heads, heads, torch.randn(10, 96), 12)
    widths = {shape[0][1] for shape in coverage["sizes"]}
    assert 36 in widths
    assert coverage["refused"] > 0


def test_an_honest_subject_passes_and_the_coverage_says_what_was_tried() -> None:
    problem, coverage = judged(softmax, lambda x: torch.softmax(x + 0, -1), X)
    assert problem is None
    assert coverage["trials"] > 15
    assert coverage["kinds"]["fresh"] == 3
    assert len(coverage["sizes"]) > 5
    assert coverage["reference"] == "float64"
    assert coverage["kernels"] == ["kernel"]
    assert coverage["elements"] > 1000


def only_at(shape: tuple[int, ...]) -> Callable[[torch.Tensor], torch.Tensor]:
    """A softmax that is right at one shape only."""
    return lambda x: softmax(x) if x.shape == shape else torch.zeros_like(x)


@pytest.mark.parametrize(
    ("name", "kernel"),
    [
        ("zeros", torch.zeros_like),
        ("the given shape only", only_at((32, 96))),
        ("no tail", lambda x: torch.where(torch.arange(x.shape[-1]) < x.shape[-1] // 16 * 16, softmax(x), 0.0)),
        ("no maximum", lambda x: x.exp() / x.exp().sum(-1, keepdim=True)),
        ("even rows", lambda x: softmax(x) * (torch.arange(x.shape[0]) % 32 < 32)[:, None] if x.shape[0] <= 64 else softmax(x) * 0),
    ],
)  # fmt: skip
def test_a_wrong_subject_is_seen_by_its_numbers(name: str, kernel: Any) -> None:
    problem, _ = judged(softmax, kernel, X)
    assert problem is not None, name
    assert problem.check == "numerics"
    assert problem.witness["shape"]


def test_the_identity_for_relu_is_seen_where_the_example_is_positive() -> None:
    problem, _ = judged(torch.relu, lambda x: x.clone(), X.abs())
    assert problem is not None
    assert problem.witness["inputs"] == "signed"


def test_a_weight_that_is_ignored_is_seen_although_the_example_has_ones() -> None:
    def norm(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x, (x.shape[-1],), w, 1e-6)

    problem, _ = judged(
        norm, lambda x, w: F.rms_norm(x, (x.shape[-1],), None, 1e-6), X, torch.ones(96)
    )
    assert problem is not None
    assert problem.witness["inputs"] == "fresh"


def test_a_constant_that_the_code_should_read_from_an_argument_is_seen() -> None:
    problem, _ = judged(lambda x, s: x * s, lambda x, s: x * 0.5, X, 0.5)
    assert problem is not None
    assert problem.check == "numerics"


def test_results_kept_between_calls_are_named_as_such() -> None:
    kept: dict[tuple[int, ...], torch.Tensor] = {}

    def caching(x: torch.Tensor) -> torch.Tensor:
        return kept.setdefault(tuple(x.shape), softmax(x)).clone()

    problem, _ = judged(softmax, caching, X)
    assert problem is not None
    assert problem.check == "cache"


def test_results_that_change_between_equal_calls_fail_unless_atomics_explain_it() -> None:
    calls = [0]

    def wobbling(x: torch.Tensor) -> torch.Tensor:
        calls[0] += 1
        return softmax(x) * (1 + (calls[0] == 1) * 2.0**-23)

    problem, _ = judged(softmax, Fake(wobbling), X)
    assert problem is not None
    assert problem.check == "repeat"
    calls[0] = 0
    problem, coverage = judged(softmax, Fake(wobbling, atomics=True), X)
    assert problem is None
    assert coverage["atomics"]


def test_work_that_no_kernel_did_is_dishonest() -> None:
    class Torch(Fake):
        def run(self, arguments: tuple[Any, ...], how: How) -> Observation:
            return super().run(arguments, dataclasses.replace(how, launches=True))

    problem, _ = judged(softmax, Torch(softmax), X)
    assert problem is not None
    assert problem.check == "honesty"


def test_one_of_two_results_that_no_kernel_made_is_dishonest() -> None:
    class Half(Fake):
        def run(self, arguments: tuple[Any, ...], how: How) -> Observation:
            seen = super().run(arguments, how)
            if how.launches:
                return seen
            done = softmax(arguments[0]) if self.observed["notes"] else arguments[0].clone()
            return Observation((seen.outputs[0], done))

    problem, _ = judged(
        lambda x: (x * 2, softmax(x)), Half(lambda x: (x * 2, softmax(x)), notes=("a",)), X
    )
    assert problem is not None
    assert problem.check == "honesty"
    assert problem.witness["output"] == 1
    passed, _ = judged(lambda x: (x * 2, x), Half(lambda x: (x * 2, x.clone()), notes=()), X)
    assert passed is None


def test_poison_that_shows_is_a_matter_of_memory() -> None:
    class Leaking(Fake):
        def run(self, arguments: tuple[Any, ...], how: How) -> Observation:
            seen = super().run(arguments, how)
            first = len(self.hows) < 5 or how.poison == 0
            return seen if first else dataclasses.replace(seen, outputs=(seen.outputs[0] * 1.1,))

    problem, _ = judge_trials(
        LocalReference(softmax), Leaking(softmax), [Trial("given", "given", (X,))]
    )
    assert problem is not None
    assert problem.check == "memory"


def test_both_poisons_and_the_reverse_order_are_tried() -> None:
    subject = Fake(softmax)
    judged(softmax, subject, X)
    assert {how.poison for how in subject.hows} == {0, 1}
    assert any(how.reverse for how in subject.hows)
    assert any(not how.launches for how in subject.hows)


def test_every_configuration_is_judged() -> None:
    class Tuned(Fake):
        def run(self, arguments: tuple[Any, ...], how: How) -> Observation:
            seen = super().run(arguments, how)
            return (
                dataclasses.replace(seen, outputs=(seen.outputs[0] * 1.1,))
                if how.configuration == 2
                else seen
            )

    problem, _ = judged(softmax, Tuned(softmax, configurations=4), X)
    assert problem is not None
    assert problem.check == "configuration"
    assert problem.witness["configuration"] == 2
    assert judged(softmax, Fake(softmax, configurations=4), X)[0] is None


def limited(shape: tuple[int, ...], limit: Any) -> Fake:
    """A subject that serves one shape."""

    class Limited(Fake):
        def run(self, arguments: tuple[Any, ...], how: How) -> Observation:
            if tuple(arguments[0].shape) != shape:
                return Observation(limit=limit, refusal="only one shape is served")
            return super().run(arguments, how)

    return Limited(softmax)


@pytest.mark.parametrize(("limit", "check"), [("declared", "exception"), ("resources", "compile")])
def test_limits_are_counted_but_not_at_the_given_shapes(limit: str, check: str) -> None:
    problem, coverage = judged(softmax, limited((32, 96), limit), X)
    assert problem is None
    assert coverage["limits"][limit] > 5
    problem, _ = judged(softmax, limited((1, 1), limit), X)
    assert problem is not None
    assert problem.check == check


def test_what_the_subject_saw_comes_before_the_numbers() -> None:
    class Faulty(Fake):
        def run(self, arguments: tuple[Any, ...], how: How) -> Observation:
            return Observation((torch.zeros(1),), Problem("memory", "a red zone was written"))

    problem, _ = judged(softmax, Faulty(softmax), X)
    assert problem is not None
    assert problem.check == "memory"
    assert problem.witness["inputs"] == "given"


def test_tf32_widens_the_bound_only_where_it_is_seen_and_not_refused() -> None:
    import honest_kernels as honest

    a, b = torch.randn(48, 64), torch.randn(64, 80)
    seen = Fake(honest.tf32_matmul, precisions=("tf32",))
    problem, coverage = judged(torch.matmul, seen, a, b)
    assert problem is None
    assert coverage["precisions"] == ["tf32"]
    assert judged(torch.matmul, seen, a, b, refuse_tf32=True)[0] is not None
    assert judged(torch.matmul, honest.tf32_matmul, a, b)[0] is not None


def test_a_kind_of_which_the_reference_makes_nan_is_dropped_and_counted() -> None:
    problem, coverage = judged(torch.log, torch.log, X.abs() + 0.1)
    assert problem is None
    assert "signed" not in coverage["kinds"]
    assert any("finite" in word for word in coverage["refused_words"])


def test_a_reference_that_fails_on_the_given_call_ends_the_judgement() -> None:
    problem, _ = judged(lambda x: x @ x, softmax, X)
    assert problem is not None
    assert problem.check == "reference"


def test_a_random_reference_ends_the_judgement() -> None:
    problem, _ = judged(lambda x: F.dropout(x, 0.5), softmax, X)
    assert problem is not None
    assert "random" in problem.reason
