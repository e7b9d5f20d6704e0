"""Result handles under Celery's names; see the package."""

from pixyz_worker._canvas import AsyncResult, GroupResult, allow_join_result

__all__ = ["AsyncResult", "GroupResult", "allow_join_result"]
