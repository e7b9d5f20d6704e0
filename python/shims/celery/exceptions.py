"""Exceptions under Celery's names; see the package."""

from pixyz_worker._canvas._errors import (
    CeleryError,
    ChordError,
    Ignore,
    MaxRetriesExceededError,
    Reject,
    Retry,
    SoftTimeLimitExceeded,
    TaskPredicate,
    TaskRevokedError,
    TimeoutError,
)

__all__ = [
    "CeleryError",
    "ChordError",
    "Ignore",
    "MaxRetriesExceededError",
    "Reject",
    "Retry",
    "SoftTimeLimitExceeded",
    "TaskPredicate",
    "TaskRevokedError",
    "TimeoutError",
]
