"""What a user is told about an exception: kind, class, message, and the traceback with the user's own frames."""

from __future__ import annotations

import os
import traceback
from typing import Any

from pixyz_worker import _exact
from pixyz_worker.exception import PixyzException, PixyzExitFault, PixyzSignalFault, PixyzTimeout

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_INNER = tuple(
    os.path.join(_PACKAGE, name) for name in ("_child.py", "_loader.py", "_decorator.py", "local.py", "_host.py")
)
"""Frames that call the user's code. Frames of helpers that the user's code calls stay: they tell what was refused."""

_MESSAGE_ROOM = 64 << 10
_TRACEBACK_ROOM = 512 << 10
_ARGUMENTS_ROOM = 16 << 10


def kind_of(error: BaseException) -> str:
    """The word that the resubmission rules decide by. Raising a fault counts as the fault itself."""
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, PixyzExitFault):
        return "exit"
    if isinstance(error, PixyzSignalFault):
        return "signal"
    if isinstance(error, PixyzTimeout):
        return "time-limit"
    return "exception"


def message_of(error: BaseException) -> str:
    try:
        text = str(error.message) if isinstance(error, PixyzException) else str(error)
    except Exception as broken:
        text = f"<its text cannot be made: {type(broken).__name__}>"
    return _shorten(text, _MESSAGE_ROOM)


def describe(error: BaseException, kind: str | None = None) -> dict[str, Any]:
    """The `error` of an outcome."""
    message = message_of(error)
    described = {
        "kind": kind or kind_of(error),
        "type": type(error).__name__,
        "module": type(error).__module__,
        "message": message,
        "traceback": _traceback(error, message),
    }
    arguments = _arguments_of(error)
    return described if arguments is None else {**described, "args": arguments}


def _arguments_of(error: BaseException) -> str | None:
    """Its arguments as exact JSON text, for whoever makes it again; None where they have none, or are too large."""
    args: tuple[Any, ...] = error.args
    if isinstance(error, OSError) and error.filename is not None:
        args = (error.errno, error.strerror, error.filename)  # kept apart from the others, and needed for the text
    try:
        text = _exact.dumps(list(args))
    except Exception:
        return None
    return text if len(text) <= _ARGUMENTS_ROOM else None


def _traceback(error: BaseException, message: str) -> str:
    last = f"{type(error).__name__}: {message}" if message else type(error).__name__
    try:
        exception = traceback.TracebackException.from_exception(error, compact=True)
        _trim(exception, set())
        text = "".join(exception.format())
        own = "".join(exception.format_exception_only())
        # The last line names the class alone, wherever it was defined: clients show it as it is.
        text = text.removesuffix(own) if not isinstance(error, SyntaxError) else text
        if isinstance(error, SyntaxError):
            return _shorten(text, _TRACEBACK_ROOM).rstrip("\n")
        notes = "".join(f"{note}\n" for note in getattr(error, "__notes__", ()))
        return _shorten(text + notes, _TRACEBACK_ROOM) + last
    except Exception:
        return last


def _trim(exception: traceback.TracebackException, seen: set[int]) -> None:
    if id(exception) in seen:
        return
    seen.add(id(exception))
    kept = [
        frame for frame in exception.stack if frame.filename not in _INNER and not frame.filename.startswith("<frozen ")
    ]
    exception.stack = traceback.StackSummary.from_list(kept)
    for other in (exception.__cause__, exception.__context__, *(getattr(exception, "exceptions", None) or ())):
        if other is not None:
            _trim(other, seen)


def _shorten(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    half = room // 2
    return f"{text[:half]}\n… {len(text) - room} characters left out …\n{text[-half:]}"
