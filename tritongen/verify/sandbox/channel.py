"""Frames over descriptors: the parent's end, which trusts nothing, and the sandbox's, which waits.

The parent's reads and writes never block past a deadline; while it waits it drains what the
sandbox prints, of which it keeps the beginning and the end.
"""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Callable
from typing import Any

from tritongen.verify.sandbox.records import Limits, SandboxError
from tritongen.verify.sandbox.wire import HEADER, WireError, pack, parse_header, parse_text

CHUNK = 1 << 20
KEPT_HEAD = 16_384
KEPT_TAIL = 8_192
POLL_IN = select.POLLIN | select.POLLHUP | select.POLLERR


class Ended(Exception):
    """The other side has closed its end."""


class Printed:
    """What a sandbox prints: counted, the beginning and the end kept."""

    def __init__(self, descriptor: int, limit: int) -> None:
        self.descriptor = descriptor
        self.limit = limit
        self.count = 0
        self.open = True
        self._head = bytearray()
        self._tail = bytearray()

    def read(self) -> None:
        """Take what is there, at most a few chunks."""
        for _ in range(4):
            try:
                chunk = os.read(self.descriptor, CHUNK)
            except BlockingIOError:
                break
            except OSError:
                chunk = b""
            if not chunk:
                self.open = False
                break
            self.count += len(chunk)
            room = KEPT_HEAD - len(self._head)
            self._head += chunk[:room]
            if len(chunk) > room:
                self._tail += chunk[max(0, room) :][-KEPT_TAIL:]
                del self._tail[:-KEPT_TAIL]
        if self.count > self.limit:
            raise SandboxError("output", f"printed over {self.limit} bytes")

    def text(self) -> str:
        """What is kept of it."""
        dropped = self.count - len(self._head) - len(self._tail)
        gap = f"\n... ({dropped} bytes left out) ...\n".encode() if dropped else b""
        return bytes(self._head + gap + self._tail).decode("utf-8", "replace")


class ParentEnd:
    """The parent's end of a channel to one sandbox."""

    def __init__(self, descriptor: int, printed: Printed, limits: Limits) -> None:
        os.set_blocking(descriptor, False)
        os.set_blocking(printed.descriptor, False)
        self.descriptor = descriptor
        self.printed = printed
        self.limits = limits

    def exchange(
        self, request: list[Any], nonce: bytes, deadline: float, tick: Callable[[], None]
    ) -> dict[str, Any]:
        """Send a packed request and read its answer: `{"ok": bool, "value": ...}`.

        `tick` is called now and then while waiting; what it raises ends the exchange. Raises
        `Ended`, `WireError`, `TimeoutError` or `SandboxError`.
        """
        if self._ready():
            raise WireError("an answer that nothing asked for")
        self._write(request, deadline, tick)
        return self.receive(nonce, deadline, tick)

    def receive(self, nonce: bytes, deadline: float, tick: Callable[[], None]) -> dict[str, Any]:
        """The next frame, which must carry `nonce`."""
        header = bytearray(HEADER.size)
        self._read([memoryview(header)], deadline, tick)
        length, size, echoed = parse_header(bytes(header), self.limits.text, self.limits.message)
        if echoed != nonce:
            raise WireError("an answer to another request")
        text = bytearray(length)
        self._read([memoryview(text)], deadline, tick)
        decoder = parse_text(bytes(text), size)
        self._read(decoder.buffers(), deadline, tick)
        if not isinstance(decoder.content.get("ok"), bool):
            raise WireError("an answer that does not say whether it is one")
        return {"ok": decoder.content["ok"], "value": decoder.value(self.limits.message)}

    def _ready(self) -> bool:
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        return any(event & select.POLLIN for _, event in poll.poll(0)) and not self._at_end()

    def _at_end(self) -> bool:
        """Whether what is there to read is the end; a byte that is taken ends the sandbox anyway."""
        try:
            return not os.read(self.descriptor, 1)
        except OSError:
            return True

    def _wait(self, events: int, deadline: float, tick: Callable[[], None]) -> None:
        """Until the descriptor is ready for `events`."""
        while True:
            tick()
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            poll = select.poll()
            poll.register(self.descriptor, events)
            if self.printed.open:
                poll.register(self.printed.descriptor, select.POLLIN)
            ready = dict(poll.poll(min(left, 0.25) * 1000 + 1))
            if self.printed.descriptor in ready:
                self.printed.read()
            if self.descriptor in ready:
                return

    def _write(self, buffers: list[Any], deadline: float, tick: Callable[[], None]) -> None:
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        while views:
            try:
                done = os.writev(self.descriptor, views[:64])
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline, tick)
                continue
            except (BrokenPipeError, ConnectionResetError):
                raise Ended from None
            views = advance(views, done)

    def _read(self, views: list[memoryview], deadline: float, tick: Callable[[], None]) -> None:
        while views:
            try:
                done = os.readv(self.descriptor, views[:64])
            except BlockingIOError:
                self._wait(POLL_IN, deadline, tick)
                continue
            except ConnectionResetError:
                raise Ended from None
            if not done:
                raise Ended
            if time.monotonic() > deadline:
                raise TimeoutError
            views = advance(views, done)


def advance(views: list[memoryview], done: int) -> list[memoryview]:
    """What is left of buffers after `done` bytes."""
    for index, view in enumerate(views):
        if done < len(view):
            return [view[done:], *views[index + 1 :]]
        done -= len(view)
    return []


class ChildEnd:
    """The sandbox's end: it blocks, and believes what it reads."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def receive(self) -> tuple[str, Any, bytes]:
        """(op, message, nonce) of the next request; raises `Ended`."""
        header = bytearray(HEADER.size)
        self._read([memoryview(header)])
        length, size, nonce = parse_header(bytes(header), 1 << 40, 1 << 50)
        text = bytearray(length)
        self._read([memoryview(text)])
        decoder = parse_text(bytes(text), size)
        self._read(decoder.buffers())
        return decoder.content["op"], decoder.value(1 << 50), nonce

    def answer(self, ok: bool, message: Any, nonce: bytes) -> None:
        """Send an answer."""
        self.send(pack({"ok": ok}, message, nonce))

    def send(self, buffers: list[Any]) -> None:
        """Write all of a frame."""
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        while views:
            views = advance(views, os.writev(self.descriptor, views[:64]))

    def _read(self, views: list[memoryview]) -> None:
        while views:
            done = os.readv(self.descriptor, views[:64])
            if not done:
                raise Ended
            views = advance(views, done)


def send_json(descriptor: int, message: dict[str, Any]) -> None:
    """One short message on a packet socket."""
    os.write(descriptor, json.dumps(message).encode())
