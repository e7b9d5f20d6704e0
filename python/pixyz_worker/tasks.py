"""Tasks that scripts name. Called, they run here; sent, as tasks of their own."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from typing import Any

from pixyz_worker import _service_script, config, share
from pixyz_worker._canvas import pixyz_execute
from pixyz_worker._canvas._signatures import Signature
from pixyz_worker.exception import InvalidBackendParameter, SharePathInvalidError
from pixyz_worker.pc import ProgramContext

__all__ = ["app", "cleanup_share_file", "package", "pixyz_execute", "sleep"]


class Application:
    """Stands where scripts expect the Celery application. There is no broker behind it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(f"app.{name}: this scheduler has no Celery application; use pixyz_execute and pc.execute")


app = Application()


class ServiceTask:
    """A task of the engine: a function here, with the attributes of a task."""

    def __init__(self, function: Callable[..., Any], name: str, queue: str) -> None:
        self._function = function
        self.__doc__ = function.__doc__
        self.name = name
        self.queue = queue

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def s(self, *args: Any, **kwargs: Any) -> Any:
        """A signature, to be sent like those of `pixyz_execute`."""
        return self._signature(args, kwargs, immutable=False)

    def si(self, *args: Any, **kwargs: Any) -> Any:
        """The same; takes no value of the task before it."""
        return self._signature(args, kwargs, immutable=True)

    def _signature(self, args: tuple[Any, ...], kwargs: dict[str, Any], immutable: bool) -> Any:
        # A script like any other: its functions are these tasks.
        pc = ProgramContext(script=_service_script.__file__, entrypoint=self.name, raw=True, compute_only=True)
        params = {"params": {"args": list(args), "kwargs": kwargs}} if args or kwargs or immutable else {}
        return Signature((), {**params, "pc": pc}, {"queue": self.queue, "shadow": self.name}, immutable)

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        """Sends it; gives a handle."""
        return self.si(*(args or ()), **(kwargs or {})).apply_async(**options)

    def delay(self, *args: Any, **kwargs: Any) -> Any:
        """The same, with the arguments as they are."""
        return self.apply_async(args, kwargs)


def _sleep(t: float) -> float:
    """Waits `t` seconds and returns them."""
    time.sleep(t)
    return t


def _package(job_id: str, package_type: str = "zip") -> str:
    """Packs a job's outputs; returns the path of the archive."""
    extension = {"zip": "zip", "tar": "tar", "gztar": "tar.gz"}.get(package_type)
    if extension is None:
        raise InvalidBackendParameter(f"package_type {package_type!r} is not one of zip, tar, gztar")
    target = share.get_job_archive_file_path(job_id, f"{job_id}.{extension}")
    outputs = share.get_job_output_dir(job_id)
    made = shutil.make_archive(f"{target}.{os.getpid()}", package_type, outputs)
    os.replace(made, target)
    return target


def _cleanup_share_file(path: str, is_directory: bool = False) -> None:
    """Deletes a file or folder of the share."""
    if not share.is_path_in_share(path) or os.path.realpath(path) == os.path.realpath(config.share_dir):
        raise SharePathInvalidError(f"{path} is not below the share")
    if is_directory:
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.exists(path):
        os.unlink(path)


sleep = ServiceTask(_sleep, "sleep", "gpu")
package = ServiceTask(_package, "package_outputs", "zip")
cleanup_share_file = ServiceTask(_cleanup_share_file, "cleanup_share_file", "clean")
