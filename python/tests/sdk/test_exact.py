"""Values between tasks: nothing is lost that the original keeps."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import uuid
from typing import Any

import pytest

from pixyz_worker import _exact, _json

KEPT = [
    datetime.datetime(2026, 11, 21, 1, 2, 3, 4),
    datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc),
    datetime.date(2026, 11, 21),
    datetime.time(1, 2, 3),
    decimal.Decimal("1.10"),
    uuid.UUID(int=5),
    b"text \xc3\xa4",
    b"\xff\x00",
    2**70,
    1.0,
    1e16,
    -0.0,
    {"10": 1, "2": 2},
    {"__type__": "datetime", "__value__": "not one"},
    {"bytes": "x", "__bytes__": True},
    math.inf,
    "\ud800",
]


@pytest.mark.parametrize("value", KEPT, ids=repr)
def test_it_arrives_as_it_was_sent(value: Any) -> None:
    back = _exact.loads(_exact.dumps({"deep": [value]}))["deep"][0]
    assert back == value and type(back) is type(value)
    if isinstance(value, dict):
        assert list(back) == list(value)


def test_tuples_become_lists_and_keys_texts() -> None:
    assert _exact.loads(_exact.dumps({1: (1, 2), None: b"x"})) == {"1": [1, 2], "null": b"x"}


def test_nan_stays_between_tasks_and_is_null_outside() -> None:
    assert math.isnan(_exact.loads(_exact.dumps([math.nan]))[0])
    assert _json.encode([math.nan]) == b"[null]"


def test_tags_of_the_original_are_understood() -> None:
    when = '{"__type__": "datetime", "__value__": "2026-11-21T00:00:00"}'
    sent = '{"when": ' + when + ', "id": {"__type__": "uuid", "__value__": {"hex": "%s"}}}'
    assert _exact.loads(sent % uuid.UUID(int=7).hex) == {
        "when": datetime.datetime(2026, 11, 21),
        "id": uuid.UUID(int=7),
    }


def test_unknown_tags_are_left_alone() -> None:
    assert _exact.loads('{"__type__": "wheel", "__value__": 4}') == {"__type__": "wheel", "__value__": 4}


@pytest.mark.parametrize("value", [{1}, object(), print])
def test_what_has_no_form_is_named_with_its_place(value: Any) -> None:
    with pytest.raises(_json.NotSerialisable, match=r"params\['a'\]\[0\] is of type"):
        _exact.dumps({"a": [value]}, "params")


@pytest.mark.parametrize("value", [[1.0], 9007199254740993, {"7": 1}, [1e300], {"__proto__": 1}, -2.0])
def test_what_javascript_would_change_is_seen(value: Any) -> None:
    assert _exact.is_lossy(json.dumps(value, separators=(",", ":")))


@pytest.mark.parametrize("value", [1, [0.5, -1.25], {"a": "1.0", "b": [None, True]}, "12", {"a7": 1}])
def test_what_javascript_keeps_needs_no_file(value: Any) -> None:
    assert not _exact.is_lossy(json.dumps(value, separators=(",", ":")))


@pytest.mark.parametrize(
    "value", [v for v in KEPT if not isinstance(v, (int, str)) and v not in (1.0, 1e16, 0.0)], ids=repr
)
def test_values_that_need_tags(value: Any) -> None:
    assert _exact.needs_tags([{"a": value}]) == (value != {"10": 1, "2": 2})


def _nested(depth: int, inner: Any) -> Any:
    for _ in range(depth):
        inner = [inner]
    return inner


def test_what_the_plain_form_can_hold_is_looked_through() -> None:
    assert not _exact.needs_tags(_nested(900, 1))
    assert _exact.needs_tags(_nested(900, b"x"))


def test_what_is_nested_too_deeply_is_told_so() -> None:
    with pytest.raises(_json.NotSerialisable, match="result is nested too deeply to be written as JSON"):
        _exact.dumps(_nested(5000, b"x"))
