"""System calls that a sandbox may not make, as a classic BPF program.

A call is looked up by its number; some are decided by an argument. What no Python, torch, Triton
or CUDA program needs is refused with EPERM, calls newer than this list with ENOSYS (libraries then
use the older one), calls of another architecture end the process.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tritongen.verify.sandbox import linux

LOAD, EQUAL, AT_LEAST, ANY_BIT, JUMP, RETURN, AND = 0x20, 0x15, 0x35, 0x45, 0x05, 0x06, 0x54
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
PERMISSION, MISSING = ERRNO | errno.EPERM, ERRNO | errno.ENOSYS
NUMBER, ARCHITECTURE = 0, 4
LAST_KNOWN = 462
MODE_FILTER = 2

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# Numbers on (x86_64, aarch64); None where the architecture has no such call.
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "clock_adjtime": (305, 266), "acct": (163, 89),
    "quotactl": (179, 60), "quotactl_fd": (443, 443), "personality": (135, 92),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262), "fanotify_mark": (301, 263), "lookup_dcookie": (212, 18),
    "syslog": (103, 116), "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None),
    "sethostname": (170, 161), "setdomainname": (171, 162), "vhangup": (153, 58),
    "nfsservctl": (180, 42), "mknod": (133, None), "mknodat": (259, 33),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "uselib": (134, None),
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setresuid": (117, 147), "setresgid": (119, 149), "setgroups": (116, 159),
    "setfsuid": (122, 151), "setfsgid": (123, 152), "setsid": (112, 157), "setpgid": (109, 154),
    "ustat": (136, None), "sysfs": (139, None), "memfd_secret": (447, 447),
    "connect": (42, 203), "accept": (43, 202), "accept4": (288, 242),
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190),
    "semop": (65, 193), "msgget": (68, 186), "msgsnd": (69, 189), "mq_open": (240, 180),
    "mq_unlink": (241, 181), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "tkill": (200, 130), "sendmmsg": (307, 269), "recvmmsg": (299, 243),
    "landlock_create_ruleset": (444, 444), "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446), "seccomp": (317, 277), "capset": (126, 91),
    "sched_setattr": (314, 274), "sched_setscheduler": (144, 119), "ioprio_set": (251, 30),
}  # fmt: skip
_ALONE: dict[str, tuple[int | None, int | None]] = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "socket": (41, 198), "socketpair": (53, 199),
    "sendmsg": (46, 211), "recvmsg": (47, 212),
    "inotify_init": (253, None), "inotify_init1": (294, 26),
}  # fmt: skip
_MEMFD = (319, 279)
# CUDA listens on a socket without a name in the file system, to hand its memory to other processes.
_LISTENING = {"bind": (49, 200), "listen": (50, 201)}
# Landlock lets these through for files that it lets nobody open.
_METADATA: dict[str, tuple[int | None, int | None]] = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16),
}  # fmt: skip
_DECIDED: dict[str, tuple[int, int]] = {
    "clone": (56, 220), "clone3": (435, 435), "kill": (62, 129), "tgkill": (234, 131),
    "prctl": (157, 167), "prlimit64": (302, 261), "mmap": (9, 222), "ioctl": (16, 29),
    "socket": (41, 198), "socketpair": (53, 199),
}  # fmt: skip

CLONE_THREAD = 0x00010000
CLONE_ANY_NAMESPACE = 0x7E020000 | 0x00000080
MAP_SHARED, MAP_ANONYMOUS = 1, 0x20
AF_UNIX = 1
CONNECTED_TYPES = (1, 5)  # a datagram could be sent to any socket that has a name
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
PRCTL_REFUSED = (1, 4, 22, 36, 59, 0x59616D61)


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.c_void_p))


@dataclass(slots=True)
class _Writer:
    """Instructions, in order; the number of the call is in the accumulator between rules."""

    code: list[tuple[int, int, int, int]] = field(default_factory=list)

    def add(self, code: int, value: int, yes: int = 0, no: int = 0) -> None:
        self.code.append((code, yes, no, value & 0xFFFFFFFF))

    def rule(self, number: int, body: Sequence[tuple[int, int, int, int]]) -> None:
        """Run `body`, which always returns, if the call is `number`."""
        self.add(EQUAL, number, 0, len(body))
        self.code.extend(body)


def _argument(index: int, high: bool = False) -> tuple[int, int, int, int]:
    return LOAD, 0, 0, 16 + 8 * index + (4 if high else 0)


def _give(value: int) -> tuple[int, int, int, int]:
    return RETURN, 0, 0, value


def _one_of(values: Iterable[int], then: int, otherwise: int) -> list[tuple[int, int, int, int]]:
    """Return `then` if the accumulator is one of `values`."""
    body = [instruction for value in values for instruction in ((EQUAL, 0, 1, value), _give(then))]
    return [*body, _give(otherwise)]


def program(mode: str, own_pid: int | None, own_view: bool) -> list[tuple[int, int, int, int]]:
    """The filter of a mode: `interpret` needs no other processes, only `cuda` shared memory.

    `own_pid` is the only process that may be sent signals; None if any that it sees may be.
    `own_view` says that the files of others cannot even be named.
    """
    alone = mode == "interpret"
    column = tuple(ARCHITECTURES).index(linux.machine())
    writer = _Writer()
    writer.add(LOAD, ARCHITECTURE)
    writer.add(EQUAL, ARCHITECTURES[linux.machine()], 1, 0)
    writer.add(RETURN, KILL)
    writer.add(LOAD, NUMBER)
    writer.add(AT_LEAST, LAST_KNOWN + 1, 0, 1)
    writer.add(RETURN, MISSING)
    refused = [numbers[column] for numbers in _CALLS.values()]
    if alone:
        refused += [numbers[column] for numbers in _ALONE.values()]
    if not own_view:
        refused += [numbers[column] for numbers in _METADATA.values()]
    if mode != "cuda":
        refused += [_MEMFD[column], *(numbers[column] for numbers in _LISTENING.values())]
    for number in sorted(number for number in refused if number is not None):
        writer.rule(number, [_give(PERMISSION)])
    named = {name: numbers[column] for name, numbers in _DECIDED.items()}
    if alone:
        flags = [(ANY_BIT, 0, 1, CLONE_THREAD), _give(ALLOW), _give(PERMISSION)]
    else:
        flags = [(ANY_BIT, 0, 1, CLONE_ANY_NAMESPACE), _give(PERMISSION), _give(ALLOW)]
        connected = [_argument(1), (AND, 0, 0, 15), *_one_of(CONNECTED_TYPES, ALLOW, PERMISSION)]
        for name in ("socket", "socketpair"):
            only_unix = [_argument(0), (EQUAL, 1, 0, AF_UNIX), _give(PERMISSION)]
            writer.rule(named[name], [*only_unix, *connected])
    if mode != "cuda":
        shared = [
            *(_argument(3), (AND, 0, 0, MAP_SHARED | MAP_ANONYMOUS)),
            *_one_of([MAP_SHARED | MAP_ANONYMOUS], PERMISSION, ALLOW),
        ]
        writer.rule(named["mmap"], shared)
    writer.rule(named["clone"], [_argument(0), *flags])
    writer.rule(named["clone3"], [_give(MISSING)])
    writer.rule(named["prctl"], [_argument(0), *_one_of(PRCTL_REFUSED, PERMISSION, ALLOW)])
    writer.rule(named["prlimit64"], [_argument(0), *_one_of([0], ALLOW, PERMISSION)])
    writer.rule(named["ioctl"], [_argument(1), *_one_of([TIOCSTI, TIOCLINUX], PERMISSION, ALLOW)])
    if own_pid is not None:
        for name in ("kill", "tgkill"):
            writer.rule(named[name], [_argument(0), *_one_of([own_pid], ALLOW, PERMISSION)])
    writer.add(RETURN, ALLOW)
    return writer.code


def available() -> bool:
    """Whether this kernel filters system calls and this architecture's numbers are known."""
    if linux.machine() not in ARCHITECTURES:
        return False
    try:
        action = ctypes.c_uint32(ERRNO)
        linux.numbered("seccomp", 2, 0, ctypes.byref(action))
    except OSError:
        return False
    return True


def install(mode: str, *, confined_signals: bool, own_view: bool) -> None:
    """Filter the calls of this thread and its children; needs no_new_privs. Raises `OSError`.

    `confined_signals` says that other processes are out of reach of signals in another way,
    `own_view` that the files of others are not there.
    """
    own = None if confined_signals and mode != "interpret" else os.getpid()
    code = program(mode, own, own_view)
    instructions = (_Instruction * len(code))(
        *(_Instruction(kind, yes, no, value) for kind, yes, no, value in code)
    )
    bpf = _Program(len(code), ctypes.addressof(instructions))
    linux.prctl(linux.PR_SET_SECCOMP, MODE_FILTER, ctypes.addressof(bpf))
