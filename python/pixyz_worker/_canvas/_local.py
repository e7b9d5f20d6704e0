"""Canvases without a worker: every task runs in this process, at once, in the order of its dependencies.

The values take the same way as between workers (exact JSON, forms, inheritance), so a script that works here works
there. What is not the same: no queues, no limits, no countdown, no second try, and nothing runs side by side.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import uuid
from typing import Any

from pixyz_worker import _exact, config
from pixyz_worker._canvas._compile import Plan
from pixyz_worker._canvas._context import unpack
from pixyz_worker._canvas._errors import ChordError
from pixyz_worker._canvas._session import shape_json
from pixyz_worker._canvas._share import graph_id_of, handed_on, job_id, told_failure
from pixyz_worker._canvas._views import View
from pixyz_worker.pc import ProgramContext

_log = logging.getLogger("pixyz_worker")


class LocalSession:
    """Runs what is sent when it is sent."""

    in_task = False

    def __init__(self) -> None:
        self._views: dict[str, View] = {}
        self._values: dict[str, Any] = {}
        self._records: dict[str, dict[str, Any]] = {}
        self._started: dict[str, list[dict[str, Any]]] = {}
        self._running: list[str] = []
        self._outputs: list[str] = []

    @contextlib.contextmanager
    def outputs_below(self, folder: str | None) -> Any:
        """Folders of sub-tasks are made in the output folder of the script that was started."""
        self._outputs.append(folder or os.path.join(tempfile.gettempdir(), "pixyz-local"))
        try:
            yield
        finally:
            self._outputs.pop()

    # --- running ----------------------------------------------------------------------------------------------------

    def submit(self, plan: Plan) -> str:
        graph = f"{str(uuid.uuid4())[:28]}00000000"
        if self._running:
            sent = {"graphId": graph, "shape": shape_json(plan.shape)}
            self._started.setdefault(self._running[-1], []).append(sent)
        for node in plan.nodes:
            self._node(graph, node)
        if plan.task_id is not None:  # chosen by the script
            known: Any
            for known in (self._views, self._values, self._records):
                if job_id(graph, 1) in known:
                    known[str(plan.task_id)] = known.pop(job_id(graph, 1))
        return graph

    def _node(self, graph: str, node: dict[str, Any]) -> None:
        job = job_id(graph, node["index"])
        before = [self._views[job_id(graph, dep)] for dep in node["deps"]]
        bad = [
            (job_id(graph, dep), view)
            for dep, view in zip(node["deps"], before, strict=True)
            if view.state != "SUCCESS"
        ]
        if node["trigger"] == "any_failed":
            if not bad:
                self._views[job] = View()
                return
        elif bad:
            failed, view = bad[0]
            cause = view.cause or view.error
            if node["params"]["kind"] == "values":
                told = f"Dependency {failed} raised {cause!r}"
                self._views[job] = View("FAILURE", ChordError(told), cause, view.traceback)
            else:
                self._views[job] = View("PENDING", None, cause)
            return
        if node["kind"] == "barrier":
            self._views[job] = View("SUCCESS")
            return
        self._run(job, node)

    def _run(self, job: str, node: dict[str, Any]) -> None:
        from pixyz_worker.local import run_here

        packed = unpack(node["context"])
        folder = os.path.join(self._outputs[-1] if self._outputs else tempfile.gettempdir(), job)
        task = ProgramContext(
            **{
                **packed.context,
                "script": _path_of(node["script"]),
                "entrypoint": node["entrypoint"],
                "data": None if node["data"] is None else _path_of(node["data"]),
                "root_file": node["rootFile"],
                "compute_only": node["computeOnly"],
                "raw": node["raw"],
                "is_local": True,
                "input_file": None,
                "output_dir": folder,
                "queue": node["queue"],
                "time_limit": node["timeLimit"],
                "shadow": node["name"],
            }
        )
        task.setdefault("task_id", job)
        self._running.append(job)
        record = self._records[job] = _record_of(node)
        try:
            params = self._params(job, node)
            if packed.failed:
                params = {**(params or {}), **self._failed_before(job, packed.failed)}
            value, progress = run_here(task, params, job, packed.calls)
            value = _exact.loads(_exact.dumps(value))
            meta = progress.record()
            record.update(steps=meta["steps"], timeInfo=meta["time_info"], meta=progress.extras())
            self._values[job] = handed_on(node["handsOn"], value, meta)
            self._views[job] = View("SUCCESS", meta=meta, stopped=meta["time_info"]["stopped"])
        except Exception as error:
            # The debugger has stopped where it was raised; whoever waits for the value gets it again.
            _log.error("the sub-task %s (%s) failed", node["id"], job, exc_info=True)
            self._views[job] = View("FAILURE", error)
        finally:
            self._running.pop()

    def _params(self, job: str, node: dict[str, Any]) -> Any:
        source = node["params"]
        graph = graph_id_of(job)
        if source["kind"] == "value":
            return _copied(self._values.get(job_id(graph, source["of"])))
        if source["kind"] == "values":
            return [_copied(self._values.get(job_id(graph, index))) for index in source["of"]]
        return _exact.loads(source["text"])

    def _failed_before(self, job: str, nodes: list[int]) -> dict[str, Any]:
        for index in nodes:
            failed = job_id(graph_id_of(job), index)
            view = self._views[failed]
            if view.state == "FAILURE":
                return told_failure(failed, view)
        return {}

    # --- reading ----------------------------------------------------------------------------------------------------

    def view(self, job: str) -> View:
        return self._views.get(job, View())

    def value(self, job: str) -> Any:
        return _copied(self._values.get(job))

    def record(self, job: str) -> dict[str, Any] | None:
        return self._records.get(job)

    def started_by(self, job: str) -> list[dict[str, Any]]:
        return self._started.get(job, [])

    def failures(self, jobs: list[str]) -> list[str]:
        return [job for job in jobs if self.view(job).settled and self.view(job).state != "SUCCESS"]

    # --- what needs no doing here -----------------------------------------------------------------------------------

    def revoke(self, jobs: list[str], terminate: bool) -> None:
        """Everything has ended when the script goes on."""

    def waiting(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def polled(self, what: str | None, ready: bool) -> None:
        pass


def _copied(value: Any) -> Any:
    """As over the wire: changing what was received changes nothing elsewhere."""
    return _exact.loads(_exact.dumps(value))


def _path_of(ref: dict[str, str]) -> str:
    if "share" in ref:
        return os.path.join(config.share_dir, ref["share"])
    if "process" in ref:
        return os.path.join(config.process_path, f"{ref['process']}.py")
    return ref["path"]


def _record_of(node: dict[str, Any]) -> dict[str, Any]:
    times = {"request": None, "started": None, "stopped": None}
    return {"attempts": [{}], "name": node["name"], "steps": [], "timeInfo": times, "meta": {}}
