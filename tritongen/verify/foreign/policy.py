"""What the sources of a candidate may name: tables of the static allow-list."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

STANDARD = frozenset(
    (
        *("__future__", "abc", "cmath", "collections", "collections.abc", "dataclasses", "enum"),
        *("functools", "itertools", "math", "numbers", "operator", "typing", "typing_extensions"),
    )
)
"""Modules of the standard library that a TRITON block may import."""

LIBRARIES = frozenset(
    (
        *("torch", "torch.nn", "torch.nn.functional", "torch.nn.init", "torch.autograd"),
        *("torch.autograd.function", "torch.cuda", "torch.cuda.amp", "torch.amp", "torch.version"),
        *("torch.special", "torch.linalg", "torch.fft", "torch.types", "torch.testing"),
        *("triton", "triton.language", "triton.language.extra", "triton.language.extra.libdevice"),
        *("triton.language.extra.cuda", "triton.language.extra.cuda.libdevice"),
        *("triton.language.extra.hip", "triton.language.extra.hip.libdevice"),
        *("triton.language.math", "triton.language.standard", "triton.language.random"),
        *("triton.tools", "triton.tools.tensor_descriptor", "triton.testing"),
        *("triton.runtime", "triton.runtime.driver", "triton.runtime.driver.active"),
    )
)
"""Modules of torch and triton that a TRITON block may import or name."""

REFERENCE_STANDARD = STANDARD | {
    *("contextlib", "copy", "decimal", "fractions", "random", "re", "statistics", "string", "time"),
    *("warnings",),
}
REFERENCE_LIBRARIES = ("einops", "numpy", "scipy", "torch", "triton")
"""What PYTHON and TEST blocks may import besides: whole packages."""

_ONLY = {
    "torch.cuda": (
        *("current_device", "device", "device_count", "empty_cache", "get_device_capability"),
        *("get_device_name", "get_device_properties", "is_available", "is_bf16_supported"),
        *("manual_seed", "mem_get_info", "set_device", "synchronize", "amp"),
    ),
    "torch.autograd": ("Function", "function", "no_grad"),
    "torch.autograd.function": ("Function", "once_differentiable"),
    "torch.testing": ("assert_close",),
    "triton.runtime": ("driver",),
    "triton.runtime.driver": ("active",),
    "triton.runtime.driver.active": (
        *("get_active_torch_device", "get_current_device", "get_current_target", "utils"),
        *("utils.get_device_properties", "get_device_capability"),
    ),
    "triton.tools": ("tensor_descriptor",),
    "triton.tools.tensor_descriptor": ("TensorDescriptor",),
    "triton.language.extra": ("cuda", "hip", "libdevice"),
    "triton.language.extra.cuda": ("libdevice", "globaltimer", "num_threads", "num_warps", "smid"),
    "triton": (
        *("Config", "OutOfResources", "autotune", "cdiv", "constexpr_function", "heuristics"),
        *("jit", "language", "next_power_of_2", "reinterpret", "runtime", "set_allocator"),
        *("testing", "tools", "__version__"),
    ),
}
"""Where a module is allowed only in part: the attributes that may be named."""

_NEVER = frozenset(
    (
        *("torch.compile", "torch.load", "torch.save", "torch.from_file", "torch.frombuffer"),
        *("torch.from_numpy", "torch.import_ir_module", "torch.set_default_device"),
        *("torch.set_default_dtype", "torch.set_default_tensor_type", "torch.set_num_threads"),
        *("torch.set_num_interop_threads", "torch.set_float32_matmul_precision"),
        *("torch.set_deterministic_debug_mode", "torch.use_deterministic_algorithms"),
        *("torch.set_grad_enabled", "torch.set_printoptions", "torch.set_warn_always"),
        *("torch.set_flush_denormal", "torch.typename", "torch.UntypedStorage"),
        *("torch.TypedStorage", "torch.Stream", "torch.Event", "torch.Generator", "torch.fork"),
        *("torch.wait", "torch.initial_seed", "torch.get_rng_state", "torch.set_rng_state"),
        *("torch.classes", "torch.ops", "torch.from_dlpack", "torch.to_dlpack", "torch.cond"),
        *("functools.singledispatch", "functools.singledispatchmethod", "functools.update_wrapper"),
        *("functools.WRAPPER_ASSIGNMENTS", "functools.WRAPPER_UPDATES"),
        *("operator.attrgetter", "operator.methodcaller", "typing.get_type_hints", "enum.sys"),
        *("triton.language.core", "triton.language.semantic"),
    )
)

FORBIDDEN_BUILTINS = frozenset(
    (
        *("__build_class__", "__builtins__", "__debug__", "__doc__", "__file__", "__import__"),
        *("__loader__", "__package__", "__spec__", "breakpoint", "compile", "copyright"),
        *("credits", "delattr", "dir", "eval", "exec", "exit", "globals", "help", "input"),
        *("license", "locals", "memoryview", "open", "quit", "setattr", "vars"),
    )
)
REFERENCE_FORBIDDEN_BUILTINS = frozenset(
    ("__builtins__", "__import__", "breakpoint", "eval", "exec", "exit", "globals", "input")
    + ("compile", "open", "quit", "vars")
)
RESOLVED_BUILTINS = frozenset(("getattr", "hasattr"))
"""Allowed as a direct call with a constant name, which is then judged as an attribute."""

ALLOWED_DUNDERS = frozenset(
    (
        *("__all__", "__annotations__", "__call__", "__doc__", "__enter__", "__eq__", "__exit__"),
        *("__getitem__", "__hash__", "__init__", "__iter__", "__len__", "__name__", "__next__"),
        *("__post_init__", "__repr__", "__setitem__", "__slots__", "__str__", "__version__"),
        *("__contains__", "__bool__", "__int__", "__index__", "__float__"),
    )
)
ALLOWED_PRIVATE = frozenset(("_asdict", "_fields", "_init_handles", "_make", "_replace"))

FORBIDDEN_ATTRIBUTES = frozenset(
    (
        *("ag_code", "ag_frame", "co_code", "cr_code", "cr_frame", "f_back", "f_builtins"),
        *("f_code", "f_globals", "f_locals", "gi_code", "gi_frame", "gi_yieldfrom", "tb_frame"),
        *("tb_next", "numpy", "tofile", "storage", "untyped_storage", "share_memory_", "set_"),
        *("record_stream", "cuda_stream", "register_hook", "as_subclass", "mro", "modules"),
        *("device_caches", "pre_run_hooks", "add_pre_run_hook", "create_binder", "preload"),
        *("map_", "map2_", "apply_", "module_load", "used_global_vals"),
    )
)
"""Attributes that no object of a TRITON block is asked for."""

REFERENCE_FORBIDDEN_ATTRIBUTES = FORBIDDEN_ATTRIBUTES - {
    *("numpy", "storage", "untyped_storage", "modules", "set_", "mro", "preload"),
    *("register_hook", "as_subclass", "apply_", "map_", "map2_"),
}
_INSIDE = frozenset(("core", "cpp", "np", "numpy", "tl", "torch", "triton", "windows"))
"""Names under which library modules keep other modules that are not theirs."""
_FUNCTIONS = ("select", "trace")
_SAME_NAME = (*_FUNCTIONS, "math", "functools", "operator", "types", "random", "typing", "enum")


def refusal(path: str) -> str:
    """Why a dotted path from a library is refused in a TRITON block, or an empty text."""
    parts = path.split(".")
    if any(part.startswith("_") and part not in ALLOWED_DUNDERS for part in parts[1:]):
        return f"{path} is private"
    if parts[0] not in ("torch", "triton"):
        return _standard_refusal(path)
    for length in range(1, len(parts)):
        owner, name = ".".join(parts[:length]), parts[length]
        full = f"{owner}.{name}"
        if full in _NEVER:
            return f"{full} is not allowed"
        if full in LIBRARIES:
            continue
        if owner in _ONLY:
            rest = ".".join(parts[length:])
            if name not in _ONLY[owner] and rest not in _ONLY[owner]:
                return f"{full} is not allowed"
            return ""
        if owner not in LIBRARIES:
            return ""
        module = name in sys.stdlib_module_names and name not in _SAME_NAME
        if module or name in _INSIDE or _is_submodule(owner, name):
            return f"{full} is not allowed"
    return ""


def _standard_refusal(path: str) -> str:
    """A path from a module of the standard library: public names that are no modules."""
    module, _, rest = path.partition(".")
    for known in sorted(STANDARD, key=len, reverse=True):
        if path == known:
            return ""
        if path.startswith(known + "."):
            module, rest = known, path[len(known) + 1 :]
            break
    if path in _NEVER:
        return f"{path} is not allowed"
    if module not in STANDARD:
        return f"{module} is not allowed"
    name = rest.split(".")[0]
    if f"{module}.{name}" in STANDARD:
        return ""
    try:
        value = getattr(importlib.import_module(module), name, None)
    except ImportError:
        return ""
    return f"{module}.{name} is not allowed" if isinstance(value, ModuleType) else ""


@functools.cache
def _root(package: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


@functools.cache
def _is_submodule(owner: str, name: str) -> bool:
    """Whether a name of a package is a module of its own; nothing is imported to find out."""
    package, *rest = owner.split(".")
    root = _root(package)
    if root is None:
        return False
    folder = root.joinpath(*rest)
    if name in _FUNCTIONS:
        return False
    return (folder / name / "__init__.py").exists() or (folder / f"{name}.py").exists()


def import_refusal(module: str, strict: bool) -> str:
    """Why an import is refused, or an empty text; `strict` for TRITON blocks."""
    if strict:
        if module in STANDARD or module in LIBRARIES:
            return ""
        return f"import of {module}"
    head = module.split(".")[0]
    if module in REFERENCE_STANDARD or head in REFERENCE_LIBRARIES:
        private = any(part.startswith("_") for part in module.split(".")[1:])
        return f"import of {module}" if private and head != "__future__" else ""
    return f"import of {module}"
