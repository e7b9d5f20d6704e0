"""`ProgramContext`: what a script knows of its task, and what it starts others with."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
from collections.abc import Mapping
from typing import Any

from pixyz_worker.exception import PixyzSharedDirectoryNotFound

__all__ = ["ProgramContext"]

_DEFAULTS: dict[str, Any] = {
    "script": None,
    "entrypoint": "main",
    "data": None,
    "root_file": None,
    "compute_only": False,
    "raw": False,
    "tmp": True,
    "is_local": False,
}
_HIDDEN = ("task", "progress")


def _utc_now() -> datetime.datetime:
    """Naive, as the wire format of `time_request` wants it."""
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


class ProgramContext(dict[str, Any]):
    """The context of a task: a dict with helpers."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(kwargs)
        for key, value in _DEFAULTS.items():
            self.setdefault(key, value)
        self.setdefault("time_request", _utc_now())
        self.logger = logging.getLogger("pixyz_worker")

    def __str__(self) -> str:
        return str({key: value for key, value in self.items() if key not in _HIDDEN})

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (dict(self),))

    # --- change and copy --------------------------------------------------------------------------------------------

    def update(self, **kwargs: Any) -> ProgramContext:  # type: ignore[override]
        """Sets keys. Where the old and the new value both are dicts (sets, contexts, …), the old one is updated in
        place."""
        for key, value in kwargs.items():
            old = self.get(key)
            if isinstance(old, ProgramContext) and isinstance(value, Mapping):
                old.update(**value)
            elif isinstance(old, dict) and isinstance(value, Mapping):
                old.update(value)
            elif isinstance(old, dict) or not (hasattr(old, "update") and hasattr(value, "update")):
                self[key] = value
            elif old is not None and (isinstance(old, type(value)) or isinstance(value, type(old))):
                old.update(value)
            else:
                self[key] = value
        return self

    def clone(self, **kwargs: Any) -> ProgramContext:
        """A copy for another task: shallow, but with parameters of its own, so that changing them stays with the
        copy."""
        copy = ProgramContext(**self)
        copy.pop("task", None)
        if isinstance(copy.get("params"), dict):
            copy["params"] = dict(copy["params"])
        copy["time_request"] = _utc_now()
        return copy.update(**kwargs)

    def serialize(self) -> dict[str, Any]:
        """A plain dict that `builder` makes a context of; what belongs to the running task stays out."""
        return {key: value for key, value in self.items() if key not in _HIDDEN}

    @staticmethod
    def builder(d: Mapping[str, Any]) -> ProgramContext:
        """A context of a plain dict: the other way of `serialize`."""
        return ProgramContext(**d)

    @staticmethod
    def from_local(script: str, input_path: str | None = None, output_dir: str | None = None) -> ProgramContext:
        """A context for a run in this process; `LocalPixyzTask.from_commandline` makes one by itself."""
        return ProgramContext(is_local=True, script=script, input_file=input_path, output_dir=output_dir)

    # --- progress ---------------------------------------------------------------------------------------------------

    def progress_set_total(self, n: int) -> None:
        """How many steps there will be."""
        if self.get("progress") is not None:
            self["progress"].set_total(n)

    def progress_next(self, info: str | None = None, output: Any = None) -> None:
        """Announces the next step. `output` is accepted and not used."""
        if self.get("progress") is not None:
            self["progress"].next(info)
        else:
            print(info)

    def progress_stop(self) -> None:
        """Ends the last step; the engine does so, too, when the script has ended."""
        if self.get("progress") is not None:
            self["progress"].stop()

    def progress_output(self, value: Any) -> Any:
        """The form in which a result is stored: the bare value when raw, else the whole record."""
        if self["raw"] or self.get("progress") is None:
            return value
        return self["progress"].output(value)

    # --- places -----------------------------------------------------------------------------------------------------

    def get_output_dir(self, filename: str | None = None) -> str:
        """The folder of this task's outputs, or the path of `filename` in it, which is not made.

        @raise PixyzSharedDirectoryNotFound when there is none, as with `compute_only`
        """
        return self._place("output_dir", filename)

    def get_input_dir(self, filename: str | None = None) -> str:
        """The private folder of this run, with the content of an input archive, or the path of `filename` in it."""
        return self._place("input_dir", filename)

    def _place(self, key: str, filename: str | None) -> str:
        folder = self.get(key)
        if folder is None:
            raise PixyzSharedDirectoryNotFound(f"this context has no {key}: it is set while a task runs")
        if not os.path.isdir(folder):
            hint = " (a task with compute_only has none)" if self["compute_only"] and key == "output_dir" else ""
            raise PixyzSharedDirectoryNotFound(f"the folder {folder} does not exist{hint}")
        return str(folder) if filename is None else os.path.join(folder, filename)

    def get_input_file(self) -> str | None:
        """The file to work on: the one that was sent, or the main file of an archive; None without one.

        @raise ValueError outside a task
        """
        if "input_file" not in self:
            raise ValueError("this context has no input_file: it is set while a task runs")
        path: str | None = self["input_file"]
        return path

    # --- kinds ------------------------------------------------------------------------------------------------------

    def is_compute_only(self) -> bool:
        """Whether the task has no output folder."""
        return bool(self["compute_only"])

    def is_need_a_tmp(self) -> bool:
        """The setting `tmp`, which nothing else reads."""
        return bool(self["tmp"])

    def is_local(self) -> bool:
        """Whether it runs under `LocalPixyzTask` and not on a worker."""
        return bool(self["is_local"])

    # --- other tasks ------------------------------------------------------------------------------------------------

    def execute(self, params: Any = None, **options: Any) -> Any:
        """Starts this context as a task of its own: at once and here when local, else through the scheduler."""
        if self.is_local():
            from pixyz_worker.local import LocalPixyzTask

            return LocalPixyzTask.execute(self, params)
        from pixyz_worker._canvas import pixyz_execute

        # Nothing sent: the parameters that the clone has, or none.
        return pixyz_execute.apply_async(args=({} if params is None else params, self.clone()), **options)

    def AsyncResult(
        self, id: Any, backend: Any = None, task_name: Any = None, app: Any = None, parent: Any = None
    ) -> Any:
        """Handle of a task."""
        if self.is_local():
            from pixyz_worker.local import AsyncResultLocal

            if not isinstance(id, str):
                return AsyncResultLocal(id)
        from pixyz_worker._canvas import AsyncResult

        return AsyncResult(id, parent=parent)

    def allow_join_result(self) -> contextlib.AbstractContextManager[None]:
        """Permits `.get()` inside a task."""
        if self.is_local():
            return contextlib.nullcontext()
        from pixyz_worker._canvas import allow_join_result

        return allow_join_result()


def _restore(values: dict[str, Any]) -> ProgramContext:
    return ProgramContext(**values)
