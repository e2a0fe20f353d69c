"""`LocalSubject`: a wrapper run once in this process, and all that is seen of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch

from tritongen.verify.judge.records import How, Observation, Problem
from tritongen.verify.probe import launches as hooks
from tritongen.verify.probe import originals as o
from tritongen.verify.probe.exports import set_exports, watch_exports
from tritongen.verify.probe.guards import Guards, guard, parameter_names
from tritongen.verify.probe.launches import ACTIVE, Launches
from tritongen.verify.probe.ledger import Ledger
from tritongen.verify.probe.outcomes import (
    FATAL_WORDS,
    MEMORY_WORDS,
    REFUSED_LAUNCH,
    chain_of,
    flatten,
    is_resources,
    of_language,
    words_of,
)
from tritongen.verify.probe.torchwatch import Operations, Reads, Watch, keep_place
from tritongen.verify.redirect import Redirect, place_of

Mode = Literal["interpret", "cuda"]


@dataclass(slots=True)
class Call:
    """One call under way."""

    guards: Guards
    ledger: Ledger
    watch: Watch
    launches: Launches
    error: BaseException | None = None
    result: Any = None
    disturbed: str = ""


class LocalSubject:
    """Runs `wrapper` in this process; `run` never raises.

    `interpret` runs kernels in Triton's interpreter (the process was started with
    TRITON_INTERPRET=1; `interpreter.install` and `redirect.install` are called if they were not),
    `cuda` on the GPU; tensors among the arguments stay on the device where they are.

    mutable: numbers of the positional arguments that the wrapper may write (the reference does).
    free: numbers of results that no kernel need have written (the reference returns an argument).
    allow_copies: copies and casts by torch are allowed (False for families that are one).
    allow_partials: torch may reduce small partial results that kernels wrote (foreign code); `any`:
        however large they are (at sizes where even few are a large share of the input).
    allow_kept: kernels may be given tensors that were made before the call (tables, workspaces).
    tune: on a GPU let the autotuner measure where How.configuration is None; else the first
        configuration that fits the device is taken.
    """

    def __init__(
        self,
        wrapper: Callable[..., Any],
        mode: Mode,
        *,
        mutable: Collection[int] = (),
        free: Collection[int] = (),
        allow_copies: bool = True,
        allow_partials: bool | Literal["any"] = False,
        allow_kept: bool = False,
        tune: bool = False,
    ) -> None:
        if mode not in ("interpret", "cuda"):
            raise ValueError(f"mode must be interpret or cuda, not {mode!r}")
        self.wrapper = wrapper
        self.mode = mode
        self.mutable = frozenset(mutable)
        self.free = frozenset(free)
        self.allow_copies = allow_copies
        self.allow_partials: bool | Literal["any"] = allow_partials
        self.allow_kept = allow_kept
        self.tune = tune
        self.dead = ""
        """Why this process is of no more use: its CUDA context is lost. Empty while it lives."""
        self._names = parameter_names(wrapper)
        prepare(mode)

    def run(self, arguments: tuple[Any, ...], how: How) -> Observation:
        """One call on copies of `arguments`."""
        try:
            call = self._prepare(arguments, how)
        except Exception as error:
            return Observation(problem=Problem("internal", words_of(error)))
        try:
            self._call(call, how)
            return self._observe(call, how)
        except Exception as error:
            return self._broken(error)

    def _prepare(self, arguments: tuple[Any, ...], how: How) -> Call:
        cuda = self.mode == "cuda"
        guards = guard(arguments, self._names, poison=how.poison, zones=cuda, mutable=self.mutable)

        def writable(tensor: torch.Tensor) -> bool:
            owner = guards.owner(tensor)
            return owner is not None and owner.argument in self.mutable

        ledger = Ledger(how.watch, writable)
        for buffer in guards.buffers:
            ledger.add(buffer.memory, "argument")
        watch = Watch(
            ledger,
            poison=how.poison,
            zones=cuda,
            allow_copies=self.allow_copies,
            allow_partials=self.allow_partials,
            largest=guards.largest,
        )
        record = Launches(
            ledger, suppressed=not how.launches, pinned=how.configuration, tune=self.tune
        )
        return Call(guards, ledger, watch, record)

    def _call(self, call: Call, how: How) -> None:
        """Run the wrapper under watch; what it raises is noted."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._hooked(call, how))
            before = _modes()
            functions: list[Any] = [Redirect(poison=False)] if self.mode == "interpret" else []
            functions.append(Reads(call.watch))
            operations = Operations(call.watch)
            for mode in (*functions, operations):
                mode.__enter__()
            set_exports(call.watch)
            inside = _modes()
            try:
                call.result = self.wrapper(*call.guards.arguments)
                if self.mode == "cuda":
                    o.synchronize()
            except BaseException as error:  # KeyboardInterrupt as well: a candidate may raise it
                call.error = error
            finally:
                set_exports(None)
                if _modes() != inside:
                    call.disturbed = "the wrapper left the modes of torch in disorder"
                    _restore_modes(before)
                else:
                    for mode in (operations, *reversed(functions)):
                        mode.__exit__(None, None, None)

    @contextlib.contextmanager
    def _hooked(self, call: Call, how: How) -> Iterator[None]:
        if self.mode == "cuda":
            ACTIVE.call = call.launches
            try:
                yield
            finally:
                ACTIVE.call = None
            return
        from tritongen.verify.interpreter import STATE

        STATE.observer = call.launches
        STATE.suppressed = not how.launches
        STATE.pinned = how.configuration or 0
        STATE.reverse = how.reverse
        STATE.poison = how.poison
        STATE.interleave = getattr(how, "interleave", False)
        STATE.configurations = 1
        STATE.atomics = False
        STATE.precisions.clear()
        STATE.arena.fault = None
        STATE.arena.windows.clear()
        for buffer in call.guards.buffers:
            placed = buffer.placed[0]
            STATE.arena.windows[buffer.key] = (placed.start, placed.end)
        try:
            yield
        finally:
            call.launches.configurations = STATE.configurations
            call.launches.atomics = STATE.atomics
            call.launches.precisions |= STATE.precisions
            STATE.observer = None
            STATE.suppressed = False
            STATE.poison = 0
            STATE.arena.windows.clear()

    def _observe(self, call: Call, how: How) -> Observation:
        record = call.launches
        common: dict[str, Any] = {
            "launches": dict(record.counts),
            "configurations": record.configurations,
            "atomics": record.atomics,
            "precisions": tuple(sorted(record.precisions)),
            "partials": call.watch.partials,
        }
        replaced = hooks.replaced_attributes()
        if replaced:
            reason = f"the code replaced parts of Triton: {', '.join(replaced)}"
            return Observation(problem=Problem("honesty", reason), **common)
        if call.error is not None:
            lost = self._lost(call.error)
            if lost is not None:
                return Observation(problem=lost, **common)
        problem = self._memory(call)
        if problem is not None:
            return Observation(problem=problem, **common)
        if call.error is not None:
            return self._raised(call, common)
        flat: list[Any] = []
        problem = flatten(call.result, flat)
        if problem is None:
            problem = self._honesty(call, flat, how)
        notes = []
        if record.failure is not None:
            notes.append(f"an exception of kernel {record.failure[0]} was caught by the wrapper")
        if record.kept:
            notes.append(f"kernel {record.kept[0]} was given memory from before the call")
        outputs = tuple(self._handed_over(call, item) for item in flat)
        return Observation(outputs, problem, notes=tuple(notes), **common)

    def _lost(self, error: BaseException) -> Problem | None:
        """The problem of an error that leaves the CUDA context dead."""
        text = f"{type(error).__name__}: {error}".lower()
        if self.mode != "cuda" or not any(word in text for word in FATAL_WORDS):
            return None
        if any(word in text for word in REFUSED_LAUNCH):
            return None
        self.dead = words_of(error)
        check = "memory" if any(word in text for word in MEMORY_WORDS) else "exception"
        return Problem(check, self.dead, {"fatal": True})

    def _broken(self, error: Exception) -> Observation:
        lost = self._lost(error)
        if lost is None:
            lost = Problem("internal", words_of(error))
        return Observation(problem=lost)

    def _memory(self, call: Call) -> Problem | None:
        if self.mode == "interpret":
            from tritongen.verify.interpreter import STATE

            fault = STATE.arena.fault
            if fault is not None:
                return Problem("memory", str(fault), dict(fault.witness))
        elif self.mode == "cuda":
            found = call.watch.check_zones()
            if found:
                return Problem("memory", found[0], {"action": "store"})
        return call.guards.check()

    def _raised(self, call: Call, common: dict[str, Any]) -> Observation:
        """What an exception that left the wrapper means."""
        error = call.error
        if error is None:
            raise ValueError("no exception")
        words = words_of(error)
        failed = call.launches.failure
        if failed is not None and failed[1] in chain_of(error):
            if is_resources(failed[1]) or (self.mode == "interpret" and of_language(failed[1])):
                return Observation(limit="resources", refusal=words, **common)
            problem = Problem("exception", f"kernel {failed[0]}: {words}")
            return Observation(problem=problem, **common)
        if is_resources(error):
            return Observation(limit="resources", refusal=words, **common)
        if isinstance(error, SystemExit):
            problem = Problem("exception", f"the wrapper called sys.exit({error.code})")
            return Observation(problem=problem, **common)
        if not call.launches.counts and isinstance(error, Exception):
            return Observation(limit="declared", refusal=words, **common)
        return Observation(problem=Problem("exception", words), **common)

    def _honesty(self, call: Call, flat: list[Any], how: How) -> Problem | None:
        record, watch = call.launches, call.watch
        if call.disturbed:
            return Problem("honesty", call.disturbed)
        refused = [f"{name} ({why})" if why else name for name, why in watch.refused.items()]
        said = ", ".join(refused[:4])
        if refused and record.failure is not None:
            kernel, error = record.failure
            reason = f"after kernel {kernel} failed ({words_of(error, 120)}), torch did: {said}"
            return Problem("fallback", reason)
        tensors = [(n, t) for n, t in enumerate(flat) if isinstance(t, torch.Tensor)]
        if not record.counts and (not tensors or any(o.numel(tensor) for _, tensor in tensors)):
            more = f"; torch did: {said}" if refused else ""
            return Problem("launch", f"no Triton kernel was launched{more}")
        if refused:
            return Problem("honesty", f"the wrapper lets torch do the work: {said}")
        if record.kept and not self.allow_kept:
            reason = f"kernel {record.kept[0]} was given a tensor that was made before the call"
            return Problem("cache", reason)
        for number, tensor in tensors:
            problem = self._result(call, number, tensor, how)
            if problem is not None:
                return problem
        if how.launches and call.ledger.changed_unseen():
            return Problem("honesty", call.ledger.unseen)
        return None

    def _result(self, call: Call, number: int, tensor: Any, how: How) -> Problem | None:
        """Whether a result was written by kernels."""
        where = {"output": number}
        if self.mode == "interpret" and place_of(tensor) == "cpu" and number not in self.free:
            return Problem("device", f"result {number} lies in host memory", where)
        if o.numel(tensor) == 0 or not how.launches:
            return None
        owner = call.guards.owner(tensor)
        if owner is not None:
            if owner.argument in self.mutable or number in self.free:
                return None
            reason = f"result {number} is the argument {owner.name}, untouched"
            return Problem("honesty", reason, where)
        if number in self.free:
            return None
        entry = call.ledger.of(tensor)
        if entry is None or entry.origin == "kept":
            reason = f"result {number} lies in memory that was not allocated in this call"
            return Problem("cache", reason, where)
        if entry.spoiled:
            reason = f"result {number} was changed by {entry.spoiled} after its last launch"
            return Problem("honesty", reason, where)
        if not entry.written:
            return Problem("honesty", f"no kernel wrote result {number}", where)
        call.ledger.verify(entry)
        return None

    def _handed_over(self, call: Call, item: Any) -> Any:
        """A result as a plain tensor without attributes; one that is an argument is copied."""
        if not isinstance(item, torch.Tensor):
            return item
        with o.no_functions():
            plain = o.detach(item)
            if call.guards.owner(plain) is not None:
                plain = o.clone(plain)
            keep_place(plain, item)
        return plain


def prepare(mode: Mode) -> None:
    """Install what `LocalSubject` needs in this process; before a candidate is loaded, once."""
    if mode == "cuda":
        hooks.install()
    else:
        from triton.runtime import autotuner, interpreter, jit

        from tritongen.verify import interpreter as mended
        from tritongen.verify import redirect

        if not mended.STATE.installed:
            redirect.install()
            mended.install()
        if not ACTIVE.guarded:
            run = "run"
            hooks.guard_attributes(
                [(interpreter.GridExecutor, "__call__"), (interpreter.InterpretedFunction, run)]
                + [(autotuner.Autotuner, run), (interpreter.InterpretedFunction, "__getitem__")]
                + [(jit.KernelInterface, "__getitem__"), (autotuner.Heuristics, run)]
            )
    watch_exports()


def _modes() -> tuple[int, int]:
    return torch._C._len_torch_function_stack(), torch._C._len_torch_dispatch_stack()


def _restore_modes(before: tuple[int, int]) -> None:
    while torch._C._len_torch_function_stack() > before[0]:
        torch._C._pop_torch_function_stack()
    while torch._C._len_torch_dispatch_stack() > before[1]:
        torch._C._pop_torch_dispatch_stack(None)
