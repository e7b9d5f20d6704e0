"""`@pixyz_schedule`: settings of a job, read from the source at submission; waiting for sub-tasks at run time."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast, overload

from pixyz_worker.exception import PixyzTimeout
from pixyz_worker.pc import ProgramContext

_POLL_S = 0.1
_F = TypeVar("_F", bound=Callable[..., Any])


@overload
def pixyz_schedule(function: _F, /) -> _F: ...
@overload
def pixyz_schedule(*, wait: bool = ..., timeout: float | None = ..., **settings: Any) -> Callable[[_F], _F]: ...
def pixyz_schedule(
    function: _F | None = None, /, *, wait: bool = False, timeout: float | None = None, **settings: Any
) -> _F | Callable[[_F], _F]:
    """Marks a function as a job. With `wait`, the sub-tasks that it returns are waited for and their value is returned.

    All other settings (`queue`, `time_limit`, …) are read from the source when the job is submitted; see `_inspect`.
    """

    def decorate(entrypoint: _F) -> _F:
        if not wait:
            return entrypoint

        @functools.wraps(entrypoint)
        def waiting(pc: ProgramContext, params: Any, *args: Any, **kwargs: Any) -> Any:
            return wait_for(pc, entrypoint(pc, params, *args, **kwargs), timeout)

        return cast(_F, waiting)

    return decorate(function) if function is not None else decorate


def wait_for(pc: ProgramContext, result: Any, timeout: float | None = None) -> Any:
    """The value of the started tasks; a plain value is its own."""
    if not (hasattr(result, "ready") and hasattr(result, "get")):
        return result
    tasks = links(result)
    pc.progress_set_total(len(tasks))
    shown: set[str] = set()
    deadline = None if timeout is None else time.monotonic() + timeout
    with pc.allow_join_result():
        while True:
            done = result.ready()
            for task in reversed(tasks):  # the first link of a chain comes first
                name = str(task.id)
                if name not in shown and (done or task.state not in ("PENDING", "REVOKED")):
                    shown.add(name)
                    pc.progress_next(name)
            if done:
                return result.get()
            if deadline is not None and time.monotonic() >= deadline:
                raise PixyzTimeout(
                    f"the sub-tasks took longer than the {timeout:g} s that pixyz_schedule(timeout=…) allows"
                )
            time.sleep(_POLL_S)


def links(result: Any) -> list[Any]:
    """The tasks of a result and of all that came before it: groups count by their members."""
    found: list[Any] = []
    while result is not None:
        members = getattr(result, "results", None)
        found.extend(reversed(list(members)) if members is not None else [result])
        result = getattr(result, "parent", None)
    return found
