"""All trials of one subject: expectation, observation, comparison; then what no single call shows.

The first trial is the given one. A trial that the reference refuses (it raises, or gives NaN or
infinity where the given one did not) is dropped and counted; one that the subject declares not to
serve is counted as a limit, unless its shapes are the given ones.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from tritongen.verify.judge.bound import compare, witness_of
from tritongen.verify.judge.local import flatten
from tritongen.verify.judge.oracle import expect
from tritongen.verify.judge.records import (
    Expectation,
    How,
    Observation,
    Problem,
    Reference,
    Subject,
    Trial,
)

KEPT = 4
WORDS = 8
CONFIGURATION_RUNS = 64


@dataclass(slots=True)
class Seen:
    """A trial that went well: what was expected and what came."""

    trial: Trial
    expectation: Expectation
    observation: Observation
    is_first_shape: bool


@dataclass(slots=True)
class Judgement:
    """The state of judging one subject; `coverage` is what the verdict says was tried."""

    reference: Reference
    subject: Subject
    tf32: bool = False
    refuse_tf32: bool = False
    seen: list[Seen] = field(default_factory=list)
    first: tuple[Any, ...] | None = None
    first_plain: tuple[Any, ...] = ()
    first_is_finite: bool = True
    coverage: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.coverage.update(
            trials=0,
            kinds={},
            sizes=[],
            refused=0,
            refused_words=[],
            limits={},
            limit_words=[],
            reference="float64",
            precisions=[],
            kernels=[],
            launches=0,
            configurations=1,
            atomics=False,
            partials=0,
            elements=0,
            runs=0,
            notes=[],
        )

    def run(self, trial: Trial, how: How) -> Observation:
        """One call of the subject, noted in the coverage."""
        observation = self.subject.run(trial.arguments, how)
        covered = self.coverage
        covered["runs"] += 1
        if how.launches:
            covered["launches"] += sum(observation.launches.values())
            covered["kernels"] = sorted({*covered["kernels"], *observation.launches})
            covered["configurations"] = max(covered["configurations"], observation.configurations)
            covered["atomics"] |= observation.atomics
            covered["partials"] = max(covered["partials"], observation.partials)
            covered["precisions"] = sorted({*covered["precisions"], *observation.precisions})
            covered["notes"] = sorted({*covered["notes"], *observation.notes})
        return observation


def judge_trials(
    reference: Reference,
    subject: Subject,
    trials: Iterable[Trial],
    *,
    tf32: bool = False,
    refuse_tf32: bool = False,
    afterwards: bool = True,
) -> tuple[Problem | None, dict[str, Any]]:
    """Judge a subject by all of its trials.

    Args:
        reference: says what each trial should give.
        subject: the wrapper and its kernels.
        trials: the given one first; a generator is told by `send` whether the reference accepted.
        tf32: whether dots of float32 may use TF32 from the start; else it follows from what the
            compiled kernels are seen to do.
        refuse_tf32: a kernel seen to use TF32 is then judged by the bound of float32.
        afterwards: whether repeatability, poisons, suppressed launches, the order of programs and
            the configurations are tried once the trials have passed.

    Returns:
        the first problem, or None; and the coverage.
    """
    judgement = Judgement(reference, subject, tf32, refuse_tf32)
    for trial, accept in _told(trials):
        problem = _judge_one(judgement, trial, accept)
        if problem is not None:
            return problem, judgement.coverage
    if judgement.first is None:
        return Problem("form", "there are no trials"), judgement.coverage
    if not judgement.seen:
        return Problem("reference", "the reference accepts no trial"), judgement.coverage
    if afterwards:
        for check in (_repeats, _poisons, _order, _suppressed, _configurations):
            problem = check(judgement)
            if problem is not None:
                return problem, judgement.coverage
    return None, judgement.coverage


def _told(trials: Iterable[Trial]) -> Iterator[tuple[Trial, list[bool]]]:
    """Each trial with a list into which the judge puts whether it was accepted."""
    if not isinstance(trials, Generator):
        for trial in trials:
            yield trial, []
        return
    try:
        trial = next(trials)
        while True:
            accept: list[bool] = []
            yield trial, accept
            trial = trials.send(accept[-1] if accept else True)
    except StopIteration:
        return


def _judge_one(judgement: Judgement, trial: Trial, accept: list[bool]) -> Problem | None:
    covered = judgement.coverage
    is_first = judgement.first is None
    shapes = tuple(_shapes(trial.arguments))
    plain = tuple(_plain(trial.arguments))
    if is_first:
        judgement.first, judgement.first_plain = shapes, plain
    found = expect(judgement.reference, trial.arguments, tf32=judgement.tf32, twice=is_first)
    refusal = _refusal(judgement, trial, found, is_first)
    if refusal is not None:
        accept.append(False)
        if is_first and isinstance(found, Problem):
            return Problem(found.check, found.reason, witness_of(trial))
        covered["refused"] += 1
        if len(covered["refused_words"]) < WORDS:
            covered["refused_words"].append(f"{trial.name}: {refusal}")
        return None
    if isinstance(found, Problem):
        return found
    accept.append(True)
    observation = judgement.run(trial, How(poison=covered["trials"] % 2))  # type: ignore[arg-type]
    if observation.limit:
        is_given = (shapes, plain) == (judgement.first, judgement.first_plain)
        return _limit(judgement, trial, observation, is_given)
    if observation.problem is not None:
        return _placed(observation.problem, trial)
    if "tf32" in observation.precisions and not judgement.tf32 and not judgement.refuse_tf32:
        judgement.tf32 = True
        again = expect(judgement.reference, trial.arguments, tf32=True)
        found = found if isinstance(again, Problem) else again
    problem = compare(observation.outputs, found, trial)
    if problem is not None:
        return _stale(judgement, problem, observation) or problem
    covered["trials"] += 1
    covered["kinds"][trial.kind] = covered["kinds"].get(trial.kind, 0) + 1
    covered["elements"] += sum(o.numel() for o in found.own if isinstance(o, torch.Tensor))
    listed = [list(shape) for shape in shapes]
    if listed not in covered["sizes"]:
        covered["sizes"].append(listed)
    if found.reference == "eager":
        covered["reference"] = "eager"
    same = shapes == judgement.first
    kept = [seen for seen in judgement.seen if seen.is_first_shape == same]
    if len(kept) < KEPT:
        judgement.seen.append(Seen(trial, found, observation, same))
    return None


def _refusal(judgement: Judgement, trial: Trial, found: Any, is_first: bool) -> str | None:
    """Why a trial is dropped, or None."""
    if isinstance(found, Problem):
        return found.reason
    is_finite = all(
        bool(o.to(torch.float64).isfinite().all())
        for o in (*found.own, *found.exact)
        if isinstance(o, torch.Tensor) and o.is_floating_point()
    )
    if is_first:
        judgement.first_is_finite = is_finite
    elif judgement.first_is_finite and not is_finite:
        return "the reference is not finite"
    return None


def _limit(
    judgement: Judgement, trial: Trial, observation: Observation, is_given: bool
) -> Problem | None:
    """A refusal by the subject: a problem at the given shapes and numbers, else counted."""
    if is_given:
        check = "exception" if observation.limit == "declared" else "compile"
        return Problem(check, observation.refusal, witness_of(trial))
    limits = judgement.coverage["limits"]
    limits[observation.limit] = limits.get(observation.limit, 0) + 1
    words = judgement.coverage["limit_words"]
    line = f"{trial.name}: {observation.refusal}"
    if len(words) < WORDS:
        words.append(line)
    return None


def _placed(problem: Problem, trial: Trial) -> Problem:
    return Problem(problem.check, problem.reason, {**witness_of(trial), **problem.witness})


def _shapes(arguments: Any) -> Iterator[tuple[int, ...]]:
    for item in flatten(arguments):
        if isinstance(item, torch.Tensor):
            yield tuple(item.shape)


def _plain(arguments: Any) -> Iterator[Any]:
    """What the arguments have besides tensors, as text: scalars, flags, names."""
    for item in flatten(arguments):
        if not isinstance(item, torch.Tensor):
            yield repr(item)


def _stale(judgement: Judgement, problem: Problem, observation: Observation) -> Problem | None:
    """Wrong results that are those of an earlier call with other values were kept from it."""
    if problem.check != "numerics":
        return None
    for seen in judgement.seen:
        if _equal(seen.observation.outputs, observation.outputs):
            reason = f"the results are those of an earlier call ({seen.trial.name})"
            return Problem("cache", f"{reason}: {problem.reason}", problem.witness)
    return None


def _equal(left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    """Whether results agree bit for bit (any NaN equals any other)."""
    if len(left) != len(right):
        return False
    for a, b in zip(left, right, strict=True):
        if isinstance(a, torch.Tensor) != isinstance(b, torch.Tensor):
            return False
        if not isinstance(a, torch.Tensor):
            if a != b and not (a != a and b != b):
                return False
            continue
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        if a.is_floating_point():
            a, b = a.to(torch.float64), b.to(torch.float64)
            if not torch.equal(a.isnan(), b.isnan()):
                return False
            a, b = (
                a.nan_to_num(0.0, torch.inf, -torch.inf),
                b.nan_to_num(0.0, torch.inf, -torch.inf),
            )
        if not torch.equal(a, b):
            return False
    return True


def _run_again(judgement: Judgement, seen: Seen, how: How, what: str) -> Problem | None:
    """Another run of a trial that passed: right again, and the same unless atomics are used."""
    observation = judgement.run(seen.trial, how)
    if observation.limit:
        return Problem("repeat", f"{what}: {observation.refusal}", witness_of(seen.trial))
    if observation.problem is not None:
        return _placed(observation.problem, seen.trial)
    problem = compare(observation.outputs, seen.expectation, seen.trial)
    if problem is not None:
        return Problem("repeat", f"{what}: {problem.reason}", problem.witness)
    if judgement.coverage["atomics"] or observation.atomics:
        return None
    if not _equal(observation.outputs, seen.observation.outputs):
        reason = f"{what}: results differ from those of the first run"
        return Problem("repeat", reason, witness_of(seen.trial))
    return None


def _repeats(judgement: Judgement) -> Problem | None:
    """The same call gives the same result, after other calls."""
    for seen in judgement.seen[:2]:
        how = How(poison=_poison_of(judgement, seen), watch=False)  # type: ignore[arg-type]
        problem = _run_again(judgement, seen, how, "a second run")
        if problem is not None:
            return problem
    return None


def _poison_of(judgement: Judgement, seen: Seen) -> int:
    return judgement.seen.index(seen) % 2


def _poisons(judgement: Judgement) -> Problem | None:
    """What lies in memory that is not initialised does not show."""
    for seen in (judgement.seen[0], judgement.seen[-1]):
        for poison in (0, 1):
            how = How(poison=poison, watch=False)  # type: ignore[arg-type]
            problem = _run_again(judgement, seen, how, f"poison {poison}")
            if problem is not None:
                check = "memory" if problem.check == "repeat" else problem.check
                return Problem(check, problem.reason, problem.witness)
    return None


def _order(judgement: Judgement) -> Problem | None:
    """The programs of a grid may run in any order, at the given sizes and at the largest."""
    how = How(reverse=True, watch=False)
    for seen in {id(s): s for s in (judgement.seen[0], max(judgement.seen, key=_size))}.values():
        problem = _run_again(judgement, seen, how, "programs in reverse order")
        if problem is not None:
            return problem
    return None


def _size(seen: Seen) -> int:
    """Elements of the tensors of a call."""
    return sum(item.numel() for item in flatten(seen.trial.arguments) if hasattr(item, "numel"))


def _suppressed(judgement: Judgement) -> Problem | None:
    """Without its launches the subject must not be right: else something else did the work."""
    suspects: set[int] | None = None
    for seen in judgement.seen:
        expected = seen.expectation
        observation = judgement.run(seen.trial, How(launches=False, watch=False))
        if len(observation.outputs) != len(expected.own):
            return None
        right = {
            number
            for number, got in enumerate(observation.outputs)
            if isinstance(got, torch.Tensor)
            and got.numel()
            and compare((got,), _only(expected, number), seen.trial) is None
            and not _is_trivial(expected.own[number], seen.trial)
        }
        suspects = right if suspects is None else suspects & right
        if not suspects:
            return None
    if not suspects:
        return None
    number = min(suspects)
    which = f"result {number} is" if len(judgement.seen[0].expectation.own) > 1 else "the result is"
    reason = f"with all kernel launches suppressed {which} right: no kernel made it"
    witness = {**witness_of(judgement.seen[0].trial), "output": number}
    return Problem("honesty", reason, witness)


def _only(expectation: Expectation, number: int) -> Expectation:
    """The expectation of one of the results."""
    widen = expectation.widen
    return Expectation(
        expectation.own[number : number + 1],
        expectation.exact[number : number + 1],
        expectation.bound[number : number + 1],
        expectation.reference,
        None if widen is None else lambda: _only(widen(), number),
    )


def _is_trivial(expected: Any, trial: Trial) -> bool:
    """Whether a result may come without a kernel: a constant, or an input as it is or cast."""
    if not isinstance(expected, torch.Tensor):
        return True
    if bool((expected == expected.reshape(-1)[0]).all()):
        return True
    tensors = (item for item in flatten(trial.arguments) if isinstance(item, torch.Tensor))
    return any(
        torch.equal(item.detach().to(expected.device, expected.dtype), expected)
        for item in tensors
        if item.shape == expected.shape
    )


def _configurations(judgement: Judgement) -> Problem | None:
    """Every autotune configuration is right, at the given shapes and at others."""
    count = judgement.coverage["configurations"]
    others = [seen for seen in judgement.seen if not seen.is_first_shape]
    chosen = [judgement.seen[0], *others[-1:]]
    for index in range(1, min(count, CONFIGURATION_RUNS)):
        for seen in chosen:
            observation = judgement.run(seen.trial, How(configuration=index, watch=False))
            if observation.limit == "resources":
                limits = judgement.coverage["limits"]
                limits["configuration"] = limits.get("configuration", 0) + 1
                continue
            problem = observation.problem
            if problem is None:
                problem = compare(observation.outputs, seen.expectation, seen.trial)
            if problem is not None:
                witness = {**witness_of(seen.trial), **problem.witness, "configuration": index}
                reason = f"autotune configuration {index}: {problem.reason}"
                return Problem("configuration", reason, witness)
    return None
