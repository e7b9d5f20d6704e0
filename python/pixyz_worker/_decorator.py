"""`@pixyz_schedule`: settings of a job, read from the source at submission; waiting for sub-tasks at run time."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast, overload

from pixyz_worker._canvas._errors import TimeoutError
from pixyz_worker._canvas._results import tasks_of
from pixyz_worker.pc import ProgramContext

_LOOK_S = 0.1
"""How often it is looked which sub-tasks have started."""
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
    tasks = list(reversed(tasks_of(result)))  # the first link of a chain comes first
    pc.progress_set_total(len(tasks))
    waiting = list(tasks)

    def show(everything: bool) -> None:
        # From the last one back: when it has started, so have those before it, and they are looked at later.
        seen = [task for task in reversed(waiting) if everything or task.state not in ("PENDING", "REVOKED")]
        for task in reversed(seen):
            waiting.remove(task)
            pc.progress_next(str(task.id))

    next_look = 0.0

    def look() -> None:
        nonlocal next_look
        began = time.monotonic()
        if began >= next_look:
            show(False)
            # A tenth of the time at most, however many tasks there are.
            next_look = began + max(_LOOK_S, 10 * (time.monotonic() - began))

    with pc.allow_join_result():
        try:
            value = result.get(timeout=timeout, on_interval=look)
        except TimeoutError:
            raise TimeoutError(
                f"the sub-tasks took longer than the {timeout:g} s that pixyz_schedule(timeout=…) allows"
            ) from None
        except BaseException:
            show(False)
            raise
    show(True)
    return value
