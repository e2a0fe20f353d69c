"""Triton's C launchers, compiled once for all workers of a pool.

Up to Triton 3.6 each signature of a kernel has a launcher of its own, made by the C compiler in
some 20 to 40 ms. Its source depends on the signature alone, so workers share them in one folder.
Later versions have one launcher for all, and nothing is left to share.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def share_launchers(folder: Path) -> None:
    """Let this process take compiled C modules from `folder`, and put its own there."""
    from triton import knobs
    from triton.backends.nvidia import driver
    from triton.runtime import build

    original: Callable[..., Any] = build.compile_module_from_src
    made: dict[tuple[str, str], Any] = {}

    def shared(src: str, name: str, *args: Any, **kwargs: Any) -> Any:
        key = (name, src)
        if key not in made:
            with knobs.cache.scope():
                knobs.cache.dir = str(folder)
                made[key] = original(src, name, *args, **kwargs)
        return made[key]

    for module in (build, driver):
        if getattr(module, "compile_module_from_src", None) is original:
            setattr(module, "compile_module_from_src", shared)  # noqa: B010
