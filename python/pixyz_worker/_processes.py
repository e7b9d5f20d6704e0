"""What the host asks the operating system about processes: who descends from whom, what it holds, who is left over.

Linux answers through /proc. Elsewhere `ps` answers more slowly and without environments, and there is neither a parent-
death
signal nor a subreaper; the process group then has to do.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterable

ATTEMPT = "PIXYZ_ATTEMPT"
"""Environment variable that marks every process of one attempt."""
WORKER = "PIXYZ_WORKER_PID"
"""Environment variable with the identity (see `identity`) of the worker that every process descends from."""
HOST = "PIXYZ_HOST_PID"
"""The same for the host; a host that died leaves processes although its worker lives."""

MARK_ROOM = 160
"""Length of the placeholders that `mark` overwrites: no attempt id may be longer."""

IS_LINUX = sys.platform == "linux"

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


# Looked up once, in the host: ctypes makes a class for a library, which in a fresh child takes longer than the call.
if IS_LINUX:
    _libc = ctypes.CDLL(None, use_errno=True)
    _prctl = _libc.prctl
    _prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    _getenv = _libc.getenv
    _getenv.argtypes = [ctypes.c_char_p]
    _getenv.restype = ctypes.c_void_p


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Ends this process when its parent ends. `parent` shows whether it ended before we could say so."""
    if IS_LINUX:
        _prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def adopt_orphans() -> None:
    """Descendants whose parent ends become children of this process, so none escapes by a double fork."""
    if IS_LINUX:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Mark:
    """A variable of this process's environment that can be set where /proc shows it, too.

    /proc/<pid>/environ is the memory that the process started with: `putenv` does not change it. So the runner starts
    the
    host with a placeholder of `MARK_ROOM` characters, which is overwritten in place, before anything else sets the
    variable.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._address: int | None = None
        if IS_LINUX and len(os.environ.get(name, "")) == MARK_ROOM:
            self._address = _getenv(name.encode())

    def set(self, value: str) -> None:
        if self._address:
            ctypes.memmove(self._address, value.encode()[:MARK_ROOM].ljust(MARK_ROOM, b"\0"), MARK_ROOM)
        os.environ[self._name] = value


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            parts = []
            while part := file.read(1 << 16):
                parts.append(part)
            return b"".join(parts)
    except OSError:  # the process has ended, or is not ours to look at
        return b""


def _stat_fields(pid: int | str) -> list[bytes]:
    """Fields of /proc/<pid>/stat from the third on (the second may contain anything). Empty when the process is
    gone."""
    content = _read(f"/proc/{pid}/stat")
    return content[content.rfind(b")") + 2 :].split() if content else []


def identity(pid: int) -> str:
    """Names a process for good: pids are used again, start times are not, and a container counts its own pids."""
    fields = _stat_fields(pid)
    started = fields[19].decode() if len(fields) > 19 else "0"
    try:
        namespace = str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        namespace = "0"
    return f"{pid}:{started}:{namespace}"


def is_gone(name: str) -> bool:
    """Whether the process with that identity has ended. False for one that we cannot judge."""
    pid, _, _ = name.partition(":")
    if not pid.isdigit() or not IS_LINUX:
        return False
    now = identity(int(pid))
    if now.rpartition(":")[2] != name.rpartition(":")[2]:
        return False
    fields = _stat_fields(pid)
    return now != name or fields[0] in (b"Z", b"X")


def is_alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    if IS_LINUX:
        fields = _stat_fields(pid)
        return bool(fields) and fields[0] not in (b"Z", b"X")
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def environment(pid: int) -> dict[str, str]:
    """Environment that the process was started with; empty where it is not ours to look at."""
    found = {}
    for entry in _read(f"/proc/{pid}/environ").split(b"\0"):
        name, mark, value = entry.partition(b"=")
        if mark:
            found[name.decode(errors="replace")] = value.decode(errors="replace")
    return found


def all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


class ProcessTree:
    """Children of processes, as they are now."""

    def __init__(self) -> None:
        own = os.getpid()
        self._quick = IS_LINUX and os.path.exists(f"/proc/{own}/task/{own}/children")
        self._own_children = os.open(f"/proc/{own}/task/{own}/children", os.O_RDONLY) if self._quick else -1
        self._parents: dict[int, list[int]] | None = None

    def refresh(self) -> None:
        """To be called before a walk: a system without /proc/<pid>/task/<tid>/children is listed once per walk."""
        self._parents = None

    def own_children(self) -> list[int]:
        """Children of this process, which has one thread. Read after every task, hence the open file."""
        if not self._quick:
            return self.children(os.getpid())
        found = b""
        while part := os.pread(self._own_children, 1 << 16, len(found)):
            found += part
        return [int(pid) for pid in found.split()]

    def children(self, pid: int) -> list[int]:
        if self._quick:
            found: list[int] = []
            try:
                threads = os.listdir(f"/proc/{pid}/task")
            except OSError:
                return found
            for thread in threads:
                found.extend(map(int, _read(f"/proc/{pid}/task/{thread}/children").split()))
            return found
        if self._parents is None:
            self._parents = self._list()
        return self._parents.get(pid, [])

    def descendants(self, roots: Iterable[int]) -> set[int]:
        """The roots and all below them."""
        found: set[int] = set()
        todo = list(roots)
        while todo:
            pid = todo.pop()
            if pid not in found:
                found.add(pid)
                todo.extend(self.children(pid))
        return found

    def _list(self) -> dict[int, list[int]]:
        parents: dict[int, list[int]] = {}
        if IS_LINUX:
            for pid in all_pids():
                fields = _stat_fields(pid)
                if fields:
                    parents.setdefault(int(fields[1]), []).append(pid)
            return parents
        listing = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False).stdout
        for line in listing.splitlines():
            pid_text, parent_text = line.split()
            parents.setdefault(int(parent_text), []).append(int(pid_text))
        return parents


def is_alone() -> bool:
    """Whether this process has one thread and no child. Where that cannot be told quickly: no."""
    own = os.getpid()
    try:
        if len(os.listdir("/proc/self/task")) != 1:
            return False
        with open(f"/proc/{own}/task/{own}/children", "rb", buffering=0) as file:
            return not file.read(1)
    except OSError:
        return False


def resident_bytes(pids: Iterable[int]) -> int:
    """Sum of the resident sets. Counts pages that processes share once per process: an upper bound."""
    if not IS_LINUX:
        return _resident_by_ps(pids)
    total = 0
    for pid in pids:
        fields = _read(f"/proc/{pid}/statm").split()
        if len(fields) > 1:
            total += int(fields[1]) * _PAGE
    return total


def proportional_bytes(pids: Iterable[int]) -> int:
    """Memory with shared pages split among their holders: dearer to read, and right for a fan of forked processes."""
    if not IS_LINUX:
        return _resident_by_ps(pids)
    total = 0
    for pid in pids:
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                total += int(line.split()[1]) * 1024
                break
    return total


def _resident_by_ps(pids: Iterable[int]) -> int:
    listed = ",".join(map(str, pids))
    listing = subprocess.run(["ps", "-o", "rss=", "-p", listed], capture_output=True, text=True, check=False).stdout
    return sum(int(text) * 1024 for text in listing.split())


def address_space_bytes() -> int:
    """Size of this process's address space; 0 where it cannot be told."""
    fields = _read("/proc/self/statm").split()
    return int(fields[0]) * _PAGE if fields else 0


def send_signal(pid: int, number: int) -> None:
    """Signals a process that may have ended meanwhile."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def left_over() -> list[int]:
    """Processes of attempts whose worker or host has died without a chance to end them."""
    if not IS_LINUX:
        return []
    found = []
    own = os.getpid()
    for pid in all_pids():
        if pid == own:
            continue
        marks = environment(pid)
        if (WORKER in marks and is_gone(marks[WORKER])) or (HOST in marks and is_gone(marks[HOST])):
            found.append(pid)
    return found
