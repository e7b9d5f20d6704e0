"""Handles of tasks that have been sent."""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Callable, Iterator
from typing import Any

from pixyz_worker._canvas._compile import GroupShape, Shape
from pixyz_worker._canvas._errors import TimeoutError
from pixyz_worker._canvas._session import Session, current, group_result_id
from pixyz_worker._canvas._share import job_id
from pixyz_worker._canvas._views import READY, View, again

_FIRST_PAUSE_S = 0.002
_LONGEST_PAUSE_S = 0.02

OnMessage = Callable[[dict[str, Any]], Any]

_joins = 0


@contextlib.contextmanager
def allow_join_result() -> Iterator[None]:
    """Permits `.get()` inside a task."""
    global _joins
    _joins += 1
    try:
        yield
    finally:
        _joins -= 1


def _refuse_join(session: Session, disable_sync_subtasks: bool) -> None:
    if session.in_task and disable_sync_subtasks and _joins == 0:
        raise RuntimeError(
            "Never call result.get() within a task! A script that means to wait says so: "
            "`with pc.allow_join_result():` around it, or get(disable_sync_subtasks=False)"
        )


class AsyncResult:
    """Handle of a task."""

    def __init__(
        self, id: str, backend: Any = None, task_name: Any = None, app: Any = None, parent: Any = None
    ) -> None:
        self.id = str(id)
        self.parent = parent
        self._forgotten = False

    # What a store of extended results would know; the original has it switched off.
    name = args = kwargs = queue = retries = worker = None

    @property
    def task_id(self) -> str:
        """The same as `id`."""
        return self.id

    # --- state ------------------------------------------------------------------------------------------------------

    def _view(self) -> View:
        return View() if self._forgotten else current().view(self.id)

    @property
    def state(self) -> str:
        """`PENDING`, `RUNNING`, `RETRY`, `SUCCESS`, `FAILURE` or `REVOKED`."""
        state = self._view().state
        current().polled(self.id, state in READY)
        return state

    @property
    def status(self) -> str:
        """The same as `state`."""
        return self.state

    @property
    def result(self) -> Any:
        """The value, the exception, or while it runs the record."""
        view = self._view()
        if view.state == "SUCCESS":
            return current().value(self.id)
        if view.error is not None:
            return again(view.error)
        return view.meta if view.state == "RUNNING" else None

    info = result

    @property
    def traceback(self) -> str | None:
        """The traceback of a failed task, as text."""
        return self._view().traceback

    @property
    def date_done(self) -> datetime.datetime | None:
        """When it ended."""
        view = self._view()
        return datetime.datetime.fromisoformat(view.stopped) if view.state in READY and view.stopped else None

    def ready(self) -> bool:
        """Whether it has ended."""
        return self.state in READY

    def successful(self) -> bool:
        """Whether it has succeeded."""
        return self.state == "SUCCESS"

    def failed(self) -> bool:
        """Whether it has failed."""
        return self.state == "FAILURE"

    @property
    def children(self) -> list[Any]:
        """Handles of what the task itself has sent."""
        return [handle(_shape_of(line["shape"]), line["graphId"]) for line in current().started_by(self.id)]

    # --- waiting ----------------------------------------------------------------------------------------------------

    def get(
        self,
        timeout: float | None = None,
        propagate: bool = True,
        interval: float = 0.5,
        no_ack: bool = True,
        follow_parents: bool = True,
        callback: Callable[[str, Any], Any] | None = None,
        on_message: OnMessage | None = None,
        on_interval: Callable[[], Any] | None = None,
        disable_sync_subtasks: bool = True,
        **_: Any,
    ) -> Any:
        """Waits for the value. A failure of the task, or of one before it, is raised, or with `propagate=False`
        given."""
        session = current()
        _refuse_join(session, disable_sync_subtasks)
        watch = _Watch([self], timeout, on_message, on_interval, before=True)
        watch.until(lambda: self._view().settled)
        view = self._view()
        if view.state == "SUCCESS":
            value = session.value(self.id)
        else:
            error = view.cause or view.error if propagate else view.error or view.cause
            value = again(error or RuntimeError(f"task {self.id} is {view.state}"))
            if propagate:
                raise value
        if callback is not None:
            callback(self.id, value)
        return value

    wait = get

    def get_leaf(self) -> Any:
        """The same as `get()`."""
        return self.get()

    def maybe_throw(self, propagate: bool = True, callback: Any = None) -> Any:
        """Raises the failure, if there is one already."""
        view = self._view()
        error = view.cause or view.error
        if error is not None and view.settled and propagate:
            raise again(error)
        return self.result

    # --- shape ------------------------------------------------------------------------------------------------------

    def as_tuple(self) -> tuple[Any, Any]:
        """Its id and that of what came before it: `((id, parent), None)`."""
        return (self.id, None if self.parent is None else self.parent.as_tuple()), None

    def as_list(self) -> list[str]:
        """Its id and those of what came before it: members of a group count each."""
        before: list[str] = []
        if isinstance(self.parent, GroupResult):
            before = [member.id for member in self.parent]
            if self.parent.parent is not None:
                before.extend(self.parent.parent.as_list())
        elif self.parent is not None:
            before = self.parent.as_list()
        return [self.id, *before]

    # --- requests ---------------------------------------------------------------------------------------------------

    def revoke(self, connection: Any = None, terminate: bool = False, **_: Any) -> None:
        """A task that waits becomes `REVOKED`; one that runs is ended with `terminate=True`."""
        current().revoke([self.id], terminate)

    def forget(self) -> None:
        """This handle knows nothing of the task any more. Its record stays until retention deletes it."""
        self._forgotten = True
        if self.parent is not None:
            self.parent.forget()

    def __eq__(self, other: object) -> bool:
        return self.id == (other.id if isinstance(other, AsyncResult) else other)

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        return self.id

    def __repr__(self) -> str:
        return f"<AsyncResult: {self.id}>"


class GroupResult:
    """Handle of tasks side by side."""

    def __init__(
        self, id: str | None = None, results: list[AsyncResult] | None = None, parent: Any = None, **_: Any
    ) -> None:
        self.id = id
        self.results = self.children = list(results or [])
        self.parent = parent

    def _views(self) -> list[View]:
        return [result._view() for result in self.results]

    def ready(self) -> bool:
        """Whether all have ended."""
        ready = all(view.state in READY for view in self._views())
        current().polled(self.id, ready)
        return ready

    def successful(self) -> bool:
        """Whether all have succeeded."""
        return all(view.state == "SUCCESS" for view in self._views())

    def failed(self) -> bool:
        """Whether any has failed."""
        return any(view.state == "FAILURE" for view in self._views())

    def waiting(self) -> bool:
        """Whether any of them has not ended."""
        return any(view.state not in READY for view in self._views())

    def completed_count(self) -> int:
        """How many have succeeded."""
        return sum(view.state == "SUCCESS" for view in self._views())

    def get(
        self,
        timeout: float | None = None,
        propagate: bool = True,
        interval: float = 0.5,
        callback: Callable[[str, Any], Any] | None = None,
        no_ack: bool = True,
        on_message: OnMessage | None = None,
        disable_sync_subtasks: bool = True,
        on_interval: Callable[[], Any] | None = None,
        **_: Any,
    ) -> list[Any]:
        """Waits for all values, in order; the first failure is raised, or with `propagate=False` stands in its
        place."""
        session = current()
        _refuse_join(session, disable_sync_subtasks)
        open_results = list(self.results)
        failed: list[View] = []

        def done() -> bool:
            # In order: as a rule the first that is open is the next to end, so a look costs one file's status.
            while open_results:
                view = open_results[0]._view()
                if not view.settled:
                    break
                if view.state != "SUCCESS":
                    failed.append(view)
                open_results.pop(0)
            if propagate and not failed and open_results:
                # Nobody waits for those that stand before a failed one.
                failed.extend(session.view(job) for job in session.failures([result.id for result in open_results])[:1])
            return not open_results or (propagate and bool(failed))

        _Watch(self.results, timeout, on_message, on_interval, before=False).until(done)
        if propagate and failed:
            raise again(failed[0].cause or failed[0].error or RuntimeError("a task of the group failed"))
        values = []
        for result in self.results:
            view = result._view()
            # Members behind a failed task never run: what it ended with stands for them.
            value = (
                session.value(result.id) if view.state == "SUCCESS" else again(view.error or view.cause or Exception())
            )
            values.append(value)
            if callback is not None:
                callback(result.id, value)
        return values

    join = join_native = get

    def maybe_throw(self, *args: Any, **kwargs: Any) -> None:
        """Raises the first failure that is there already."""
        for result in self.results:
            result.maybe_throw(*args, **kwargs)

    def as_tuple(self) -> tuple[Any, Any]:
        """Ids as nested lists: what came before, and one entry a member."""
        parent = None if self.parent is None else self.parent.as_tuple()
        return (self.id, parent), [result.as_tuple() for result in self.results]

    def revoke(self, connection: Any = None, terminate: bool = False, **_: Any) -> None:
        """All of them; see `AsyncResult.revoke`."""
        current().revoke([result.id for result in self.results], terminate)

    def forget(self) -> None:
        """All of them; see `AsyncResult.forget`."""
        for result in self.results:
            result.forget()

    def __iter__(self) -> Iterator[AsyncResult]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __getitem__(self, index: int) -> AsyncResult:
        return self.results[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GroupResult) and (self.id, self.results) == (other.id, other.results)

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<GroupResult: {self.id} [{', '.join(result.id for result in self.results)}]>"


def handle(shape: Shape, graph: str) -> Any:
    """The handle of a canvas that has become a graph."""
    parent = None if shape.parent is None else handle(shape.parent, graph)
    if isinstance(shape, GroupShape):
        members = [handle(member, graph) for member in shape.members]
        return GroupResult(group_result_id(graph, shape.number), members, parent)
    return AsyncResult(job_id(graph, shape.node), parent=parent)


def _shape_of(form: Any) -> Any:
    from pixyz_worker._canvas._compile import TaskShape

    if form is None:
        return None
    if len(form) == 3:
        return GroupShape(form[0], tuple(map(_shape_of, form[2])), _shape_of(form[1]))
    return TaskShape(form[0], _shape_of(form[1]))


def tasks_of(result: Any) -> list[AsyncResult]:
    """The tasks of a result and of all that came before it, the last one first: groups count by their members."""
    found: list[Any] = []
    while result is not None:
        members = getattr(result, "results", None)
        if members is None:
            found.append(result)
        else:
            for member in reversed(members):
                found.extend(tasks_of(member))
        result = getattr(result, "parent", None)
    return found


class _Watch:
    """Looks again and again, first every few milliseconds; the slot is lent meanwhile."""

    def __init__(
        self,
        results: list[AsyncResult],
        timeout: float | None,
        on_message: OnMessage | None,
        on_interval: Callable[[], Any] | None,
        before: bool,
    ) -> None:
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._on_interval = on_interval
        self._messages: list[_Messages] = []
        if on_message is not None:
            group_of = {member.id: None for member in results}
            watched = tasks_of(results[0]) if before and results else list(results)
            parent = results[0].parent if before and results else None
            if isinstance(parent, GroupResult):
                group_of = {member.id: parent.id for member in parent}  # type: ignore[misc]
            self._messages = [_Messages(task, group_of.get(task.id), on_message) for task in reversed(watched)]

    def until(self, done: Callable[[], bool]) -> None:
        """@raise TimeoutError"""
        if self._look(done):
            return
        pause = _FIRST_PAUSE_S
        with current().waiting():
            while True:
                left = None if self._deadline is None else self._deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError("The operation timed out.")
                time.sleep(pause if left is None else min(pause, left))
                pause = min(_LONGEST_PAUSE_S, pause * 1.3)
                if self._on_interval is not None:
                    self._on_interval()
                if self._look(done):
                    return

    def _look(self, done: Callable[[], bool]) -> bool:
        ended = done()
        for messages in self._messages:
            messages.tell()
        return ended


class _Messages:
    """State messages of one task, made from its record: the start, each step, the end."""

    def __init__(self, task: AsyncResult, group: str | None, tell: OnMessage) -> None:
        self._task = task
        self._group = group
        self._on_message = tell
        self._started = False
        self._steps = 0
        self._ended = False

    def tell(self) -> None:
        if self._ended:
            return
        record = current().record(self._task.id)
        view = self._task._view()
        if record is None and not view.settled:
            return
        meta = view.meta or {}
        steps = meta.get("steps") or []
        if not self._started and record is not None and record["attempts"]:
            self._started = True
            self._send("STARTED", {**meta, "steps": []}, view)
        for count in range(self._steps + 1, len(steps) + 1):
            self._send("RUNNING", {**meta, "steps": steps[:count]}, view)
        self._steps = max(self._steps, len(steps))
        if view.state in READY:
            self._ended = True
            self._send(view.state, self._task.result, view)

    def _send(self, status: str, result: Any, view: View) -> None:
        message = {
            "status": status,
            "result": result,
            "traceback": view.traceback if status in READY else None,
            "children": [],
            "date_done": view.stopped if status in READY else None,
            "task_id": self._task.id,
        }
        parent = self._task.parent
        if isinstance(parent, AsyncResult):
            message["parent_id"] = parent.id
        if self._group is not None:
            message["group_id"] = self._group
        self._on_message(message)
