"""The host: keeps children ready, watches them while they run scripts, and sees to it that nothing of them is left.

It is started by the runner (`src/runner`) as `python -m pixyz_worker._host` and talks to it in lines of JSON over file
descriptor 3. It never runs a user's code. Invariants:

1. Every process of every script descends from the host, however often it forks or starts sessions: orphans become the
   host's children. So "nothing is left" is one look at the host's own children, not a search through /proc.
2. `gone` is told of a child when it has ended, has been reaped, and no process of its attempt is left.
3. When the runner is gone (end of file on descriptor 3, or SIGTERM), everything below the host is killed, then it ends.
4. It has one thread and forks only between events, so a child starts from a state that is known.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any

from pixyz_worker import _cgroups, _child, _processes
from pixyz_worker._processes import ProcessTree

_CONTROL = 3
_WATCH_S = 0.25
_FIRST_WATCH_S = 0.05
_POLL_S = 0.01
_STATS_S = 2.0
_IDLE_BEFORE_FORK_S = 0.002
_SETTLING_S = 0.02
_DUMP_S = 0.03
_STUCK_S = 10.0
_REHEARSALS = 32
_BACK_OFF_S = (0.0, 0.2, 1.0, 3.0, 10.0)


@dataclass
class _Child:
    pid: int
    attempt: str | None = None
    """None while it waits for a task."""
    memory: int | None = None
    processes: int | None = None
    status: int | None = None
    """Wait status, once reaped."""
    next_watch: float = 0.0
    members: set[int] = field(default_factory=set)
    """Processes seen at the last watch: tells whose an orphan is that hides its environment and session."""
    ending: str | None = None
    """`dump`: asked where it is, until `deadline`; `term`: asked to end, until `deadline`; `kill`: being killed."""
    deadline: float = 0.0
    grace_s: float = 0.0
    kill_since: float = 0.0


class Host:
    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._fork = config["mode"] == "fork"
        self._warm = int(config["warm"])
        self._children: dict[int, _Child] = {}
        self._tree = ProcessTree()
        self._own_helpers: set[int] = set()
        """Processes that preloading started (a library's helper): never taken for a script's orphans."""
        self._input = b""
        self._stopping = False
        self._last_event = 0.0
        self._next_stats = 0.0
        self._failures = 0
        self._fork_after = 0.0
        self._settling_until = 0.0
        os.set_blocking(_CONTROL, False)
        self._wakeup, wakeup_write = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(wakeup_write, False)
        signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_term)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._poll = select.poll()
        self._poll.register(_CONTROL, select.POLLIN | select.POLLHUP)
        self._poll.register(self._wakeup, select.POLLIN)

    # --- events -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        swept = self._sweep()
        if self._fork:
            self._preload()
        self._tell(ev="up", pid=os.getpid(), swept=swept, helpers=sorted(self._own_helpers))
        while not self._stopping:
            events = self._poll.poll(self._wait_ms())
            if events:
                self._last_event = time.monotonic()
                self._drain_wakeup()
            # Commands first: that a child has taken a task is told before it can have ended.
            self._read_commands()
            self._reap()
            self._tick()
            self._refill()
        self._end_all()

    def _wait_ms(self) -> float:
        now = time.monotonic()
        due = self._next_stats
        for child in self._children.values():
            if child.ending is not None:
                due = min(due, now + _POLL_S)
            elif child.attempt is not None:
                due = min(due, child.next_watch)
        idle = self._idle_children()
        if idle < self._warm:
            due = min(due, self._fork_due(idle))
        return max(0.0, due - now) * 1000 + 0.1

    def _on_term(self, *_: object) -> None:
        self._stopping = True

    def _drain_wakeup(self) -> None:
        try:
            while os.read(self._wakeup, 4096):
                pass
        except BlockingIOError:
            pass

    def _read_commands(self) -> None:
        try:
            data = os.read(_CONTROL, 1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._stopping = True
            return
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))

    def _obey(self, command: dict[str, Any]) -> None:
        if command["op"] == "stop":
            self._stopping = True
            return
        child = self._children.get(command["pid"])
        if child is None:
            return  # it has ended before the command came
        if command["op"] == "took":
            child.attempt = command["attempt"]
            child.memory = command["memory"]
            child.processes = command["processes"]
            now = time.monotonic()
            child.next_watch = now + _FIRST_WATCH_S
            self._settling_until = now + _SETTLING_S
        elif command["op"] == "end" and child.ending != "kill":
            self._begin_end(child, command["graceMs"] / 1000, command["dump"])

    def _tell(self, **event: Any) -> None:
        data = json.dumps(event).encode() + b"\n"
        while data:
            try:
                data = data[os.write(_CONTROL, data) :]
            except BlockingIOError:
                select.select([], [_CONTROL], [])
            except OSError:
                self._stopping = True
                return

    # --- children ---------------------------------------------------------------------------------------------------

    def _idle_children(self) -> int:
        return sum(1 for child in self._children.values() if child.attempt is None and child.ending is None)

    def _fork_due(self, idle: int) -> float:
        """When the next child is to be made. Making one takes time from the scripts that run: with enough ready ones
        it waits until a short script would have ended; with none ready it is made at once."""
        due = self._fork_after
        if idle > 0:
            due = max(due, self._last_event + _IDLE_BEFORE_FORK_S)
            if 2 * idle >= self._warm:
                due = max(due, self._settling_until)
        return due

    def _refill(self) -> None:
        idle = self._idle_children()
        if self._stopping or idle >= self._warm or time.monotonic() < self._fork_due(idle):
            return
        try:
            pid = self._fork_child() if self._fork else self._spawn_child()
        except OSError as error:
            self._delay_fork()
            self._tell(ev="failed", message=f"a child could not be started: {error}")
            return
        self._children[pid] = _Child(pid)
        self._tell(ev="forked", pid=pid)

    def _fork_child(self) -> int:
        pid = os.fork()
        if pid != 0:
            return pid
        # In the child: nothing below may return into the host's loop.
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.close(_CONTROL)
            gc.enable()
            _child.serve(self._config, parent=self._config["hostPid"])
        finally:
            os._exit(70)
        raise AssertionError("not reached")

    def _spawn_child(self) -> int:
        arguments = [sys.executable, "-m", "pixyz_worker._child", json.dumps(self._config)]
        return os.posix_spawn(
            sys.executable,
            arguments,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_CLOSE, _CONTROL)],
            setsigmask=[],
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE],
        )

    def _delay_fork(self) -> None:
        self._fork_after = time.monotonic() + _BACK_OFF_S[min(self._failures, len(_BACK_OFF_S) - 1)]
        self._failures += 1

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.get(pid)
            if child is None:
                continue  # an orphan of some script
            child.status = status
            if child.attempt is None:
                # It ended before it had a task: no licence, killed from outside, or no folder to work in.
                self._delay_fork()
                self._mend_scratch()
            else:
                self._failures = 0
            self._settle(child)

    def _mend_scratch(self) -> None:
        """Cleaners of temporary folders delete what was not used for days: without the folder no child gets ready."""
        with contextlib.suppress(OSError):
            os.mkdir(self._config["scratch"], 0o700)

    def _settle(self, child: _Child) -> None:
        """Tells that an ended child is gone, or kills what it left behind."""
        if self._members(child):
            self._begin_kill(child)
            return
        status = child.status
        assert status is not None
        del self._children[child.pid]
        if child.attempt is not None:
            self._settling_until = 0.0
        self._tell(
            ev="gone",
            pid=child.pid,
            code=os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        )

    # --- watching and ending ----------------------------------------------------------------------------------------

    def _members(self, child: _Child) -> set[int]:
        """Processes of a child's attempt that are alive: its descendants, and orphans that the host has adopted."""
        self._tree.refresh()
        roots = [] if child.status is not None else [child.pid]
        for pid in self._tree.own_children():
            if pid not in self._children and pid not in self._own_helpers and self._belongs(pid, child):
                roots.append(pid)
        found = self._tree.descendants(roots)
        # A zombie below the host is reaped in this loop; one below a living process is that process's matter.
        return {pid for pid in found if _processes.is_alive(pid)} if found else found

    def _belongs(self, orphan: int, child: _Child) -> bool:
        if orphan in child.members or _processes.session_of(orphan) == child.pid:
            return True
        attempt = _processes.environment(orphan).get(_processes.ATTEMPT)
        if attempt is not None and attempt == child.attempt:
            return True
        others = [other for other in self._children.values() if other.attempt is not None and other is not child]
        if attempt is not None and any(other.attempt == attempt for other in others):
            return False
        # It hides: a new session and an emptied environment. Ours, unless another script may have started it.
        return not any(orphan in other.members for other in others) if others else True

    def _tick(self) -> None:
        now = time.monotonic()
        for child in list(self._children.values()):
            if child.ending is not None:
                self._go_on_ending(child, now)
            elif child.attempt is not None and now >= child.next_watch:
                self._watch(child)
                child.next_watch = time.monotonic() + _WATCH_S
        if now >= self._next_stats:
            self._next_stats = now + _STATS_S
            self._tree.refresh()
            everything = self._tree.descendants([os.getpid()])
            self._tell(ev="stats", residentBytes=_processes.resident_bytes(everything))

    def _watch(self, child: _Child) -> None:
        child.members = self._members(child)
        if child.processes is not None and len(child.members) > child.processes:
            self._tell(ev="over", pid=child.pid, what="processes", limit=child.processes, seen=len(child.members))
            self._begin_kill(child)
            return
        if child.memory is not None and _processes.resident_bytes(child.members) > child.memory:
            seen = _processes.proportional_bytes(child.members)
            if seen > child.memory:
                self._tell(ev="over", pid=child.pid, what="memory", limit=child.memory, seen=seen)
                self._begin_kill(child)

    def _begin_end(self, child: _Child, grace_s: float, dump: bool) -> None:
        """Asks all processes of the attempt to end; after the grace they are killed."""
        child.grace_s = grace_s
        if dump and child.attempt is not None and child.status is None:
            # The child then writes into the log where it is (see `faulthandler.register` in `_child`), also from within
            # native
            # code. TERM has to wait for that: with both pending, the kernel ends the process before the handler has
            # run.
            _processes.send_signal(child.pid, signal.SIGUSR1)
            child.ending = "dump"
            child.deadline = time.monotonic() + _DUMP_S
        else:
            self._ask_to_end(child)

    def _ask_to_end(self, child: _Child) -> None:
        for pid in self._members(child):
            _processes.send_signal(pid, signal.SIGTERM)
            _processes.send_signal(pid, signal.SIGCONT)
        child.ending = "term"
        child.deadline = time.monotonic() + child.grace_s

    def _begin_kill(self, child: _Child) -> None:
        child.ending = "kill"
        child.kill_since = time.monotonic()
        self._kill(child)

    def _kill(self, child: _Child) -> set[int]:
        """Stops all first, so that none can start another while the list is gone through."""
        stopped: set[int] = set()
        while fresh := self._members(child) - stopped:
            for pid in fresh:
                _processes.send_signal(pid, signal.SIGSTOP)
            stopped |= fresh
        for pid in stopped:
            _processes.send_signal(pid, signal.SIGKILL)
        return stopped

    def _go_on_ending(self, child: _Child, now: float) -> None:
        if child.ending == "dump" and now >= child.deadline:
            self._ask_to_end(child)
        elif child.ending == "term" and now >= child.deadline:
            self._begin_kill(child)
        elif child.ending == "kill":
            left = self._kill(child)
            if left and now - child.kill_since > _STUCK_S:
                self._tell(ev="failed", message=f"processes {sorted(left)} do not end although they were killed")
                child.kill_since = now
        if child.status is not None and not self._members(child):
            self._settle(child)

    # --- start and end ----------------------------------------------------------------------------------------------

    def _sweep(self) -> int:
        """Ends what a worker left behind that had no time to clean up."""
        seen: set[int] = set()
        while fresh := set(_processes.left_over()) - seen:
            for pid in fresh:
                _processes.send_signal(pid, signal.SIGKILL)
            seen |= fresh
        for own in self._folders():
            folder = os.path.dirname(own)
            prefix = os.path.basename(own).partition("-")[0]
            for name in os.listdir(folder):
                owner = name[len(prefix) + 1 :].rpartition("-")[0].replace("-", ":")
                if name.startswith(f"{prefix}-") and owner.count(":") == 2 and _processes.is_gone(owner):
                    shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
        return len(seen)

    def _folders(self) -> set[str]:
        return {self._config["folder"], self._config["scratch"]}

    def _preload(self) -> None:
        """Loads once what every child needs. Children share these pages until they write to them."""
        for name in self._config["preload"]:
            try:
                importlib.import_module(name)
            except Exception as error:
                print(f"module {name} could not be preloaded: {error}", file=sys.stderr)
        if not self._config["pixyzDisabled"]:
            try:
                preload = getattr(importlib.import_module("pxz"), "preload", None)
                if preload is not None:
                    preload()
            except Exception as error:
                print(f"pxz could not be preloaded: {type(error).__name__}: {error}", file=sys.stderr)
        self._own_helpers = set(self._tree.children(os.getpid()))
        _child.prepare()
        # Python counts into functions how often they ran, until it has adapted them: done here, the children need not
        # write to those pages.
        for _ in range(_REHEARSALS):
            _child.rehearse(self._config["scratch"])
        gc.collect()
        gc.freeze()
        gc.disable()  # a collection writes to objects, and so would unshare the pages of children

    def _end_all(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        own = os.getpid()
        while True:
            self._tree.refresh()
            below = self._tree.descendants([own]) - {own}
            if not below:
                break
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for pid in below:
                    _processes.send_signal(pid, number)
            try:
                while os.waitpid(-1, os.WNOHANG)[0] != 0:
                    pass
            except ChildProcessError:
                break
            time.sleep(0.002)
        for folder in self._folders():
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    os.set_inheritable(_CONTROL, False)
    with os.fdopen(os.dup(_CONTROL), "rb", buffering=0) as first:
        line = b""
        while not line.endswith(b"\n"):
            part = first.read(1)
            if not part:
                return
            line += part
    config: dict[str, Any] = json.loads(line)
    if os.getppid() != config["runnerPid"]:
        return
    os.setsid()  # an interrupt from the terminal is the worker's to handle
    _processes.die_with_parent(config["runnerPid"], signal.SIGTERM)
    _processes.adopt_orphans()
    _processes.Mark(_processes.HOST).set(_processes.identity(os.getpid()))
    _cgroups.remove_old_groups()
    _cgroups.limit_processes(config)
    config["hostPid"] = os.getpid()
    tempfile.tempdir = None
    sys.argv = ["pixyz_worker"]
    Host(config).run()


if __name__ == "__main__":
    main()
