"""`pixyz_schedule` at run time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pixyz_worker.exception import PixyzTimeout
from pixyz_worker.pc import ProgramContext
from pixyz_worker.progress import TaskProgress
from pixyz_worker.script import pixyz_schedule


class Result:
    """A started task that ends by itself after `polls` looks."""

    def __init__(self, id: str, value: Any = None, polls: int = 0, parent: Any = None) -> None:
        self.id, self.parent = id, parent
        self._value, self._polls = value, polls

    def ready(self) -> bool:
        self._polls -= 1
        return self._polls < 0

    @property
    def state(self) -> str:
        return "SUCCESS" if self._polls < 0 else "PENDING"

    def get(self, **_: Any) -> Any:
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


class Group(Result):
    def __init__(self, results: list[Result]) -> None:
        super().__init__("group", [result._value for result in results])
        self.results = results


def run(returned: Any, **settings: Any) -> tuple[Any, TaskProgress]:
    progress = TaskProgress(None, "id")
    pc = ProgramContext(progress=progress, is_local=True)

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


def test_a_chain_gives_its_last_value_and_a_step_per_link() -> None:
    value, progress = run(Result("last", 7, polls=2, parent=Result("first")))
    assert value == 7
    assert progress.step_total == 2
    assert [step["info"] for step in progress.step_infos] == ["first", "last"]


def test_a_group_gives_the_list_of_its_values() -> None:
    assert run(Group([Result("a", 1), Result("b", 2)]))[0] == [1, 2]


def test_a_chord_gives_the_value_of_its_callback() -> None:
    chord = Result("callback", 3, parent=Group([Result("a"), Result("b")]))
    value, progress = run(chord)
    assert value == 3 and [step["info"] for step in progress.step_infos] == ["a", "b", "callback"]


def test_a_failing_link_fails_the_job() -> None:
    with pytest.raises(ValueError, match="bad"):
        run(Result("x", ValueError("bad")))


def test_the_timeout_limits_the_waiting() -> None:
    before = time.monotonic()
    with pytest.raises(PixyzTimeout, match=r"longer than the 0\.2 s"):
        run(Result("x", polls=10**9), timeout=0.2)
    assert time.monotonic() - before < 5
