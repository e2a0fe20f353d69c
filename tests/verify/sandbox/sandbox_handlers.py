"""Handlers of the sandboxes under test: they run any source that they are sent."""

from __future__ import annotations

import os
from typing import Any


def run(message: dict[str, Any]) -> dict[str, Any]:
    """Run `source`; what it leaves as `result` is the answer."""
    space: dict[str, Any] = {"message": message}
    exec(message["source"], space)
    return {"result": space.get("result")}


def echo(message: dict[str, Any]) -> dict[str, Any]:
    """The message as it came."""
    return message


def pid(_message: dict[str, Any]) -> dict[str, Any]:
    """The process's own id."""
    return {"pid": os.getpid()}


HANDLERS = {"run": run, "echo": echo, "pid": pid}
