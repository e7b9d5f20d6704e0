"""Progress of a task: steps that scripts announce, seen by the API while the script runs."""

from __future__ import annotations

import abc
import datetime
import time
from types import TracebackType
from typing import Any

__all__ = ["ProgressCallBack", "TaskProgress"]


class ProgressCallBack(abc.ABC):
    """What a long operation calls to tell how far it is."""

    @abc.abstractmethod
    def start(self) -> None:
        """The operation begins."""

    @abc.abstractmethod
    def next(self, info: str | None = None) -> None:
        """The next step begins."""

    @abc.abstractmethod
    def current(self, pct: float) -> None:
        """So many percent are done."""


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


class TaskProgress(ProgressCallBack):
    """Steps and times of one task. Without a task (`celery_self=None`) it lives in memory only."""

    def __init__(
        self,
        celery_self: Any,
        task_id: str,
        step_total: int = 1,
        time_request: datetime.datetime | None = None,
    ) -> None:
        self.celery_self = celery_self
        self.task_id = task_id
        self.step_total = max(1, step_total)
        self.step_current = 0
        self.step_infos: list[dict[str, Any]] = []
        self.step_start_time = 0.0
        self.retry_count = 0
        self.time_request = time_request
        self.time_started: datetime.datetime | None = _now()
        self.time_stopped: datetime.datetime | None = None
        self._record: dict[str, Any] = {}

    # --- steps ------------------------------------------------------------------------------------------------------

    def set_total(self, n: int) -> None:
        """How many steps there will be; below 1 means 1."""
        self.step_total = n if n > 0 else 1

    @property
    def percent(self) -> int:
        """A step counts once the next one begins; 100 is for the end alone, so more steps than announced stop at 99."""
        done = max(0, self.step_current - 1)
        return min(99, int(done / self.step_total * 100))

    def start(self) -> None:
        """Stamps the start again."""
        self.time_started = _now()

    def next(self, step_info: str | None = None, output: Any = None, **extra: Any) -> None:  # type: ignore[override]
        """Ends the running step and begins the next one. `output` and `extra` stay in the record by their names."""
        self._close_step()
        self.step_current += 1
        info = f"step {self.step_current}" if step_info is None else str(step_info)
        self.step_infos.append({"duration": -1, "info": info})
        self.step_start_time = time.monotonic()
        if output is not None:
            extra["output"] = output
        self.store(progress=self.percent, steps=self.step_infos, **extra)

    def current(self, pct: float) -> None:
        """Sets the percentage by hand."""
        self.store(progress=min(99, max(0, int(pct))))

    def stop(self, **extra: Any) -> None:
        """Ends the last step and stamps the end."""
        self._close_step()
        self.time_stopped = _now()
        self.store(progress=100, steps=self.step_infos, **extra)

    def output(self, value: Any) -> dict[str, Any]:
        """Stores the result; returns the whole record."""
        return self.store(result=value)

    def retry(self, n: int | None = None) -> None:
        """Stores which retry this is; without `n` one more than before."""
        self.retry_count = self.retry_count + 1 if n is None else n
        self.store(retry=self.retry_count)

    def _close_step(self) -> None:
        if self.step_infos and self.step_infos[-1]["duration"] == -1:
            self.step_infos[-1]["duration"] = time.monotonic() - self.step_start_time

    # --- the record -------------------------------------------------------------------------------------------------

    def get_time_info(self) -> dict[str, str | None]:
        """`request`, `started` and `stopped` as ISO texts, or None."""
        times = {"request": self.time_request, "started": self.time_started, "stopped": self.time_stopped}
        return {name: None if value is None else value.isoformat() for name, value in times.items()}

    @property
    def timing_info(self) -> dict[str, str | None]:
        """The same as `get_time_info()`."""
        return self.get_time_info()

    def record(self) -> dict[str, Any]:
        """Everything that watchers see, less the result."""
        return {key: value for key, value in self._meta().items() if key != "result"}

    def extras(self) -> dict[str, Any]:
        """What the script stored under names of its own."""
        return {key: value for key, value in self._record.items() if key not in ("progress", "steps", "result")}

    def store(self, **values: Any) -> dict[str, Any]:
        """Merges values into the record, which watchers see at once. Returns the whole record."""
        before = self._record
        self._record = {**before, **values}
        meta = self._meta()
        if self.celery_self is not None:
            try:
                self.celery_self.update_state(task_id=self.task_id, state="RUNNING", meta=meta)
            except (TypeError, ValueError):
                self._record = before  # what cannot be stored must not fail the next call, too
                raise
        return meta

    def _meta(self) -> dict[str, Any]:
        request = getattr(self.celery_self, "request", None)
        return {
            "shadow_name": getattr(request, "shadow", None),
            "time_info": self.get_time_info(),
            "steps": self.step_infos,
            **self._record,
        }

    def update(self, other: TaskProgress) -> None:
        """Takes over counters, steps and times of another progress object; stays connected to its own task."""
        for name in ("step_total", "step_current", "step_start_time", "retry_count"):
            setattr(self, name, getattr(other, name))
        self.step_infos = [dict(step) for step in other.step_infos]
        self.time_request, self.time_started, self.time_stopped = (
            other.time_request,
            other.time_started,
            other.time_stopped,
        )

    # --- life -------------------------------------------------------------------------------------------------------

    def __enter__(self) -> TaskProgress:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __getstate__(self) -> dict[str, Any]:
        # In another process there is no task to tell: the copy goes on in memory.
        return {**self.__dict__, "celery_self": None}
