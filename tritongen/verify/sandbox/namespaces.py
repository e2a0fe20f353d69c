"""Namespaces: processes, network, IPC, mounts and users of a zygote and of each sandbox.

The zygote owns a user namespace, in which it may make all the others; it builds a view of the file
system of bind mounts, read-only, on an empty root. Each sandbox gets, inside of it, namespaces of
its own with a scratch folder that is a file system in memory of limited size. Needs no rights on
most kernels; root's zygote runs as `nobody`.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from tritongen.verify.sandbox import linux, warden

NOBODY = 65534
BASE = "/tmp"
SCRATCH = "/scratch"
"""Not /tmp: the interpreter or its packages may lie there."""
ZYGOTE_KINDS = (
    linux.CLONE_NEWUSER
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWNS
    | linux.CLONE_NEWNET
    | linux.CLONE_NEWIPC
    | linux.CLONE_NEWUTS
)
SANDBOX_KINDS = linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
_LOCKED = (
    (os.ST_NOSUID, linux.MS_NOSUID),
    (os.ST_NODEV, linux.MS_NODEV),
    (os.ST_NOEXEC, linux.MS_NOEXEC),
    (os.ST_NOATIME, 1024),
    (os.ST_RELATIME, 1 << 21),
)


def map_identity(pid: str, inside: int, uid: int, gid: int, groups: bool = False) -> None:
    """Write the maps of a new user namespace: one user, one group."""
    folder = Path("/proc") / pid
    if not groups:
        (folder / "setgroups").write_text("deny")
    (folder / "uid_map").write_text(f"{inside} {uid} 1")
    (folder / "gid_map").write_text(f"{inside} {gid} 1")


def enter_zygote(parent_pidfd: int) -> bool:
    """Put the caller, from here on in a child process, into namespaces of its own.

    The calling process never returns: it waits for the child, and ends it when the parent ends.
    In the child, returns whether the user is one without rights outside (`nobody`).
    """
    nobody = _unshare_as(os.getuid(), os.getgid())
    warden.fork_child(parent_pidfd)
    return nobody


def _unshare_as(uid: int, gid: int) -> bool:
    """Unshare; root becomes `nobody` outside if that user can be had, others stay who they are."""
    if uid != 0:
        linux.unshare(ZYGOTE_KINDS)
        map_identity("self", 0, uid, gid)
        return False
    ready, go = os.pipe()
    back_read, back = os.pipe()
    writer = os.fork()
    if writer == 0:
        os.close(go)
        code = 1
        with contextlib.suppress(OSError):
            os.read(ready, 1)
            map_identity(str(os.getppid()), 0, NOBODY, NOBODY)
            code = 0
        os.write(back, bytes([code]))
        os._exit(0)
    os.close(ready)
    try:
        linux.unshare(ZYGOTE_KINDS)
    finally:
        os.close(go)
        failed = os.read(back_read, 1) != b"\0"
        os.close(back_read)
        os.close(back)
        os.waitpid(writer, 0)
    if failed:
        map_identity("self", 0, uid, gid)
    return not failed


def become_root_inside() -> None:
    """Be the one user that the zygote's user namespace has; files of root are out of reach."""
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    linux.die_with_parent(0)  # a change of user has taken this back


def build_view(readable: list[str], devices: list[str]) -> None:
    """Make this process's root a new one that holds the given paths, read-only, and nothing else.

    The paths are opened by the user that started all this, the rest is done as `nobody`.
    """
    linux.mount("", "/", None, linux.MS_REC | linux.MS_SLAVE)
    paths = [path for path in dict.fromkeys(readable) if os.path.lexists(path)]
    device_paths = [path for path in dict.fromkeys(devices) if os.path.exists(path)]
    held = [(path, os.open(path, os.O_PATH)) for path in [*paths, *device_paths] if not _link(path)]
    links = [(path, os.readlink(path)) for path in paths if _link(path)]
    become_root_inside()
    linux.mount("tmpfs", BASE, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=1m,mode=755")
    for path, target in links:
        place = Path(BASE + path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)
    for path, descriptor in held:
        _bind(f"/proc/self/fd/{descriptor}", path, BASE + path, path in device_paths)
        os.close(descriptor)
    for folder in ("proc", "tmp", "old", "dev", SCRATCH.lstrip("/")):
        Path(BASE, folder).mkdir(exist_ok=True)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0")):
        with contextlib.suppress(FileExistsError):
            Path(BASE, "dev", name).symlink_to(target)
    own = _mount_proc(f"{BASE}/proc")
    linux.pivot_root(BASE, f"{BASE}/old")
    os.chdir("/")
    if not own:
        linux.mount("/old/proc", "/proc", None, linux.MS_BIND | linux.MS_REC)
    linux.unmount("/old", linux.MNT_DETACH)
    with contextlib.suppress(OSError):
        os.rmdir("/old")
    linux.mount("", "/", None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | 6)


def _link(path: str) -> bool:
    return stat.S_ISLNK(os.lstat(path).st_mode)


def _bind(source: str, path: str, target: str, device: bool) -> None:
    """Bind one path into the new root; passed over where a mount above it shows it already."""
    place = Path(target)
    if os.path.lexists(place):
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if os.path.isdir(source):
        place.mkdir()
    else:
        place.touch()
    linux.mount(source, target, None, linux.MS_BIND | linux.MS_REC)
    if not device:
        flags = os.statvfs(target).f_flag
        kept = sum(mount_flag for flag, mount_flag in _LOCKED if flags & flag)
        readonly = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID | kept
        linux.mount("", target, None, readonly)


def _mount_proc(target: str) -> bool:
    """Whether a /proc of this process namespace could be mounted."""
    try:
        linux.mount("proc", target, "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    except OSError:
        return False
    return True


def enter_sandbox(uid: int, gid: int, scratch: int) -> dict[str, str]:
    """Namespaces of one sandbox, all but that of processes, which the zygote has made.

    `uid` and `gid` are the zygote's, in its namespace. The mounts belong to the zygote's user
    namespace, so that nothing in the sandbox can undo them. Returns what is weaker than it should
    be.
    """
    weaker: dict[str, str] = {}
    linux.unshare(SANDBOX_KINDS)
    linux.mount("", "/", None, linux.MS_REC | linux.MS_SLAVE)
    if not _mount_proc("/proc"):
        weaker["proc"] = "of the zygote"
    options = f"size={scratch},nr_inodes=16384,mode=700"
    linux.mount("tmpfs", SCRATCH, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, options)
    linux.unshare(linux.CLONE_NEWUSER)
    linux.prctl(linux.PR_SET_DUMPABLE, 1)
    map_identity("self", uid, uid, gid)
    return weaker
