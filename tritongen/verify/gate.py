"""`verify`: pairs in, verdicts out, in order, from warm workers."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

from tritongen.errors import VerificationError
from tritongen.verify.device import Device, resolve_device
from tritongen.verify.flow import PairLike, Terms, check_targets
from tritongen.verify.pool import Pool
from tritongen.verify.stream import Stream, orders
from tritongen.verify.verdict import Verdict

GPU_WORKERS = 16


class Gate:
    """Warm workers for one device; use as a context manager, or through `verify`.

    `interpret_only` leaves the ahead-of-time compilation out (on the CPU); `share` lets texts of
    one program share a verdict, of which the share `audit` is run as it stands besides; `rotate` runs
    programs that take both half precisions in one of them (on a GPU; see own/policy.py).
    """

    def __init__(
        self,
        device: Device = "auto",
        *,
        workers: int | None = None,
        timeout: float = 120.0,
        targets: Sequence[str] | None = None,
        interpret_only: bool = False,
        audit: float = 0.01,
        share: bool = True,
        rotate: bool = False,
    ) -> None:
        self.device = resolve_device(device)
        cores = os.cpu_count() or 1
        default = min(cores, GPU_WORKERS) if self.device == "cuda" else cores
        self.pool = Pool(workers or default)
        self.timeout = timeout
        self.targets = targets
        self.interpret_only = interpret_only
        self.audit = audit
        self.share = share
        self.rotate = rotate
        self._order = orders()

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill the workers and remove their scratch folder."""
        self.pool.close()

    @property
    def usable(self) -> bool:
        """False once closed, and in a forked child."""
        return self.pool.usable

    def check(self, pair: PairLike, **options: Any) -> Verdict:
        """The verdict of one pair."""
        return next(self.stream([pair], **options))

    def stream(
        self,
        pairs: Iterable[PairLike],
        *,
        timeout: float | None = None,
        targets: Sequence[str] | None = None,
    ) -> Iterator[Verdict]:
        """The verdicts of pairs, in their order; pairs are taken some way ahead of the workers.

        With `share` texts of one program share its verdict, and the share `audit` of them is run
        as it stands besides (see programs.py).
        """
        wanted = targets or self.targets
        terms = Terms(
            self.device,
            timeout or self.timeout,
            check_targets(wanted) if wanted else None,
            self.interpret_only,
            rotate=self.rotate,
        )
        stream = Stream(pairs, self.pool, terms, self._order, audit=self.audit, share=self.share)
        return iter(stream)


_GATES: dict[tuple[str, int | None], Gate] = {}
_GATES_LOCK = threading.Lock()


def shared_gate(device: Device = "auto", workers: int | None = None) -> Gate:
    """The process's own warm gate for a device and number of workers."""
    key = (resolve_device(device), workers)
    with _GATES_LOCK:
        gate = _GATES.get(key)
        if gate is None or not gate.usable:
            gate = Gate(key[0], workers=workers)
            _GATES[key] = gate
        return gate


def close_gates() -> None:
    """Kill the warm workers that `verify` keeps."""
    with _GATES_LOCK:
        gates = list(_GATES.values())
        _GATES.clear()
    for gate in gates:
        gate.close()


atexit.register(close_gates)


@overload
def verify(
    pair_or_pairs: PairLike,
    *,
    device: Device = "auto",
    workers: int | None = None,
    timeout: float = 120.0,
    targets: Sequence[str] | None = None,
) -> Verdict: ...


@overload
def verify(
    pair_or_pairs: Iterable[PairLike],
    *,
    device: Device = "auto",
    workers: int | None = None,
    timeout: float = 120.0,
    targets: Sequence[str] | None = None,
) -> Iterator[Verdict]: ...


def verify(
    pair_or_pairs: PairLike | Iterable[PairLike],
    *,
    device: Device = "auto",
    workers: int | None = None,
    timeout: float = 120.0,
    targets: Sequence[str] | None = None,
) -> Verdict | Iterator[Verdict]:
    """Prove a pair, or pairs, on this machine.

    A pair (anything with `python_code`, `triton_code`, `test_code`, `metadata`) gives a `Verdict`;
    an iterable gives an iterator of verdicts in the same order, taken as they come. `auto` is the
    GPU if there is one, else compilation for `targets` plus Triton's interpreter.

    Raises DeviceError where `cuda` is asked for and there is none, and VerificationError for what is
    no pair, an unknown target, and a timeout or number of workers that is not positive.
    """
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout <= 0:
        raise VerificationError("timeout", "a number of seconds above 0 is expected", value=timeout)
    if workers is not None and (
        isinstance(workers, bool) or not isinstance(workers, int) or workers < 1
    ):
        raise VerificationError("workers", "a number, 1 or more, is expected", value=workers)
    if targets is not None:
        check_targets(targets)
    many = isinstance(pair_or_pairs, Iterable) and not isinstance(pair_or_pairs, str | Mapping)
    if not many:
        _check_pair(pair_or_pairs, "pair")
    gate = shared_gate(device, workers)
    if isinstance(pair_or_pairs, Iterable):
        return gate.stream(_checked(pair_or_pairs), timeout=timeout, targets=targets)
    return gate.check(pair_or_pairs, timeout=timeout, targets=targets)


def _checked(pairs: Iterable[PairLike]) -> Iterator[PairLike]:
    for number, pair in enumerate(pairs):
        _check_pair(pair, f"pairs[{number}]")
        yield pair


def _check_pair(pair: object, place: str) -> None:
    for name in ("python_code", "triton_code", "test_code"):
        if not isinstance(getattr(pair, name, None), str):
            raise VerificationError(
                place,
                f"is no pair: it has no text `{name}`",
                value=type(pair).__name__,
                hint="give what tritongen.expand or Pair.from_record gives",
            )
