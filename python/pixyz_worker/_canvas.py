"""Graphs that scripts start: the names are here, sending them comes with the canvas release.

Scripts import these names whether or not they use them, so importing works everywhere; using one says plainly what is
missing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NoReturn

_joining = False


def not_yet(what: str) -> NoReturn:
    raise NotImplementedError(
        f"{what}: starting tasks from a running script comes with the canvas release. "
        "Until then submit such graphs through the REST API (POST /graphs)"
    )


class AsyncResult:
    """Handle of a task."""

    def __init__(self, id: str, parent: Any = None, **_: Any) -> None:
        self.id = id
        self.task_id = id
        self.parent = parent

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        not_yet(f"AsyncResult.{name}")

    def as_list(self) -> list[str]:
        ids: list[str] = [self.id]
        if self.parent is not None:
            ids.extend(self.parent.as_list())
        return ids


class GroupResult:
    """Handle of tasks that run side by side."""

    def __init__(self, id: str, results: list[Any], parent: Any = None) -> None:
        self.id = id
        self.results = self.children = results
        self.parent = parent

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        not_yet(f"GroupResult.{name}")

    def __iter__(self) -> Iterator[Any]:
        return iter(self.results)


class PixyzExecute:
    """The task that runs a function of a script."""

    name = "pixyz_execute"

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("pixyz_execute is not called but sent: pixyz_execute.s(params, pc).apply_async()")

    def s(self, *_: Any, **__: Any) -> Any:
        not_yet("pixyz_execute.s")

    def si(self, *_: Any, **__: Any) -> Any:
        not_yet("pixyz_execute.si")

    signature = s
    subtask = s

    def apply_async(self, *_: Any, **__: Any) -> Any:
        not_yet("pixyz_execute.apply_async")

    def delay(self, *_: Any, **__: Any) -> Any:
        not_yet("pixyz_execute.delay")

    def chunks(self, *_: Any, **__: Any) -> Any:
        not_yet("pixyz_execute.chunks")


pixyz_execute = PixyzExecute()


def chain(*_: Any, **__: Any) -> Any:
    not_yet("chain")


def group(*_: Any, **__: Any) -> Any:
    not_yet("group")


def chord(*_: Any, **__: Any) -> Any:
    not_yet("chord")


def chunks(*_: Any, **__: Any) -> Any:
    not_yet("chunks")


def subtask_async(pc: Any, entrypoint: str, params: Any = None, **options: Any) -> Any:
    """Starts a function of this script as a task of its own."""
    return pc.clone(entrypoint=entrypoint).execute(params, **options)


@contextlib.contextmanager
def allow_join_result() -> Iterator[None]:
    """Permits `.get()` inside a task."""
    global _joining
    before, _joining = _joining, True
    try:
        yield
    finally:
        _joining = before


class TasksUtils:
    """Inspection of task trees."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        not_yet(f"TasksUtils.{name}")


class CeleryBackendResult:
    """Inspection of stored results."""

    def __init__(self, *_: Any, **__: Any) -> None:
        not_yet("CeleryBackendResult")
