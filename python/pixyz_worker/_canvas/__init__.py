"""Graphs that scripts start: signatures, canvases, handles.

`_signatures` is what a script writes, `_compile` makes nodes of it, `_session` brings them to the worker (or `_local`
runs them here), `_results` are the handles, `_share` reads what became of the tasks.
"""

from pixyz_worker._canvas._results import AsyncResult, GroupResult, allow_join_result
from pixyz_worker._canvas._send import subtask_async
from pixyz_worker._canvas._signatures import chain, chord, chunks, group, pixyz_execute
from pixyz_worker._canvas._trees import CeleryBackendResult, TasksUtils

__all__ = [
    "AsyncResult",
    "CeleryBackendResult",
    "GroupResult",
    "TasksUtils",
    "allow_join_result",
    "chain",
    "chord",
    "chunks",
    "group",
    "pixyz_execute",
    "subtask_async",
]
