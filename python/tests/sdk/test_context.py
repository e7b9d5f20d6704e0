"""ProgramContext: keys, in-place merge, copies."""

from __future__ import annotations

import datetime
import logging
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixyz_worker._task import Request, Task
from pixyz_worker.exception import PixyzSharedDirectoryNotFound
from pixyz_worker.pc import ProgramContext
from pixyz_worker.progress import TaskProgress


def test_defaults() -> None:
    pc = ProgramContext(script="/s.py", own=1)
    assert {key: pc[key] for key in pc if key != "time_request"} == {
        "script": "/s.py",
        "own": 1,
        "entrypoint": "main",
        "data": None,
        "root_file": None,
        "compute_only": False,
        "raw": False,
        "tmp": True,
        "is_local": False,
    }
    assert pc["time_request"].tzinfo is None
    assert abs(pc["time_request"] - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)) < (
        datetime.timedelta(seconds=5)
    )
    assert isinstance(pc.logger, logging.Logger)


def test_update_takes_keywords_only_and_chains() -> None:
    pc = ProgramContext()
    with pytest.raises(TypeError):
        pc.update({"a": 1})  # type: ignore[call-arg]
    assert pc.update(a=1).update(b=2) is pc
    assert (pc["a"], pc["b"]) == (1, 2)


def test_update_merges_dicts_and_sets_in_place() -> None:
    params, numbers = {"p": 9}, {1}
    pc = ProgramContext(params=params, numbers=numbers)
    pc.update(params={"x": 1}, numbers={2})
    assert pc["params"] is params and params == {"p": 9, "x": 1}
    assert pc["numbers"] is numbers and numbers == {1, 2}


@pytest.mark.parametrize("old", [None, [1], 3, "text"])
def test_update_replaces_what_cannot_be_merged(old: Any) -> None:
    assert ProgramContext(params=old).update(params={"x": 1})["params"] == {"x": 1}


@pytest.mark.parametrize("new", [None, [1], 3, "text"])
def test_update_replaces_a_dict_by_a_value(new: Any) -> None:
    assert ProgramContext(params={"a": 1}).update(params=new)["params"] == new


def test_clone_has_parameters_of_its_own_and_no_task() -> None:
    pc = ProgramContext(params={"p": 9}, task=object(), time_request=datetime.datetime(2020, 1, 1))
    copy = pc.clone(params={"x": 1}, entrypoint="other")
    assert pc["params"] == {"p": 9}
    assert copy["params"] == {"p": 9, "x": 1}
    assert (pc["entrypoint"], copy["entrypoint"]) == ("main", "other")
    assert "task" in pc and "task" not in copy
    assert copy["time_request"] > pc["time_request"]
    assert pc.clone(time_request=datetime.datetime(2021, 1, 1))["time_request"] == datetime.datetime(2021, 1, 1)


@given(st.dictionaries(st.text(max_size=3), st.integers()), st.dictionaries(st.text(max_size=3), st.integers()))
def test_clone_merges_as_dicts_do(parent: dict[str, int], sent: dict[str, int]) -> None:
    before = dict(parent)
    pc = ProgramContext(params=parent)
    assert pc.clone(params=sent)["params"] == {**before, **sent}
    assert parent == before


def test_text_hides_task_and_progress() -> None:
    text = str(ProgramContext(task="T", progress="P", own=1))
    assert "'own': 1" in text and "'task'" not in text and "'progress'" not in text


def test_it_can_be_pickled_with_all_that_the_engine_puts_in() -> None:
    task = Task(Request("id", "cpu", 0, 60), print)
    pc = ProgramContext(params={"a": 1}, task=task, progress=TaskProgress(task, "id"))
    copy = pickle.loads(pickle.dumps(pc))
    assert isinstance(copy, ProgramContext)
    assert copy["params"] == {"a": 1} and copy["task"].request.id == "id"
    assert copy["progress"].celery_self is None, "a copy in another process has no one to tell"


def test_serialize_and_builder() -> None:
    pc = ProgramContext(params={"a": 1}, task="T", progress="P")
    plain = pc.serialize()
    assert type(plain) is dict and "task" not in plain and "progress" not in plain
    assert ProgramContext.builder(plain) == plain


def test_folders(tmp_path: Path) -> None:
    pc = ProgramContext(output_dir=str(tmp_path), input_dir=str(tmp_path / "gone"))
    assert pc.get_output_dir() == str(tmp_path)
    assert pc.get_output_dir("a.glb") == str(tmp_path / "a.glb")
    with pytest.raises(PixyzSharedDirectoryNotFound):
        pc.get_input_dir()
    with pytest.raises(PixyzSharedDirectoryNotFound):
        ProgramContext().get_output_dir()
    with pytest.raises(ValueError):
        ProgramContext().get_input_file()
    assert ProgramContext(input_file=None).get_input_file() is None


def test_progress_calls_without_progress_print(capsys: pytest.CaptureFixture[str]) -> None:
    pc = ProgramContext.from_local("/s.py", "in.stl", "out")
    pc.progress_set_total(3)
    pc.progress_next("step")
    pc.progress_stop()
    assert capsys.readouterr().out == "step\n"
    assert pc.is_local() and pc["input_file"] == "in.stl" and pc["output_dir"] == "out"
    assert pc.progress_output(5) == 5


def test_progress_output_is_the_record_unless_raw() -> None:
    pc = ProgramContext(progress=TaskProgress(None, "id"))
    assert pc.progress_output(5)["result"] == 5
    assert pc.clone(raw=True).progress_output(5) == 5
