"""However a parent, a zygote or a sandbox ends, nothing is left over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sandbox_tools import HANDLERS, outcome, run

from tritongen.verify.pool import scratch_root
from tritongen.verify.sandbox import SandboxError, Zygote, available_tiers
from tritongen.verify.sandbox.scratch import PREFIX, remove_stale

PARENT = """
import os, sys, threading, time
from tritongen.verify.sandbox import Zygote
zygote = Zygote(sys.argv[2], sys.argv[1], tier=sys.argv[3])
fork = '''
import os, time
for _ in range(3):
    if os.fork() == 0:
        time.sleep(600)
'''
boxes = [zygote.sandbox() for _ in range(2)]
if sys.argv[2] == "compile":
    boxes[0].call("run", {"source": fork}, 30.0)
print(zygote.pid, *(box.pid for box in boxes), flush=True)
threading.Thread(target=lambda: boxes[1].call("run", {"source": "while True: pass"}, 600.0)).start()
time.sleep(600)
"""


def below(pid: int) -> list[int]:
    """A process and all those under it."""
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found += below(child)
    return found


def running(pids: list[int]) -> list[int]:
    """Those of the processes that have not ended."""
    left = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if state not in "ZX":
            left.append(pid)
    return left


def wait_until_gone(pids: list[int], patience: float = 5.0) -> list[int]:
    """Those that are still there after a while."""
    deadline = time.monotonic() + patience
    while (left := running(pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


@pytest.fixture
def parent() -> Callable[[str, str], tuple[subprocess.Popen[str], list[int]]]:
    """Starts a parent with a zygote and two sandboxes; it, and all process ids under it."""

    def start(mode: str, tier: str) -> tuple[subprocess.Popen[str], list[int]]:
        process = subprocess.Popen(
            [sys.executable, "-c", PARENT, HANDLERS, mode, tier], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line
        pids = below(process.pid)
        assert set(map(int, line.split())) <= set(pids)
        return process, pids

    return start


@pytest.mark.parametrize("tier", available_tiers())
def test_a_killed_parent_leaves_no_process_and_its_folder_goes_later(
    parent: Callable[..., tuple[subprocess.Popen[str], list[int]]], tier: str
) -> None:
    process, pids = parent("compile", tier)
    assert len(pids) >= 7
    process.kill()
    process.wait()
    assert wait_until_gone(pids) == []
    remove_stale()
    assert not list(scratch_root().glob(f"{PREFIX}{process.pid}-*"))


def test_a_parent_killed_while_it_starts_leaves_no_process(
    parent: Callable[..., tuple[subprocess.Popen[str], list[int]]],
) -> None:
    for seconds in (0.3, 0.6, 1.0, 1.6):
        process = subprocess.Popen(
            [sys.executable, "-c", PARENT, HANDLERS, "interpret", "auto"], stdout=subprocess.DEVNULL
        )
        time.sleep(seconds)
        pids = below(process.pid)
        process.kill()
        process.wait()
        assert wait_until_gone(pids) == []


@pytest.mark.parametrize("tier", available_tiers())
def test_a_killed_zygote_takes_its_sandboxes_with_it_and_is_replaced(tier: str) -> None:
    with Zygote("interpret", HANDLERS, tier=tier) as zygote:
        sandbox = zygote.sandbox()
        pids = below(zygote.pid)
        assert len(pids) >= 2
        for victim in pids:
            if victim not in (zygote.pid, sandbox.pid):
                os.kill(victim, signal.SIGKILL)
                break
        else:
            os.kill(zygote.pid, signal.SIGKILL)
        assert wait_until_gone([pid for pid in pids if pid != zygote.pid]) == []
        with pytest.raises(SandboxError) as caught:
            run(sandbox, "result = 1")
        assert caught.value.kind in ("died", "closed")
        assert outcome(zygote, "result = 2") == 2


@pytest.mark.parametrize("tier", available_tiers())
def test_a_killed_warden_takes_all_with_it(tier: str) -> None:
    with Zygote("interpret", HANDLERS, tier=tier) as zygote:
        zygote.sandbox()
        pids = below(zygote.pid)
        os.kill(zygote.pid, signal.SIGKILL)
        assert wait_until_gone(pids) == []


@pytest.mark.parametrize("tier", available_tiers())
def test_a_closed_zygote_leaves_neither_processes_nor_files(tier: str) -> None:
    zygote = Zygote("interpret", HANDLERS, tier=tier)
    sandbox = zygote.sandbox()
    run(sandbox, "open('file', 'w').write('x')")
    pids = below(zygote.pid)
    folder = zygote._scratch
    assert folder is not None
    assert folder.exists()
    zygote.close()
    assert wait_until_gone(pids) == []
    assert not folder.exists()
    zygote.close()


@pytest.mark.parametrize("tier", available_tiers())
def test_a_closed_sandbox_leaves_neither_processes_nor_files(tier: str) -> None:
    with Zygote("compile", HANDLERS, tier=tier) as zygote:
        sandbox = zygote.sandbox()
        source = "import os, time\nif os.fork() == 0: time.sleep(600)\nopen('file', 'w').write('x')"
        run(sandbox, source)
        pids = below(sandbox.pid)
        assert len(pids) == 2
        sandbox.close()
        assert wait_until_gone(pids) == []
        deadline = time.monotonic() + 2
        folder = zygote._scratch
        assert folder is not None
        while list(folder.glob("sandbox-*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not list(folder.glob("sandbox-*"))
        sandbox.close()


def test_many_sandboxes_leak_no_descriptor(guarded: Zygote) -> None:
    guarded.wait()
    outcome(guarded, "result = 1")
    before = len(os.listdir("/proc/self/fd"))
    for number in range(25):
        outcome(guarded, "result = 1" if number % 2 else "import os; os._exit(1)")
    assert len(os.listdir("/proc/self/fd")) == before
