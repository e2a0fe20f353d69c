"""A stream of pairs to verdicts, in order: what is run, what is shared, how far ahead to read."""

from __future__ import annotations

import contextlib
import itertools
import queue
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tritongen.verify.flow import Flow, PairLike, Terms
from tritongen.verify.pool import Pool
from tritongen.verify.programs import Program, Programs, audited, contradicted, program_key
from tritongen.verify.verdict import Verdict

AHEAD = 4
MAX_WAITING = 2048


class Stream:
    """The verdicts of some pairs; iterate once.

    Reads on until `AHEAD` programs a worker are under way, so that workers are busy even where
    many texts share a program. `audit` is the share of the texts of known programs that is run.
    """

    def __init__(
        self,
        pairs: Iterable[PairLike],
        pool: Pool,
        terms: Terms,
        order: Iterator[int],
        *,
        audit: float = 0.01,
        share: bool = True,
    ) -> None:
        self._source = iter(pairs)
        self._pool = pool
        self._terms = terms
        self._audit_terms = replace(terms, full=True)
        self._order = order
        self._audit = audit
        self._share = share
        self._programs = Programs()
        self._finished: queue.SimpleQueue[tuple[Flow, Verdict]] = queue.SimpleQueue()
        self._under_way = 0
        self._pairs: dict[int, PairLike] = {}
        self._belongs: dict[int, tuple[Program, bool]] = {}
        self._ready: dict[int, Verdict] = {}

    def __iter__(self) -> Iterator[Verdict]:
        waiting: deque[int] = deque()
        exhausted = False
        while True:
            while not exhausted and self._has_room(waiting):
                pair = next(self._source, None)
                if pair is None:
                    exhausted = True
                    break
                order = next(self._order)
                waiting.append(order)
                self._take(order, pair)
                with contextlib.suppress(queue.Empty):
                    self._hear(*self._finished.get_nowait())
            if not waiting:
                return
            while waiting[0] not in self._ready:
                self._hear(*self._finished.get())
            yield self._ready.pop(waiting.popleft())

    def _has_room(self, waiting: deque[int]) -> bool:
        if waiting and waiting[0] in self._ready:
            return False
        return self._under_way < AHEAD * self._pool.workers and len(waiting) < MAX_WAITING

    def _take(self, order: int, pair: PairLike) -> None:
        key = program_key(pair) if self._share else None
        if key is None:
            self._run(order, pair, None, leads=False)
            return
        program, new = self._programs.meet(key)
        if new:
            self._run(order, pair, program, leads=True)
        elif program.verdict is None:
            self._pairs[order] = pair
            program.waiting.append(order)
        else:
            self._settle(order, pair, program)

    def _settle(self, order: int, pair: PairLike, program: Program) -> None:
        """A further text of a program whose verdict is known."""
        verdict = program.share()
        if verdict is None:
            self._run(order, pair, None, leads=False)
        elif verdict.passed and audited(pair, self._audit):
            self._run(order, pair, program, leads=False)
        else:
            self._ready[order] = verdict

    def _run(self, order: int, pair: PairLike, program: Program | None, *, leads: bool) -> None:
        audit = program is not None and not leads
        terms = self._audit_terms if audit else self._terms
        if program is not None:
            self._belongs[order] = program, leads
        self._under_way += 1
        flow = Flow(pair, self._pool, terms, order, lambda f, v: self._finished.put((f, v)))
        flow.start()

    def _hear(self, flow: Flow, verdict: Verdict) -> None:
        self._under_way -= 1
        program, leads = self._belongs.pop(flow.order, (None, False))
        if program is None:
            self._ready[flow.order] = verdict
            return
        if not leads:
            before = program.verdict
            self._ready[flow.order] = contradicted(before, verdict) if before else verdict
            if verdict.status == "failed":
                program.verdict = self._ready[flow.order]
            return
        self._ready[flow.order] = verdict
        program.verdict = verdict
        held, program.waiting = program.waiting, []
        for order in held:
            self._settle(order, self._pairs.pop(order), program)


def orders() -> Iterator[int]:
    """Numbers for the pairs of one pool: earlier streams go first."""
    return itertools.count()
