"""Results as JSON."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixyz_worker._json import NotSerialisable, encode, plain

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_json_stays_as_it_is(value: Any) -> None:
    assert json.loads(encode(value)) == value
    assert plain(value) == value


@given(st.recursive(JSON | st.floats() | st.binary(max_size=3) | st.dates(), lambda inner: st.tuples(inner, inner)))
def test_the_quick_way_and_the_thorough_way_agree(value: Any) -> None:
    try:
        thorough = plain(value)
    except NotSerialisable:
        with pytest.raises(NotSerialisable):
            encode(value)
    else:
        assert json.loads(encode(value)) == thorough


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ((1, (2,)), [1, [2]]),
        ({1: 2, 1.5: 3, None: 4, False: 5}, {"1": 2, "1.5": 3, "null": 4, "false": 5}),
        ({uuid.UUID(int=1): 1}, {"00000000-0000-0000-0000-000000000001": 1}),
        (datetime.time(1, 2), "01:02:00"),
        (decimal.Decimal("1.10"), "1.10"),
        (b"abc", "abc"),
        ([float("nan"), float("-inf")], [None, None]),
        ("\ud800", "\ud800"),
    ],
)
def test_conversions(value: Any, form: Any) -> None:
    assert json.loads(encode(value)) == form


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({1}, "result is of type set, which"),
        ({"a": [0, object()]}, "result['a'][1] is of type object"),
        ({"f": print}, "result['f'] is of type builtin_function_or_method"),
        ({(1, 2): 3}, "a key of result is of type tuple"),
        ({"x": uuid}, "result['x'] is of type module"),
    ],
)
def test_what_has_no_form_is_named_with_its_place(value: Any, sentence: str) -> None:
    with pytest.raises(NotSerialisable) as caught:
        encode(value)
    assert str(caught.value).startswith(sentence)


def test_values_that_contain_themselves() -> None:
    value: dict[str, Any] = {}
    value["self"] = [value]
    with pytest.raises(NotSerialisable, match=r"result\['self'\]\[0\] contains itself"):
        encode(value)
    shared = [1]
    assert json.loads(encode({"a": shared, "b": shared, "n": float("nan")})) == {"a": [1], "b": [1], "n": None}


def test_values_that_are_too_deep() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(NotSerialisable, match="nested too deeply"):
        encode(value)
