"""Small parts of the foreign gate: what is believed of an answer, deadlines, moving, warming up."""

from __future__ import annotations

import gc
import math
import os
import subprocess
import sys
import threading
import time

import pytest
import torch

from tritongen.verify.foreign.move import to_device
from tritongen.verify.foreign.names import parse
from tritongen.verify.foreign.plain import (
    PlainError,
    json_value,
    observation_from_plain,
    observation_to_plain,
)
from tritongen.verify.foreign.remote import Deadline, RemoteReference, RemoteSubject, Role
from tritongen.verify.judge.records import How, Observation, Problem

OBSERVATION = Observation(
    outputs=(torch.ones(2), 3),
    problem=Problem("memory", "outside", {"index": 3, "size": math.nan}),
    launches={"kernel": 2},
    configurations=3,
    atomics=True,
    partials=4,
    precisions=("tf32",),
    notes=("a note",),
)


def test_an_observation_survives_the_way():
    found = observation_from_plain(observation_to_plain(OBSERVATION))
    assert found.problem == Problem("memory", "outside", {"index": 3, "size": "nan"})
    for name in ("launches", "configurations", "atomics", "partials", "precisions", "notes"):
        assert getattr(found, name) == getattr(OBSERVATION, name)
    limited = observation_to_plain(Observation(limit="declared", refusal="no"))
    assert observation_from_plain(limited).limit == "declared"


@pytest.mark.parametrize(
    "change",
    [
        {"outputs": 3},
        {"outputs": None},
        {"launches": [1]},
        {"limit": "anything"},
        {"problem": "wrong"},
        {"problem": {"check": "nothing", "reason": "", "witness": {}}},
        {"problem": {"reason": "", "witness": {}}},
    ],
)
def test_what_is_no_observation_is_refused(change):
    with pytest.raises(PlainError):
        observation_from_plain({**observation_to_plain(OBSERVATION), **change})
    with pytest.raises(PlainError):
        observation_from_plain(None)


def test_what_an_observation_claims_is_bounded():
    claim = {
        "configurations": 10**9,
        "partials": -4,
        "atomics": "yes",
        "precisions": ["x"] * 999,
        "notes": 3,
        "launches": {"k" * 10_000: True, 3: 2.5},
        "problem": {"check": "memory", "reason": "r" * 10_000, "witness": [1]},
    }
    found = observation_from_plain({**observation_to_plain(OBSERVATION), **claim})
    assert (found.configurations, found.partials, found.atomics) == (4096, 0, False)
    assert len(found.precisions) == 64
    assert found.notes == ()
    assert max(map(len, found.launches)) <= 2000
    assert found.problem is not None
    assert len(found.problem.reason) <= 2000
    assert found.problem.witness == {}


def test_values_are_standard_json_whatever_they_are():
    deep: list[object] = []
    deep.append(deep)
    value = {1: math.inf, "a": (1, {2}), "b": deep, "c": 1 << 100, "d": object()}
    found = json_value(value)
    assert found["1"] == "inf"
    assert found["a"] == [1, [2]]
    assert found["c"] == str(1 << 100)


def test_sources_are_parsed_in_several_threads_at_a_time():
    """Python 3.11 raises SystemError where a collection lets another thread build a tree."""
    text = "\n".join(
        f"def f{n}(x):\n    return [[[x + {n}], {n}], (x, (x, {n}))]" for n in range(200)
    )
    raised: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(8):
                parse(text)
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    before = gc.get_threshold()

    def pause(*_: object) -> None:
        time.sleep(0.0001)

    gc.callbacks.append(pause)
    gc.set_threshold(100)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(pause)
    assert raised == []


def test_a_deadline_ends():
    deadline = Deadline(0.05)
    assert not deadline.over
    time.sleep(0.06)
    assert deadline.over
    assert deadline.left == 0
    assert deadline.problem.check == "timeout"


class Box:
    """A sandbox that dies at its first call and then answers."""

    def __init__(self, answers: list[object]) -> None:
        self.answers = answers
        self.alive = True

        class Isolation:
            @staticmethod
            def record() -> dict[str, object]:
                return {"tier": "test"}

        self.isolation = Isolation()

    def call(self, op: str, message: object, timeout: float) -> object:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            self.alive = getattr(answer, "kind", "") == "raised"
            raise answer
        return answer

    def close(self) -> None:
        self.alive = False


class Boxes:
    """A zygote that gives boxes."""

    def __init__(self, *boxes: Box) -> None:
        self.boxes = list(boxes)

    def wait(self, timeout: float) -> None: ...

    def sandbox(self) -> Box:
        return self.boxes.pop(0)


def role(*boxes: Box, restarts: int = 0, seconds: float = 60.0) -> Role:
    return Role("reference", Boxes(*boxes), {}, Deadline(seconds), restarts=restarts)  # type: ignore[arg-type]


def died():
    from tritongen.verify.sandbox import SandboxError

    return SandboxError("memory", "used over 4 MiB of memory", output="line one\nlast line\n")


def test_a_reference_that_dies_at_one_trial_is_there_for_the_next():
    first, second = Box([{}, died()]), Box([{}, {"outputs": (1,), "error": ""}])
    reference = RemoteReference(role(first, second, restarts=1))
    assert "used over 4 MiB" in reference.run((), "own").error
    assert reference.run((), "own").outputs == (1,)
    assert len(reference.deaths) == 1
    assert reference.role.alive


def test_a_reference_that_keeps_dying_is_given_up():
    reference = RemoteReference(role(Box([{}, died()])))
    assert not reference.run((), "own").ok
    assert not reference.role.alive
    assert "has ended" in reference.run((), "own").error


def test_a_candidate_is_never_started_again():
    subject = RemoteSubject(role(Box([{}, died()])), {})
    for words in ("last line", "has ended"):
        problem = subject.run((), How()).problem
        assert problem is not None
        assert problem.check == "worker"
        assert words in problem.reason


def test_no_call_is_made_after_the_deadline():
    box = Box([{}])
    subject = RemoteSubject(role(box, seconds=1e-9), {})
    problem = subject.run((), How()).problem
    assert problem is not None
    assert problem.check == "timeout"
    assert box.answers == [{}]


def test_moving_keeps_strides_offsets_and_what_is_shared():
    base = torch.arange(24.0).reshape(4, 6)
    values = (base.t(), [base[1:, 2:]], {"a": torch.empty(0, 3)}, 5)
    moved = to_device(values, "meta")
    assert moved[0].stride() == (1, 6)
    assert moved[1][0].storage_offset() == 8
    assert moved[1][0].untyped_storage()._cdata == moved[0].untyped_storage()._cdata
    assert moved[2]["a"].shape == (0, 3)
    assert moved[3] == 5
    assert to_device(values, "cpu")[0] is values[0]


@pytest.mark.parametrize("part", ["judging", "compiler"])
def test_warming_up_uses_every_part_without_an_error(part, tmp_path):
    """What fails in a zygote is passed over there and would only cost time: it is seen here."""
    code = f"""
from tritongen.verify import capture, interpreter, redirect
from tritongen.verify.foreign import candidate_side, reference_side, warm, compile_side

def strict(run):
    def strictly(*arguments):
        result = run(*arguments)
        assert not result.get("error") and not result.get("problem"), result
        return result
    return strictly

for side in (reference_side.ReferenceSide, candidate_side.CandidateSide):
    side.run = strict(side.run)
compile_side.CompileSide.compile = strict(compile_side.CompileSide.compile)
redirect.install()
{"interpreter" if part == "judging" else "capture"}.install()
warm._warm_{part}()
"""
    environment = {
        **os.environ,
        "TRITON_INTERPRET": "1" if part == "judging" else "0",
        "TRITON_CACHE_DIR": str(tmp_path / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
