"""Ways around the modes of torch, closed: export by DLPack, and compilation by torch itself."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils import dlpack as _dlpack

from tritongen.verify.probe.torchwatch import Watch

dlpack: Any = _dlpack


class _Exports:
    """Functions of torch's C side that export a tensor; no mode sees them."""

    watch: Watch | None = None


def _uncompiled(model: Any = None, **_: Any) -> Any:
    """What stands in for `torch.compile`: the function as it is, so that its operations are seen."""
    return model if model is not None else lambda function: function


def watch_exports() -> None:
    """See what goes past `torch.Tensor` and past dispatch; for the life of the process."""
    library: Any = torch._C
    torch.compile = _uncompiled
    for name in ("_to_dlpack", "_to_dlpack_versioned"):
        original = getattr(library, name, None)
        if original is None or getattr(original, "_watched", False):
            continue

        def export(*args: Any, _original: Any = original, **kwargs: Any) -> Any:
            if _Exports.watch is not None:
                _Exports.watch.refuse("to_dlpack", "it hands out the memory of a tensor")
            return _original(*args, **kwargs)

        export._watched = True  # type: ignore[attr-defined]
        setattr(library, name, export)
        modules: tuple[Any, ...] = (torch, dlpack)
        for module in modules:
            if getattr(module, "to_dlpack", None) is original:
                module.to_dlpack = export


def set_exports(watch: Watch | None) -> None:
    """Which call exports are noted for."""
    _Exports.watch = watch
