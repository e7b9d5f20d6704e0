"""Local mode: a script's function in this process, under an ordinary debugger, without worker or server."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from pixyz_worker import _archive, _exact, _loader, config
from pixyz_worker._canvas import allow_join_result
from pixyz_worker._canvas._calls import run_calls
from pixyz_worker._canvas._compile import hands_on
from pixyz_worker._canvas._local import LocalSession
from pixyz_worker._canvas._session import use
from pixyz_worker._canvas._share import handed_on
from pixyz_worker._task import Request, Task
from pixyz_worker.license import make_importable
from pixyz_worker.pc import ProgramContext
from pixyz_worker.progress import TaskProgress

__all__ = ["AsyncResultLocal", "LocalPixyzTask", "allow_join_result"]

_NIL = "00000000-0000-0000-0000-000000000000"
_log = logging.getLogger("pixyz_worker")


class LocalPixyzTask:
    """A function that has been run here, with the face of a started task."""

    state = status = "READY"
    parent = None
    children: tuple[Any, ...] = ()

    def __init__(self, ret: Any, form: str = "value", meta: dict[str, Any] | None = None) -> None:
        self.ret = ret
        """What the function returned."""
        self.task_id = self
        self.id = self
        self._form = form
        self._meta = meta or {}

    def get(self, *_: Any, **__: Any) -> Any:
        """The value as a remote task would give it: bare when raw, else `{"result": …}`. Needs none of the
        arguments."""
        return handed_on(self._form, _exact.loads(_exact.dumps(self.ret)), self._meta)

    @property
    def result(self) -> Any:
        """The same as `get()`."""
        return self.get()

    def successful(self) -> bool:
        """Always true: a failure was raised when it ran."""
        return True

    def failed(self) -> bool:
        """Always false."""
        return False

    def ready(self) -> bool:
        """Always true."""
        return True

    def __str__(self) -> str:
        return _NIL

    @staticmethod
    def from_commandline(
        script: str,
        output_path: str,
        entrypoint: str,
        params: Any = None,
        input_file: str | None = None,
    ) -> Any:
        """Runs a function of a script and returns what it returns."""
        _make_pixyz_available()
        pc = ProgramContext.from_local(os.path.abspath(script), input_file, output_path)
        pc.update(entrypoint=entrypoint, data=input_file)
        # What the script sends from here on runs in this process, too, with folders below this one.
        session = LocalSession()
        before = use(session)
        try:
            with session.outputs_below(output_path):
                return LocalPixyzTask.execute(pc, {} if params is None else params).ret
        finally:
            use(before)

    @staticmethod
    def execute(pc: ProgramContext, params: Any = None) -> LocalPixyzTask:
        """Runs a context's entrypoint as the worker would, in this process."""
        task = pc.clone()
        form = hands_on(task)
        # The same rule as on a worker: what is sent is merged over the parameters that a clone has.
        value, progress = run_here(task, {} if params is None else params, _NIL)
        return LocalPixyzTask(value, form, progress.record())


def run_here(
    task: ProgramContext, params: Any, job: str, calls: list[dict[str, Any]] | None = None
) -> tuple[Any, TaskProgress]:
    """Runs the entrypoint of a context in this process, as a worker would; returns its value and its progress."""
    if task.get("output_dir") and not task["compute_only"]:
        os.makedirs(task["output_dir"], exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pixyz-") as input_dir, _script_module():
        progress = TaskProgress(None, job, time_request=task["time_request"])
        task.update(queue=task.get("queue"), retry=0, input_dir=input_dir)
        task.setdefault("task_id", job)
        task["task"] = Task(Request(job, task["queue"], 0, task.get("time_limit"), task.get("shadow")))
        task["progress"] = progress
        task.update(params=params)
        if task["data"] is not None and calls is None:
            if _archive.is_archive(task["data"]):
                progress.next("Extracting archive")
            task["input_file"] = _archive.usable_input(task["data"], input_dir, task["root_file"])
        with _session():
            if calls is not None:
                value: Any = run_calls(calls, task)
            else:
                module = _loader.load(task["script"])
                value = _loader.entrypoint_of(module, task["entrypoint"])(task, task["params"])
        progress.stop()
    return value, progress


@contextlib.contextmanager
def _script_module() -> Iterator[None]:
    """A sub-task loads the script anew; the script that sent it finds its own module again."""
    before = sys.modules.get(_loader.MODULE)
    try:
        yield
    finally:
        if before is not None:
            sys.modules[_loader.MODULE] = before


class AsyncResultLocal:
    """`pc.AsyncResult(task_id)` in local mode."""

    state = status = "READY"

    def __init__(self, id: LocalPixyzTask) -> None:
        self.task = id
        self.task_id = self.id = id

    def get(self, *_: Any, **__: Any) -> Any:
        """The value of the task."""
        return self.task.get()

    def ready(self) -> bool:
        """Always true: it has run already."""
        return True


def _make_pixyz_available() -> None:
    try:
        make_importable()
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    if not config.pixyz_python_path and os.path.isdir("/opt/pixyz") and "/opt/pixyz" not in sys.path:
        sys.path.append("/opt/pixyz")


@contextlib.contextmanager
def _session() -> Iterator[None]:
    """A fresh Pixyz session, and the one from before again afterwards. Trouble with sessions is no reason to stop."""
    pxz: Any = None
    before: Any = None
    if not config.disable_pixyz:
        try:
            pxz = importlib.import_module("pxz")
            before = pxz.get_current_session() if hasattr(pxz, "get_current_session") else None
            pxz.initialize()
        except Exception as error:
            _log.warning("running without Pixyz: %s", error)
            pxz = None
    try:
        yield
    finally:
        if pxz is not None:
            try:
                pxz.release()
                if before is not None:
                    pxz.set_current_session(before)
            except Exception as error:
                _log.warning("the Pixyz session could not be released: %s", error)
