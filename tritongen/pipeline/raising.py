"""`verify_dataset`: the evidence of a finished dataset is raised, in place."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tritongen.errors import BuildError, InputFileError, VerificationError
from tritongen.export.manifest import read_manifest
from tritongen.export.records import Verification
from tritongen.pipeline.evidence import is_due, level_of
from tritongen.pipeline.folder import locked
from tritongen.pipeline.journal import read_journal
from tritongen.pipeline.judging import GO_ON, Judge, Judging, Terms
from tritongen.pipeline.opened import Opened
from tritongen.pipeline.progress import meter
from tritongen.pipeline.runs import Run, Tally, tally
from tritongen.pipeline.verified import VerifyReport, make_report

if TYPE_CHECKING:
    from tritongen.verify import Gate
    from tritongen.verify.device import Device

GATE, SANITIZE = "gate", "sanitize"


def verify_dataset(
    path: str | Path,
    *,
    device: Device = "auto",
    workers: int | None = None,
    timeout: float = 120.0,
    targets: Collection[str] | None = None,
    limit: int | None = None,
    redo: bool = False,
    sanitize: int = 0,
    gate: Gate | None = None,
    progress: bool = False,
) -> VerifyReport:
    """Verify the pairs of a dataset whose evidence is lower than this device can give, in place.

    The CPU gives `interpreted`, a GPU `gpu`. Records get their new `verification`; pairs that fail
    move from their split to `rejected/`, with the reason; shards in which nothing changes keep
    their bytes; manifest and card follow. Evidence never lowers. With `limit` at most so many
    pairs, spread over those that are due; with `redo` also those that are proved already. With
    `sanitize` so many of the pairs that passed on a GPU are run under compute-sanitizer besides.
    `timeout` is in seconds for each stage of a pair. `gate` is a `Gate` of your own, used instead of
    a new one and left open; `progress` shows a bar or lines on stderr.

    A verification that was stopped, even killed, goes on where it was when called again with the
    same arguments; called with others, it first takes up the verdicts that there are.

    Raises InputFileError where there is no whole dataset, BuildError where another process writes
    to it, DeviceError for a device that is not there, VerificationError for wrong arguments, where
    no worker can be started, and where compute-sanitizer is asked for and cannot be used.
    """
    started = time.monotonic()
    if not isinstance(path, str | Path):
        raise InputFileError("path", "the folder of a dataset is expected", value=path)
    dataset = Path(path)
    from tritongen.verify.flow import check_targets

    _check(timeout=timeout, limit=limit, workers=workers, sanitize=sanitize)
    if not dataset.is_dir():
        problem = "is no folder" if dataset.exists() else "there is no such folder"
        raise InputFileError(str(dataset), problem, hint="give the folder of a finished build")
    read_manifest(dataset)
    known_device = _device(device, gate)
    if targets is not None:
        check_targets(targets)
    if sanitize:
        _need_sanitizer(known_device)
    asked = {
        "device": known_device,
        "targets": list(targets) if targets else None,
        "limit": limit,
        "redo": redo,
        "sanitize": sanitize,
    }
    options = {"workers": workers, "timeout": timeout, "targets": asked["targets"]}
    judges = {
        GATE: lambda: _gate(gate, known_device, options),
        SANITIZE: lambda: _sanitizer(workers, timeout),
    }
    try:
        with locked(dataset):
            opened = Opened(dataset)
            run = _begin(opened, asked)
            resumed = sum(tally.total for tally in run.tallies().values())
            while run.phase:
                resumed += _phase(opened, run, asked, judges[run.phase], progress)
                run.next_phase(SANITIZE if sanitize and run.phase == GATE else "")
            opened.write_manifest()
            opened.write_card()
            run.remove()
    except OSError as error:
        place = str(error.filename or dataset)
        problem = f"cannot be written or read ({error.strerror or error})"
        raise BuildError(place, problem, hint=GO_ON) from error
    return make_report(
        dataset,
        run.tallies(),
        resumed=resumed,
        before=run.before,
        after=opened.evidence(),
        seconds=time.monotonic() - started,
    )


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which records a phase is for."""

    level: str
    redo: bool
    limit: int | None
    only: tuple[str, ...] = ()

    def due(self, known: Verification) -> bool:
        if self.only and (known.status != "passed" or known.evidence not in self.only):
            return False
        return is_due(known, self.level, self.redo)

    def ids(self, opened: Opened) -> list[str] | None:
        """The ids to verify, where not all that are due are; spread by a hash over all of them."""
        if self.limit is None:
            return None
        due = (
            pair_id
            for shard in sorted(opened.files)
            for pair_id, known in opened.verifications(shard)
            if self.due(known)
        )
        return heapq.nsmallest(self.limit, due, key=_spread)


def _choice(phase: str, asked: Mapping[str, Any]) -> _Choice:
    if phase == SANITIZE:
        return _Choice("sanitized", asked["redo"], asked["sanitize"], only=("gpu", "sanitized"))
    return _Choice(level_of(asked["device"]), asked["redo"], asked["limit"])


def _settle(opened: Opened, run: Run | None, shard: int) -> None:
    """Let a shard take up its verdicts; from here on it counts as done."""
    opened.take_up(shard)
    if run is not None:
        run.complete(shard, tally(read_journal(opened.journal_path(shard))))
    opened.drop_journal(shard)


def _begin(opened: Opened, asked: dict[str, Any]) -> Run:
    """The run that was stopped here, if it is this one, else a new one; the dataset is counted."""
    stopped = Run.stopped(opened.state)
    opened.count(stopped.elsewhere if stopped else None)
    if stopped is not None and stopped.asked == asked:
        return stopped
    for shard in opened.open_journals():
        _settle(opened, None, shard)
    opened.write_manifest()
    run = Run(
        opened.state,
        asked,
        phase=GATE,
        before=dict(opened.evidence()),
        elsewhere=opened.elsewhere.to_json(),
    )
    run.chosen = _choice(GATE, asked).ids(opened)
    run.begin()
    return run


def _phase(
    opened: Opened,
    run: Run,
    asked: Mapping[str, Any],
    open_judge: Callable[[], AbstractContextManager[Judge]],
    progress: bool,
) -> int:
    """Verify what is due; returns how many verdicts an earlier process had reached."""
    choice = _choice(run.phase, asked)
    if run.phase == SANITIZE and run.chosen is None:
        run.chosen = choice.ids(opened)
        run.save()
    chosen = None if run.chosen is None else frozenset(run.chosen)
    earlier = Tally()
    shards: dict[int, dict[str, Verification]] = {}
    for number in sorted(opened.files):
        done = run.done(number)
        if done is not None:
            opened.drop_journal(number)
            earlier.add(done)
            continue
        journal = read_journal(opened.journal_path(number))
        judged = {i for i, (_, note) in journal.items() if note.get("effect") != "unjudged"}
        earlier.add(tally(journal, judged))
        known = {
            pair_id: known
            for pair_id, known in opened.verifications(number)
            if pair_id not in judged and choice.due(known) and (chosen is None or pair_id in chosen)
        }
        if known:
            shards[number] = known
        elif journal:
            _settle(opened, run, number)
    if not shards:
        return earlier.total
    total = earlier.total + sum(len(known) for known in shards.values())
    with meter(total, progress, what="verifying") as shown:
        refused = earlier.effects["rejected"]
        shown.skip(earlier.total - refused, refused)
        with open_judge() as judge:
            settle = partial(_settle, opened, run)
            terms = Terms(choice.level, choice.redo)
            Judging(opened, terms, shown, settle).go(shards, judge)
    return earlier.total


@contextmanager
def _gate(gate: Gate | None, device: Device, options: Mapping[str, Any]) -> Iterator[Judge]:
    if gate is not None:
        yield gate.stream
        return
    from tritongen.verify import Gate as NewGate

    with NewGate(device, **options) as opened:
        yield opened.stream


@contextmanager
def _sanitizer(workers: int | None, timeout: float) -> Iterator[Judge]:
    from tritongen.verify.sanitize import Sanitizer

    with Sanitizer(workers=workers, timeout=timeout) as sanitizer:
        yield sanitizer.stream


def _device(device: Device, gate: Gate | None) -> Literal["cpu", "cuda"]:
    from tritongen.verify import resolve_device

    if gate is None:
        return resolve_device(device)
    return "cuda" if gate.device == "cuda" else "cpu"


def _need_sanitizer(device: str) -> None:
    from tritongen.verify.sanitize import unavailable

    missing = "it needs a GPU" if device != "cuda" else unavailable()
    if missing:
        raise VerificationError(
            "sanitize",
            f"compute-sanitizer cannot be used: {missing}",
            hint="nothing has been changed; leave --sanitize out to verify without it",
        )


def _check(*, timeout: object, limit: object, workers: object, sanitize: object) -> None:
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise VerificationError("timeout", "a number of seconds above 0 is expected", value=timeout)
    for name, value, least in (("limit", limit, 0), ("workers", workers, 1)):
        if value is not None and not _whole(value, least):
            raise VerificationError(name, f"a number, {least} or more, is expected", value=value)
    if not _whole(sanitize, 0):
        raise VerificationError("sanitize", "a number of pairs is expected", value=sanitize)


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _spread(pair_id: str) -> tuple[bytes, str]:
    return blake2b(pair_id.encode(), digest_size=8, person=b"verify").digest(), pair_id
