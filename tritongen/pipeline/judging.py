"""Due pairs of a dataset are judged: verdicts go to the journals, doubtful ones are asked for again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tritongen.errors import VerificationError
from tritongen.export.records import VerdictLike, Verification
from tritongen.pair import Pair
from tritongen.pipeline.evidence import effect_of, tries
from tritongen.pipeline.journal import Journal
from tritongen.pipeline.opened import Opened
from tritongen.pipeline.progress import Meter

MAX_BROKEN, MAX_BROKEN_AT_START = 200, 20
"""So many pairs in a row for which the verifier itself fails end the run: something is broken."""

GO_ON = "nothing is lost; run the same command again to go on"

Judge = Callable[[Iterable[Pair]], Iterator[VerdictLike]]
"""Verdicts for pairs, in the order of the pairs."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What verdicts may change: the evidence that can be reached, and whether all count anew."""

    level: str
    redo: bool = False


class _Shard:
    """A shard whose pairs are being judged."""

    def __init__(self, number: int, known: dict[str, Verification], journal: Journal) -> None:
        self.number = number
        self.known = known
        self.journal = journal
        self.left = len(known)


@dataclass(slots=True)
class _Item:
    shard: _Shard
    pair: Pair
    tried: int = 0


class Judging:
    """Pairs to a judge and its verdicts back to the shards, several shards at a time.

    `settle` is called with the number of a shard when all its verdicts are in its journal.
    """

    def __init__(
        self, opened: Opened, terms: Terms, shown: Meter, settle: Callable[[int], None]
    ) -> None:
        self.opened = opened
        self.terms = terms
        self.shown = shown
        self.settle = settle
        self.again: deque[_Item] = deque()
        self.waiting: deque[_Item] = deque()
        self.open: dict[int, _Shard] = {}
        self.broken = 0
        self.judged = 0

    def go(self, shards: dict[int, dict[str, Verification]], judge: Judge) -> None:
        """Judge what is due in `shards`, until every pair has a verdict."""
        fresh = self._fresh(shards)
        try:
            while True:
                for verdict in judge(self._source(fresh)):
                    self._hear(self.waiting.popleft(), verdict)
                if self.waiting:
                    raise RuntimeError("the verifier gave no verdict for some pairs")
                if not self.again:
                    return
        finally:
            for shard in self.open.values():
                shard.journal.close()

    def _source(self, fresh: Iterator[_Item]) -> Iterator[Pair]:
        while True:
            item = self.again.popleft() if self.again else next(fresh, None)
            if item is None:
                return
            item.tried += 1
            self.waiting.append(item)
            yield item.pair

    def _fresh(self, shards: dict[int, dict[str, Verification]]) -> Iterator[_Item]:
        for number, known in shards.items():
            shard = _Shard(number, known, Journal(self.opened.journal_path(number)))
            self.open[number] = shard
            pairs = {pair.id: pair for pair in self.opened.pairs(number, known)}
            for pair in pairs.values():
                yield _Item(shard, pair)

    def _hear(self, item: _Item, verdict: VerdictLike) -> None:
        shard, pair = item.shard, item.pair
        if item.tried < tries(verdict):
            self.again.append(item)
            return
        known = shard.known[pair.id]
        effect, found = effect_of(known, verdict, self.terms.level, self.terms.redo)
        self.broken = self.broken + 1 if effect == "unjudged" else 0
        self.judged += effect != "unjudged"
        if self.broken >= (MAX_BROKEN if self.judged else MAX_BROKEN_AT_START):
            raise VerificationError(
                "workers",
                f"{self.broken} pairs in a row could not be judged, last: {verdict.reason}",
                hint=GO_ON,
            )
        shard.journal.add(pair.id, found, effect=effect, family=pair.family)
        self.shown.tick(*((0, 1) if effect == "rejected" else (1, 0)))
        shard.left -= 1
        if not shard.left:
            shard.journal.close()
            del self.open[shard.number]
            self.settle(shard.number)
