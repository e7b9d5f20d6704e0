"""Exceptions that scripts know by Celery's names; the shim `celery.exceptions` hands them out.

Exception
 +-- CeleryError
      +-- TimeoutError           a result that did not arrive in time
      +-- ChordError             a member of a chord's header failed
      +-- TaskRevokedError       the task was cancelled, or expired
      +-- MaxRetriesExceededError
      +-- SoftTimeLimitExceeded  raised in a task whose `soft_time_limit` is over
      +-- TaskPredicate          raised by a task to end in another way than by success or failure
           +-- Retry, Ignore, Reject
"""

from __future__ import annotations


class CeleryError(Exception):
    """Base of the errors."""


class TimeoutError(CeleryError):
    """A result that did not arrive in time."""


class ChordError(CeleryError):
    """A member of a chord's header failed."""


class TaskRevokedError(CeleryError):
    """The task was cancelled, or expired."""


class MaxRetriesExceededError(CeleryError):
    """A task that faulted too often."""


class SoftTimeLimitExceeded(CeleryError):
    """The soft time limit of the task is over."""


class TaskPredicate(CeleryError):
    """Raised by a task to end in another way than by success or failure."""


class Retry(TaskPredicate):
    """The task is to be tried again."""


class Ignore(TaskPredicate):
    """The task's outcome does not matter."""


class Reject(TaskPredicate):
    """The task is to be refused."""


NAMES = (
    CeleryError,
    TimeoutError,
    ChordError,
    TaskRevokedError,
    MaxRetriesExceededError,
    SoftTimeLimitExceeded,
    TaskPredicate,
    Retry,
    Ignore,
    Reject,
)
for _class in NAMES:
    # What tracebacks and records say, and where a reader of a record looks for the class.
    _class.__module__ = "celery.exceptions"
