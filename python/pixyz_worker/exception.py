"""Exceptions of the script SDK.

    Exception
     +-- PixyzException(message)
     |    +-- InvalidBackendParameter
     |    +-- InvalidFile
     |    |    +-- InvalidYamlFile
     |    |         +-- InvalidConfigurationFile
     |    +-- InternalError
     |    +-- PixyzWebError(status_code, url, message)
     |    +-- PixyzFileNotFound
     |    +-- PixyzSharedDirectoryNotFound
     |    +-- PixyzSecurityViolation
     |    +-- PixyzExecutionFault
     |    |    +-- PixyzSignalFault       killed by a signal; the message is its number
     |    |    +-- PixyzExitFault         ended with an exit code; the message is the code
     |    +-- DiskStateAlreadyExists
     |    +-- PixyzTimeout                the time limit
     |    +-- PixyzExceptionUnpickleableExceptionWrapper(exc)
     +-- TaskNotCompletedError
     +-- TaskProcessingStarted
     +-- ValueError
          +-- SharePathNotFoundError
          +-- SharePathInvalidError

A script that raises one of the faults, `PixyzTimeout` or `MemoryError` is treated as if the thing itself had happened:
tried again.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "DiskStateAlreadyExists",
    "InternalError",
    "InvalidBackendParameter",
    "InvalidConfigurationFile",
    "InvalidFile",
    "InvalidYamlFile",
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
    "SharePathInvalidError",
    "SharePathNotFoundError",
    "TaskNotCompletedError",
    "TaskProcessingStarted",
]


class PixyzException(Exception):
    """Base of the engine's exceptions; its text is `<ClassName>: <message>`."""

    def __init__(self, message: Any = "") -> None:
        super().__init__(message)
        self.message = message

    def dict(self) -> dict[str, Any]:
        """Class and message, for answers in JSON."""
        return {"message": self.message}

    def __str__(self) -> str:
        return f"{type(self).__name__}: {self.message}"


class InvalidBackendParameter(PixyzException):
    """A setting or option that cannot be used."""


class InvalidFile(PixyzException):
    """A file that is not what it should be."""


class InvalidYamlFile(InvalidFile):
    """A file that is not YAML."""


class InvalidConfigurationFile(InvalidYamlFile):
    """A configuration file that cannot be used."""


class InternalError(PixyzException):
    """A fault of the engine."""


class PixyzWebError(PixyzException):
    """An HTTP request that was not answered with 200."""

    def __init__(self, status_code: int, url: str, message: Any = "") -> None:
        super().__init__(message)
        self.args = (status_code, url, message)
        self.status_code = status_code
        self.url = url

    def __str__(self) -> str:
        return f"{type(self).__name__}: {self.status_code} from {self.url}: {self.message}"


class PixyzFileNotFound(PixyzException):
    """A file that is not there."""


class PixyzSharedDirectoryNotFound(PixyzException):
    """A folder of the job that is not there."""


class PixyzSecurityViolation(PixyzException):
    """A path that leads out of the folder it has to stay in."""


class PixyzExecutionFault(PixyzException):
    """The script's process did not end as it should."""


class PixyzSignalFault(PixyzExecutionFault):
    """It was killed by a signal."""


class PixyzExitFault(PixyzExecutionFault):
    """It ended with an exit code."""


class DiskStateAlreadyExists(PixyzException):
    """A `DiskAsyncState` that somebody else holds."""


class PixyzTimeout(PixyzException):
    """The script ran longer than its time limit."""


class PixyzExceptionUnpickleableExceptionWrapper(PixyzException):
    """Stands for an exception that cannot be carried to another process."""

    def __init__(self, exc: BaseException | str) -> None:
        text = exc if isinstance(exc, str) else f"{type(exc).__module__}.{type(exc).__name__}: {exc}"
        super().__init__(text)


class SharePathNotFoundError(ValueError):
    """A path on the share that is not there."""


class SharePathInvalidError(ValueError):
    """A path that leads out of the share or of its job, or a bad job id."""


class TaskNotCompletedError(Exception):
    """The task has not ended yet."""


class TaskProcessingStarted(Exception):
    """The task has started already."""
