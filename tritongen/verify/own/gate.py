"""The whole gate on one of our own pairs, reference and wrapper in one warm process.

An `OwnGate` holds what the checks of one pair share; every check returns a `Problem`, which ends
the judgement, or None, and writes into `coverage` what it tried and what it left out.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import torch

from tritongen.verify.cases import Case
from tritongen.verify.judge.records import How, Problem, Reference, Trial
from tritongen.verify.own import trials as sources
from tritongen.verify.own.constants import tuned_constants, watching
from tritongen.verify.own.device import asks_for_multiprocessors
from tritongen.verify.own.entry import Entry, find_entry
from tritongen.verify.own.guard import Guard, replaced
from tritongen.verify.own.layout_rules import accepted_layouts
from tritongen.verify.own.null_check import check_nulls
from tritongen.verify.own.paid import Paid
from tritongen.verify.own.policy import program_hash
from tritongen.verify.own.reference import OnHost, OwnReference
from tritongen.verify.own.repeat import check_configurations, check_repeats
from tritongen.verify.own.session import Budget, Session, dtype_of, elements_of, parameter_names
from tritongen.verify.own.shapes import LARGE, block_sizes, blocks_by_dimension
from tritongen.verify.own.trials import Maker, Plan

TRIAL_ACCESSES = 1000
TRIAL_RUNS = {"interpret": 18, "cuda": 24}
CONFIGURATION_RUNS = 24
ELEMENTS = {"interpret": 1 << 18, "cuda": 1 << 23}
FEW_ELEMENTS = 1 << 11
LONG_ACCESSES = 500
SHARES = {"layouts": 2, "sizes": 4, "integers": 2, "float32": 1, "values": 2, "scalars": 1}
"""How many trials of each group are taken in turn."""

Surroundings = Callable[[], contextlib.AbstractContextManager[Any]]


class OwnGate:
    """One pair, its session, and the checks on it."""

    def __init__(
        self,
        session: Session,
        module: ModuleType,
        request: Mapping[str, Any],
        kind: str,
        surroundings: Surroundings,
    ) -> None:
        self.session = session
        self.module = module
        self.kind = kind
        self.surroundings = surroundings
        self.full = bool(request.get("full"))
        self.number = program_hash(request)
        metadata = request.get("metadata") or {}
        entry = session.entry
        self.maker = Maker(entry.make, entry.make_dims) if entry.make and entry.make_dims else None
        self.guard = Guard(session, self.maker)
        self.names = parameter_names(entry.wrapper)
        declared = metadata.get("layouts")
        self.accepted = (
            dict(declared)
            if isinstance(declared, dict)
            else accepted_layouts(request["triton_code"], entry.wrapper_name)
        )
        self.few = asks_for_multiprocessors(request["triton_code"])
        self.coverage: dict[str, Any] = {}
        rotate = bool(request.get("rotate"))
        paid = Paid(session, module, self.maker, self.number, rotate)
        self.paid = paid if kind == "cuda" else None
        self.closing = contextlib.ExitStack()
        if kind == "interpret":
            self.closing.enter_context(watching(session.watch))

    def close(self) -> None:
        """Stop watching launches."""
        self.closing.close()

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """The module with the guard for its wrapper, and with `make_inputs` written down."""
        values: dict[str, Any] = {self.session.entry.wrapper_name: self.guard}
        if self.maker is not None:
            values["make_inputs"] = self.maker
        with replaced(self.module, **values):
            yield

    # The pair's own cases

    def ordered(self, cases: Sequence[Case]) -> tuple[list[Case], int, int]:
        """The cases in the order in which they show most that is new.

        And how many of them show every value of every argument, and how many every pair of values.
        """
        pairs = {case.name: _value_pairs(case) for case in cases}
        singles = {pair for own in pairs.values() for pair in own if len(pair) == 1}
        rest = list(cases)
        turn = self.number % max(1, len(rest))
        rest = rest[turn:] + rest[:turn]
        seen: set[frozenset[tuple[str, str]]] = set()
        first: list[Case] = []
        needed = 0
        while rest:
            best = max(rest, key=lambda case: len(pairs[case.name] - seen))
            if first and not pairs[best.name] - seen:
                break
            first.append(best)
            rest.remove(best)
            if singles - seen:
                needed = len(first)
            seen |= pairs[best.name]
        return first + rest, needed, len(first)

    # Trials beyond the pair's own test

    def more_trials(self) -> Problem | None:
        """Sizes, values, layouts, scalars and precision that the pair's own test does not try."""
        session = self.session
        budget = Budget(session.watch, TRIAL_ACCESSES, TRIAL_RUNS[self.kind])
        counts: Counter[str] = Counter()
        left: Counter[str] = Counter()
        for group, trial, lenient in self._candidates():
            if not self.full and budget.spent and group != "layouts":
                left["budget"] += 1
                continue
            if self.paid is not None and not self.paid.covers(group, trial):
                left["specialisation"] += 1
                continue
            if group != "layouts" and self._takes_long(trial):
                left["cost"] += 1
                continue
            budget.used += 1
            observation, problem = session.observe(trial, How(watch=counts[group] == 0))
            if lenient and observation.limit:
                left[f"declared limit ({group})"] += 1
                continue
            if problem is None:
                problem = session.settle(trial, observation, session.cost)
            if problem is not None:
                if group == "sizes" and self._outside_domain(trial):
                    left["outside the domain"] += 1
                    continue
                if problem.check == "reference" and group != "sizes":
                    left["refused by the reference"] += 1
                    continue
                return problem
            counts[group] += 1
        self.coverage["trials"] = dict(counts)
        if left:
            self.coverage["trials_left"] = dict(left)
        return None

    def _candidates(self) -> list[tuple[str, Trial, bool]]:
        """(group, trial, whether the wrapper may refuse it), what finds most first."""
        held = [item.trial.arguments for item in self.session.held]
        if not held:
            return []
        session = self.session
        blocks = blocks_by_dimension(session.tiles, session.watch.every) if session.tiles else []
        self.coverage["blocks"] = [[*b.own, *b.guessed, *b.rows] for b in blocks]
        limit = ELEMENTS[self.kind]
        indices = any(_is_positions(value) for value in session.held[0].expectation.own)
        plan = Plan(self.number, blocks, self.names, self.accepted, limit, indices, self.few)
        bases = self._bases(held)
        groups: dict[str, list[Trial]] = {"layouts": [], "sizes": []}
        with self.surroundings():
            if self.maker is not None and self.maker.calls:
                groups["sizes"] = list(sources.new_sizes(self.maker, plan))
            for group, made in (
                ("layouts", sources.other_layouts(sources.layout_bases(self.maker, bases), plan)),
                ("integers", sources.whole_values(held, bases, session.reference, self.number)),
                ("float32", sources.in_float32(bases, self.maker)),
                ("values", sources.hard_values(held, bases, self.number)),
                ("scalars", sources.other_scalars(bases)),
            ):
                groups[group] = [Trial(name, name, values) for name, values in made]
        return [
            (group, trial, group in ("layouts", "float32"))
            for group, trial in interleaved(groups, SHARES)
        ]

    def _bases(self, held: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The largest arguments of every dtype that the test used."""
        if self.maker is not None and self.maker.calls:
            return [call.arguments for call in sources.base_calls(self.maker)]
        best: dict[str, tuple[Any, ...]] = {}
        for arguments in held:
            dtype = dtype_of(arguments)
            if dtype not in best or elements_of(arguments) > elements_of(best[dtype]):
                best[dtype] = arguments
        return [best[dtype] for dtype in sorted(best, key=lambda name: name != "float32")]

    def _takes_long(self, trial: Trial) -> bool:
        """Whether the interpreter would be at it for long, by the programs that it launches."""
        session = self.session
        if self.kind != "interpret" or self.full or elements_of(trial.arguments) < FEW_ELEMENTS:
            return False
        rates = sorted(item.accesses / max(1, item.programs) for item in session.held)
        before = session.programs()
        session.observe(trial, How(launches=False, watch=False))
        programs = session.programs() - before
        longer = 3 if max(trial.sizes.values(), default=0) == LARGE else 1
        return programs * rates[len(rates) // 2] > LONG_ACCESSES * longer

    def _outside_domain(self, trial: Trial) -> bool:
        """Whether the reference gives NaN here and never did for the test's own inputs."""
        if any(_has_nan(value) for item in self.session.held for value in item.expectation.own):
            return False
        ran = self.session.reference.run(trial.arguments, "own")
        return not ran.ok or any(_has_nan(value) for value in ran.outputs)

    # The rest

    def repeats(self) -> Problem | None:
        """Results depend on nothing but the arguments, and kernels make them."""
        return check_repeats(self.session, self.kind == "interpret", self.number)

    def configurations(self) -> Problem | None:
        """Every other autotune configuration gives what is expected."""
        count = self.session.configurations
        share = max(2, CONFIGURATION_RUNS // max(1, count - 1))
        key = self.paid.specialisations if self.paid is not None and not self.full else None
        problem, runs = check_configurations(self.session, share, self.number, self.full, key)
        if count > 1:
            self.coverage["configuration_runs"] = runs
        return problem

    def nulls(self, cases: Sequence[Case], run: Callable[[Case], None]) -> Problem | None:
        """No null kernel passes the pair's own test."""
        constants = [value for values in self.session.watch.every.values() for value in values]
        tile = max(block_sizes(constants), default=16)
        problem, report = check_nulls(self.session, self.module, cases, self.maker, tile, run)
        self.coverage["nulls"] = report.coverage()
        return problem

    def summary(self) -> dict[str, Any]:
        """All that was tried."""
        session = self.session
        references: Counter[str] = Counter(item.expectation.reference for item in session.held)
        widened = getattr(session.reference, "widened", 0)
        if widened:
            references["own, by way of float32"] = widened
        paid = {"compiled": self.paid.coverage()} if self.paid is not None else {}
        return {
            **paid,
            **self.coverage,
            "wrapper_runs": session.runs,
            "compared": len(session.held),
            "reference": dict(references),
        }


def _value_pairs(case: Case) -> set[frozenset[tuple[str, str]]]:
    """All pairs of values of a case's arguments, each with itself included."""
    values = [(name, repr(value)) for name, value in case.arguments.items()]
    return {frozenset((one, other)) for one in values for other in values}


def interleaved(
    groups: Mapping[str, Sequence[Trial]], shares: Mapping[str, int]
) -> Iterator[tuple[str, Trial]]:
    """The trials of all groups, `shares` of each in turn."""
    at = dict.fromkeys(groups, 0)
    while any(at[name] < len(trials) for name, trials in groups.items()):
        for name, trials in groups.items():
            for trial in trials[at[name] : at[name] + shares[name]]:
                yield name, trial
            at[name] += shares[name]


def _is_positions(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype in (torch.int32, torch.int64)


def _has_nan(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and bool(torch.isnan(value).any())


def open_gate(
    module: ModuleType,
    request: Mapping[str, Any],
    kind: str,
    surroundings: Surroundings,
) -> OwnGate | None:
    """The gate for a loaded pair; None where it is not known what its reference and wrapper are."""
    metadata = request.get("metadata") or {}
    entry = find_entry(module, metadata.get("entry") or {}, request["triton_code"])
    if entry is None:
        return None
    session = make_session(entry, kind, surroundings, metadata)
    tuned_constants(module, session.watch)
    return OwnGate(session, module, request, kind, surroundings)


def make_session(
    entry: Entry, kind: str, surroundings: Surroundings, metadata: Mapping[str, Any]
) -> Session:
    """The parts of the gate put together for one pair."""
    from tritongen.verify.judge.local import LocalReference
    from tritongen.verify.probe import LocalSubject

    mode = "cuda" if kind == "cuda" else "interpret"
    inner: Reference = LocalReference(entry.reference, surroundings=surroundings)
    reference = OwnReference(OnHost(inner) if mode == "cuda" else inner)
    subject = LocalSubject(entry.wrapper, mode, allow_copies=not metadata.get("copies"))
    session = Session(entry, reference, subject, atomics=bool(metadata.get("atomics")))
    if mode == "interpret":
        from tritongen.verify.grid import STATE

        session.strict_dots = True
        session.programs = lambda: STATE.programs
    return session
