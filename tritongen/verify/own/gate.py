"""The whole gate on one of our own pairs, reference and wrapper in one warm process.

An `OwnGate` holds what the checks of one pair share; every check returns a `Problem`, which ends
the judgement, or None, and writes into `coverage` what it tried and what it left out.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import torch

from tritongen.verify.cases import Case
from tritongen.verify.judge.records import How, Problem, Trial
from tritongen.verify.own import trials as sources
from tritongen.verify.own.constants import plain, tuned_constants, watching
from tritongen.verify.own.device import KEY, asks_for_multiprocessors, multiprocessors
from tritongen.verify.own.entry import Entry, find_entry
from tritongen.verify.own.guard import Enough, Guard, replaced
from tritongen.verify.own.layout_rules import accepted_layouts
from tritongen.verify.own.null_check import check_nulls
from tritongen.verify.own.policy import Seen, choose, program_hash
from tritongen.verify.own.repeat import check_configurations, check_repeats
from tritongen.verify.own.session import Budget, Held, Session, dtype_of, parameter_names
from tritongen.verify.own.shapes import block_sizes, blocks_by_dimension
from tritongen.verify.own.trials import Maker, Plan

TRIAL_ACCESSES = 1500
TRIAL_RUNS = {"interpret": 18, "cuda": 24}
CONFIGURATION_RUNS = 24
ELEMENTS = {"interpret": 1 << 18, "cuda": 1 << 23}
FEW_ELEMENTS = 1 << 11
LONG_ACCESSES = 500
SHARES = {"sizes": 5, "layouts": 1, "float32": 1, "values": 2, "scalars": 1}
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
        self.chosen: set[str] | None = None
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

    def ordered(self, cases: Sequence[Case]) -> tuple[list[Case], int]:
        """The cases, first those that together show every pair of values; how many these are."""
        seen: set[frozenset[tuple[str, str]]] = set()
        pairs = {case.name: _value_pairs(case) for case in cases}
        rest = list(cases)
        turn = self.number % max(1, len(rest))
        rest = rest[turn:] + rest[:turn]
        first: list[Case] = []
        while rest:
            best = max(rest, key=lambda case: len(pairs[case.name] - seen))
            if first and not pairs[best.name] - seen:
                break
            first.append(best)
            rest.remove(best)
            seen |= pairs[best.name]
        return first + rest, len(first)

    def chosen_cases(self, cases: Sequence[Case], run: Callable[[Case], Any]) -> list[Case]:
        """On a GPU: the cases that need nothing beyond the specialisations that are paid for."""
        from tritongen.verify.own.dry import dry_run

        found: list[tuple[Case, Seen]] = []
        untold: list[Case] = []
        wrapper = self.session.entry.wrapper
        for case in cases:
            calls: list[Seen] = []

            def spy(*args: Any, calls: list[Seen] = calls, **kwargs: Any) -> Any:
                from tritongen.verify.own.guard import positional

                arguments = positional(wrapper, args, kwargs)
                dry = dry_run(wrapper, arguments)
                self._note(dry.constants)
                self.session.configurations = max(self.session.configurations, dry.configurations)
                calls.append(dry.seen(dtype_of(arguments)))
                raise Enough

            with (
                replaced(self.module, **{self.session.entry.wrapper_name: spy}),
                contextlib.suppress(Exception),
            ):
                run(case)
            if len(calls) == 1:
                found.append((case, calls[0]))
            else:
                untold.append(case)
        choice = choose([seen for _, seen in found], self.number, self.full)
        self.chosen = choice.specialisations
        self.coverage["compiled"] = choice.coverage()
        return untold + [found[index][0] for index in choice.run]

    def _note(self, constants: Mapping[str, Any]) -> None:
        """The constants of one call, with the sizes that it was made for."""
        values = {name: plain(value) for name, value in constants.items()}
        for name, value in values.items():
            self.session.watch.every.setdefault(name, set()).add(value)
        if self.maker is not None and self.maker.calls:
            self.session.tiles.append((self.maker.calls[-1].dims, values))

    # Trials beyond the pair's own test

    def more_trials(self) -> Problem | None:
        """Sizes, values, layouts, scalars and precision that the pair's own test does not try."""
        session = self.session
        budget = Budget(session.watch, TRIAL_ACCESSES, TRIAL_RUNS[self.kind])
        counts: Counter[str] = Counter()
        left: Counter[str] = Counter()
        for group, trial, lenient in self._candidates():
            if not self.full and budget.spent:
                left["budget"] += 1
                continue
            if self.chosen is not None and not self._is_paid_for(trial):
                left["specialisation"] += 1
                continue
            if self._takes_long(trial):
                left["cost"] += 1
                continue
            budget.used += 1
            observation, problem = session.observe(trial, How(watch=counts[group] == 0))
            if lenient and observation.limit:
                left[f"declared limit ({group})"] += 1
                continue
            if group == "layouts":
                observation = replace(observation, outputs=_contiguous(observation.outputs))
            if problem is None:
                problem = session.settle(trial, observation, session.cost)
            if problem is not None:
                if group == "sizes" and self._outside_domain(trial):
                    left["outside the domain"] += 1
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
        self.coverage["blocks"] = [[*b.own, *b.guessed] for b in blocks]
        limit = ELEMENTS[self.kind]
        indices = any(_is_positions(value) for value in session.held[0].expectation.own)
        plan = Plan(self.number, blocks, self.names, self.accepted, limit, indices, self.few)
        bases = self._bases(held)
        groups: dict[str, list[Trial]] = {"sizes": []}
        with self.surroundings():
            if self.maker is not None and self.maker.calls:
                groups["sizes"] = list(sources.new_sizes(self.maker, plan))
            for group, made in (
                ("layouts", sources.other_layouts(bases, plan)),
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
            if dtype not in best or _elements(arguments) > _elements(best[dtype]):
                best[dtype] = arguments
        return [best[dtype] for dtype in sorted(best, key=lambda name: name != "float32")]

    def _is_paid_for(self, trial: Trial) -> bool:
        from tritongen.verify.own.dry import dry_run

        with contextlib.suppress(Exception):
            with multiprocessors(trial.sizes.get(KEY)):
                dry = dry_run(self.session.entry.wrapper, trial.arguments)
            return dry.specialisations <= (self.chosen or set())
        return True

    def _takes_long(self, trial: Trial) -> bool:
        """Whether the interpreter would be at it for long, by the programs that it launches."""
        session = self.session
        if self.kind != "interpret" or self.full or _elements(trial.arguments) < FEW_ELEMENTS:
            return False
        rates = sorted(item.accesses / max(1, item.programs) for item in session.held)
        before = session.programs()
        session.observe(trial, How(launches=False, watch=False))
        programs = session.programs() - before
        return programs * rates[len(rates) // 2] > LONG_ACCESSES

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
        key = self._specialisations_of if self.kind == "cuda" and not self.full else None
        problem, runs = check_configurations(self.session, share, self.number, self.full, key)
        if count > 1:
            self.coverage["configuration_runs"] = runs
        return problem

    def _specialisations_of(self, held: Held) -> frozenset[str]:
        from tritongen.verify.own.dry import dry_run

        with multiprocessors(held.trial.sizes.get(KEY)):
            dry = dry_run(self.session.entry.wrapper, held.trial.arguments)
        return frozenset(dry.specialisations)

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
        references = Counter(item.expectation.reference for item in session.held)
        return {
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


def _elements(arguments: tuple[Any, ...]) -> int:
    return max((item.numel() for item in arguments if isinstance(item, torch.Tensor)), default=0)


def _contiguous(outputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Results at the strides that contiguous inputs would give: those of others are not defined."""
    return tuple(
        value.contiguous() if isinstance(value, torch.Tensor) else value for value in outputs
    )


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

    reference = LocalReference(entry.reference, surroundings=surroundings)
    mode = "cuda" if kind == "cuda" else "interpret"
    subject = LocalSubject(entry.wrapper, mode, allow_copies=not metadata.get("copies"))
    session = Session(entry, reference, subject, atomics=bool(metadata.get("atomics")))
    if mode == "interpret":
        from tritongen.verify.grid import STATE

        session.strict_dots = True
        session.programs = lambda: STATE.programs
    return session
