"""Script SDK of the Pixyz scheduler: what user scripts import, and the children that run them.

Scripts usually say `from pixyz_worker.script import *`. Modules that start with an underscore are the engine's own.
"""

from __future__ import annotations

import importlib.util
import os
import sys

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
from pixyz_worker.exception import (
    DiskStateAlreadyExists,
    InternalError,
    InvalidBackendParameter,
    InvalidConfigurationFile,
    InvalidFile,
    InvalidYamlFile,
    PixyzException,
    PixyzExceptionUnpickleableExceptionWrapper,
    PixyzExecutionFault,
    PixyzExitFault,
    PixyzFileNotFound,
    PixyzSecurityViolation,
    PixyzSharedDirectoryNotFound,
    PixyzSignalFault,
    PixyzTimeout,
    PixyzWebError,
    SharePathInvalidError,
    SharePathNotFoundError,
    TaskNotCompletedError,
    TaskProcessingStarted,
)
from pixyz_worker.license import PiXYZSession
from pixyz_worker.pc import ProgramContext
from pixyz_worker.progress import ProgressCallBack, TaskProgress
from pixyz_worker.share import (
    TaskInfos,
    cleanup_data_after_timeout,
    download_file,
    each,
    get_filename_from_url,
    get_first_3D_files_in_directory,
    get_job_archive_file_path,
    get_job_input_dir,
    get_job_input_dir_content,
    get_job_input_file_path,
    get_job_output_dir,
    get_job_output_dir_content,
    get_job_output_file_path,
    get_job_share_dir,
    get_job_share_file_path,
    get_logger,
    is_a_valid_job_id_directory,
    is_job_in_share,
    is_path_in_share,
    move_file_as_result_to_shared_storage,
)
from pixyz_worker.tasks import app, cleanup_share_file, package, pixyz_execute, sleep

__all__ = [
    "CeleryBackendResult",
    "DiskAsyncState",
    "DiskStateAlreadyExists",
    "ExecuteIfEnabled",
    "ExternalPythonCode",
    "FileInputTemporary",
    "InternalError",
    "InvalidBackendParameter",
    "InvalidConfigurationFile",
    "InvalidFile",
    "InvalidYamlFile",
    "PiXYZSession",
    "PixyzException",
    "PixyzExceptionUnpickleableExceptionWrapper",
    "PixyzExecutionFault",
    "PixyzExitFault",
    "PixyzFileNotFound",
    "PixyzSecurityViolation",
    "PixyzSharedDirectoryNotFound",
    "PixyzSignalFault",
    "PixyzTimeout",
    "PixyzWebError",
    "ProgramContext",
    "ProgressCallBack",
    "SharePathInvalidError",
    "SharePathNotFoundError",
    "SignalSafeExecution",
    "StorageOutputManager",
    "StorageSharedManager",
    "StorageTemporaryManager",
    "TaskInfos",
    "TaskNotCompletedError",
    "TaskProcessingStarted",
    "TaskProgress",
    "TasksUtils",
    "app",
    "cleanup_data_after_timeout",
    "cleanup_delay",
    "cleanup_share_file",
    "debug",
    "download_file",
    "each",
    "get_filename_from_url",
    "get_first_3D_files_in_directory",
    "get_job_archive_file_path",
    "get_job_input_dir",
    "get_job_input_dir_content",
    "get_job_input_file_path",
    "get_job_output_dir",
    "get_job_output_dir_content",
    "get_job_output_file_path",
    "get_job_share_dir",
    "get_job_share_file_path",
    "get_logger",
    "is_a_valid_job_id_directory",
    "is_job_in_share",
    "is_path_in_share",
    "log_level",
    "move_file_as_result_to_shared_storage",
    "package",
    "pixyz_execute",
    "share_dir",
    "sleep",
    "supported_archive",
    "version",
]


def _offer_celery_names() -> None:
    """Outside a worker (local mode) the names of Celery come from our shim where no Celery is installed.

    On a worker the shim's folder stands before site-packages, so there it always wins: scripts pass our tasks to
    `chain` and
    its like, which Celery's own would not understand.
    """
    shims = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "shims")
    if os.path.isdir(shims) and shims not in sys.path and importlib.util.find_spec("celery") is None:
        sys.path.append(shims)


_offer_celery_names()
