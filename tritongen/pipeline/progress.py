"""How far a build or a verification is: a bar on a terminal, a line now and then elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, TextIO

EVERY = 10.0
"""Seconds between two lines."""

_REFRESH = 0.1


class Meter:
    """Counts what passed and what was refused; this one shows nothing."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.resumed = 0
        self.passed = 0
        self.refused = 0
        self.every = float("inf")
        self._started = time.monotonic()
        self._next = 0.0

    def skip(self, passed: int, refused: int) -> None:
        """Count what an earlier run has done."""
        self.resumed += passed + refused
        self.tick(passed, refused)

    def tick(self, passed: int, refused: int) -> None:
        """Count some pairs; shows them when it is time."""
        self.passed += passed
        self.refused += refused
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self.every
            self.show()

    @property
    def done(self) -> int:
        """Pairs that have passed or been refused."""
        return self.passed + self.refused

    @property
    def rate(self) -> float:
        """Pairs per second of this run."""
        seconds = time.monotonic() - self._started
        return (self.done - self.resumed) / seconds if seconds > 0 else 0.0

    @property
    def eta(self) -> str:
        """Time left at this rate, as h:mm:ss."""
        if self.rate <= 0:
            return "?"
        minutes, seconds = divmod(round((self.total - self.done) / self.rate), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"

    def show(self) -> None:
        """Show the state."""

    def __enter__(self) -> Meter:
        self._started = time.monotonic()
        self._next = self._started + self.every
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.show()


class LineMeter(Meter):
    """One line every few seconds, for logs."""

    def __init__(self, total: int, stream: TextIO, every: float = EVERY) -> None:
        super().__init__(total)
        self.every = every
        self._stream = stream

    def show(self) -> None:
        share = self.done / self.total if self.total else 1.0
        print(
            f"{self.done:,} of {self.total:,} pairs ({share:.1%}), {self.rate:,.1f}/s, "
            f"{self.eta} left; {self.passed:,} passed, {self.refused:,} refused",
            file=self._stream,
            flush=True,
        )


class BarMeter(Meter):
    """A bar of rich."""

    def __init__(self, total: int, stream: TextIO, what: str = "building") -> None:
        super().__init__(total)
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self.every = _REFRESH
        self._bar: Any = Progress(
            TextColumn(what),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            console=Console(file=stream),
            auto_refresh=False,
        )
        self._task = self._bar.add_task(what, total=total, state="")

    def show(self) -> None:
        state = f"{self.rate:,.1f}/s, {self.eta} left; [red]{self.refused:,} refused[/red]"
        self._bar.update(self._task, completed=self.done, state=state, refresh=True)

    def __enter__(self) -> Meter:
        self._bar.start()
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self._bar.stop()


def meter(
    total: int, shown: bool, stream: TextIO | None = None, *, what: str = "building"
) -> Meter:
    """The meter that fits: a bar on a terminal, else lines; a silent one unless `shown`."""
    if not shown:
        return Meter(total)
    target = sys.stderr if stream is None else stream
    return BarMeter(total, target, what) if target.isatty() else LineMeter(total, target)
