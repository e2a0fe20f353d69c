"""The autotuner without a clock: one configuration is chosen, none is timed."""

from __future__ import annotations

from typing import Any

from triton.compiler.errors import CompileTimeAssertionFailure
from triton.runtime.errors import OutOfResources, PTXASError

NOT_COMPILED = (OutOfResources, CompileTimeAssertionFailure, PTXASError)
"""What the autotuner takes to mean that a configuration does not fit the device."""


def tuned(self: Any, args: Any, kwargs: Any, pinned: int | None) -> tuple[Any, int]:
    """Run an `Autotuner` with one configuration, pinned; also returns how many there are.

    The first call of a tuning key runs twice with the hooks in between, as benchmarking does.
    Without a pinned number the first configuration that fits the device is taken.
    """
    self.nargs = dict(zip(self.arg_names, args, strict=False))
    several = len(self.configs) > 1
    configs = self.prune_configs(kwargs) if several else self.configs
    wanted = configs if pinned is None else [configs[pinned % len(configs)]]
    try:
        for last, config in enumerate(wanted, 1):
            try:
                return _run(self, config, several, args, kwargs), len(configs)
            except NOT_COMPILED:
                if last == len(wanted):
                    raise
    finally:
        self.nargs = None
    raise RuntimeError("an autotuner without configurations")


def _run(self: Any, config: Any, several: bool, args: Any, kwargs: Any) -> Any:
    clash = kwargs.keys() & config.kwargs.keys()
    if clash:
        raise ValueError(f"Conflicting meta-parameters: {', '.join(sorted(clash))}.")
    full = {**self.nargs, **kwargs, **config.all_kwargs()}
    known = {**self.nargs, **kwargs}
    key = tuple(
        [known[name] for name in self.keys if name in known]
        + [str(v.dtype) for k, v in known.items() if k in self.arg_names and hasattr(v, "dtype")]
    )
    if several and key not in self.cache:
        self.cache[key] = config
        if config.pre_hook:
            config.pre_hook(full)
        self.pre_hook(full)
        self.fn.run(*args, **kwargs, **config.all_kwargs())
        self.post_hook(full, exception=None)
        self.pre_hook(full, reset_only=True)
    self.best_config = config
    if config.pre_hook is not None:
        config.pre_hook(full)
    return self.fn.run(*args, **kwargs, **config.all_kwargs())
