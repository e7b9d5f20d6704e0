"""Inspection of tasks that have been sent, by the names that scripts may know.

The originals have faults and no known users; these do what their names say, on handles and ids.
"""

from __future__ import annotations

from typing import Any

from pixyz_worker._canvas._results import AsyncResult, tasks_of


class TasksUtils:
    """Questions about a result and everything that came before it."""

    @staticmethod
    def get_all_tasks_status(result: Any) -> dict[str, str]:
        """State of each task by its id, the first one first."""
        return {task.id: task.state for task in reversed(tasks_of(_handle(result)))}

    @staticmethod
    def get_root_task(result: Any) -> Any:
        """What came first: a task, or a group."""
        root = _handle(result)
        while root.parent is not None:
            root = root.parent
        return root

    @staticmethod
    def get_task_dag(result: Any) -> Any:
        """Ids as nested lists, as `as_tuple()` of a handle."""
        return _handle(result).as_tuple()

    @staticmethod
    def is_tasks_running(result: Any) -> bool:
        """Whether any of them runs."""
        return any(state in ("STARTED", "RUNNING") for state in TasksUtils.get_all_tasks_status(result).values())

    @staticmethod
    def is_tasks_success(result: Any) -> bool:
        """Whether all of them have succeeded."""
        return all(state == "SUCCESS" for state in TasksUtils.get_all_tasks_status(result).values())


class CeleryBackendResult:
    """State and result of a task by its id."""

    def __init__(self, task_id: str, *_: Any, **__: Any) -> None:
        self.task_id = task_id
        self.result = AsyncResult(task_id)

    def get(self) -> dict[str, Any]:
        """`task_id`, `status` and `result`."""
        return {"task_id": self.task_id, "status": self.result.state, "result": self.result.result}


def _handle(result: Any) -> Any:
    return AsyncResult(result) if isinstance(result, str) else result
