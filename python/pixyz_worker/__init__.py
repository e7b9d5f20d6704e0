"""Script SDK of the Pixyz scheduler: what user scripts import, and the children that run them.

Scripts usually say `from pixyz_worker.script import *`. Modules that start with an underscore are the engine's own.
"""

from __future__ import annotations

import importlib.util
import os
import sys

from pixyz_worker import exception as _exception
from pixyz_worker import share as _share
from pixyz_worker._canvas import CeleryBackendResult, TasksUtils
from pixyz_worker._isolation import ExternalPythonCode, SignalSafeExecution
from pixyz_worker._storage import (
    DiskAsyncState,
    ExecuteIfEnabled,
    FileInputTemporary,
    StorageOutputManager,
    StorageSharedManager,
    StorageTemporaryManager,
)
from pixyz_worker.config import cleanup_delay, debug, log_level, share_dir, supported_archive, version
from pixyz_worker.exception import *  # noqa: F403 - the whole tree, by its own __all__
from pixyz_worker.license import PiXYZSession
from pixyz_worker.pc import ProgramContext
from pixyz_worker.progress import ProgressCallBack, TaskProgress
from pixyz_worker.share import *  # noqa: F403
from pixyz_worker.tasks import app, cleanup_share_file, package, pixyz_execute, sleep

__all__ = sorted(
    [
        "CeleryBackendResult",
        "DiskAsyncState",
        "ExecuteIfEnabled",
        "ExternalPythonCode",
        "FileInputTemporary",
        "PiXYZSession",
        "ProgramContext",
        "ProgressCallBack",
        "SignalSafeExecution",
        "StorageOutputManager",
        "StorageSharedManager",
        "StorageTemporaryManager",
        "TaskProgress",
        "TasksUtils",
        "app",
        "cleanup_delay",
        "cleanup_share_file",
        "debug",
        "log_level",
        "package",
        "pixyz_execute",
        "share_dir",
        "sleep",
        "supported_archive",
        "version",
        *_exception.__all__,
        *_share.__all__,
    ]
)


def _offer_celery_names() -> None:
    """Outside a worker (local mode) the names of Celery come from our shim where no Celery is installed.

    On a worker the shim's folder stands before site-packages, so there it always wins: scripts pass our tasks to `chain` and
    its like, which Celery's own would not understand.
    """
    shims = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "shims")
    if os.path.isdir(shims) and shims not in sys.path and importlib.util.find_spec("celery") is None:
        sys.path.append(shims)


_offer_celery_names()
