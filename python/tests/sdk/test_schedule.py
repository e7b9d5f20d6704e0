"""`pixyz_schedule` at run time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from pixyz_worker._canvas import AsyncResult, GroupResult
from pixyz_worker._canvas._errors import TimeoutError
from pixyz_worker._canvas._session import use
from pixyz_worker._canvas._views import View
from pixyz_worker.pc import ProgramContext
from pixyz_worker.progress import TaskProgress
from pixyz_worker.script import pixyz_schedule


class Tasks:
    """A session whose tasks end by themselves after some looks."""

    in_task = False

    def __init__(self, ends: dict[str, Any], looks: int = 0) -> None:
        self._ends = ends
        self._looks = looks
        self.lent = 0

    def view(self, job: str) -> View:
        self._looks -= 1
        if self._looks >= 0 or job not in self._ends:
            return View()
        end = self._ends[job]
        return View("FAILURE", end) if isinstance(end, Exception) else View("SUCCESS")

    def value(self, job: str) -> Any:
        return self._ends[job]

    def failures(self, jobs: list[str]) -> list[str]:
        return []

    def polled(self, what: str | None, ready: bool) -> None: ...

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        self.lent += 1
        yield


@pytest.fixture
def tasks() -> Iterator[Callable[..., Tasks]]:
    before = use(None)

    def start(looks: int = 0, **ends: Any) -> Tasks:
        session = Tasks(ends, looks)
        use(cast(Any, session))
        return session

    yield start
    use(before)


Start = Callable[..., Tasks]


def run(returned: Any, **settings: Any) -> tuple[Any, TaskProgress]:
    progress = TaskProgress(None, "id")
    pc = ProgramContext(progress=progress)

    @pixyz_schedule(wait=True, **settings)
    def main(pc: ProgramContext, params: Any) -> Any:
        return returned

    return main(pc, {}), progress


def test_without_wait_the_function_stays_itself() -> None:
    def main(pc: Any, params: Any) -> None:
        """Doc."""

    assert pixyz_schedule(queue="gpu")(main) is main
    assert pixyz_schedule(main) is main


def test_with_wait_it_keeps_name_and_documentation() -> None:
    @pixyz_schedule(wait=True)
    def named(pc: Any, params: Any) -> None:
        """Doc."""

    assert (named.__name__, named.__doc__) == ("named", "Doc.")


@pytest.mark.parametrize("value", [5, None, {"a": 1}, [1]])
def test_a_plain_value_is_the_result(value: Any) -> None:
    assert run(value)[0] == value


def test_a_chain_gives_its_last_value_and_a_step_per_link(tasks: Start) -> None:
    session = tasks(looks=5, first=1, last=7)
    value, progress = run(AsyncResult("last", parent=AsyncResult("first")))
    assert value == 7 and session.lent == 1
    assert progress.step_total == 2
    assert [step["info"] for step in progress.step_infos] == ["first", "last"]


def test_a_group_gives_the_list_of_its_values(tasks: Start) -> None:
    tasks(a=1, b=2)
    assert run(GroupResult("g", [AsyncResult("a"), AsyncResult("b")]))[0] == [1, 2]


def test_a_chord_gives_the_value_of_its_callback(tasks: Start) -> None:
    tasks(a=1, b=2, callback=3)
    chord = AsyncResult("callback", parent=GroupResult("g", [AsyncResult("a"), AsyncResult("b")]))
    value, progress = run(chord)
    assert value == 3 and [step["info"] for step in progress.step_infos] == ["a", "b", "callback"]


def test_a_failing_link_fails_the_job(tasks: Start) -> None:
    tasks(x=ValueError("bad"))
    with pytest.raises(ValueError, match="bad"):
        run(AsyncResult("x"))


def test_the_timeout_limits_the_waiting(tasks: Start) -> None:
    tasks()
    before = time.monotonic()
    with pytest.raises(TimeoutError, match=r"longer than the 0\.2 s"):
        run(AsyncResult("x"), timeout=0.2)
    assert time.monotonic() - before < 5
