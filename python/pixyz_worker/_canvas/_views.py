"""What is known of a task, whoever tells it, and exceptions made again from what a record says."""

from __future__ import annotations

import builtins
import contextlib
import dataclasses
import importlib
import sys
from typing import Any

from pixyz_worker import _exact
from pixyz_worker._canvas._errors import TaskRevokedError

READY = frozenset({"SUCCESS", "FAILURE", "REVOKED"})


@dataclasses.dataclass(frozen=True)
class View:
    """A task at one moment."""

    state: str = "PENDING"
    error: BaseException | None = None
    """Its own, or the `ChordError` that stands for a member's."""
    cause: BaseException | None = None
    """Why it will never run: what the task before it ended with."""
    traceback: str | None = None
    meta: dict[str, Any] | None = None
    """The record form, less the result."""
    stopped: str | None = None

    @property
    def settled(self) -> bool:
        """Nothing more will come."""
        return self.state in READY or self.cause is not None


class RemoteTraceback(Exception):
    """Stands behind an exception that was raised in another task, and shows its traceback."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n\n{self.text}"


def rebuild(error: dict[str, Any]) -> BaseException:
    """The exception of a record's `error`: its class where it can be found, else one of the same name."""
    found = _class_of(str(error.get("module") or "builtins"), str(error["type"]))
    arguments = _arguments(error)
    made: BaseException
    try:
        made = found(*arguments)
    except Exception:  # a constructor of other arguments than it keeps
        made = found.__new__(found, *arguments)
        made.args = arguments
    if error.get("traceback"):
        made.__cause__ = RemoteTraceback(str(error["traceback"]))
    return made


def again(error: BaseException) -> BaseException:
    """The same exception as the classes of this script know it: local sub-tasks load the script anew."""
    found = _class_of(type(error).__module__, type(error).__name__)
    if found is type(error):
        return error
    try:
        made = found(*error.args)
    except Exception:
        return error
    made.__dict__.update(error.__dict__)
    return made.with_traceback(error.__traceback__)


def revoked(message: Any) -> BaseException:
    return TaskRevokedError(message if isinstance(message, str) and message else "revoked")


def _arguments(error: dict[str, Any]) -> tuple[Any, ...]:
    with contextlib.suppress(KeyError, ValueError, TypeError):
        told = _exact.loads(error["args"])
        if isinstance(told, list):
            return tuple(told)
    return (error["message"],) if error.get("message") else ()


def _class_of(module: str, name: str) -> type[BaseException]:
    if module == "celery.exceptions":
        from pixyz_worker._canvas import _errors

        holder: Any = _errors
    elif module in sys.modules:
        holder = sys.modules[module]
    else:
        try:
            holder = importlib.import_module(module)
        except Exception:
            holder = builtins
    found = getattr(holder, name, None)
    if isinstance(found, type) and issubclass(found, BaseException):
        return found
    return type(name, (Exception,), {"__module__": module})
