"""From a canvas to the nodes of a graph: `compile_canvas`, pure but for the clock that `eta` is compared with.

The nodes are those of `src/contract/graph-document.ts`, less `retry`, which is the installation's. Numbers go up along
dependencies, so running them in this order is right. Rules:

1. A link without `.set` goes to the queue `gpu` with the time limit `PIXYZ_TIME_LIMIT`; what the parent job or a
   decorator says does not count. Options of a canvas are defaults of its tasks; `countdown` and `eta` are for the
   first.
2. A value flows from task to task: one as it is, several (after a group) as a list in the order of the group. `.si`
   waits and takes nothing.
3. What a task hands on is decided by its context: raw: the value; a clone: `{"result": value}`; else the whole record.
"""

from __future__ import annotations

import dataclasses
import datetime
import os
from typing import Any

from pixyz_worker import _exact, config
from pixyz_worker._canvas._context import CALLS, FAILED, MARK, SOFT
from pixyz_worker._canvas._signatures import Canvas, Chunk, Signature, chain, chord, chunks, group
from pixyz_worker.pc import ProgramContext

DEFAULT_QUEUE = "gpu"

_OWN_PLACE = frozenset(
    "script entrypoint data root_file compute_only raw is_local input_dir input_file output_dir "
    "queue retry progress task time_limit shadow time_request".split()
)
"""Keys of a context that the node itself or the running attempt tells."""

_WIDE = 4096
"""Edges between two groups from which a barrier between them is cheaper."""


@dataclasses.dataclass(frozen=True)
class TaskShape:
    """Handle of a node."""

    node: int
    parent: Shape | None = None


@dataclasses.dataclass(frozen=True)
class GroupShape:
    """Handle of nodes side by side."""

    number: int
    members: tuple[TaskShape, ...]
    parent: Shape | None = None


Shape = TaskShape | GroupShape


@dataclasses.dataclass(frozen=True)
class Plan:
    """A compiled canvas."""

    nodes: tuple[dict[str, Any], ...]
    shape: Shape
    name: str | None = None
    task_id: str | None = None
    """Chosen by the script, for a single task."""


@dataclasses.dataclass(frozen=True)
class _Inflow:
    """What comes before: whom to wait for, and whose values to take."""

    deps: tuple[int, ...] = ()
    value: int | None = None
    values: tuple[int, ...] | None = None
    given: tuple[Any, ...] = ()
    """Arguments that come from the call that sends the canvas."""


@dataclasses.dataclass(frozen=True)
class _Scope:
    """Options that hold for the tasks of a canvas."""

    all: dict[str, Any]
    first: dict[str, Any]

    def inside(self, options: dict[str, Any]) -> _Scope:
        timed: dict[str, Any] = {key: options[key] for key in ("countdown", "eta") if key in options}
        rest = {key: value for key, value in options.items() if key not in timed and key not in _SINGLE}
        return _Scope({**self.all, **rest}, timed or self.first)

    def later(self) -> _Scope:
        return _Scope(self.all, {})


_SINGLE = frozenset({"shadow", "task_id", "link", "link_error"})
"""Options that a canvas keeps for itself."""


def compile_canvas(
    canvas: Canvas,
    given: tuple[Any, ...] = (),
    options: dict[str, Any] | None = None,
    now: datetime.datetime | None = None,
) -> Plan:
    """The nodes of a canvas. `given` and `options` are those of the call that sends it."""
    sent = dict(options or {})
    builder = _Builder(now or datetime.datetime.now(datetime.timezone.utc))
    shape = builder.sent(canvas, given, sent)
    merged = {**canvas.options, **sent}
    task_id = merged.get("task_id")
    if task_id is not None and len(builder.nodes) != 1:
        raise ValueError("task_id can be chosen for a task that is sent alone: ids in a canvas follow from each other")
    name = merged.get("shadow")
    return Plan(tuple(builder.nodes), shape, None if name is None else str(name), task_id)


class _Builder:
    def __init__(self, now: datetime.datetime) -> None:
        self.nodes: list[dict[str, Any]] = []
        self._groups = 0
        self._now = now
        # A group of a thousand clones of one context: its text is made once.
        self._contexts: dict[int, tuple[ProgramContext, str]] = {}

    def sent(self, canvas: Canvas, given: tuple[Any, ...], options: dict[str, Any]) -> Shape:
        if isinstance(canvas, (Signature, Chunk)):
            # One task: what is said when sending it wins over what `.set` said.
            canvas = dataclasses.replace(canvas, options={**canvas.options, **options})
            options = {}
        shape, _ = self._build(canvas, _Inflow(given=given), None, _Scope({}, {}).inside(options))
        self._callbacks(options, shape, 0)
        return shape

    # --- kinds ------------------------------------------------------------------------------------------------------

    def _build(self, canvas: Canvas, inflow: _Inflow, parent: Shape | None, scope: _Scope) -> tuple[Shape, _Inflow]:
        if isinstance(canvas, (Signature, Chunk)):
            return self._task(canvas, inflow, parent, scope)
        first = len(self.nodes)
        inner = scope.inside(canvas.options)
        if isinstance(canvas, chain):
            shape, outflow = self._chain(canvas, inflow, parent, inner)
        elif isinstance(canvas, group):
            shape, outflow = self._group(canvas, inflow, parent, inner)
        elif isinstance(canvas, chunks):
            shape, outflow = self._group(canvas.group(), inflow, parent, inner)
        elif isinstance(canvas, chord):
            if canvas.body is None:
                raise TypeError("a chord needs a callback: chord(header)(callback)")
            # A group with something after it is all that a chord is.
            shape, outflow = self._chain(chain(canvas.header, canvas.body), inflow, parent, inner)
        else:
            raise TypeError(f"{type(canvas).__name__} cannot be sent")
        self._callbacks(canvas.options, shape, first)
        return shape, outflow

    def _chain(self, canvas: chain, inflow: _Inflow, parent: Shape | None, scope: _Scope) -> tuple[Shape, _Inflow]:
        if not canvas.tasks:
            raise ValueError("a chain needs at least one task")
        for at, task in enumerate(canvas.tasks):
            if at > 0:
                scope = scope.later()
                inflow = self._narrow(inflow, task)
            parent, inflow = self._build(task, inflow, parent, scope)
        assert parent is not None
        return parent, inflow

    def _group(self, canvas: group, inflow: _Inflow, parent: Shape | None, scope: _Scope) -> tuple[Shape, _Inflow]:
        self._groups += 1
        number = self._groups
        members: list[TaskShape] = []
        deps: list[int] = []
        for task in canvas.tasks:
            shape, outflow = self._build(task, inflow, None, scope)
            deps.extend(outflow.deps)
            if isinstance(shape, TaskShape):
                members.append(shape)
            else:  # one flat list, whatever stands inside
                members.extend(dataclasses.replace(one, parent=one.parent or shape.parent) for one in shape.members)
        values = tuple(member.node for member in members)
        after = tuple(dict.fromkeys(deps)) or inflow.deps
        return GroupShape(number, tuple(members), parent), _Inflow(deps=after, values=values)

    def _task(
        self, task: Signature | Chunk, inflow: _Inflow, parent: Shape | None, scope: _Scope
    ) -> tuple[TaskShape, _Inflow]:
        options = {**scope.first, **scope.all, **task.options}
        if isinstance(task, Chunk):
            params: Any = {}
            pc = task.calls[0][1]
            source = {"kind": "text", "text": "{}"}
            mark = _mark_of_chunk(task)
            spec = {"compute_only": False, "raw": True}
        else:
            params, pc, takes = _bound(task, inflow)
            source = self._source(params, takes, inflow)
            mark = self._mark(pc)
            spec = {"compute_only": bool(pc["compute_only"]), "raw": bool(pc["raw"])}
        index = self._add(pc, source, mark, spec, inflow.deps, options)
        shape = TaskShape(index, parent)
        self._callbacks(task.options, shape, index - 1)
        return shape, _Inflow(deps=(index,), value=index)

    # --- edges ------------------------------------------------------------------------------------------------------

    def _source(self, params: Any, takes: bool, inflow: _Inflow) -> dict[str, Any]:
        if takes and inflow.value is not None:
            return {"kind": "value", "of": inflow.value}
        if takes and inflow.values:
            return {"kind": "values", "of": list(inflow.values)}
        if takes and inflow.values is not None:
            return {"kind": "text", "text": "[]"}
        return {"kind": "text", "text": _exact.dumps(params, "params")}

    def _narrow(self, inflow: _Inflow, task: Canvas) -> _Inflow:
        """Puts a barrier between two wide groups."""
        width = len(task.group().tasks if isinstance(task, chunks) else getattr(task, "tasks", ()))
        if isinstance(task, chain) or len(inflow.deps) * width < _WIDE:
            return inflow
        index = len(self.nodes) + 1
        self.nodes.append(
            {**BLANK, "index": index, "id": f"barrier-{index}", "kind": "barrier", "deps": [*inflow.deps]}
        )
        return dataclasses.replace(inflow, deps=(index,))

    def _callbacks(self, options: dict[str, Any], shape: Shape, first: int) -> None:
        """`link` and `link_error` of what has been built since `first`."""
        last = len(self.nodes)
        for callback in _listed(options.get("link")):
            if not isinstance(shape, TaskShape):
                raise TypeError("a group has no single value for a link: use a chord")
            self._build(callback, _Inflow(deps=(shape.node,), value=shape.node), None, _Scope({}, {}))
        for callback in _listed(options.get("link_error")):
            watched = tuple(node["index"] for node in self.nodes[first:last] if node["trigger"] == "all_succeeded")
            before = len(self.nodes)
            given = _Inflow(deps=watched, given=({},) if _wants_params(callback) else ())
            self._build(callback, given, None, _Scope({}, {}))
            for node in self.nodes[before:]:
                if set(node["deps"]) <= set(watched):
                    node["trigger"] = "any_failed"
                    node["context"] = {**node["context"], FAILED: [*watched]}

    # --- nodes ------------------------------------------------------------------------------------------------------

    def _mark(self, pc: ProgramContext) -> str:
        known = self._contexts.get(id(pc))
        if known is None:
            known = self._contexts[id(pc)] = (pc, _exact.dumps(_packed(pc), "pc"))
        return known[1]

    def _add(
        self,
        pc: ProgramContext,
        source: dict[str, Any],
        mark: str,
        spec: dict[str, Any],
        deps: tuple[int, ...],
        options: dict[str, Any],
    ) -> int:
        _check_context(pc)
        index = len(self.nodes) + 1
        process, script = _script_of(str(pc["script"]))
        soft = _seconds(options.get("soft_time_limit"), "soft_time_limit")
        self.nodes.append(
            {
                **BLANK,
                "index": index,
                "id": f"{pc['entrypoint']}-{index}"[:200],
                "name": None if options.get("shadow") is None else str(options["shadow"]),
                "process": process,
                "script": script,
                "entrypoint": str(pc["entrypoint"]),
                "data": None if pc["data"] is None else _file_ref(str(pc["data"])),
                "rootFile": None if pc["root_file"] is None else str(pc["root_file"]),
                "computeOnly": spec["compute_only"],
                "raw": spec["raw"],
                "handsOn": hands_on({**pc, **spec}),
                "context": {
                    MARK: mark,
                    **({} if soft is None else {SOFT: soft}),
                },
                "params": source,
                "queue": str(options.get("queue") or DEFAULT_QUEUE),
                "timeLimit": _limit(options),
                "countdown": self._countdown(options),
                "expires": self._expires(options),
                "priority": _priority(options.get("priority")),
                "deps": [*deps],
            }
        )
        return index

    def _countdown(self, options: dict[str, Any]) -> float:
        if options.get("countdown") is not None:
            return max(0, _seconds(options["countdown"], "countdown") or 0)
        if options.get("eta") is not None:
            return max(0, self._until(options["eta"], "eta"))
        return 0

    def _expires(self, options: dict[str, Any]) -> float | None:
        expires = options.get("expires")
        if expires is None:
            return None
        if isinstance(expires, (int, float)):
            return _seconds(expires, "expires")
        return max(0.001, self._until(expires, "expires"))

    def _until(self, moment: Any, name: str) -> float:
        if isinstance(moment, str):
            moment = datetime.datetime.fromisoformat(moment)
        if not isinstance(moment, datetime.datetime):
            raise TypeError(f"{name} is a datetime, not {type(moment).__name__}")
        if moment.tzinfo is None:  # as everywhere here: UTC
            moment = moment.replace(tzinfo=datetime.timezone.utc)
        left: datetime.timedelta = moment - self._now
        return left.total_seconds()


BLANK: dict[str, Any] = {
    "index": 0,
    "id": "",
    "name": None,
    "kind": "script",
    "process": "custom",
    "script": None,
    "entrypoint": "main",
    "command": None,
    "data": None,
    "rootFile": None,
    "computeOnly": False,
    "raw": True,
    "handsOn": "value",
    "context": {},
    "params": {"kind": "text", "text": "{}"},
    "queue": DEFAULT_QUEUE,
    "timeLimit": None,
    "countdown": 0,
    "expires": None,
    "priority": 3,
    "deps": [],
    "trigger": "all_succeeded",
    "when": None,
    "map": None,
    "reuse": False,
    "callback": None,
    "tags": {},
}
"""A node that says nothing."""


def hands_on(pc: Any) -> str:
    """What a task with this context hands to the next one: clones carry their parent's progress object."""
    if pc["raw"]:
        return "value"
    return "wrapped" if pc.get("progress") is not None else "record"


def _bound(task: Signature, inflow: _Inflow) -> tuple[Any, ProgramContext, bool]:
    """Parameters, context, and whether the parameters are those that come in."""
    args = task.args if task.immutable else (*inflow.given, *task.args)
    known = set(task.kwargs) - {"params", "pc"}
    if known:
        raise TypeError(f"pixyz_execute takes params and pc, not {', '.join(sorted(known))}")
    comes_in = not task.immutable and (inflow.value is not None or inflow.values is not None)
    named = dict(zip(("params", "pc"), args, strict=False))
    if len(args) == 1 and isinstance(args[0], ProgramContext) and "pc" not in task.kwargs:
        named = {"pc": args[0]}  # .s(pc): the value of the task before goes in front
    if len(args) > 2 or set(named) & set(task.kwargs):
        raise TypeError(
            f"pixyz_execute takes parameters and a context; it was given {len(args)} values and {_said(task)}"
        )
    named.update(task.kwargs)
    pc = named.get("pc")
    if pc is None:
        raise TypeError("pixyz_execute needs a context: pixyz_execute.s(params, pc)")
    if not isinstance(pc, ProgramContext):
        raise TypeError(f"pc must be a ProgramContext, not {type(pc).__name__}")
    if comes_in and "params" in named:
        raise TypeError(
            f"the task {pc['entrypoint']!r} has parameters of its own and would get those of the task before it, too: "
            "write .s(pc=pc) to take them, or .si(params, pc) to ignore them"
        )
    if not comes_in and "params" not in named:
        if task.immutable or inflow.deps:
            named["params"] = {}
        else:
            raise TypeError(
                f"the task {pc['entrypoint']!r} has no parameters, and no task before it that hands some on"
            )
    return named.get("params"), pc, comes_in


def _said(task: Signature) -> str:
    return " and ".join(f"{name}=" for name in task.kwargs) or "no keyword"


def _wants_params(callback: Any) -> bool:
    return (
        isinstance(callback, Signature)
        and not callback.immutable
        and "params" not in callback.kwargs
        and not any(not isinstance(value, ProgramContext) for value in callback.args)
    )


def _check_context(pc: Any) -> None:
    if not isinstance(pc, ProgramContext):
        raise TypeError(f"pc must be a ProgramContext, not {type(pc).__name__}")
    if pc["script"] is None:
        raise ValueError('this context names no script: ProgramContext(script=pc["script"], entrypoint=…)')


def _packed(pc: ProgramContext) -> dict[str, Any]:
    """Everything of a context that has no place of its own in a node."""
    return {key: value for key, value in pc.items() if key not in _OWN_PLACE}


def _mark_of_chunk(task: Chunk) -> str:
    calls = []
    for params, pc in task.calls:
        _check_context(pc)
        fields = {key: pc[key] for key in ("script", "entrypoint", "data", "root_file", "compute_only", "raw")}
        calls.append({"params": params, "pc": {**_packed(pc), **fields}, "handsOn": hands_on(pc)})
    return _exact.dumps({CALLS: calls}, "chunk")


def _script_of(path: str) -> tuple[str, dict[str, str]]:
    """Name of the process and where the script lies. Shipped ones lie elsewhere on every machine."""
    path = os.path.abspath(path)
    folder, file = os.path.split(path)
    if config.process_path and folder == os.path.abspath(config.process_path) and file.endswith(".py"):
        return file[:-3], {"process": file[:-3]}
    return "custom", _file_ref(path)


def _file_ref(path: str) -> dict[str, str]:
    path, share = os.path.abspath(path), os.path.abspath(config.share_dir)
    if path.startswith(share + os.sep):
        return {"share": os.path.relpath(path, share).replace(os.sep, "/")}
    return {"path": path}


def _limit(options: dict[str, Any]) -> float | None:
    hard = _seconds(options.get("time_limit"), "time_limit") if options.get("time_limit") is not None else None
    if hard is None:
        hard = config.time_limit
    return hard if hard and hard > 0 else None


def _seconds(value: Any, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} is a number of seconds, not {value!r}")
    return value


def _priority(value: Any) -> int:
    """1 (first) … 5 (last), 3 by default; numbers beyond count as the nearest."""
    return 3 if value is None else min(5, max(1, int(value)))


def _listed(value: Any) -> list[Canvas]:
    found = [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]
    for one in found:
        if not isinstance(one, Canvas):
            raise TypeError(f"link and link_error take signatures, not {type(one).__name__}")
    return found
