"""Several calls in one task: what `chunks` are run as."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from pixyz_worker import _archive, _loader
from pixyz_worker._canvas._share import handed_on
from pixyz_worker.pc import ProgramContext
from pixyz_worker.progress import TaskProgress


def run_calls(calls: list[dict[str, Any]], task: ProgramContext) -> list[Any]:
    """The values of all calls, each in the form that a task of its own would hand on."""
    task.progress_set_total(len(calls))
    modules: dict[str, ModuleType] = {}
    values = []
    for number, call in enumerate(calls, 1):
        task.progress_next(f"call {number} of {len(calls)}")
        values.append(_run_call(call, number, task, modules))
    return values


def _run_call(call: dict[str, Any], number: int, task: ProgramContext, modules: dict[str, ModuleType]) -> Any:
    shared = {key: task[key] for key in ("output_dir", "queue", "retry", "is_local", "task") if key in task}
    pc = ProgramContext(**{**call["pc"], **shared, "input_file": None})
    pc["input_dir"] = os.path.join(task["input_dir"], str(number))
    os.makedirs(pc["input_dir"], exist_ok=True)
    progress = TaskProgress(None, str(task["task_id"]), time_request=pc["time_request"])
    pc["progress"] = progress
    pc.update(params=call["params"])
    if pc["data"] is not None:
        pc["input_file"] = _archive.usable_input(pc["data"], pc["input_dir"], pc["root_file"])
    if pc["script"] not in modules:
        modules[pc["script"]] = _loader.load(pc["script"])
    value = _loader.entrypoint_of(modules[pc["script"]], pc["entrypoint"])(pc, pc["params"])
    progress.stop()
    return handed_on(call["handsOn"], value, progress.record())
