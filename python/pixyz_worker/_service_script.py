"""The engine's own tasks (`sleep`, `package`, …) as a script: what a worker runs when one of them is sent."""

from __future__ import annotations

from typing import Any


def sleep(pc: Any, params: Any) -> Any:
    return _call("sleep", params)


def package_outputs(pc: Any, params: Any) -> Any:
    return _call("package", params)


def cleanup_share_file(pc: Any, params: Any) -> Any:
    return _call("cleanup_share_file", params)


def _call(name: str, params: Any) -> Any:
    from pixyz_worker import tasks

    task = getattr(tasks, name)
    if isinstance(params, dict) and params.keys() == {"args", "kwargs"}:
        return task(*params["args"], **params["kwargs"])
    return task(params)  # the value of the task before it
