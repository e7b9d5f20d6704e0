"""Paths on the share, and small helpers."""

from __future__ import annotations

import logging
import os
import re
import shutil
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

from pixyz_worker import _archive, config
from pixyz_worker.exception import PixyzWebError, SharePathInvalidError, SharePathNotFoundError

__all__ = [
    "TaskInfos",
    "cleanup_data_after_timeout",
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
    "move_file_as_result_to_shared_storage",
]

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def get_logger(name: str = "pixyz_worker") -> logging.Logger:
    """A logger whose level comes from `LOGLEVEL`."""
    logger = logging.getLogger(name)
    level = logging.getLevelName(config.log_level.upper())
    logger.setLevel(level if isinstance(level, int) else logging.INFO)
    return logger


# --- jobs -----------------------------------------------------------------------------------------------------------


def get_job_share_dir(job_id: str) -> str:
    """The folder of a job. @raise SharePathInvalidError when the id is not one."""
    if not isinstance(job_id, str) or not _UUID.fullmatch(job_id):
        raise SharePathInvalidError(f"{job_id!r} is not a job id")
    return os.path.join(config.share_dir, job_id)


def get_job_share_file_path(
    job_id: str,
    file_name: str = "",
    directory: str | None = None,
    create_directory: bool = True,
    check_if_exists: bool = False,
) -> str:
    """A path below a job's folder. @raise SharePathInvalidError when it leads out of it, SharePathNotFoundError when
    missing."""
    root = get_job_share_dir(job_id)
    folder = os.path.join(root, directory) if directory else root
    path = os.path.join(folder, file_name) if file_name else folder
    if not _is_within(path, root):
        raise SharePathInvalidError(f"{path} leads out of the folder of job {job_id}")
    if create_directory:
        os.makedirs(folder, exist_ok=True)
    if check_if_exists and not os.path.exists(path):
        raise SharePathNotFoundError(f"{path} does not exist")
    return path


def get_job_input_dir(job_id: str) -> str:
    """The folder of what was sent with the job; made when it is not there."""
    return get_job_share_file_path(job_id, directory="inputs")


def get_job_output_dir(job_id: str) -> str:
    """The folder of the job's outputs; made when it is not there."""
    return get_job_share_file_path(job_id, directory="outputs")


def get_job_input_dir_content(job_id: str) -> list[str]:
    """Names of what is in it."""
    return sorted(os.listdir(get_job_input_dir(job_id)))


def get_job_output_dir_content(job_id: str) -> list[str]:
    """Names of what is in it."""
    return sorted(os.listdir(get_job_output_dir(job_id)))


def get_job_input_file_path(job_id: str, name: str, check_if_exists: bool = False) -> str:
    """The path of a file that was sent with the job."""
    return get_job_share_file_path(job_id, name, "inputs", check_if_exists=check_if_exists)


def get_job_output_file_path(job_id: str, name: str, check_if_exists: bool = False) -> str:
    """The path of an output."""
    return get_job_share_file_path(job_id, name, "outputs", check_if_exists=check_if_exists)


def get_job_archive_file_path(job_id: str, name: str, check_if_exists: bool = False) -> str:
    """The path of a zip of the job's outputs."""
    return get_job_share_file_path(job_id, name, "archives", check_if_exists=check_if_exists)


def is_job_in_share(job_id: str) -> bool:
    """Whether the job has a folder."""
    try:
        return os.path.isdir(get_job_share_dir(job_id))
    except SharePathInvalidError:
        return False


def is_path_in_share(path: str) -> bool:
    """Whether a path lies on the share, links followed."""
    return _is_within(path, config.share_dir)


def is_a_valid_job_id_directory(path: str) -> bool:
    """Whether it is the folder of a job on the share."""
    parent, name = os.path.split(os.path.realpath(path))
    return bool(_UUID.fullmatch(name)) and parent == os.path.realpath(config.share_dir) and os.path.isdir(path)


def _is_within(path: str, root: str) -> bool:
    real, real_root = os.path.realpath(path), os.path.realpath(root)
    return os.path.commonpath([real, real_root]) == real_root


def cleanup_data_after_timeout(path: str, is_directory: bool = False) -> None:
    """Accepted and without effect: retention deletes a job's files `CLEANUP_DELAY` seconds after the job has ended."""


def move_file_as_result_to_shared_storage(job_id: str, file: str) -> str:
    """Moves a file into a job's outputs; returns its new path."""
    target = get_job_output_file_path(job_id, os.path.basename(file))
    shutil.move(file, target)
    return target


# --- files ----------------------------------------------------------------------------------------------------------


def get_first_3D_files_in_directory(dir: str) -> str | None:
    """The first 3D file, top-down and in the order of names."""
    return _archive.first_3d_file(dir)


def get_filename_from_url(url: str) -> str:
    """The last part of the path of a URL."""
    return os.path.basename(urllib.parse.unquote(urllib.parse.urlsplit(url).path))


def download_file(url: str, dest: str) -> str:
    """Fetches a file by HTTP. @raise PixyzWebError when the answer is not 200."""
    # Not at the top: they double the memory of the process that every child is forked from.
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(url) as answer:
            if answer.status != 200:
                raise PixyzWebError(answer.status, url, answer.reason)
            with open(dest, "wb") as file:
                shutil.copyfileobj(answer, file, 1 << 20)
    except urllib.error.HTTPError as error:
        with error:
            raise PixyzWebError(error.code, url, error.reason) from None
    return dest


# --- small things ---------------------------------------------------------------------------------------------------


def each(fn: Callable[[Any], Any], items: Iterable[Any]) -> None:
    """Calls `fn` with each of the items."""
    for item in items:
        fn(item)


class TaskInfos(dict[str, Any]):
    """What is known of a task: `task_id`, `name`, `args`, `kwargs`, `queue`, `max_retries`, `retries`."""

    _KEYS = ("task_id", "name", "args", "kwargs", "queue", "max_retries", "retries")

    def __init__(self, task: Any) -> None:
        if isinstance(task, dict):
            super().__init__({key: task.get(key) for key in self._KEYS})
            return
        request = task.request
        super().__init__(
            task_id=request.id,
            name=task.name,
            args=request.args,
            kwargs=request.kwargs,
            queue=request.delivery_info["routing_key"],
            max_retries=task.max_retries,
            retries=request.retries,
        )
