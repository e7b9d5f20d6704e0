"""Local mode: the same script, in this process."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pixyz_worker import config
from pixyz_worker.local import AsyncResultLocal, LocalPixyzTask

Write = Callable[[str], str]


@pytest.fixture(autouse=True)
def _without_pixyz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "disable_pixyz", True)


def run(
    script: str, tmp_path: Path, params: Any = None, entrypoint: str = "main", input_file: str | None = None
) -> Any:
    return LocalPixyzTask.from_commandline(script, str(tmp_path / "out"), entrypoint, params, input_file)


def test_it_runs_in_this_process_and_returns_the_value(write: Write, tmp_path: Path) -> None:
    script = write(
        """
from pixyz_worker.script import *

@pixyz_schedule(queue="gpu")
def main(pc, params):
    pc.progress_set_total(2)
    pc.progress_next("a")
    with open(pc.get_output_dir("made.txt"), "w") as file:
        file.write("x")
    return [os.getpid(), params, pc.is_local(), pc.get_input_dir() != "", __name__, params is pc["params"]]
"""
    )
    assert run(script, tmp_path, {"a": 1}) == [os.getpid(), {"a": 1}, True, True, "external", True]
    assert run(script, tmp_path)[1] == {}
    assert (tmp_path / "out" / "made.txt").read_text() == "x"


def test_archives_are_unpacked_and_removed(write: Write, tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("part.stl", "x")
    script = write("def main(pc, params):\n    return [pc.get_input_file(), pc['progress'].step_infos[0]['info']]\n")
    path, info = run(script, tmp_path, input_file=str(archive))
    assert path.endswith("part.stl") and not os.path.exists(path)
    assert info == "Extracting archive"


def test_sub_tasks_merge_parameters_and_return_at_once(write: Write, tmp_path: Path) -> None:
    script = write(
        """
from pixyz_worker.script import *

def child(pc, params):
    return dict(params, seen=pc["entrypoint"])

def main(pc, params):
    task = subtask_async(pc, "child", {"q": 1}, queue="gpu")
    with pc.allow_join_result():
        value = pc.AsyncResult(task.task_id).get()
    return [value, params, task.ready(), task.state, task.get(timeout=3) == value]
"""
    )
    value = {"result": {"p": 9, "q": 1, "seen": "child"}}  # as from a worker
    assert run(script, tmp_path, {"p": 9}) == [value, {"p": 9}, True, "READY", True]


def test_waiting_for_a_local_sub_task(write: Write, tmp_path: Path) -> None:
    script = write(
        """
from pixyz_worker.script import *

def child(pc, params):
    return 5

@pixyz_schedule(wait=True, timeout=10)
def main(pc, params):
    return subtask_async(pc, "child")
"""
    )
    assert run(script, tmp_path) == {"result": 5}


def test_exceptions_pass_through_for_the_debugger(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        run(write("def main(pc, params):\n    1 / 0\n"), tmp_path)


def test_a_folder_of_pixyz_that_is_missing_ends_with_1(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(config, "pixyz_python_path", "/no/such/folder")
    with pytest.raises(SystemExit) as ended:
        run(write("def main(pc, params): ...\n"), tmp_path)
    assert ended.value.code == 1 and "/no/such/folder" in capsys.readouterr().err


def test_the_handle_by_id() -> None:
    task = LocalPixyzTask(3)
    handle = AsyncResultLocal(task)
    assert (handle.get(), handle.ready(), handle.task, handle.state) == (3, True, task, "READY")
