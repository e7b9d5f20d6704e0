"""Canvases become nodes: the golden files in `test/fixtures/canvases` are read by a test of the TypeScript side, too.

`UPDATE_GOLDEN=1 pytest …` writes them anew; then read the difference.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pixyz_worker import config
from pixyz_worker._canvas._compile import Plan, compile_canvas
from pixyz_worker._canvas._session import shape_json
from pixyz_worker._canvas._signatures import Canvas, chain, chord, chunks, group, pixyz_execute
from pixyz_worker.pc import ProgramContext
from pixyz_worker.progress import TaskProgress

GOLDEN = Path(__file__).resolve().parents[3] / "test" / "fixtures" / "canvases"
NOW = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)
REQUEST = datetime.datetime(2026, 11, 21, 11, 59)


@pytest.fixture(autouse=True)
def _places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "share_dir", "/share")
    monkeypatch.setattr(config, "process_path", "/processes")
    monkeypatch.setattr(config, "time_limit", 2400)


def fresh(entrypoint: str = "work", **keys: Any) -> ProgramContext:
    """A context made by hand."""
    return ProgramContext(script="/share/job/inputs/s.py", entrypoint=entrypoint, time_request=REQUEST, **keys)


def cloned(entrypoint: str = "work", **keys: Any) -> ProgramContext:
    """A clone of a running job's context."""
    running = fresh(
        "main",
        progress=TaskProgress(None, "parent"),
        params={"p": 9},
        task_id="parent",
        data="/share/job/inputs/a.zip",
        root_file="a/b.obj",
        output_dir="/share/job/outputs",
        input_dir="/tmp/x",
        queue="control",
        colour="red",
    )
    return running.clone(entrypoint=entrypoint, time_request=REQUEST, **keys)


def call(name: str, params: Any = None, **options: Any) -> Any:
    return pixyz_execute.s({} if params is None else params, fresh(name)).set(**options)


def link(name: str, **options: Any) -> Any:
    return pixyz_execute.s(pc=fresh(name, raw=True)).set(**options)


CASES: dict[str, Callable[[], Canvas]] = {
    "single": lambda: call("a", {"x": 1}),
    "options": lambda: call(
        "a",
        queue="wine",
        countdown=2,
        expires=NOW + datetime.timedelta(seconds=90),
        time_limit=7,
        soft_time_limit=5,
        priority=1,
        shadow="shown",
    ),
    "clones": lambda: chain(
        pixyz_execute.s({"x": datetime.date(2026, 1, 2), "big": 2**60}, cloned("a", raw=True)),
        pixyz_execute.s(pc=cloned("b")).set(queue="cpu"),
        pixyz_execute.s(pc=cloned("c", compute_only=True)),
    ),
    "chain": lambda: call("a", {"x": 1.0}) | link("b", queue="cpu") | pixyz_execute.si({"y": 2}, fresh("c")),
    "group": lambda: group([call("a"), group(call("b"), call("c")), call("d")]),
    "chord": lambda: chord([call("a"), call("b")], link("c")),
    "group in a chain": lambda: chain(call("a"), group(link("b"), link("c")), link("d"), group(link("e"), link("f"))),
    "chains in a chord": lambda: chord([call("a") | link("b"), chord([call("c")], link("d"))], link("e") | link("f")),
    "group after group": lambda: chain(group(call("a"), call("b")), group(link("c"), link("d")), link("e")),
    "empty chord": lambda: chord([], link("a")),
    "chunks": lambda: chunks(pixyz_execute, [({"n": n}, fresh("a", raw=True)) for n in range(5)], 2),
    "chunks in a chord": lambda: chord(
        chunks(pixyz_execute, [({"n": n}, cloned("a")) for n in range(2)], 1).group(), link("b")
    ),
    "callbacks": lambda: chain(call("a", link=link("after a")), link("b")).set(
        link=link("after all"), link_error=link("oops"), queue="cpu"
    ),
    "shipped process": lambda: pixyz_execute.s({}, ProgramContext(script="/processes/sleep.py", time_request=REQUEST)),
}


def compiled(canvas: Canvas, *given: Any, **options: Any) -> Plan:
    return compile_canvas(canvas, given, options, NOW)


@pytest.mark.parametrize("name", CASES)
def test_nodes_are_those_of_the_golden_file(name: str) -> None:
    plan = compiled(CASES[name]())
    form = json.loads(json.dumps({"nodes": plan.nodes, "shape": shape_json(plan.shape)}))
    path = GOLDEN / f"{name.replace(' ', '-')}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(form, indent=1, ensure_ascii=False) + "\n")
    assert form == json.loads(path.read_text())


def test_numbers_go_up_along_dependencies() -> None:
    for make in CASES.values():
        for at, node in enumerate(compiled(make()).nodes, 1):
            assert node["index"] == at and all(dep < at for dep in node["deps"])


def edges(plan: Plan) -> dict[str, tuple[list[int], Any]]:
    return {node["id"]: (node["deps"], node["params"].get("of", node["params"].get("text"))) for node in plan.nodes}


def test_a_value_goes_from_link_to_link_and_a_list_out_of_a_group() -> None:
    plan = compiled(chain(call("a"), group(link("b"), link("c")), link("d")))
    assert edges(plan) == {"a-1": ([], "{}"), "b-2": ([1], 1), "c-3": ([1], 1), "d-4": ([2, 3], [2, 3])}


def test_an_immutable_link_waits_and_takes_nothing() -> None:
    plan = compiled(chain(call("a"), pixyz_execute.si({"own": 1}, fresh("b"))))
    assert edges(plan)["b-2"] == ([1], '{"own":1}')


def test_a_group_of_one_gives_a_list_too() -> None:
    assert edges(compiled(chain(group(call("a")), link("b"))))["b-2"] == ([1], [1])


def test_two_wide_groups_have_a_barrier_between_them() -> None:
    wide = [call("a") for _ in range(100)]
    plan = compiled(chain(group(wide), group([link("b") for _ in range(100)])))
    kinds = [node["kind"] for node in plan.nodes]
    assert kinds.count("barrier") == 1 and kinds[100] == "barrier"
    assert plan.nodes[150]["deps"] == [101] and plan.nodes[150]["params"]["of"] == list(range(1, 101))


def test_what_a_task_hands_on() -> None:
    def form(pc: ProgramContext) -> str:
        handed: str = compiled(pixyz_execute.s({}, pc)).nodes[0]["handsOn"]
        return handed

    assert form(fresh()) == "record"
    assert form(cloned()) == "wrapped"
    assert form(fresh(raw=True)) == form(cloned(raw=True)) == "value"


def test_defaults_and_options_nearest_wins() -> None:
    plan = compiled(chain(call("a"), link("b", queue="zip")).set(queue="cpu", countdown=5), time_limit=3)
    assert [(n["queue"], n["countdown"], n["timeLimit"]) for n in plan.nodes] == [("cpu", 5, 3), ("zip", 0, 3)]
    assert compiled(call("a", queue="zip"), queue="wine").nodes[0]["queue"] == "wine"
    single = compiled(call("a")).nodes[0]
    assert (single["queue"], single["timeLimit"], single["priority"]) == ("gpu", 2400, 3)


def test_eta_is_a_countdown() -> None:
    eta = NOW + datetime.timedelta(minutes=1)
    assert compiled(call("a"), eta=eta).nodes[0]["countdown"] == 60
    assert compiled(call("a"), eta=eta.replace(tzinfo=None)).nodes[0]["countdown"] == 60
    assert compiled(call("a"), eta=NOW - datetime.timedelta(1)).nodes[0]["countdown"] == 0


def test_parameters_are_taken_as_they_are_when_it_is_sent() -> None:
    pc = cloned()
    sent = chain(pixyz_execute.s({}, pc))
    pc["params"]["late"] = 1
    assert '"late":1' in compiled(sent).nodes[0]["context"]["__canvas__"]


def test_set_changes_the_signature_itself() -> None:
    signature = call("a")
    assert signature.set(queue="zip") is signature
    assert compiled(signature).nodes[0]["queue"] == "zip"


def test_sending_changes_nothing() -> None:
    canvas = chain(call("a"), group(link("b"), link("c")))
    assert compiled(canvas, queue="zip").nodes[0]["queue"] == "zip"
    assert compiled(canvas).nodes == compiled(canvas).nodes
    assert compiled(canvas).nodes[0]["queue"] == "gpu"


def test_what_goes_in_front() -> None:
    plan = compiled(chain(link("a"), link("b")), {"sent": 1})
    assert edges(plan) == {"a-1": ([], '{"sent":1}'), "b-2": ([1], 1)}


def test_a_chosen_id_is_for_a_task_alone() -> None:
    assert compiled(call("a"), task_id="x").task_id == "x"
    with pytest.raises(ValueError, match="sent alone"):
        compiled(chain(call("a"), link("b")), task_id="x")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: pixyz_execute.s({}, {"script": "x"}), "must be a ProgramContext, not dict"),
        (lambda: pixyz_execute.s({}), "needs a context"),
        (lambda: pixyz_execute.s({}, ProgramContext()), "names no script"),
        (lambda: pixyz_execute.s(1, fresh(), 3), "was given 3 values"),
        (lambda: pixyz_execute.s({}, fresh(), pc=fresh()), "was given 2 values and pc="),
        (lambda: pixyz_execute.s({}, fresh(), colour=1), "not colour"),
        (lambda: chain(call("a"), call("b")), "write .s\\(pc=pc\\) to take them"),
        (lambda: link("a"), "no parameters, and no task before it"),
        (lambda: chord([call("a")]), "needs a callback"),
        (lambda: chain(), "at least one task"),
        (lambda: call("a", priority="high"), "invalid literal"),
        (lambda: call("a", time_limit="1"), "time_limit is a number of seconds"),
        (lambda: pixyz_execute.s({"x": {1}}, fresh()), r"params\['x'\] is of type set"),
        (lambda: pixyz_execute.s({}, fresh(tool=print)), r"pc\['tool'\] is of type builtin"),
        (lambda: group([call("a")]).set(link=link("b")), "no single value"),
    ],
)
def test_what_cannot_be_sent_says_why(make: Callable[[], Canvas], sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence):
        compiled(make())


def test_canvases_are_made_of_signatures() -> None:
    with pytest.raises(TypeError, match=r"write pixyz_execute.s\(params, pc\)"):
        chain(pixyz_execute)
    with pytest.raises(TypeError, match="not of int"):
        group(3)
    with pytest.raises(TypeError, match="not called but sent"):
        pixyz_execute({}, fresh())
    with pytest.raises(ValueError, match="at least 1"):
        pixyz_execute.chunks([], 0)


def test_the_engines_own_tasks_can_be_sent() -> None:
    from pixyz_worker.tasks import package, sleep

    plan = compiled(chain(sleep.s(1), package.si("id")))
    assert [(node["queue"], node["entrypoint"]) for node in plan.nodes] == [
        ("gpu", "sleep"),
        ("zip", "package_outputs"),
    ]
