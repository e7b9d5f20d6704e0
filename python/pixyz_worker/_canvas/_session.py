"""Who runs what a script sends: the worker of the task that runs here, or this process itself (`_local`)."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from typing import Any, Protocol

from pixyz_worker import config
from pixyz_worker._canvas._compile import BLANK, GroupShape, Plan, Shape
from pixyz_worker._canvas._context import share_texts
from pixyz_worker._canvas._share import Share, job_id
from pixyz_worker._canvas._views import View
from pixyz_worker._wire import Wire

MAX_MESSAGE = 16 << 20
"""Largest message that the worker takes; see `src/runner/child.ts`."""


_NONE = object()


class Refused(RuntimeError):
    """The worker has refused a request; its sentence says why."""


class Session(Protocol):
    """Where tasks are sent to, and where their state is read."""

    in_task: bool
    """A `.get()` has to be permitted."""

    def submit(self, plan: Plan) -> str:
        """The id of the graph, which runs from now on."""

    def view(self, job: str) -> View: ...

    def value(self, job: str) -> Any: ...

    def record(self, job: str) -> dict[str, Any] | None: ...

    def started_by(self, job: str) -> list[dict[str, Any]]: ...

    def failures(self, jobs: list[str]) -> list[str]:
        """Those that will give no value, as far as one look tells."""

    def revoke(self, jobs: list[str], terminate: bool) -> None: ...

    def waiting(self) -> contextlib.AbstractContextManager[None]:
        """Around a wait for other tasks: the slot serves somebody else meanwhile."""

    def polled(self, what: str | None, ready: bool) -> None:
        """The script has asked whether a task is ready: asking for the same again and again is waiting, too."""


_POLLS = 3
"""So often a script may ask in vain before that counts as waiting."""


class WorkerSession:
    """Speaks to the worker over the child's socket, one request at a time; reads the share itself."""

    in_task = True

    def __init__(self, wire: Wire, job: str) -> None:
        self._wire = wire
        self._pid = os.getpid()
        self._job = job
        self._share = Share(config.share_dir)
        self._lock = threading.Lock()
        self._asked = 0
        self._calls = 0
        self._waiting = 0
        self._polls: dict[str | None, int] = {}
        self._polling = False

    # --- requests ---------------------------------------------------------------------------------------------------

    def submit(self, plan: Plan) -> str:
        self._end_polling()
        with self._lock:
            call = self._calls
            self._calls += 1
        nodes, files = share_texts(plan.nodes)
        request = {
            "kind": "submit",
            "call": call,
            "name": plan.name,
            "taskId": plan.task_id,
            "nodes": [{key: value for key, value in node.items() if BLANK.get(key, _NONE) != value} for node in nodes],
            "files": files,
            "shape": shape_json(plan.shape),
        }
        graph: str = self._ask(request)["graphId"]
        self._share.remember(graph, plan.nodes)
        return graph

    def revoke(self, jobs: list[str], terminate: bool) -> None:
        # Without `terminate` a task that runs goes on.
        stopped = [job for job in jobs if terminate or self.view(job).state in ("PENDING", "RETRY")]
        if stopped:
            self._ask({"kind": "revoke", "jobs": stopped})

    def _ask(self, request: dict[str, Any]) -> Any:
        if os.getpid() != self._pid:
            raise Refused("only the script's own process can send tasks: this is a child that it has forked")
        with self._lock:
            self._asked += 1
            body = json.dumps({"t": "ask", "id": self._asked, "request": request}, separators=(",", ":")).encode()
            if len(body) > MAX_MESSAGE:
                raise ValueError(
                    f"this canvas of {len(request.get('nodes', ()))} tasks takes {len(body) >> 20} MiB, and "
                    f"{MAX_MESSAGE >> 20} MiB are allowed: put large parameters into files and send their paths"
                )
            self._wire.send_body(body)
            reply = self._wire.receive()
            while reply is not None and reply["id"] != self._asked:
                reply = self._wire.receive()  # of a request that an exception has cut short
        if reply is None:
            raise Refused("the worker has gone")
        if not reply["ok"]:
            raise Refused(reply["error"])
        return reply["value"]

    # --- state ------------------------------------------------------------------------------------------------------

    def view(self, job: str) -> View:
        return self._share.view(job)

    def value(self, job: str) -> Any:
        return self._share.value(job)

    def record(self, job: str) -> dict[str, Any] | None:
        return self._share.record(job)

    def started_by(self, job: str) -> list[dict[str, Any]]:
        return self._share.started_by(job)

    def failures(self, jobs: list[str]) -> list[str]:
        return self._share.failures(jobs)

    # --- the slot ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        self._wait(1)
        try:
            yield
        finally:
            self._wait(-1)

    def polled(self, what: str | None, ready: bool) -> None:
        if ready:
            self._end_polling()
            return
        asked = self._polls[what] = self._polls.get(what, 0) + 1
        if asked == _POLLS and not self._polling:
            self._polling = True
            self._wait(1)

    def _end_polling(self) -> None:
        """It goes on."""
        self._polls.clear()
        if self._polling:
            self._polling = False
            self._wait(-1)

    def _wait(self, by: int) -> None:
        if os.getpid() != self._pid:
            return
        with self._lock:
            before, self._waiting = self._waiting, self._waiting + by
            if (before > 0) != (self._waiting > 0):
                self._wire.send({"t": "waiting" if self._waiting > 0 else "resumed"})


def shape_json(shape: Shape | None) -> Any:
    """A handle in small: `[node, parent]`, or `[number, parent, [members]]` for a group."""
    if shape is None:
        return None
    if isinstance(shape, GroupShape):
        return [shape.number, shape_json(shape.parent), [shape_json(member) for member in shape.members]]
    return [shape.node, shape_json(shape.parent)]


def group_result_id(graph: str, number: int) -> str:
    """Ids of groups count down from the end of the graph's numbers: they are no jobs."""
    return job_id(graph, 0xFFFF_FFFF - number)


_current: Session | None = None


def use(session: Session | None) -> Session | None:
    """Sets the session of this process; returns the one before."""
    global _current
    before, _current = _current, session
    return before


def current() -> Session:
    """The session of this process; without a worker its canvases run here."""
    global _current
    if _current is None:
        from pixyz_worker._canvas._local import LocalSession

        _current = LocalSession()
    return _current
