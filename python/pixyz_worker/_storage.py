"""Folders that exist for the time of a task."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import tempfile
import uuid
from types import TracebackType
from typing import Any

from pixyz_worker import _archive, share
from pixyz_worker.exception import DiskStateAlreadyExists, SharePathInvalidError

_Trace = TracebackType | None


class StorageOutputManager:
    """Makes `<share>/<job id>/outputs`."""

    def __init__(self, job_id: str) -> None:
        if _version_of(job_id) != 4:
            raise SharePathInvalidError(f"{job_id!r} is not a job id (a UUID of version 4)")
        self.job_id = job_id
        self.output_dir = ""

    def __enter__(self) -> StorageOutputManager:
        self.output_dir = share.get_job_output_dir(self.job_id)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: _Trace) -> None:
        return None


def _version_of(job_id: str) -> int | None:
    try:
        return uuid.UUID(job_id).version
    except (ValueError, AttributeError, TypeError):
        return None


class StorageSharedManager:
    """Makes the folder of a job on the share."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self.directory = share.get_job_share_dir(job_id)

    def __enter__(self) -> StorageSharedManager:
        os.makedirs(self.directory, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: _Trace) -> None:
        return None


class StorageTemporaryManager:
    """A private folder that is deleted at the end."""

    def __init__(self) -> None:
        self.directory = ""

    def __enter__(self) -> StorageTemporaryManager:
        self.directory = tempfile.mkdtemp(prefix="pixyz-")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: _Trace) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)


class FileInputTemporary:
    """An input file ready for use: `file`, and `directory`, where an archive has been unpacked."""

    def __init__(self, path: str | None, progress: Any = None, root_file: str | None = None) -> None:
        self.path = path
        self.progress = progress
        self.root_file = root_file
        self.file: str | None = None
        self.directory = ""
        self._folder = StorageTemporaryManager()

    def __enter__(self) -> FileInputTemporary:
        self._folder.__enter__()
        self.directory = self._folder.directory
        try:
            if self.path is not None:
                if self.progress is not None and _archive.is_archive(self.path):
                    self.progress.next("Extracting archive")
                self.file = _archive.usable_input(self.path, self.directory, self.root_file)
        except BaseException:
            self._folder.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: _Trace) -> None:
        self._folder.__exit__(kind, value, trace)


class ExecuteIfEnabled:
    """Enters a context manager only when `enabled`."""

    def __init__(self, cm: contextlib.AbstractContextManager[Any], enabled: bool) -> None:
        self.cm = cm
        self.enabled = enabled

    def __enter__(self) -> Any:
        return self.cm.__enter__() if self.enabled else None

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: _Trace) -> bool | None:
        return self.cm.__exit__(kind, value, trace) if self.enabled else None


class DiskAsyncState:
    """A lock that outlives the process: `<share>/<task id>/states/.<state>.state`. Older than `ttl` seconds, it counts
    as left over."""

    def __init__(self, task_id: str, state_name: str, ttl: float = 3600) -> None:
        self.ttl = ttl
        self.path = share.get_job_share_file_path(task_id, f".{state_name}.state", "states", create_directory=False)

    def exists(self) -> bool:
        """Whether somebody holds it."""
        try:
            with open(self.path, encoding="utf-8") as file:
                since = datetime.datetime.fromisoformat(file.read().strip())
        except (FileNotFoundError, ValueError):
            return False
        now = datetime.datetime.now(datetime.timezone.utc)
        if since.tzinfo is None:
            since = since.replace(tzinfo=datetime.timezone.utc)
        return (now - since).total_seconds() < self.ttl

    def acquire(self) -> None:
        """Takes it. @raise DiskStateAlreadyExists when somebody holds it."""
        if self.exists():
            raise DiskStateAlreadyExists(f"{self.path} is held already")
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        try:
            with open(self.path, "x", encoding="utf-8") as file:
                file.write(datetime.datetime.now(datetime.timezone.utc).isoformat())
        except FileExistsError:
            raise DiskStateAlreadyExists(f"{self.path} is held already") from None

    def release(self) -> None:
        """Gives it back; does nothing when nobody holds it."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def __enter__(self) -> DiskAsyncState:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: _Trace) -> None:
        self.release()
