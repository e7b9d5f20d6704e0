"""Sending: a canvas becomes a graph, the script gets its handle."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

from pixyz_worker._canvas._compile import compile_canvas
from pixyz_worker._canvas._results import AsyncResult, handle
from pixyz_worker._canvas._session import current
from pixyz_worker._canvas._signatures import Canvas, Signature


def send(canvas: Canvas, args: tuple[Any, ...], kwargs: dict[str, Any], options: dict[str, Any]) -> Any:
    """Starts a canvas; returns its `AsyncResult`, or `GroupResult`."""
    if kwargs:
        if not isinstance(canvas, Signature):
            raise TypeError(f"{type(canvas).__name__} takes no keyword arguments for its tasks: {', '.join(kwargs)}")
        canvas = dataclasses.replace(canvas, kwargs={**canvas.kwargs, **kwargs})
    plan = compile_canvas(canvas, args, options)
    # An empty group has nothing to run.
    graph = current().submit(plan) if plan.nodes else f"{str(uuid.uuid4())[:28]}00000000"
    return AsyncResult(plan.task_id) if plan.task_id is not None else handle(plan.shape, graph)


def subtask_async(pc: Any, entrypoint: str, params: Any = None, **options: Any) -> Any:
    """Starts a function of this script as a task of its own."""
    return pc.clone(entrypoint=entrypoint).execute(params, **options)
