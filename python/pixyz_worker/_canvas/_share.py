"""Records and journals as a script reads them: files of the share, looked at by their status first.

The layout is that of `src/store/layout.ts` and `src/contract/graph-document.ts`; ids are those of
`src/contract/ids.ts`. Reading creates nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from pixyz_worker import _exact, config
from pixyz_worker._canvas._errors import ChordError
from pixyz_worker._canvas._views import View, rebuild, revoked


def job_id(graph_id: str, index: int) -> str:
    return f"{graph_id[:28]}{index:08x}"


def graph_id_of(job: str) -> str:
    return f"{job[:28]}00000000"


def index_of(job: str) -> int:
    return int(job[28:], 16)


class _File:
    """A file that is replaced as a whole; read again only when it has changed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._mark: tuple[int, int, int] | None = None
        self._content: Any = None

    def read(self) -> Any:
        try:
            status = os.stat(self._path)
        except OSError:
            return self._content
        mark = (status.st_mtime_ns, status.st_ino, status.st_size)
        if mark != self._mark:
            try:
                with open(self._path, encoding="utf-8") as file:
                    self._content = json.load(file)
            except (OSError, ValueError):
                return self._content
            self._mark = mark
        return self._content


class Journal:
    """How nodes of a graph ended, by its journal. Only what is new is read."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._offset = 0
        self.ended: dict[int, tuple[str, str]] = {}
        """Type of the entry and its message, by node number."""
        self.bad: set[int] = set()
        """Nodes that ended without a value."""

    def look(self) -> None:
        try:
            if os.stat(self._path).st_size <= self._offset:
                return
            with open(self._path, "rb") as file:
                file.seek(self._offset)
                new = file.read()
        except OSError:
            return
        whole = new.rfind(b"\n") + 1
        self._offset += whole
        for line in new[:whole].splitlines():
            entry = json.loads(line)
            node, kind = entry.get("node"), entry.get("type")
            if node is None:
                continue
            if kind in ("succeeded", "failed", "revoked", "skipped"):
                self.ended[node] = (kind, entry.get("message") or "")
                if kind != "succeeded":
                    self.bad.add(node)
            elif kind == "revived":
                self.ended.pop(node, None)
                self.bad.discard(node)


class Share:
    """What this process has seen of other tasks."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._records: dict[str, _File] = {}
        self._journals: dict[str, Journal] = {}
        self._nodes: dict[str, dict[int, dict[str, Any]]] = {}

    # --- files ------------------------------------------------------------------------------------------------------

    def path(self, folder: str, *names: str) -> str:
        return os.path.join(self._root, folder, *names)

    def record(self, job: str) -> dict[str, Any] | None:
        file = self._records.get(job)
        if file is None:
            file = self._records[job] = _File(self.path(job, "job.json"))
        record: dict[str, Any] | None = file.read()
        return record

    def journal(self, graph: str) -> Journal:
        journal = self._journals.get(graph)
        if journal is None:
            journal = self._journals[graph] = Journal(self.path(graph, "events.jsonl"))
        journal.look()
        return journal

    def remember(self, graph: str, nodes: tuple[dict[str, Any], ...]) -> None:
        """Nodes that this process has sent itself."""
        self._nodes[graph] = {node["index"]: node for node in nodes}

    def node(self, graph: str, index: int) -> dict[str, Any] | None:
        nodes = self._nodes.get(graph)
        if nodes is None or (nodes and index not in nodes):
            nodes = self._nodes[graph] = {node["index"]: node for node in self._read_nodes(graph)}
        return nodes.get(index)

    def _read_nodes(self, graph: str) -> Iterator[dict[str, Any]]:
        folder = self.path(graph, "nodes")
        try:
            names = sorted(name for name in os.listdir(folder) if name.endswith(".jsonl"))
        except OSError:
            return
        for name in names:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                yield from map(json.loads, file)

    # --- state ------------------------------------------------------------------------------------------------------

    def view(self, job: str) -> View:
        record = self.record(job)
        if record is not None and record["status"] in ("SUCCESS", "FAILURE", "REVOKED"):
            return _view_of(record)
        # The journal knows of jobs that never ran, and of ends that no attempt could write down.
        told = self.journal(graph_id_of(job)).ended.get(index_of(job))
        if told is None or (told[0] == "succeeded" and record is not None):
            return View() if record is None else _view_of(record)
        kind, message = told
        if kind == "succeeded":
            return View("SUCCESS")
        if kind == "revoked":
            return View("REVOKED", revoked(message))
        if kind == "failed":
            return View("FAILURE", rebuild({"type": "Exception", "module": "builtins", "message": message}))
        return self._skipped(job)

    def _skipped(self, job: str) -> View:
        graph = graph_id_of(job)
        culprit = self._culprit(graph, index_of(job))
        if culprit is None:
            return View()
        at = self.view(job_id(graph, culprit))
        cause = at.error or revoked(None)
        if self._is_callback(graph, index_of(job)):
            told = f"Dependency {job_id(graph, culprit)} raised {cause!r}"
            return View("FAILURE", ChordError(told), cause, traceback=at.traceback)
        return View("PENDING", None, cause)

    def _is_callback(self, graph: str, index: int) -> bool:
        node = self.node(graph, index)
        return node is not None and node["params"]["kind"] == "values"

    def _culprit(self, graph: str, index: int) -> int | None:
        """The failed node because of which another one was skipped."""
        ended = self.journal(graph).ended
        todo, seen = [index], {index}
        while todo:
            node = self.node(graph, todo.pop())
            for dep in node["deps"] if node is not None else ():
                kind = ended.get(dep, ("", ""))[0]
                if kind in ("failed", "revoked"):
                    return int(dep)
                if kind == "skipped" and dep not in seen:
                    seen.add(dep)
                    todo.append(dep)
        return None

    def failures(self, jobs: list[str]) -> list[str]:
        graphs = {graph: self.journal(graph).bad for graph in {graph_id_of(job) for job in jobs}}
        if not any(graphs.values()):
            return []
        return [job for job in jobs if index_of(job) in graphs[graph_id_of(job)]]

    # --- values -----------------------------------------------------------------------------------------------------

    def value(self, job: str) -> Any:
        """What a task that has succeeded hands on."""
        record = self.record(job)
        if record is None:
            return None
        return handed_on(self._hands_on(job, record), self._result(job, record), _meta_of(record))

    def _result(self, job: str, record: dict[str, Any]) -> Any:
        if record["resultFile"] is None:
            return record["result"]
        for name in ("exact.json", record["resultFile"]["file"]):
            try:
                with open(self.path(job, name), encoding="utf-8") as file:
                    return _exact.loads(file.read())
            except FileNotFoundError:
                continue
        return None  # deleted by retention

    def _hands_on(self, job: str, record: dict[str, Any]) -> str:
        node = self._nodes.get(graph_id_of(job), {}).get(index_of(job))
        if node is not None:
            return str(node["handsOn"])
        try:
            with open(self.path(job, "spec.json"), encoding="utf-8") as file:
                told = json.load(file).get("handsOn")
        except (OSError, ValueError):
            told = None
        return told or ("value" if record["raw"] else "record")

    def started_by(self, job: str) -> list[dict[str, Any]]:
        """What a task has sent: a line each."""
        try:
            with open(self.path(job, "canvases.jsonl"), encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        except (OSError, ValueError):
            return []


def failure_of(job: str, nodes: list[int]) -> dict[str, Any]:
    """What a task that is called because one of these nodes has failed is told of it."""
    share = Share(config.share_dir)
    for index in nodes:
        failed = job_id(graph_id_of(job), index)
        view = share.view(failed)
        if view.state == "FAILURE":
            return told_failure(failed, view)
    return {}


def told_failure(job: str, view: View) -> dict[str, Any]:
    error = view.error
    return {"task_id": job, "error": f"{type(error).__name__}: {error}", "traceback": view.traceback}


def handed_on(form: str, value: Any, meta: dict[str, Any]) -> Any:
    if form == "value":
        return value
    return {"result": value} if form == "wrapped" else {**meta, "progress": 100, "result": value}


def _view_of(record: dict[str, Any]) -> View:
    status = record["status"]
    stopped = record["timeInfo"]["stopped"]
    error: BaseException | None = None
    if status in ("FAILURE", "RETRY") and record["error"] is not None:
        error = rebuild(record["error"])
    elif status == "REVOKED":
        error = revoked(record["result"])
    traceback = record["error"]["traceback"] if error is not None and record["error"] is not None else None
    return View(status, error, None, traceback, _meta_of(record), stopped)


def _meta_of(record: dict[str, Any]) -> dict[str, Any]:
    meta = {
        **record["meta"],
        "shadow_name": record["name"],
        "time_info": record["timeInfo"],
        "progress": record["progress"],
        "steps": record["steps"],
    }
    if record["retry"] > 0:
        meta["retry"] = record["retry"]
    return meta
