"""Exceptions under Celery's names; see the package."""

from __future__ import annotations

__all__ = ["ChordError", "Ignore", "MaxRetriesExceededError", "Retry", "TimeoutError"]


class CeleryError(Exception):
    """Base of the errors."""


class TimeoutError(CeleryError):
    """A result that did not arrive in time."""


class ChordError(CeleryError):
    """A member of a chord's header failed."""


class MaxRetriesExceededError(CeleryError):
    """A task that faulted too often."""


class TaskPredicate(CeleryError):
    """Raised by a task to end in another way than by success or failure."""


class Retry(TaskPredicate):
    """The task is to be tried again."""


class Ignore(TaskPredicate):
    """The task's outcome does not matter."""
