"""What scripts write: signatures of `pixyz_execute`, and the canvases made of them.

Rules:

1. Nothing here knows how a canvas runs: `_compile` turns it into nodes, `_send` has them run.
2. A canvas never changes its kind, and running it changes nothing in it, so it can be sent again. `.set` is the one
   method that changes its object, because scripts call it without using what it returns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, TypeVar

_C = TypeVar("_C", bound="Canvas")


class Canvas:
    """Something that can be sent."""

    options: dict[str, Any]

    def set(self: _C, immutable: bool | None = None, **options: Any) -> _C:
        """Sets options, of a signature or as defaults of all tasks of a canvas; returns the same object."""
        if immutable is not None:
            raise TypeError("only a signature can be immutable")
        self.options.update(options)
        return self

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        """Sends it. `args` go before those it has, as the value of a task before it would."""
        from pixyz_worker._canvas._send import send

        return send(self, tuple(args or ()), dict(kwargs or {}), options)

    def delay(self, *args: Any, **kwargs: Any) -> Any:
        """The same as `apply_async(args)`."""
        return self.apply_async(args, kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.apply_async(args, **kwargs)

    def __or__(self, other: Any) -> chain:
        if not isinstance(other, Canvas):
            return NotImplemented
        return chain(self, other)

    def clone(self: _C) -> _C:
        """A copy with options of its own."""
        return dataclasses.replace(self, options=dict(self.options))  # type: ignore[type-var]

    def link(self, callback: Canvas) -> Canvas:
        """Runs `callback` with the value when this has succeeded; returns the callback, as Celery does."""
        self.options["link"] = [*_listed(self.options.get("link")), callback]
        return callback

    def link_error(self, callback: Canvas) -> Canvas:
        """Runs `callback` when this has failed; returns the callback."""
        self.options["link_error"] = [*_listed(self.options.get("link_error")), callback]
        return callback

    def on_error(self: _C, callback: Canvas) -> _C:
        """The same as `link_error`; returns this canvas."""
        self.link_error(callback)
        return self


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


@dataclasses.dataclass(frozen=True)
class Signature(Canvas):
    """One call of `pixyz_execute` that has not been made yet."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    immutable: bool = False
    """It takes no value of the task before it."""

    task = "pixyz_execute"

    def set(self, immutable: bool | None = None, **options: Any) -> Signature:
        if immutable is not None:
            object.__setattr__(self, "immutable", immutable)
        self.options.update(options)
        return self

    def apply(self, *_: Any, **__: Any) -> NoReturn:
        """Is refused: tasks run on workers. @raise NotImplementedError always"""
        raise NotImplementedError(
            "a signature is not run in the calling process: send it with apply_async(), or run the script locally "
            "(LocalPixyzTask.from_commandline)"
        )


@dataclasses.dataclass(frozen=True, init=False)
class chain(Canvas):
    """Tasks one after another; each receives the value of the one before it."""

    tasks: tuple[Canvas, ...]
    options: dict[str, Any]

    def __init__(self, *tasks: Any, **options: Any) -> None:
        flat: list[Canvas] = []
        for task in _members(tasks, "chain"):
            # `a | b | c` is one chain of three.
            flat.extend(task.tasks if isinstance(task, chain) and not task.options else [task])
        object.__setattr__(self, "tasks", tuple(flat))
        object.__setattr__(self, "options", options)

    def clone(self) -> chain:
        return chain(*self.tasks, **self.options)

    def __len__(self) -> int:
        return len(self.tasks)


@dataclasses.dataclass(frozen=True, init=False)
class group(Canvas):
    """Tasks side by side."""

    tasks: tuple[Canvas, ...]
    options: dict[str, Any]

    def __init__(self, *tasks: Any, **options: Any) -> None:
        object.__setattr__(self, "tasks", tuple(_members(tasks, "group")))
        object.__setattr__(self, "options", options)

    def clone(self) -> group:
        return group(*self.tasks, **self.options)

    def __len__(self) -> int:
        return len(self.tasks)

    def __iter__(self) -> Iterator[Canvas]:
        return iter(self.tasks)


@dataclasses.dataclass(frozen=True, init=False)
class chord(Canvas):
    """Tasks side by side, and a callback that receives the list of their values."""

    header: group
    body: Canvas | None
    options: dict[str, Any]

    def __init__(self, header: Any, body: Canvas | None = None, **options: Any) -> None:
        object.__setattr__(self, "header", header if isinstance(header, group) else group(header))
        object.__setattr__(self, "body", None if body is None else _canvas(body, "the callback of a chord"))
        object.__setattr__(self, "options", options)

    @property
    def tasks(self) -> tuple[Canvas, ...]:
        """The tasks side by side."""
        return self.header.tasks

    def clone(self) -> chord:
        return chord(self.header, self.body, **self.options)

    def __call__(self, body: Any = None, **options: Any) -> Any:
        return self.apply_async(body=body, **options)

    def apply_async(self, args: Any = None, kwargs: Any = None, body: Any = None, **options: Any) -> Any:
        whole = self if body is None else chord(self.header, body, **self.options)
        return Canvas.apply_async(whole, args, kwargs, **options)


@dataclasses.dataclass(frozen=True)
class Chunk(Canvas):
    """Several calls in one task; its value is the list of theirs."""

    calls: tuple[tuple[Any, Any], ...]
    """Parameters and context of each."""
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, init=False)
class chunks(Canvas):
    """Many calls of `pixyz_execute`, `n` in a task; the value is a list of lists."""

    calls: tuple[tuple[Any, Any], ...]
    n: int
    options: dict[str, Any]

    def __init__(self, task: Any, it: Iterable[Any], n: int, **options: Any) -> None:
        if getattr(task, "name", None) != "pixyz_execute":
            raise TypeError(f"chunks are made of pixyz_execute, not of {task!r}")
        if not isinstance(n, int) or n < 1:
            raise ValueError(f"chunks need at least 1 call a task, not {n!r}")
        calls = [tuple(call) for call in it]
        for at, call in enumerate(calls):
            if len(call) != 2:
                raise TypeError(f"call {at} of chunks has {len(call)} arguments: it takes parameters and context")
        object.__setattr__(self, "calls", tuple(calls))
        object.__setattr__(self, "n", n)
        object.__setattr__(self, "options", options)

    def group(self) -> group:
        """The same as a group of tasks."""
        parts = [self.calls[at : at + self.n] for at in range(0, len(self.calls), self.n)]
        return group([Chunk(part) for part in parts], **self.options)

    def clone(self) -> chunks:
        return chunks(pixyz_execute, self.calls, self.n, **self.options)


class PixyzExecute:
    """The task that runs a function of a script. It is not called but sent."""

    name = "pixyz_execute"
    max_retries = 1

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("pixyz_execute is not called but sent: pixyz_execute.s(params, pc).apply_async()")

    def s(self, *args: Any, **kwargs: Any) -> Signature:
        """A call: `s(params, pc)`, or `s(pc=pc)`, which takes the value of the task before it."""
        return Signature(args, kwargs)

    def si(self, *args: Any, **kwargs: Any) -> Signature:
        """A call that ignores the value of the task before it."""
        return Signature(args, kwargs, immutable=True)

    def signature(
        self, args: Any = None, kwargs: Any = None, immutable: bool = False, options: Any = None, **more: Any
    ) -> Signature:
        """The same as `s`, in Celery's long form."""
        return Signature(tuple(args or ()), dict(kwargs or {}), {**(options or {}), **more}, immutable)

    subtask = signature

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        """Sends one call: `apply_async(args=(params, pc), queue=…)`; gives a handle."""
        return Signature(tuple(args or ()), dict(kwargs or {})).apply_async(**options)

    def delay(self, *args: Any, **kwargs: Any) -> Any:
        """Sends one call with the default options."""
        return self.apply_async(args, kwargs)

    def chunks(self, it: Iterable[Any], n: int) -> chunks:
        """Many calls `(params, pc)`, `n` in a task."""
        return chunks(self, it, n)

    def AsyncResult(self, task_id: str, **_: Any) -> Any:
        """The handle of a task by its id."""
        from pixyz_worker._canvas._results import AsyncResult

        return AsyncResult(task_id)

    def __repr__(self) -> str:
        return "<task pixyz_execute>"


pixyz_execute = PixyzExecute()


def _members(tasks: tuple[Any, ...], what: str) -> list[Canvas]:
    """`group(a, b)`, `group([a, b])` and `group(x for …)` are the same."""
    found: Iterable[Any] = tasks
    if len(tasks) == 1 and not isinstance(tasks[0], Canvas):
        found = tasks[0] if isinstance(tasks[0], Iterable) else tasks
    return [_canvas(task, f"a {what}") for task in found]


def _canvas(task: Any, where: str) -> Canvas:
    if not isinstance(task, Canvas):
        hint = ": write pixyz_execute.s(params, pc)" if isinstance(task, PixyzExecute) else ""
        raise TypeError(f"{where} is made of signatures and canvases, not of {type(task).__name__}{hint}")
    return task
