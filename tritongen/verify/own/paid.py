"""On a GPU: which calls need nothing beyond the specialisations that are compiled for a program."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from tritongen.verify.cases import Case
from tritongen.verify.judge.records import Trial
from tritongen.verify.own.constants import plain
from tritongen.verify.own.device import KEY, multiprocessors
from tritongen.verify.own.dry import Dry, dry_run
from tritongen.verify.own.guard import Enough, positional, replaced
from tritongen.verify.own.policy import Choice, Seen, choose
from tritongen.verify.own.session import Session, dtype_of, elements_of
from tritongen.verify.own.trials import Maker

FLOAT32_SHARE = 4


class Paid:
    """What is compiled for one program, and who made it so."""

    def __init__(
        self,
        session: Session,
        module: ModuleType,
        maker: Maker | None,
        number: int,
        rotate: bool = False,
    ) -> None:
        self.session = session
        self.module = module
        self.maker = maker
        self.number = number
        self.rotate = rotate
        self.choice = Choice()
        self.everything = False

    def cases(self, cases: Sequence[Case], run: Callable[[Case], Any], full: bool) -> list[Case]:
        """The cases that the policy chooses, by dry runs of the wrapper within the test.

        A case that does not call the wrapper just once is run in any case.
        """
        found: list[tuple[Case, Seen]] = []
        untold: list[Case] = []
        name = self.session.entry.wrapper_name
        for case in cases:
            calls: list[Seen] = []

            def spy(*args: Any, calls: list[Seen] = calls, **kwargs: Any) -> Any:
                arguments = positional(self.session.entry.wrapper, args, kwargs)
                dry = dry_run(self.session.entry.wrapper, arguments)
                self._note(dry)
                calls.append(dry.seen(dtype_of(arguments), elements_of(arguments)))
                raise Enough

            with replaced(self.module, **{name: spy}), contextlib.suppress(Exception):
                run(case)
            if len(calls) == 1:
                found.append((case, calls[0]))
            else:
                untold.append(case)
        self.choice = choose([seen for _, seen in found], self.number, full, self.rotate)
        self.everything = full
        return untold + [found[index][0] for index in self.choice.run]

    def _note(self, dry: Dry) -> None:
        """The constants of one call, with the sizes that it was made for."""
        session = self.session
        values = {name: plain(value) for name, value in dry.constants.items()}
        for name, value in values.items():
            session.watch.every.setdefault(name, set()).add(value)
        if self.maker is not None and self.maker.calls:
            session.tiles.append((self.maker.calls[-1].dims, values))
        session.configurations = max(session.configurations, dry.configurations)

    def specialisations(self, trial: Trial) -> frozenset[str]:
        """What a trial compiles, in the first configuration."""
        with multiprocessors(trial.sizes.get(KEY)):
            dry = dry_run(self.session.entry.wrapper, trial.arguments)
        return frozenset(dry.specialisations)

    def covers(self, group: str, trial: Trial) -> bool:
        """Whether a trial needs nothing more to be compiled, or is worth it.

        One other layout is, since nothing else shows that strides are right; and float32 for one in
        four of the programs that are tested in half precision only.
        """
        if self.everything:
            return True
        choice = self.choice
        try:
            needed = self.specialisations(trial)
        except Exception:
            return True
        if needed <= choice.specialisations:
            return True
        share = (self.number >> 32) % FLOAT32_SHARE == 0
        if not (group == "layouts" or (group == "float32" and share)) or group in choice.groups:
            return False
        choice.specialisations |= needed
        choice.groups[group] = [dtype_of(trial.arguments)]
        return True

    def coverage(self) -> dict[str, Any]:
        """The specialisations that were compiled, why, and the classes left to other programs."""
        return self.choice.coverage()
