"""The context of a sub-task on its way: what `_compile` packed, made a context again where the task runs."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

from pixyz_worker import _exact, config

_WORTH_SHARING = 200
"""Characters of a packed context from which a file is smaller than saying it twice."""

MARK = "__canvas__"
"""Key of a node's context: the rest of `pc` as exact JSON text, which JavaScript only passes on."""
SHARED = "__canvas__shared"
"""Key of a node's context, instead of `MARK`: place on the share of a file with that text, among the graph's inputs."""
SOFT = "__canvas__soft"
"""Key of a node's context: its soft time limit in seconds."""
FAILED = "__canvas__failed"
"""Key of a node's context: it is called because one of these nodes has failed."""
CALLS = "__canvas__calls"
"""Key of the packed context: it is several calls, one after another."""


@dataclasses.dataclass(frozen=True)
class Packed:
    """What a canvas says to the process that runs one of its tasks."""

    context: dict[str, Any]
    """Keys of `pc`; a clone has its parent's `params` among them."""
    calls: list[dict[str, Any]] | None = None
    soft_limit: float | None = None
    failed: list[int] | None = None


def share_texts(nodes: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Nodes whose packed contexts stand in few files, where several have the same: a group of a thousand clones."""
    counts = Counter(node["context"].get(MARK) for node in nodes)
    files: dict[str, str] = {}
    changed = []
    for node in nodes:
        text = node["context"].get(MARK)
        if text is None or counts[text] < 2 or len(text) < _WORTH_SHARING:
            changed.append(node)
            continue
        name = f"context-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
        files[name] = text
        rest = {key: value for key, value in node["context"].items() if key != MARK}
        changed.append({**node, "context": {**rest, SHARED: name}})
    return changed, files


def unpack(given: dict[str, Any], job: str = "") -> Packed:
    """Takes the keys of canvases out of a node's context. A job that no canvas sent has none."""
    rest = {key: value for key, value in given.items() if not key.startswith(MARK)}
    if SHARED in given:
        text = _shared_text(given[SHARED], job)
    elif MARK in given:
        text = given[MARK]
    else:
        return Packed(rest)
    packed = _exact.loads(text)
    return Packed({**rest, **packed}, packed.pop(CALLS, None), given.get(SOFT), given.get(FAILED))


def _shared_text(place: str, job: str) -> str:
    # A graph that is repeated has its inputs again; a single job that is, leans on those of the first graph.
    own = os.path.join(config.share_dir, f"{job[:28]}00000000", "inputs", os.path.basename(place))
    path = own if os.path.exists(own) else os.path.join(config.share_dir, place)
    with open(path, encoding="utf-8") as file:
        return file.read()
