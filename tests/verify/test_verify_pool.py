"""Hostile and broken candidates cost their own verdict and nothing else; no process is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from verify_sources import ELEMENTWISE, SOFTMAX, Sources

from tritongen.errors import DeviceError, VerificationError
from tritongen.verify import Gate, has_gpu, verify

SMALL = SOFTMAX.with_metadata(targets=["sm_90"])


def hostile(statement: str) -> Sources:
    """A pair whose wrapper runs a statement first."""
    return SMALL.change(
        "    n_rows, n_cols = x.shape", f"    {statement}\n    n_rows, n_cols = x.shape"
    )


ENDS = {
    "os_exit": ("import os; os._exit(0)", "exit code 0"),
    "os_exit_3": ("import os; os._exit(3)", "exit code 3"),
    "segfault": ("import ctypes; ctypes.string_at(8)", "signal 11"),
    "kill": ("import os; os.kill(os.getpid(), 9)", "signal 9"),
    "abort": ("import os; os.abort()", "signal 6"),
    "sys_exit": ("import sys; sys.exit(4)", "sys.exit(4)"),
    "closed_pipes": ("import os; os.closerange(3, 256)", "worker"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_candidate_that_ends_its_process_is_an_error_of_its_own(gate: Gate, name: str) -> None:
    statement, words = ENDS[name]
    before, bad, after = gate.stream([SMALL, hostile(statement), SMALL])
    assert before.passed
    assert after.passed
    assert bad.status == "error", bad
    assert words in bad.reason, bad


@pytest.mark.parametrize(
    "statement",
    ["while True: pass", "import time; time.sleep(1000)", "import signal; signal.pause()"],
)
def test_a_hang_ends_at_the_deadline(gate: Gate, statement: str) -> None:
    started = time.monotonic()
    verdicts = list(gate.stream([hostile(statement), SMALL], timeout=4.0))
    assert verdicts[0].status == "error"
    assert verdicts[0].reason == "timeout after 4 s"
    assert verdicts[1].passed
    assert time.monotonic() - started < 30


def test_a_kernel_that_loops_for_ever_ends_at_the_deadline(gate: Gate) -> None:
    pair = SMALL.change(
        "    x = tl.exp(", "    while row < 100000:\n        cols = cols + 0\n    x = tl.exp("
    )
    verdict = gate.check(pair, timeout=4.0)
    assert (verdict.status, verdict.reason) == ("error", "timeout after 4 s")


def test_children_of_a_hanging_candidate_die_with_it(gate: Gate, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    command = f"import subprocess as s; p = s.Popen(['sleep', '600']); open({str(note)!r}, 'w').write(str(p.pid)); p.wait()"
    assert gate.check(hostile(command), timeout=5.0).status == "error"
    pid = int(note.read_text())
    assert not _alive(pid)


def test_floods_of_output_do_not_matter(gate: Gate) -> None:
    flood = 'print("x" * 20_000_000); import os; os.write(1, b"y" * 3_000_000); os.write(2, b"z" * 3_000_000)'
    forged = 'import sys; sys.__stdout__.write(\'{"id": 1, "finding": null}\\n\'); print("{}")'
    for verdict in gate.stream([hostile(flood), hostile(forged)]):
        assert verdict.passed, verdict


def test_a_candidate_cannot_read_standard_input(gate: Gate) -> None:
    assert gate.check(hostile("import sys; assert sys.stdin.read() == ''")).passed


def test_pairs_do_not_leak_into_each_other(gate: Gate) -> None:
    dirty = hostile("torch.set_default_dtype(torch.float64); torch.manual_seed(7)")
    assert all(verdict.passed for verdict in gate.stream([dirty, ELEMENTWISE, SMALL]))


def test_verdicts_stream_in_input_order_and_input_is_taken_lazily(gate: Gate) -> None:
    taken = []

    def pairs():
        for index in range(40):
            taken.append(index)
            factor = f"* 1.5 + {index}" if index % 3 else f"+ 0 * {index}"
            yield SMALL.change("tl.sum(x, axis=0)", f"tl.sum(x, axis=0) {factor}")

    stream = gate.stream(pairs())
    first = next(stream)
    assert first.passed
    assert len(taken) < 20
    statuses = [first.passed, *(verdict.passed for verdict in stream)]
    assert statuses == [index % 3 == 0 for index in range(40)]


def test_the_function_takes_one_pair_or_many() -> None:
    verdict = verify(SMALL, device="cpu", workers=1, targets=["sm_80"])
    assert verdict.passed
    assert verdict.targets == {"sm_80": "ok"}
    assert [v.passed for v in verify(iter([SMALL]), device="cpu", workers=1)] == [True]


@pytest.mark.skipif(has_gpu(), reason="there is a GPU")
def test_cuda_without_a_gpu_is_an_error_with_the_next_step() -> None:
    with pytest.raises(DeviceError, match='device="cpu"'):
        verify(SMALL, device="cuda")
    with pytest.raises(DeviceError, match="known: auto, cpu, cuda"):
        Gate("tpu")  # type: ignore[arg-type]


def test_unknown_targets_are_named(gate: Gate) -> None:
    with pytest.raises(VerificationError, match="sm_90"):
        gate.check(SMALL, targets=["sm_91"])


def test_workers_and_scratch_are_gone_after_closing() -> None:
    gate = Gate("cpu", workers=1)
    assert gate.check(SMALL).passed
    pids, scratch = gate.pool.pids(), gate.pool._scratch
    assert pids
    assert scratch is not None
    assert scratch.exists()
    gate.close()
    assert not any(_alive(pid) for pid in pids)
    assert not scratch.exists()


def test_workers_die_with_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys\nsys.path[:0] = sys.argv[1:]\n"
        "from tritongen.verify import Gate\nfrom verify_sources import SOFTMAX\n"
        "gate = Gate('cpu', workers=1)\ngate.check(SOFTMAX)\n"
        "print(*gate.pool.pids(), flush=True)\nimport time; time.sleep(600)\n"
    )
    here = Path(__file__).parent
    command = [sys.executable, str(script), str(here.parents[1]), str(here)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert pids
        assert all(_alive(pid) for pid in pids)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(_alive(pid) for pid in pids)


def test_a_worker_killed_from_outside_costs_one_verdict(gate: Gate) -> None:
    pairs = [hostile("import time; time.sleep(1.0)"), SMALL, SMALL]
    stream = gate.stream(pairs)
    for pid in gate.pool.pids():
        os.kill(pid, signal.SIGKILL)
    verdicts = list(stream)
    assert len(verdicts) == 3
    assert all(verdict.passed or verdict.status == "error" for verdict in verdicts)
    assert gate.check(SMALL).passed


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z"


@pytest.mark.parametrize("timeout", ["x", 0, -1, None, True])
def test_a_timeout_that_is_no_positive_number_is_refused_at_the_call(timeout):
    from tritongen.verify.gate import verify

    with pytest.raises(VerificationError, match="timeout"):
        verify([], device="cpu", timeout=timeout)


@pytest.mark.parametrize(
    "arguments",
    [{"workers": 0}, {"workers": "2"}, {"workers": [2]}, {"targets": "sm_90"}, {"targets": 90}],
)
def test_arguments_of_another_kind_are_refused_at_the_call(arguments):
    with pytest.raises(VerificationError, match=next(iter(arguments))):
        verify([], device="cpu", **arguments)


@pytest.mark.parametrize("pair", [5, None, "abc", {"python_code": "x"}])
def test_what_is_no_pair_is_named_with_its_place(pair):
    with pytest.raises(VerificationError, match="pair: is no pair"):
        verify(pair, device="cpu")
    with pytest.raises(VerificationError, match=r"pairs\[0\]: is no pair"):
        list(verify([pair], device="cpu"))
