"""Steps, percentages, and what is sent of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixyz_worker._task import Request, Task
from pixyz_worker.progress import TaskProgress


def connected(total: int = 1) -> tuple[TaskProgress, list[dict[str, Any]]]:
    sent: list[dict[str, Any]] = []
    task = Task(Request("id", "cpu", 0, None, "alias"), sent.append)
    return TaskProgress(task, "id", total), sent


def replay(messages: list[dict[str, Any]]) -> tuple[int | None, list[dict[str, Any]], dict[str, Any]]:
    """What the runner makes of the messages."""
    progress: int | None = None
    steps: list[dict[str, Any]] = []
    meta: dict[str, Any] = {}
    for message in messages:
        progress = message.get("progress", progress)
        if "steps" in message:
            steps = steps[: message["from"]] + message["steps"]
        meta = message.get("meta", meta)
    return progress, steps, meta


@given(st.integers(-3, 10), st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=15))
def test_what_is_sent_adds_up_to_what_is_there(total: int, infos: list[str | None]) -> None:
    progress, sent = connected()
    progress.set_total(total)
    for info in infos:
        progress.next(info)
        seen, steps, _ = replay(sent)
        assert steps == progress.step_infos
        assert seen == progress.percent and 0 <= seen <= 99
        assert [step["duration"] == -1 for step in steps] == [False] * (len(steps) - 1) + [True]
    progress.stop()
    seen, steps, _ = replay(sent)
    assert seen == 99, "100 is for the end alone, which the engine tells"
    assert all(step["duration"] >= 0 for step in steps)
    assert [step["info"] for step in steps] == [
        f"step {index}" if info is None else info for index, info in enumerate(infos, 1)
    ]


def test_percent_counts_steps_that_have_ended() -> None:
    progress, _ = connected(3)
    seen = []
    for _ in range(6):
        progress.next()
        seen.append(progress.percent)
    assert seen == [0, 33, 66, 99, 99, 99]


def test_each_message_carries_only_what_is_new() -> None:
    progress, sent = connected(1000)
    for _ in range(500):
        progress.next()
    assert max(len(message["steps"]) for message in sent) == 2


def test_extra_values_are_kept_apart() -> None:
    progress, sent = connected()
    progress.next("a", output={"x": (1, 2)}, colour="red")
    meta = progress.store(more=1)
    assert replay(sent)[2] == {"output": {"x": [1, 2]}, "colour": "red", "more": 1}
    assert meta["shadow_name"] == "alias" and meta["colour"] == "red" and meta["steps"] == progress.step_infos


def test_the_record_has_times() -> None:
    progress = TaskProgress(None, "id")
    with progress:
        progress.next()
    info = progress.timing_info
    assert info["request"] is None and str(info["started"]).endswith("+00:00") and info["stopped"] is not None
    assert progress.output(3)["result"] == 3 and progress.output(3)["progress"] == 100


def test_update_takes_over_another_ones_state() -> None:
    source, target = TaskProgress(None, "a", 4), TaskProgress(None, "b")
    source.next("x")
    target.update(source)
    assert (target.step_total, target.step_current, target.step_infos) == (4, 1, source.step_infos)
    source.next("y")
    assert len(target.step_infos) == 1


def test_a_state_of_somebody_else_is_not_sent() -> None:
    sent: list[dict[str, Any]] = []
    task = Task(Request("id", "cpu", 0, None), sent.append)
    task.update_state("other", "RUNNING", {"progress": 5})
    task.update_state(state="RUNNING", meta={"progress": 250, "note": "x"})
    assert sent == [{"t": "progress", "progress": 99, "meta": {"note": "x"}}]


def test_a_value_that_cannot_be_stored_does_not_fail_later_calls() -> None:
    progress, sent = connected()
    with pytest.raises(TypeError, match=r"meta\['bad'\] is of type set"):
        progress.next("first", bad={1})
    progress.next("second", good=1)
    assert replay(sent)[2] == {"good": 1}
    assert [step["info"] for step in replay(sent)[1]] == ["first", "second"]
