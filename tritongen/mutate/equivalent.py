"""Whether a mutant that survives is wrong at all: decided by evidence, never by assumption.

A mutant is equivalent if its canonical source is that of the original (such mutants are not even
made), or if original and mutant, both with float64 in place of float32, stay within one ulp of the
finest output dtype on every input tried: the test's own generator over its shapes and longer ones,
its magnitudes and larger ones, contiguous, strided, and with tiles of different range. In the pair's
own dtypes what is finite must stay finite, and a mutant that differs in rounding must agree within
one ulp of each. One that leaves its buffers, writes an input or fails to run is never equivalent.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tritongen.mutate.mutants import Mutant
from tritongen.mutate.source import Source


@dataclass(frozen=True, slots=True)
class Equivalence:
    """A decision with its reason: the difference, or how many calls agreed."""

    equivalent: bool
    reason: str


class Referee:
    """A warm process that compares mutants with their originals; use as a context manager.

    A comparison tries a fixed number of calls, so that it does not depend on the machine, unless
    that takes longer than `seconds`. `patience` is how long
    it may hang before its process is killed.
    """

    def __init__(self, seconds: float = 20.0) -> None:
        self.seconds = seconds
        self.patience = 60 + 2 * seconds
        self._process: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Referee:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process and remove its folder."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _start(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._folder = tempfile.TemporaryDirectory(prefix="tritongen-mutate-")
            folder = self._folder.name
            root = str(Path(__file__).parents[2])
            paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
            environment = {
                **os.environ,
                "TRITON_INTERPRET": "1",
                "PYTHONHASHSEED": "0",
                "OMP_NUM_THREADS": "1",
                "TRITON_CACHE_DIR": f"{folder}/triton",
                "PYTHONPATH": os.pathsep.join(paths),
            }
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "tritongen.mutate.referee"),
                    *(folder, str(os.getpid())),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
                cwd=folder,
                env=environment,
            )
        return self._process

    def decide(self, mutant: Mutant) -> Equivalence:
        """Whether a mutant is equivalent to its original; a comparison that fails says no."""
        request = {
            "python_code": mutant.python_code,
            "test_code": mutant.test_code,
            "original": mutant.pair.triton_code,
            "mutant": mutant.triton_code,
            "wrapper": wrapper_of(mutant),
            "precision": mutant.operator.precision,
            "constants": block_sizes(mutant),
            "seconds": self.seconds,
        }
        process = self._start()
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the referee has no pipes")
        try:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
            ready, _, _ = select.select([stdout], [], [], self.patience)
            line = stdout.readline() if ready else ""
        except OSError:
            line = ""
        if not line:
            self.close()
            return Equivalence(False, "the comparison hung or its process died")
        response: dict[str, Any] = json.loads(line)
        agreed = response.get("agreed", {})
        words = ", ".join(f"{count} calls agree in {dtype}" for dtype, count in agreed.items())
        return Equivalence(response["equivalent"], response["reason"] or words)


def block_sizes(mutant: Mutant) -> list[int]:
    """Integers of 2 to 1024 in the original: the sizes of its blocks."""
    tree = Source(mutant.pair.triton_code).tree
    found = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) is int and 2 <= node.value <= 1024
    }
    return sorted(found)


def wrapper_of(mutant: Mutant) -> str:
    """The name of the wrapper: as the metadata say, else the last host function."""
    named = (mutant.metadata.get("entry") or {}).get("wrapper")
    if named:
        return str(named)
    host = Source(mutant.pair.triton_code).host
    return host[-1].name if host else "wrapper"
