"""In the candidate's sandbox: the TRITON block, called under watch; nothing here is believed."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tritongen.verify import redirect
from tritongen.verify.foreign.load import entry_point, load, place_of
from tritongen.verify.foreign.move import to_device
from tritongen.verify.foreign.plain import observation_to_plain
from tritongen.verify.foreign.reference_side import measure
from tritongen.verify.judge.local import copy_values
from tritongen.verify.judge.records import How, Observation, Problem
from tritongen.verify.probe.subject import LocalSubject


class CandidateSide:
    """The wrapper of one candidate in this process."""

    def __init__(self, message: dict[str, Any]) -> None:
        """Load the block; `message` has `triton`, `entry` and `device`."""
        self.cuda = message["device"] == "cuda"
        surroundings = contextlib.nullcontext() if self.cuda else redirect.redirected()
        with surroundings:
            self.module = load("TRITON", message["triton"], Path.cwd())
            self.wrapper = self._placing(entry_point(self.module, message["entry"]))
        self.place = ""
        self.subjects: dict[Any, LocalSubject] = {}

    def _placing(self, wrapper: Callable[..., Any]) -> Callable[..., Any]:
        """The wrapper, which notes the line that raised what it raises."""

        @functools.wraps(wrapper)
        def placing(*arguments: Any) -> Any:
            try:
                return wrapper(*arguments)
            except BaseException as error:
                self.place = place_of(error)
                raise

        return placing

    def environment(self) -> dict[str, str]:
        """Name and capability of the device."""
        if not self.cuda:
            return {"device": "cpu", "capability": ""}
        import torch

        major, minor = torch.cuda.get_device_capability()
        return {"device": torch.cuda.get_device_name(), "capability": f"sm_{major}{minor}"}

    def subject(self, traits: dict[str, Any]) -> LocalSubject:
        """The subject for what the reference writes and returns."""
        given, computes = bool(traits["given_sizes"]), bool(traits["computes"])
        key = tuple(traits["mutable"]), tuple(traits["free"]), given, computes
        if key not in self.subjects:
            self.subjects[key] = LocalSubject(
                self.wrapper,
                "cuda" if self.cuda else "interpret",
                mutable=key[0],
                free=key[1],
                allow_copies=computes,
                allow_partials=True if given else "any",
            )
        return self.subjects[key]

    def run(self, message: dict[str, Any]) -> dict[str, Any]:
        """One call."""
        arguments = message["arguments"]
        if self.cuda:
            arguments = to_device(arguments, "cuda")
        subject = self.subject(message)
        self.place = ""
        observation = self._with_place(subject.run(arguments, How(**message["how"])))
        if self.cuda and observation.problem is None:
            observation = _on_device(observation)
        return observation_to_plain(observation) | {"dead": subject.dead}

    def _with_place(self, observation: Observation) -> Observation:
        problem = observation.problem
        if not self.place:
            return observation
        if observation.limit:
            return replace(observation, refusal=observation.refusal + self.place)
        if problem is not None and problem.check == "exception":
            return replace(
                observation, problem=replace(problem, reason=problem.reason + self.place)
            )
        return observation

    def timing(self, arguments: tuple[Any, ...], seconds: float) -> dict[str, Any]:
        """Milliseconds of a call on the GPU and the kernels that it launches."""
        placed = copy_values(to_device(arguments, "cuda"))
        return measure(lambda: self.wrapper(*placed), seconds)


def _on_device(observation: Observation) -> Observation:
    import torch

    for number, item in enumerate(observation.outputs):
        if isinstance(item, torch.Tensor) and item.device.type != "cuda":
            reason = f"result {number} lies in host memory"
            return replace(observation, problem=Problem("device", reason, {"output": number}))
    return observation
