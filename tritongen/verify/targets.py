"""Ahead-of-time compilation for named targets, checked against what their hardware has."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_TARGETS = ("sm_80", "sm_90", "sm_100", "gfx942")
MAX_THREADS = 1024
MAX_TENSOR_MEMORY = 512


@dataclass(frozen=True, slots=True)
class Limits:
    """A target: its back end, architecture, warp size and shared memory per block in bytes."""

    backend: str
    arch: int | str
    warp_size: int
    shared: int


TARGETS: dict[str, Limits] = {
    "sm_75": Limits("cuda", 75, 32, 65536),
    "sm_80": Limits("cuda", 80, 32, 166912),
    "sm_86": Limits("cuda", 86, 32, 101376),
    "sm_89": Limits("cuda", 89, 32, 101376),
    "sm_90": Limits("cuda", 90, 32, 232448),
    "sm_100": Limits("cuda", 100, 32, 232448),
    "sm_120": Limits("cuda", 120, 32, 101376),
    "gfx90a": Limits("hip", "gfx90a", 64, 65536),
    "gfx942": Limits("hip", "gfx942", 64, 65536),
    "gfx950": Limits("hip", "gfx950", 64, 163840),
}


class Compiler:
    """Compiles captured launches; results are shared by key with the other workers of a pool."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.results: dict[str, dict[str, Any]] = {}
        self.compiled = 0
        self.reused = 0

    def compile(self, launch: Any, target: str) -> dict[str, Any]:
        """`{"problem": "" or a reason, "shared": bytes, "threads": n}` of a launch on a target."""
        from tritongen.verify.capture import compile_key

        key = hashlib.sha256(f"{target}|{compile_key(launch)}".encode()).hexdigest()
        result = self.results.get(key) or self._recall(key)
        if result is None:
            result = _compile(launch, target)
            self.compiled += 1
            self._remember(key, result)
        else:
            self.reused += 1
        if len(self.results) > 100_000:
            self.results.clear()
        self.results[key] = result
        return result

    def _path(self, key: str) -> Path:
        return self.cache / key[:2] / key

    def _recall(self, key: str) -> dict[str, Any] | None:
        try:
            return json.loads(self._path(key).read_text())
        except (OSError, ValueError):
            return None

    def _remember(self, key: str, result: dict[str, Any]) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f"{path.name}.{os.getpid()}")
        scratch.write_text(json.dumps(result))
        scratch.replace(path)


def _compile(launch: Any, target: str) -> dict[str, Any]:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, make_backend

    limits = TARGETS[target]
    gpu = GPUTarget(limits.backend, limits.arch, limits.warp_size)
    started = time.perf_counter()
    try:
        backend = make_backend(gpu)
        options = backend.parse_options(dict(launch.options))
        unknown = [key for key in launch.options if key not in options.__dict__]
        if unknown:
            raise KeyError(f"keyword argument {unknown[0]} was specified but unrecognised")
        attributes = {path: backend.parse_attr(mark) for path, mark in launch.attributes.items()}
        source = ASTSource(launch.function, launch.signature, launch.constants, attributes)
        kernel = triton.compile(source, target=gpu, options=options.__dict__)
    except Exception as error:
        return {"problem": _reason(error), "shared": 0, "threads": 0}
    metadata = kernel.metadata
    threads = metadata.num_warps * limits.warp_size
    shared = metadata.shared or 0
    tensor_memory = getattr(metadata, "tmem_size", None) or 0
    problem = ""
    if shared > limits.shared:
        problem = f"needs {shared} bytes of shared memory of {limits.shared}"
    elif threads > MAX_THREADS:
        problem = f"needs {threads} threads a block of {MAX_THREADS}"
    elif tensor_memory > MAX_TENSOR_MEMORY:
        problem = f"needs {tensor_memory} columns of tensor memory of {MAX_TENSOR_MEMORY}"
    seconds = round(time.perf_counter() - started, 4)
    return {"problem": problem, "shared": shared, "threads": threads, "seconds": seconds}


def _reason(error: BaseException) -> str:
    """The line of a compile error that says what is wrong, with the innermost cause."""
    texts = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        texts.append(f"{type(link).__name__}: {' '.join(str(link).split())[-300:]}")
        link = link.__cause__
    return " <- ".join(reversed(texts))[:600]


def empty_triton_cache(folder: Path) -> None:
    """Remove what Triton wrote while it compiled; the results are kept by key."""
    shutil.rmtree(folder, ignore_errors=True)
