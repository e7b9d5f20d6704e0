"""JSON text that keeps what JSON has no form for: how values travel between tasks.

Type tags are those of the original, so that parameters written by its clients mean the same here: `{"__type__":
"datetime", "__value__": "2026-11-21T00:00:00"}` and `{"bytes": "…", "__bytes__": true}`. Tuples become lists, keys
texts; NaN and Infinity stay, as Python writes them. Clients of the API see the plain form (`_json`) instead.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import math
import re
import uuid
from collections.abc import Callable
from typing import Any

from pixyz_worker import _json

_MARKS = ('"__type__"', '"__bytes__"', '"__base64__"')
_TAGGED = frozenset({"__type__", "__value__"})
_BYTES = (frozenset({"bytes", "__bytes__"}), frozenset({"bytes", "__base64__"}))

_LOSSY = re.compile(
    r"(?:^|[\[:,])-?(?:\d{16}|\d+\.0(?!\d)|\d+(?:\.\d+)?[eE])"  # large integers, 1.0, 1e+16
    r'|"\d+":|__proto__'  # keys that JavaScript puts into another order, or knows better
)
"""Compact JSON that JavaScript would not write back as it was. Text in strings may match, too: that costs a file, no
more."""


def is_lossy(text: str) -> bool:
    """Whether JSON text changes on its way through JavaScript."""
    return _LOSSY.search(text) is not None


def dumps(value: Any, root: str = "result") -> str:
    """@raise NotSerialisable with the place of the first value that has no form."""
    try:
        return json.dumps(_tagged(value, root, []), separators=(",", ":"))
    except RecursionError:
        raise _json.NotSerialisable(f"{root} is nested too deeply to be written as JSON") from None


def loads(text: str) -> Any:
    if any(mark in text for mark in _MARKS):
        return json.loads(text, object_hook=_untagged)
    return json.loads(text)


def needs_tags(value: Any) -> bool:
    """Whether the plain form would lose a type."""
    # A list and no recursion: what the JSON encoder of C manages has to be managed here, too.
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if one is None or isinstance(one, (bool, str, int)):
            continue
        if isinstance(one, float):
            if not math.isfinite(one):
                return True
        elif isinstance(one, dict):
            if _looks_tagged(one):
                return True
            waiting.extend(one.values())
        elif isinstance(one, (list, tuple)):
            waiting.extend(one)
        elif _tag_of(one) is not None:
            return True
    return False


def _tagged(value: Any, place: str, parents: list[int]) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, (dict, list, tuple)):
        if id(value) in parents:
            raise _json.NotSerialisable(f"{place} contains itself, so it cannot be written as JSON")
        parents.append(id(value))
        if isinstance(value, dict):
            form: Any = {
                _json.key_text(key, place): _tagged(item, f"{place}[{key!r}]", parents) for key, item in value.items()
            }
            if _looks_tagged(form):
                form = {"__type__": "dict", "__value__": list(form.items())}
        else:
            form = [_tagged(item, f"{place}[{index}]", parents) for index, item in enumerate(value)]
        parents.pop()
        return form
    tag = _tag_of(value)
    return tag if tag is not None else _json.plain(value, place)


def _tag_of(value: Any) -> dict[str, Any] | None:
    if isinstance(value, datetime.datetime):
        return {"__type__": "datetime", "__value__": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"__type__": "date", "__value__": value.isoformat()}
    if isinstance(value, datetime.time):
        return {"__type__": "time", "__value__": value.isoformat()}
    if isinstance(value, decimal.Decimal):
        return {"__type__": "decimal", "__value__": str(value)}
    if isinstance(value, uuid.UUID):
        return {"__type__": "uuid", "__value__": {"hex": value.hex}}
    if isinstance(value, (bytes, bytearray, memoryview)):
        raw = bytes(value)
        try:
            return {"bytes": raw.decode(), "__bytes__": True}
        except UnicodeDecodeError:
            return {"bytes": base64.b64encode(raw).decode(), "__base64__": True}
    return None


def _looks_tagged(form: dict[Any, Any]) -> bool:
    return form.keys() == _TAGGED or form.keys() in _BYTES


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "decimal": decimal.Decimal,
    "uuid": lambda form: uuid.UUID(**form),
    "dict": dict,
}


def _untagged(form: dict[str, Any]) -> Any:
    keys = form.keys()
    if keys == _TAGGED and form["__type__"] in _DECODERS:
        return _DECODERS[form["__type__"]](form["__value__"])
    if keys == _BYTES[0]:
        return str(form["bytes"]).encode()
    if keys == _BYTES[1]:
        return base64.b64decode(form["bytes"])
    return form
