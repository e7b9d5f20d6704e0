"""Canvases in local mode: one process, no server, the data flow of the real thing."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pixyz_worker import config
from pixyz_worker.local import LocalPixyzTask

Write = Callable[[str], str]

HEAD = """
import datetime, os
from pixyz_worker.script import *
from celery.result import allow_join_result
from celery.exceptions import ChordError, TimeoutError

def fresh(pc, entrypoint, **keys):
    return ProgramContext(script=pc["script"], entrypoint=entrypoint, **keys)

def got(pc, params):
    return {"got": params}

def number(pc, params):
    return params["n"]

def add(pc, params):
    return sum(params)

def fail(pc, params):
    raise Broken("a", 2)

class Broken(Exception):
    def __init__(self, why, code):
        super().__init__(why, code)
        self.code = code
"""


@pytest.fixture(autouse=True)
def _without_pixyz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "disable_pixyz", True)


@pytest.fixture
def run(write: Write, tmp_path: Path) -> Callable[..., Any]:
    def run(body: str, params: Any = None) -> Any:
        script = write(HEAD + body)
        return LocalPixyzTask.from_commandline(script, str(tmp_path / "out"), "main", params)

    return run


Run = Callable[..., Any]


def test_a_chain_of_raw_clones_inherits_the_parents_parameters(run: Run) -> None:
    body = """
def main(pc, params):
    params["late"] = 1
    r = chain(pixyz_execute.s({"x": 1}, pc.clone(entrypoint="got", raw=True)),
              pixyz_execute.s(pc=pc.clone(entrypoint="got", raw=True)))()
    return [r.parent.get(), r.get(), params]
"""
    first = {"got": {"p": 9, "late": 1, "x": 1}}
    second = {"got": {"p": 9, "late": 1, **first}}
    assert run(body, {"p": 9}) == [first, second, {"p": 9, "late": 1}]


def test_what_each_kind_of_context_hands_on(run: Run) -> None:
    body = """
def main(pc, params):
    def handed(context):
        return chain(pixyz_execute.s({"n": 1}, context), pixyz_execute.s(pc=fresh(pc, "got", raw=True)))().get()["got"]
    record = handed(fresh(pc, "number"))
    bare = handed(fresh(pc, "number", raw=True))
    return [bare, handed(pc.clone(entrypoint="number")), record["result"], sorted(record)]
"""
    assert run(body) == [
        1,
        {"result": 1},
        1,
        ["progress", "result", "shadow_name", "steps", "time_info"],
    ]


def test_a_chord_receives_a_list_in_header_order(run: Run) -> None:
    body = """
def main(pc, params):
    header = [pixyz_execute.s({"n": n}, fresh(pc, "number", raw=True)) for n in range(4)]
    return chord(header)(pixyz_execute.s(pc=fresh(pc, "add", raw=True))).get()
"""
    assert run(body) == 6


def test_an_empty_group_is_ready_at_once(run: Run) -> None:
    body = """
def main(pc, params):
    g = group([])()
    return [g.get(), g.ready(), chord([])(pixyz_execute.s(pc=fresh(pc, "add", raw=True))).get()]
"""
    assert run(body) == [[], True, 0]


def test_values_keep_their_types_and_nothing_is_shared(run: Run) -> None:
    body = """
def typed(pc, params):
    return {"when": datetime.date(2026, 1, 2), "raw": b"\\xff", "t": (1, 2.0)}

def main(pc, params):
    sent = {"list": []}
    r = chain(pixyz_execute.s(sent, fresh(pc, "typed", raw=True)), pixyz_execute.s(pc=fresh(pc, "got", raw=True)))()
    sent["list"].append(1)
    value = r.get()["got"]
    return [value["when"], value["raw"], value["t"]]
"""
    assert run(body) == [datetime.date(2026, 1, 2), b"\xff", [1, 2.0]]


def test_a_failing_link_is_raised_by_the_last_and_later_links_never_run(run: Run) -> None:
    body = """
def main(pc, params):
    r = (pixyz_execute.s({}, fresh(pc, "fail")) | pixyz_execute.s(pc=fresh(pc, "got")))()
    try:
        r.get()
    except Broken as error:
        caught = [error.args, error.code]
    left = r.get(propagate=False)
    return [caught, r.state, r.parent.state, r.parent.failed(), type(left).__name__]
"""
    assert run(body) == [[("a", 2), 2], "PENDING", "FAILURE", True, "Broken"]


def test_a_failing_header_fails_the_chord(run: Run) -> None:
    body = """
def main(pc, params):
    r = chord([pixyz_execute.s({"n": 1}, fresh(pc, "number")), pixyz_execute.s({}, fresh(pc, "fail"))])(
        pixyz_execute.s(pc=fresh(pc, "add")))
    try:
        r.get()
    except Broken as error:
        caught = error.code
    error = r.get(propagate=False)
    members = r.parent.get(propagate=False)
    failed = r.parent.results[1].id
    return [caught, r.state, isinstance(error, ChordError), failed in str(error), members[0]["result"], members[1].code]
"""
    assert run(body) == [2, "FAILURE", True, True, 1, 2]


def test_waiting_for_a_group_and_a_chord_and_progress_by_id(run: Run) -> None:
    body = """
@pixyz_schedule(wait=True, timeout=5)
def waits(pc, params):
    return group([pixyz_execute.s({"n": n}, fresh(pc, "number", raw=True)) for n in (1, 2)])()

def main(pc, params):
    pc = pc.clone(entrypoint="waits", raw=True)
    r = pixyz_execute.s({}, pc).apply_async()
    return [r.get(), [step["duration"] >= 0 for step in r._view().meta["steps"]]]
"""
    assert run(body) == [[1, 2], [True, True]]


def test_chunks_give_a_list_of_lists(run: Run) -> None:
    body = """
def main(pc, params):
    calls = [({"n": n}, fresh(pc, "number", raw=True)) for n in range(5)]
    return pixyz_execute.chunks(calls, 2)().get()
"""
    assert run(body) == [[0, 1], [2, 3], [4]]


def test_every_task_has_an_id_a_folder_and_handles(run: Run, tmp_path: Path) -> None:
    body = """
def writes(pc, params):
    with open(pc.get_output_dir("x.txt"), "w") as file:
        file.write("x")
    return pc["task"].request.id

def main(pc, params):
    g = group(pixyz_execute.s({}, fresh(pc, "writes", raw=True)) for _ in range(2))()
    return [g.get(), [r.id for r in g], g.as_tuple(), g.successful(), g.completed_count(), g.id]
"""
    ids, handles, shape, successful, count, group_id = run(body)
    assert ids == handles and successful and count == 2
    assert shape == ((group_id, None), [((job, None), None) for job in ids])
    for job in ids:
        assert (tmp_path / "out" / job / "x.txt").read_text() == "x"


def test_a_link_for_failures_is_told_what_failed(run: Run, tmp_path: Path) -> None:
    body = """
def note(pc, params):
    with open(params["file"], "w") as file:
        file.write(params["task_id"] + " " + params["error"])

def main(pc, params):
    note = pixyz_execute.s({"file": params["file"]}, fresh(pc, "note"))
    return pixyz_execute.s({}, fresh(pc, "fail")).apply_async(link_error=note).id
"""
    file = tmp_path / "note.txt"
    failed = run(body, {"file": str(file)})
    assert file.read_text() == f"{failed} Broken: ('a', 2)"


def test_without_any_worker_a_plain_program_can_send_too(write: Write) -> None:
    from pixyz_worker.script import ProgramContext, pixyz_execute

    script = write(HEAD)
    sent = pixyz_execute.s({"n": 4}, ProgramContext(script=script, entrypoint="number", raw=True))()
    assert (sent.get(timeout=1), sent.state, sent.ready()) == (4, "SUCCESS", True)


def test_the_script_finds_its_own_module_again(run: Run) -> None:
    body = """
import sys
def main(pc, params):
    before = sys.modules["external"]
    pixyz_execute.s({"n": 1}, fresh(pc, "number"))()
    return before is sys.modules["external"]
"""
    assert run(body) is True


def test_tasks_started_by_a_task_are_its_children(run: Run) -> None:
    body = """
def parent(pc, params):
    return chain(pixyz_execute.s({"n": 1}, fresh(pc, "number")), pixyz_execute.s(pc=fresh(pc, "got")))().as_tuple()

def main(pc, params):
    r = pixyz_execute.s({}, fresh(pc, "parent", raw=True))()
    return [r.get(), [child.as_tuple() for child in r.children]]
"""
    value, children = run(body)
    assert len(children) == 1 and children[0][0][0] == value[0][0]


def test_own_folders_do_not_touch_the_working_directory(run: Run, tmp_path: Path) -> None:
    before = set(os.listdir("."))
    run("def main(pc, params):\n    return pixyz_execute.s({'n': 1}, fresh(pc, 'number'))().get()['result']\n")
    assert set(os.listdir(".")) == before
