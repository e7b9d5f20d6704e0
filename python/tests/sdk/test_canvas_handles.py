"""Handles, as they read a share: records of tasks, and the journal for those that have none."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from pixyz_worker._canvas import AsyncResult, GroupResult, TasksUtils, allow_join_result
from pixyz_worker._canvas._compile import compile_canvas
from pixyz_worker._canvas._context import unpack
from pixyz_worker._canvas._errors import ChordError, TaskRevokedError, TimeoutError
from pixyz_worker._canvas._results import handle
from pixyz_worker._canvas._session import Refused, WorkerSession, use
from pixyz_worker._canvas._share import Journal, job_id
from pixyz_worker._canvas._signatures import Canvas, chain, chord, group, pixyz_execute
from pixyz_worker._canvas._views import rebuild
from pixyz_worker.exception import PixyzExitFault, PixyzTimeout, PixyzWebError
from pixyz_worker.pc import ProgramContext

GRAPH = "11111111-2222-4333-8444-555500000000"


class Wire:
    """The worker's end, played by the test."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.waits: list[str] = []
        self.late: list[dict[str, Any]] = []
        self.asked = 0
        self.answer: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda _: {
            "ok": True,
            "value": {"graphId": GRAPH},
        }

    def send(self, message: dict[str, Any]) -> None:
        self.waits.append(message["t"])

    def send_body(self, body: bytes) -> None:
        message = json.loads(body)
        self.asked = message["id"]
        self.requests.append(message["request"])

    def receive(self) -> dict[str, Any] | None:
        if self.late:
            return self.late.pop()
        reply = self.answer(self.requests[-1])
        return None if reply is None else {"id": self.asked, **reply}


@pytest.fixture
def wire(share: Path) -> Iterator[Wire]:
    wire = Wire()
    before = use(WorkerSession(cast(Any, wire), "parent"))
    yield wire
    use(before)


@pytest.fixture
def world(share: Path, wire: Wire) -> World:
    return World(share)


class World:
    """What the engine writes."""

    def __init__(self, share: Path) -> None:
        self.share = share

    def record(self, index: int, status: str, result: Any = None, **changes: Any) -> None:
        folder = self.share / job_id(GRAPH, index)
        folder.mkdir(exist_ok=True)
        record = {
            "status": status,
            "result": result,
            "resultFile": None,
            "error": None,
            "meta": {},
            "name": None,
            "raw": True,
            "progress": None,
            "steps": [],
            "retry": 0,
            "attempts": [{}],
            "timeInfo": {"request": None, "started": None, "stopped": "2026-11-21T00:00:00+00:00"},
            **changes,
        }
        (folder / "job.json.new").write_text(json.dumps(record))
        (folder / "job.json.new").rename(folder / "job.json")

    def failed(self, index: int, type: str = "ValueError", **error: Any) -> None:
        told = {"type": type, "module": "builtins", "message": "bad", "traceback": f"…\n{type}: bad", **error}
        self.record(index, "FAILURE", error=told)
        self.journal(("failed", index))

    def journal(self, *entries: tuple[str, int]) -> None:
        (self.share / GRAPH).mkdir(exist_ok=True)
        with open(self.share / GRAPH / "events.jsonl", "a") as file:
            for kind, node in entries:
                file.write(json.dumps({"at": "2026", "type": kind, "node": node, "message": "why"}) + "\n")


def call(**keys: Any) -> Any:
    return pixyz_execute.s({}, ProgramContext(script="/s.py", raw=True, **keys))


def link() -> Any:
    return pixyz_execute.s(pc=ProgramContext(script="/s.py", raw=True))


def joined(result: Any, **options: Any) -> Any:
    with allow_join_result():
        return result.get(**options)


# --- states ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "ready", "successful", "failed"),
    [
        ("RUNNING", False, False, False),
        ("RETRY", False, False, False),
        ("SUCCESS", True, True, False),
        ("FAILURE", True, False, True),
        ("REVOKED", True, False, False),
    ],
)
def test_the_state_is_that_of_the_record(
    world: World, status: str, ready: bool, successful: bool, failed: bool
) -> None:
    result = AsyncResult(job_id(GRAPH, 1))
    assert (result.state, result.ready(), result.result) == ("PENDING", False, None)
    world.record(1, status)
    assert (result.state, result.ready(), result.successful(), result.failed()) == (status, ready, successful, failed)
    assert (result.date_done is not None) == ready


def test_the_journal_tells_of_tasks_without_a_record(world: World, wire: Wire) -> None:
    sent = chain(call(), link(), link())()
    world.journal(("queued", 1), ("revoked", 1), ("skipped", 2), ("skipped", 3))
    assert [sent.state, sent.parent.state, sent.parent.parent.state] == ["PENDING", "PENDING", "REVOKED"]
    with pytest.raises(TaskRevokedError, match="why"):
        joined(sent)


def test_a_revived_task_has_not_ended(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    journal = Journal(str(path))
    journal.look()
    path.write_text('{"type":"failed","node":1}\n{"type":"skipped","no')
    journal.look()
    assert (journal.ended, journal.bad) == ({1: ("failed", "")}, {1})
    with open(path, "a") as file:
        file.write('de":2}\n{"type":"revived","node":1}\n')
    journal.look()
    assert (set(journal.ended), journal.bad) == ({2}, {2})


def test_while_it_runs_the_result_is_its_record(world: World) -> None:
    world.record(1, "RUNNING", progress=40, steps=[{"duration": -1, "info": "one"}], meta={"own": 1})
    meta = AsyncResult(job_id(GRAPH, 1)).info
    assert (meta["progress"], meta["steps"][0]["info"], meta["own"]) == (40, "one", 1)


def test_what_stands_in_the_document_counts_for_handles_by_id(world: World) -> None:
    world.record(1, "SUCCESS", 5, raw=False)
    result = AsyncResult(job_id(GRAPH, 1))
    assert result.result["result"] == 5 and result.result["progress"] == 100
    (world.share / job_id(GRAPH, 1) / "spec.json").write_text('{"handsOn": "wrapped"}')
    assert joined(result) == {"result": 5}


def test_the_exact_form_of_a_value_is_taken_where_there_is_one(world: World) -> None:
    world.record(1, "SUCCESS", None, resultFile={"file": "result.json", "sizeBytes": 1})
    folder = world.share / job_id(GRAPH, 1)
    (folder / "result.json").write_text('"2026-01-02"')
    assert AsyncResult(job_id(GRAPH, 1)).result == "2026-01-02"
    (folder / "exact.json").write_text('{"__type__": "date", "__value__": "2026-01-02"}')
    assert AsyncResult(job_id(GRAPH, 1)).result.isoformat() == "2026-01-02"


# --- waiting --------------------------------------------------------------------------------------------------------


def test_waiting_lends_the_slot_once_and_takes_it_back(world: World, wire: Wire) -> None:
    timer = threading.Timer(0.05, lambda: world.record(1, "SUCCESS", 7))
    timer.start()
    assert joined(AsyncResult(job_id(GRAPH, 1))) == 7
    timer.join()
    assert wire.waits == ["waiting", "resumed"]


def test_what_is_there_already_lends_nothing(world: World, wire: Wire) -> None:
    world.record(1, "SUCCESS", 7)
    assert joined(AsyncResult(job_id(GRAPH, 1))) == 7 and wire.waits == []


def test_two_threads_that_wait_lend_one_slot(world: World, wire: Wire) -> None:
    both_wait = [threading.Event(), threading.Event()]

    def wait(index: int) -> None:
        AsyncResult(job_id(GRAPH, index)).get(disable_sync_subtasks=False, on_interval=both_wait[index - 1].set)

    threads = [threading.Thread(target=wait, args=(index,)) for index in (1, 2)]
    for thread in threads:
        thread.start()
    for waits in both_wait:
        assert waits.wait(30)
    assert wire.waits == ["waiting"]
    world.record(1, "SUCCESS")
    threads[0].join()
    assert wire.waits == ["waiting"]
    world.record(2, "SUCCESS")
    threads[1].join()
    assert wire.waits == ["waiting", "resumed"]


def test_asking_again_and_again_is_waiting_too(world: World, wire: Wire) -> None:
    result = AsyncResult(job_id(GRAPH, 1))
    # A look at many tasks is no wait; many looks at one are.
    assert [AsyncResult(job_id(GRAPH, index)).state for index in range(1, 9)] == ["PENDING"] * 8
    assert not result.ready() and wire.waits == []
    assert result.state == "PENDING" and wire.waits == ["waiting"]
    assert result.status == "PENDING" and wire.waits == ["waiting"]
    world.record(1, "SUCCESS")
    assert result.ready() and wire.waits == ["waiting", "resumed"]


def test_a_group_whose_last_member_fails_does_not_wait_for_the_first(world: World, wire: Wire) -> None:
    sent = group(call(), call(), call())()
    world.failed(3)
    with pytest.raises(ValueError, match="bad"):
        joined(sent, timeout=5)
    with pytest.raises(TimeoutError):
        joined(sent, timeout=0.05, propagate=False)


def test_time_over(world: World) -> None:
    before = time.monotonic()
    with pytest.raises(TimeoutError):
        joined(AsyncResult(job_id(GRAPH, 1)), timeout=0.05)
    assert time.monotonic() - before < 2


def test_messages_of_a_chord_tell_of_its_members_first(world: World, wire: Wire) -> None:
    sent = chord([call(), call()])(link())
    for index in (1, 2, 3):
        world.record(index, "SUCCESS", index, steps=[{"duration": 1, "info": "one"}] if index == 1 else [])
    seen: list[dict[str, Any]] = []
    assert joined(sent, on_message=seen.append) == 3
    assert [(m["task_id"][-1], m["status"]) for m in seen] == [
        ("1", "STARTED"),
        ("1", "RUNNING"),
        ("1", "SUCCESS"),
        ("2", "STARTED"),
        ("2", "SUCCESS"),
        ("3", "STARTED"),
        ("3", "SUCCESS"),
    ]
    assert {m.get("group_id") for m in seen} == {sent.parent.id, None}


# --- failures -------------------------------------------------------------------------------------------------------


def test_a_chord_with_a_failed_member(world: World, wire: Wire) -> None:
    sent = chord([call(), chain(call(), link())])(link())
    world.record(1, "SUCCESS", 1)
    world.failed(2)
    world.journal(("skipped", 3), ("skipped", 4))
    assert sent.state == "FAILURE"
    with pytest.raises(ValueError, match="bad"):
        joined(sent)
    error = joined(sent, propagate=False)
    assert isinstance(error, ChordError) and job_id(GRAPH, 2) in str(error)
    values = joined(sent.parent, propagate=False)
    assert values[0] == 1 and isinstance(values[1], ValueError)


def test_the_culprit_is_found_in_the_document_too(world: World) -> None:
    plan = compile_canvas(chord([call(), call()], link()))
    folder = world.share / GRAPH / "nodes"
    folder.mkdir(parents=True)
    (folder / "00000001.jsonl").write_text("".join(json.dumps(node) + "\n" for node in plan.nodes))
    world.failed(2, args='["bad"]')
    world.journal(("skipped", 3))
    assert isinstance(AsyncResult(job_id(GRAPH, 3)).result, ChordError)


class Picky(Exception):
    """Needs other arguments than it keeps."""

    def __init__(self, *, code: int) -> None:
        super().__init__("picky", code)
        self.code = code


@pytest.mark.parametrize(
    ("error", "type_name", "args"),
    [
        ({"type": "KeyError", "module": "builtins", "message": "'x'", "args": '["x"]'}, "KeyError", ("x",)),
        (
            {"type": "OSError", "module": "builtins", "message": "", "args": '[2,"no","f"]'},
            "FileNotFoundError",
            (2, "no"),
        ),
        ({"type": "Lost", "module": "not.there", "message": "gone"}, "Lost", ("gone",)),
        ({"type": "Picky", "module": __name__, "message": "m", "args": '["picky",3]'}, "Picky", ("picky", 3)),
        ({"type": "path", "module": "os", "message": "no class"}, "path", ("no class",)),
        ({"type": "PixyzExitFault", "module": "pixyz_worker.exception", "message": "3"}, "PixyzExitFault", ("3",)),
        ({"type": "ValueError", "module": "builtins", "message": "", "args": "{}"}, "ValueError", ()),
    ],
)
def test_an_exception_is_made_again(error: dict[str, Any], type_name: str, args: tuple[Any, ...]) -> None:
    made = rebuild({**error, "traceback": "where it was"})
    assert (type(made).__name__, made.args) == (type_name, args)
    assert "where it was" in str(made.__cause__)


def test_exceptions_of_the_package_keep_their_text() -> None:
    assert (
        str(rebuild({"type": "PixyzTimeout", "module": PixyzTimeout.__module__, "message": "m"})) == "PixyzTimeout: m"
    )
    assert isinstance(
        rebuild({"type": "PixyzExitFault", "module": PixyzExitFault.__module__, "message": "3"}), PixyzExitFault
    )
    web = {"type": "PixyzWebError", "module": PixyzWebError.__module__, "message": "m", "args": '[404,"u","m"]'}
    assert cast(PixyzWebError, rebuild(web)).status_code == 404


# --- requests -------------------------------------------------------------------------------------------------------


def test_calls_are_numbered_and_files_shared(world: World, wire: Wire) -> None:
    clone = ProgramContext(script="/s.py", params={"p": "x" * 300})
    group(pixyz_execute.s({}, clone) for _ in range(3))()
    call()()
    assert [request["call"] for request in wire.requests] == [0, 1]
    (text,) = wire.requests[0]["files"].values()
    assert "x" * 300 in text and all("__canvas__shared" in node["context"] for node in wire.requests[0]["nodes"])
    assert wire.requests[1]["files"] == {}


def test_revoking_leaves_a_running_task_alone_unless_told(world: World, wire: Wire) -> None:
    sent = group(call(), call(), call())()
    world.record(1, "RUNNING")
    world.record(2, "SUCCESS")
    ids = [result.id for result in sent]
    sent.revoke()
    assert wire.requests[-1] == {"kind": "revoke", "jobs": [ids[2]]}
    sent[0].revoke(terminate=True)
    assert wire.requests[-1] == {"kind": "revoke", "jobs": [ids[0]]}


def test_a_refusal_is_raised_where_it_was_sent(wire: Wire) -> None:
    wire.answer = lambda _: {"ok": False, "error": "no such queue"}
    with pytest.raises(Refused, match="no such queue"):
        call()()
    wire.answer = lambda _: None
    with pytest.raises(Refused, match="gone"):
        call()()


def test_an_answer_that_comes_late_is_not_taken_for_the_next_one(wire: Wire) -> None:
    wire.late = [{"id": 0, "ok": False, "error": "of a request that was cut short"}]
    assert call()().id == job_id(GRAPH, 1)


def test_a_forked_child_of_the_script_is_told_that_it_cannot_send(wire: Wire) -> None:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            call()()
        except BaseException as error:
            os.write(write, str(error).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read, 1000).startswith(b"only the script's own process can send tasks")
    os.close(read)
    os.close(write)


def test_shared_contexts_are_found_by_their_place(share: Path) -> None:
    inputs = share / GRAPH / "inputs"
    inputs.mkdir(parents=True)
    (inputs / "context-x.json").write_text('{"colour": "red"}')
    given = {"queue": "cpu", "__canvas__shared": f"{GRAPH}/inputs/context-x.json"}
    other = "22222222-2222-4333-8444-555500000001"
    assert unpack(given, job_id(GRAPH, 1)).context == {"queue": "cpu", "colour": "red"}
    assert unpack(given, other).context["colour"] == "red"


def test_forgetting_is_for_the_handle(world: World) -> None:
    world.record(1, "SUCCESS")
    result = AsyncResult(job_id(GRAPH, 1))
    result.forget()
    assert result.state == "PENDING" and AsyncResult(job_id(GRAPH, 1)).state == "SUCCESS"


def test_children_come_from_what_the_task_has_sent(world: World) -> None:
    world.record(1, "SUCCESS")
    line = {"call": 0, "graphId": GRAPH, "jobId": None, "shape": [3, [1, None, [[1, None], [2, None]]]]}
    (world.share / job_id(GRAPH, 1) / "canvases.jsonl").write_text(json.dumps(line) + "\n")
    (child,) = AsyncResult(job_id(GRAPH, 1)).children
    assert child.id == job_id(GRAPH, 3) and [member.id for member in child.parent] == [job_id(GRAPH, n) for n in (1, 2)]
    assert AsyncResult(job_id(GRAPH, 2)).children == []


def test_inspection_of_trees(world: World, wire: Wire) -> None:
    sent = chord([call(), call()])(link())
    world.record(1, "SUCCESS")
    world.record(2, "RUNNING")
    states = TasksUtils.get_all_tasks_status(sent)
    assert list(states.values()) == ["SUCCESS", "RUNNING", "PENDING"]
    assert TasksUtils.is_tasks_running(sent) and not TasksUtils.is_tasks_success(sent)
    assert TasksUtils.get_root_task(sent) is sent.parent and TasksUtils.get_task_dag(sent) == sent.as_tuple()


@pytest.mark.parametrize(
    ("make", "form"),
    [
        (lambda: call(), '[["1", null], null]'),
        (lambda: chain(call(), link()), '[["2", [["1", null], null]], null]'),
        (lambda: group(call(), call()), '[["g1", null], [[["1", null], null], [["2", null], null]]]'),
        (lambda: chord([call()], link()), '[["2", [["g1", null], [[["1", null], null]]]], null]'),
        (
            lambda: chain(call(), group(link(), link())),
            '[["g1", [["1", null], null]], [[["2", null], null], [["3", null], null]]]',
        ),
    ],
)
def test_shapes(make: Callable[[], Canvas], form: str) -> None:
    text = json.dumps(handle(compile_canvas(make()).shape, GRAPH).as_tuple())
    for index in range(1, 5):
        text = text.replace(job_id(GRAPH, index), str(index)).replace(job_id(GRAPH, 0xFFFF_FFFF - index), f"g{index}")
    assert text == form


def test_handles_are_equal_by_their_ids() -> None:
    assert AsyncResult("a") == AsyncResult("a") == "a" and AsyncResult("a") != AsyncResult("b")
    assert {AsyncResult("a")} == {AsyncResult("a")} and str(AsyncResult("a")) == "a"
    assert GroupResult("g", [AsyncResult("a")]) == GroupResult("g", [AsyncResult("a")])
