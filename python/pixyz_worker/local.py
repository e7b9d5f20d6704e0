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

from pixyz_worker import _archive, _loader, config
from pixyz_worker._canvas import allow_join_result
from pixyz_worker._task import Request, Task
from pixyz_worker.license import make_importable
from pixyz_worker.pc import ProgramContext
from pixyz_worker.progress import TaskProgress

__all__ = ["AsyncResultLocal", "LocalPixyzTask", "allow_join_result"]

_NIL = "00000000-0000-0000-0000-000000000000"
_log = logging.getLogger("pixyz_worker")


class LocalPixyzTask:
    """A function that has been run here, with the face of a started task."""

    state = "READY"

    def __init__(self, ret: Any) -> None:
        self.ret = ret
        self.task_id = self
        self.id = self

    def get(self, *_: Any, **__: Any) -> Any:
        """The return value. Takes the arguments of a remote result and needs none of them."""
        return self.ret

    def ready(self) -> bool:
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
        return LocalPixyzTask.execute(pc, {} if params is None else params).ret

    @staticmethod
    def execute(pc: ProgramContext, params: Any = None) -> LocalPixyzTask:
        """Runs a context's entrypoint as the worker would, in this process."""
        task = pc.clone()
        if task.get("output_dir"):
            os.makedirs(task["output_dir"], exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="pixyz-") as input_dir:
            stand_in = Task(Request(_NIL, None, 0, None))
            progress = TaskProgress(None, _NIL, time_request=task["time_request"])
            task.update(queue=task.get("queue"), retry=0, input_dir=input_dir)
            task["task"] = stand_in
            task["progress"] = progress
            # The same rule as on a worker: what is sent is merged over the parameters that a clone has.
            task.update(params={} if params is None and "params" not in task else params)
            if task["data"] is not None:
                if _archive.is_archive(task["data"]):
                    progress.next("Extracting archive")
                task["input_file"] = _archive.usable_input(task["data"], input_dir, task["root_file"])
            with _session():
                module = _loader.load(task["script"])
                value = _loader.entrypoint_of(module, task["entrypoint"])(task, task["params"])
            progress.stop()
        return LocalPixyzTask(value)


class AsyncResultLocal:
    """`pc.AsyncResult(task_id)` in local mode."""

    state = "READY"

    def __init__(self, id: LocalPixyzTask) -> None:
        self.task = id
        self.task_id = self.id = id

    def get(self, *_: Any, **__: Any) -> Any:
        return self.task.get()

    def ready(self) -> bool:
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
