"""`pc['task']`: the part of a task object that scripts read, without Celery behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from pixyz_worker import _json

_OWN_KEYS = frozenset({"shadow_name", "time_info", "progress", "steps", "result", "retry"})
"""Keys of the record that have a place of their own; all others are the script's and go into `meta`."""


class Request:
    """What was asked for: id, queue, retries, limits."""

    def __init__(
        self,
        task_id: str,
        queue: str | None,
        retries: int,
        time_limit: float | None,
        shadow: str | None = None,
        soft_time_limit: float | None = None,
    ) -> None:
        self.id = task_id
        self.task = "pixyz_execute"
        self.retries = retries
        self.shadow = shadow
        self.timelimit = [time_limit, soft_time_limit]
        self.delivery_info = {"routing_key": queue, "exchange": "", "redelivered": False}
        self.args: list[Any] = []
        self.kwargs: dict[str, Any] = {}
        self.is_eager = False


class Task:
    """Stands for the running task."""

    name = "pixyz_execute"
    max_retries = 1

    def __init__(self, request: Request, publish: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.request = request
        self._publish = publish
        self._steps: list[dict[str, Any]] | None = None
        self._sent_steps = 0
        self._sent_meta: dict[str, Any] = {}
        self._lock = threading.Lock()

    def update_state(
        self, task_id: str | None = None, state: str | None = None, meta: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Shows `meta` to whoever watches the job. Other tasks' records cannot be changed from here."""
        if self._publish is None or meta is None or (task_id is not None and task_id != self.request.id):
            return
        with self._lock:
            self._publish(self._change(meta))

    def _change(self, meta: dict[str, Any]) -> dict[str, Any]:
        """What is new since the last call: a script with thousands of steps must not send them all each time."""
        message: dict[str, Any] = {"t": "progress"}
        if isinstance(meta.get("progress"), (int, float)):
            message["progress"] = max(0, min(99, int(meta["progress"])))
        steps = meta.get("steps")
        if isinstance(steps, list):
            # Steps of one list only ever grow, and only the last one changes.
            first = max(0, self._sent_steps - 1) if steps is self._steps else 0
            message["from"] = first
            message["steps"] = [_step(step) for step in steps[first:]]
            self._steps, self._sent_steps = steps, len(steps)
        extra = {str(key): value for key, value in meta.items() if key not in _OWN_KEYS}
        if extra:
            extra = _json.plain(extra, "meta")
            if extra != self._sent_meta:
                message["meta"] = self._sent_meta = extra
        return message

    def __getstate__(self) -> dict[str, Any]:
        return {"request": self.request}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["request"])  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"<task {self.name} {self.request.id}>"


def _step(step: Any) -> dict[str, Any]:
    if isinstance(step, dict):
        duration = step.get("duration", -1)
        return {"duration": duration if isinstance(duration, (int, float)) else -1, "info": str(step.get("info", ""))}
    return {"duration": -1, "info": str(step)}
