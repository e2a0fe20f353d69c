"""Hostile programs, each stopped; and each seen to do its harm where there is no isolation.

The control runs are chosen so that the harm is none: signal 0, small sizes, files of the test.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from sandbox_tools import LOOSE, MEBI, TIGHT, outcome, run

from tritongen.verify.sandbox import TIERS, SandboxError, Zygote, available_parts, best_tier

REPOSITORY = Path(__file__).resolve().parents[3]


def refused(found: object) -> bool:
    """Whether a program was stopped by an exception of its own."""
    return isinstance(found, SandboxError) and found.kind in ("raised", "died")


def gone(pid: int, patience: float = 3.0) -> bool:
    """Whether a process ends soon (a zombie has ended)."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.02)
    return False


# Memory, processor, disk, output


GRAB = "x = bytearray(600 << 20)\nresult = len(x)"


def test_memory_is_limited(guarded: Zygote, bare: Zygote, zygotes: Callable[..., Zygote]) -> None:
    watched = zygotes("interpret", "auto", TIERS[best_tier()])
    for zygote in (guarded, watched):
        assert outcome(zygote, GRAB + "\nimport time; time.sleep(20)").kind == "memory"
    assert outcome(bare, GRAB, limits=LOOSE) == 600 << 20


SHARED = "import mmap\nx = mmap.mmap(-1, 64 << 20)\nresult = len(x)"


@pytest.mark.usefixtures("isolated")
def test_memory_cannot_be_hidden_in_shared_mappings(guarded: Zygote, bare: Zygote) -> None:
    for source in (SHARED, "import os; result = os.memfd_create('x')"):
        assert refused(outcome(guarded, source))
        assert not refused(outcome(bare, source))


HIDE = """
import os
files = [os.memfd_create(str(number)) for number in range(24)]
for file in files:
    os.write(file, bytes(16 << 20))
    os.write(file, bytes(16 << 20))
result = len(files)
"""


def test_the_kernel_itself_counts_memory_that_no_process_shows(
    zygotes: Callable[..., Zygote],
) -> None:
    if "cgroup" not in available_parts():
        pytest.skip("needs a control group that can be written")
    tight = replace(TIGHT, memory=200 * MEBI)
    found = outcome(zygotes("cuda"), HIDE, limits=tight)
    assert isinstance(found, SandboxError)
    assert found.kind == "memory"
    without = zygotes("cuda", "auto", TIERS[best_tier()])
    assert outcome(without, HIDE, limits=tight) == 24


FILL = """
for number in range(64):
    with open(f"file{number}", "wb") as file:
        file.write(bytes(1 << 20))
import time
time.sleep(PAUSE)
result = number + 1
"""


def test_disk_use_is_limited(guarded: Zygote, bare: Zygote) -> None:
    found = outcome(guarded, FILL.replace("PAUSE", "5"))
    assert refused(found) or found.kind == "scratch"
    assert outcome(bare, FILL.replace("PAUSE", "0"), limits=LOOSE) == 64


BIG_FILE = "f = open('f', 'wb')\nf.truncate(100 << 20)\nresult = f.seek(0, 2)"


def test_the_size_of_one_file_is_limited(guarded: Zygote, bare: Zygote) -> None:
    assert refused(outcome(guarded, BIG_FILE))
    assert outcome(bare, BIG_FILE, limits=LOOSE) == 100 << 20


FLOOD = "import os\nfor _ in range(128): os.write(1, b'x' * 65536)\nresult = 'printed'"


def test_output_is_limited(guarded: Zygote, bare: Zygote) -> None:
    error = outcome(guarded, FLOOD)
    assert error.kind == "output"
    assert len(error.output) < 100_000
    assert outcome(bare, FLOOD, limits=LOOSE) == "printed"


def test_processor_time_is_limited(guarded: Zygote) -> None:
    error = outcome(guarded, "while True: pass", 20.0, limits=replace(TIGHT, cpu=1))
    assert error.kind == "cpu"


def test_a_program_that_stops_itself_meets_the_deadline(guarded: Zygote) -> None:
    source = (
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGSTOP)\nwhile True: time.sleep(1)"
    )
    began = time.monotonic()
    with guarded.sandbox() as sandbox:
        pid = sandbox.pid
        with pytest.raises(SandboxError) as caught:
            run(sandbox, source, 1.0)
    assert caught.value.kind == "timeout"
    assert time.monotonic() - began < 4
    assert gone(pid)


# Processes


FORK = """
import os, time
made = 0
try:
    while made < 80:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        made += 1
except OSError:
    pass
result = made
"""


@pytest.mark.usefixtures("isolated")
def test_no_process_can_be_started_under_the_interpreter(guarded: Zygote) -> None:
    assert outcome(guarded, FORK) == 0
    assert refused(outcome(guarded, "import subprocess; subprocess.run(['/bin/true'])"))


@pytest.mark.usefixtures("isolated")
def test_a_fork_bomb_is_contained_and_leaves_nothing(compiling: Zygote, bare: Zygote) -> None:
    with compiling.sandbox() as sandbox:
        pid = sandbox.pid
        made = run(sandbox, FORK)
        children = family(pid)
        assert len(children) == made
        assert made <= TIGHT.processes + TIGHT.threads or "namespaces" not in compiling.parts
    assert all(gone(child) for child in [pid, *children])
    assert outcome(bare, FORK, limits=LOOSE) == 80


def test_threads_are_limited(guarded: Zygote, bare: Zygote) -> None:
    if os.getuid() == 0 and guarded.tier == "process":
        pytest.skip("root has no limit of threads without a user namespace")
    source = """
import threading, time
made = 0
try:
    while made < 100:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        made += 1
except RuntimeError:
    pass
result = made
"""
    assert outcome(guarded, source) < 40
    assert outcome(bare, source, limits=LOOSE) == 100


DAEMON = """
import os, time
read, write = os.pipe()
if os.fork() == 0:
    try:
        os.setsid()
    except OSError:
        os.write(write, b"no session ")
    if os.fork() == 0:
        os.write(write, os.readlink("/proc/self").encode())
        os.close(1), os.close(2), os.close(3)
        time.sleep(60)
    os._exit(0)
os.wait()
time.sleep(0.2)
result = os.read(write and read, 100).decode()
"""


def family(pid: int) -> list[int]:
    """Processes below one, as this test sees them."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found += [child, *family(child)]
    return found


@pytest.mark.usefixtures("isolated")
def test_a_daemon_ends_with_its_sandbox(compiling: Zygote, bare: Zygote) -> None:
    with compiling.sandbox() as sandbox:
        run(sandbox, DAEMON)
        left = family(sandbox.pid)
        assert left
    assert all(gone(pid) for pid in left)
    with bare.sandbox() as sandbox:
        daemon = int(run(sandbox, DAEMON))
    try:
        assert not gone(daemon, 0.3)
    finally:
        os.kill(daemon, signal.SIGKILL)


@pytest.mark.usefixtures("isolated")
def test_other_processes_are_out_of_reach_of_signals(
    guarded: Zygote, compiling: Zygote, bare: Zygote
) -> None:
    me = os.getpid()
    for source in (
        f"import os; os.kill({me}, 0); result = 1",
        "import os; os.kill(-1, 0); result = 1",
        f"import os; os.killpg({os.getpgid(0)}, 0); result = 1",
        f"import signal, os; result = signal.pidfd_send_signal(os.pidfd_open({me}), 0) or 1",
    ):
        assert refused(outcome(guarded, source))
        if (
            "-1" not in source or "namespaces" in compiling.parts
        ):  # Linux says 0 if all were refused
            assert refused(outcome(compiling, source))
        assert outcome(bare, source) == 1


PEEK = """
import ctypes, os
pid = message["pid"]
libc = ctypes.CDLL(None, use_errno=True)
target = ctypes.create_string_buffer(8)
class Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))
local, remote = Vector(ctypes.addressof(target), 8), Vector(message["address"], 8)
if libc.process_vm_readv(pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0) != 8:
    raise OSError(ctypes.get_errno(), "process_vm_readv")
result = target.raw
"""
MEMORY_FILE = """
with open(f"/proc/{message['pid']}/mem", "rb") as file:
    file.seek(message["address"])
    result = file.read(8)
"""
ATTACH = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(16, message["pid"], 0, 0):
    raise OSError(ctypes.get_errno(), "ptrace")
import os
os.waitpid(message["pid"], 0)
libc.ptrace(17, message["pid"], 0, 0)
result = b"attached"
"""
HOLD = """
import ctypes, builtins
builtins.held = ctypes.create_string_buffer(b"secret!!")
result = ctypes.addressof(builtins.held)
"""


@pytest.mark.usefixtures("isolated")
@pytest.mark.parametrize("source", [PEEK, MEMORY_FILE, ATTACH])
def test_a_sibling_cannot_be_looked_into(
    guarded: Zygote, compiling: Zygote, bare: Zygote, source: str
) -> None:
    for zygote in (guarded, compiling):
        with zygote.sandbox() as victim:
            address = run(victim, HOLD)
            found = outcome(zygote, source, pid=victim.pid, address=address)
            assert refused(found)
            found = outcome(zygote, source, pid=1, address=address)
            assert found != b"secret!!"
    if source is not MEMORY_FILE and os.getuid() != 0:
        return
    with bare.sandbox() as victim, bare.sandbox() as thief:
        run(victim, "import ctypes; ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)")
        found = run(thief, source, pid=victim.pid, address=run(victim, HOLD))
        assert found in (b"secret!!", b"attached")


# Files and environment


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with a secret that anyone could read, were it not for the sandbox."""
    folder = tmp_path
    while folder.parent != folder and folder.name and folder.stat().st_uid == os.getuid():
        folder.chmod(0o755)
        folder = folder.parent
    (tmp_path / "secret").write_text("hidden")
    tmp_path.chmod(0o777)
    (tmp_path / "secret").chmod(0o666)
    return tmp_path


@pytest.mark.usefixtures("isolated")
def test_files_of_others_cannot_be_read(guarded: Zygote, bare: Zygote, outside: Path) -> None:
    read = f"result = open({str(outside / 'secret')!r}).read()"
    listing = f"import os; result = len(os.listdir({str(outside)!r}))"
    assert refused(outcome(guarded, read))
    assert refused(outcome(guarded, listing))
    assert outcome(bare, read) == "hidden"
    assert outcome(bare, listing) == 1


@pytest.mark.usefixtures("isolated")
@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "/etc/shadow", "/root/.bashrc", str(REPOSITORY / "pyproject.toml"), "/dev/mem"],
)
def test_the_rest_of_the_machine_cannot_be_read(guarded: Zygote, path: str) -> None:
    assert refused(outcome(guarded, f"result = open({path!r}, 'rb').read(1)"))


@pytest.mark.usefixtures("isolated")
def test_nothing_outside_can_be_written(
    guarded: Zygote, compiling: Zygote, bare: Zygote, outside: Path
) -> None:
    for name in (
        str(outside),
        "/dev/shm",
        "/var/tmp",
        str(REPOSITORY),
        os.path.dirname(os.__file__),
    ):
        path = Path(name, f"tritongen-test-{os.getpid()}")
        source = f"open({str(path)!r}, 'w').write('x'); result = 1"
        assert refused(outcome(guarded, source))
        assert refused(outcome(compiling, source))
        assert not path.exists()
    for source in (
        f"import os; os.unlink({str(outside / 'secret')!r})",
        f"import os; os.chmod({str(outside / 'secret')!r}, 0)",
        f"import os; os.truncate({str(outside / 'secret')!r}, 0)",
        f"import os; os.symlink('/etc', {str(outside / 'link')!r})",
        f"import os; os.link({str(outside / 'secret')!r}, 'here')",
    ):
        assert refused(outcome(guarded, source))
    assert (outside / "secret").read_text() == "hidden"
    written = outside / "written"
    assert outcome(bare, f"open({str(written)!r}, 'w').write('x'); result = 1") == 1
    assert written.exists()


def test_its_own_folder_can_be_written_and_does_not_last(guarded: Zygote) -> None:
    source = """
import os, tempfile
before = os.listdir(".")
open("mine", "w").write("x")
with tempfile.NamedTemporaryFile() as file:
    file.write(b"y")
result = before
"""
    assert outcome(guarded, source) == []
    assert outcome(guarded, source) == []


def test_secrets_of_the_environment_do_not_get_in(
    monkeypatch: pytest.MonkeyPatch, zygotes: object, bare: Zygote
) -> None:
    monkeypatch.setenv("TRITONGEN_TEST_TOKEN", "s3cret-value")
    source = """
import os
found = [repr(dict(os.environ))]
for pid in ["self", *range(1, 10), message["pid"]]:
    try:
        found.append(open(f"/proc/{pid}/environ").read())
    except OSError:
        pass
result = "s3cret-value" in "".join(found)
"""
    with Zygote("interpret", bare._config["handlers"]) as zygote:
        assert outcome(zygote, source, pid=os.getpid()) is False
    program = "import time; time.sleep(30)"
    holder = subprocess.Popen([sys.executable, "-c", program])
    try:
        assert outcome(bare, source, pid=holder.pid) is True
    finally:
        holder.kill()
        holder.wait()


def test_no_descriptor_is_left_open(guarded: Zygote) -> None:
    source = """
import os
result = []
for number in range(256):
    try:
        os.fstat(number)
        result.append(number)
    except OSError:
        pass
"""
    assert outcome(guarded, source) == [0, 1, 2, 3]


# Network


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this host that someone listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.usefixtures("isolated")
def test_there_is_no_network(guarded: Zygote, compiling: Zygote, bare: Zygote, port: int) -> None:
    connect = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2); result = 1"
    others = [
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "import socket; socket.socket(socket.AF_INET6)",
        "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "import socket; socket.socket(socket.AF_UNIX).bind('x')",
        "import socket; socket.socket(socket.AF_UNIX).connect('x')",
        "import socket; socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    ]
    for source in (connect, *others):
        assert refused(outcome(guarded, source))
        assert refused(outcome(compiling, source))
    assert outcome(bare, connect) == 1


# Kernel surface


@pytest.mark.usefixtures("isolated")
@pytest.mark.parametrize(
    ("name", "number"),
    [("unshare", 272), ("mount", 165), ("bpf", 321), ("io_uring_setup", 425), ("keyctl", 250)]
    + [("perf_event_open", 298), ("userfaultfd", 323), ("setsid", 112), ("seccomp", 317)]
    + [("a call of the future", 5000), ("the other table", 0x40000000 | 39)],
)
def test_dangerous_calls_are_refused(
    guarded: Zygote, compiling: Zygote, name: str, number: int
) -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("numbers of x86_64")
    source = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall({number}, 0, 0, 0, 0, 0), ctypes.get_errno()
"""
    for zygote in (guarded, compiling):
        assert outcome(zygote, source) in ((-1, 1), (-1, 38)), name


@pytest.mark.usefixtures("isolated")
def test_its_own_guards_cannot_be_taken_off(guarded: Zygote, bare: Zygote) -> None:
    source = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
result = [libc.prctl(option, 0, 0, 0, 0) for option in (1, 4, 36)]
"""
    assert outcome(guarded, source) == [-1, -1, -1]
    assert outcome(bare, source) == [0, 0, 0]


def test_there_are_no_capabilities(guarded: Zygote) -> None:
    source = """
text = open("/proc/self/status").read()
result = [line.split()[1] for line in text.splitlines() if line.startswith("Cap")]
result.append([line.split()[1] for line in text.splitlines() if line.startswith("NoNewPrivs")][0])
"""
    assert outcome(guarded, source) == ["0" * 16] * 5 + ["1"]


# The channel


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import os; os.write(3, b'x' * 1000)", "protocol"),
        ("import os; os.close(3)", "died"),
        ("import os; os.write(3, b'TGS1' + (10).to_bytes(4, 'little') + (10 << 30).to_bytes(8, 'little') + bytes(16))", "protocol"),
        ("import os; os.write(3, b'TGS1' + (1 << 31).to_bytes(4, 'little') + bytes(24))", "protocol"),
        ("import os; os.write(3, b'TGS1' + (40).to_bytes(4, 'little') + bytes(24) + b'{\"ok\": NaN}' + bytes(99))", "protocol"),
        ("import os; os.write(3, b'TG'); os._exit(0)", "died"),
        ("import os, time; os.write(3, b'TG'); time.sleep(60)", "timeout"),
        ("import os, time\nwhile True: os.write(3, b'T') if time.sleep(0.4) else os.write(3, b'')", "timeout"),
        ("import os; os._exit(0)", "died"),
        ("import os; os._exit(77)", "died"),
        ("import ctypes; ctypes.string_at(0)", "died"),
        ("import os; os.abort()", "died"),
        ("import os; os.dup2(0, 3)", "died"),
        ("import os\nwhile True: os.write(3, bytes(65536))", "protocol"),
    ],
)  # fmt: skip
def test_what_is_no_answer_ends_the_sandbox_and_nothing_else(
    guarded: Zygote, source: str, kind: str
) -> None:
    with guarded.sandbox() as sandbox:
        pid = sandbox.pid
        with pytest.raises(SandboxError) as caught:
            run(sandbox, source, 2.0)
        assert caught.value.kind == kind, caught.value.reason
        assert gone(pid)
    assert outcome(guarded, "result = 1") == 1


def test_a_death_is_described(guarded: Zygote) -> None:
    assert "SIGSEGV" in outcome(guarded, "import ctypes; ctypes.string_at(0)").reason
    assert "exit code 77" in outcome(guarded, "import os; os._exit(77)").reason


FORGE = """
import struct, os, threading, time
from tritongen.verify.sandbox import wire
frame = b"".join(wire.pack({"ok": True}, {"result": "forged"}, NONCE))
"""


def test_an_answer_made_before_the_question_is_not_taken(guarded: Zygote) -> None:
    forged = FORGE.replace("NONCE", "bytes(16)") + "os.write(3, frame)"
    error = outcome(guarded, forged)
    assert error.kind == "protocol"
    assert "another request" in error.reason


def test_an_answer_that_nothing_asked_for_ends_the_sandbox(guarded: Zygote) -> None:
    source = """
import threading, time, os
threading.Thread(target=lambda: (time.sleep(0.2), os.write(3, b"y" * 32))).start()
result = 1
"""
    with guarded.sandbox() as sandbox:
        assert run(sandbox, source) == 1
        time.sleep(0.6)
        with pytest.raises(SandboxError, match="nothing asked for") as caught:
            run(sandbox, "result = 2")
        assert caught.value.kind == "protocol"


def test_what_was_answered_does_not_change_afterwards(guarded: Zygote) -> None:
    source = """
import builtins, threading, torch
x = builtins.kept = torch.zeros(1 << 16)
def change():
    while True:
        x.add_(1)
result = x.clone()
builtins.thread = threading.Thread(target=change, daemon=True)
builtins.thread.start()
result = x
"""
    with guarded.sandbox() as sandbox:
        answer = run(sandbox, source)
        before = answer.clone()
        time.sleep(0.2)
        assert torch.equal(answer, before)


def test_a_patched_library_in_the_sandbox_judges_nothing_outside(guarded: Zygote) -> None:
    source = """
import torch, json
torch.allclose = torch.equal = lambda *_, **__: True
torch.Tensor.__eq__ = lambda *_: torch.tensor(True)
json.dumps = lambda *_, **__: "{}"
result = 1
"""
    with guarded.sandbox() as sandbox:
        with pytest.raises(SandboxError):
            run(sandbox, source)
        assert not torch.equal(torch.zeros(1), torch.ones(1))


def test_a_large_answer_is_refused(guarded: Zygote, bare: Zygote) -> None:
    source = "import torch; result = torch.zeros(20 << 20)"
    error = outcome(guarded, source)
    assert error.kind == "protocol"
    assert outcome(bare, source, limits=LOOSE).numel() == 20 * MEBI


def test_a_reader_that_never_reads_meets_the_deadline(guarded: Zygote) -> None:
    source = "import os, builtins\nresult = 1\nimport threading, time\ntime.sleep = None"
    with guarded.sandbox() as sandbox:
        run(sandbox, source)
        stall = "import os, signal\nwhile True: pass"
        with pytest.raises(SandboxError) as caught:
            run(sandbox, stall, 1.0, x=torch.zeros(8 << 20))
        assert caught.value.kind == "timeout"
