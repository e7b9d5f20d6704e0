"""The JSON form of what a script returns: one place for the rules, and sentences that say which value broke them."""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import math
import numbers
import uuid
from typing import Any


class NotSerialisable(TypeError):
    """A value that has no JSON form. The message names its type and its place."""


def encode(value: Any, root: str = "result") -> bytes:
    """JSON in UTF-8. @raise NotSerialisable with the place of the first value that has none."""
    try:
        # Nearly every result takes this path, at the speed of the C encoder.
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_scalar)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(plain(value, root), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate, as in file names that are not UTF-8
        return json.dumps(plain(value, root), allow_nan=False, separators=(",", ":")).encode()


def plain(value: Any, root: str = "result") -> Any:
    """The same value made of dict, list, str, int, float, bool and None only."""
    try:
        return _plain(value, root, [])
    except RecursionError:
        raise NotSerialisable(f"{root} is nested too deeply to be written as JSON") from None


def _plain(value: Any, place: str, parents: list[int]) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (dict, list, tuple)):
        if id(value) in parents:
            raise NotSerialisable(f"{place} contains itself, so it cannot be written as JSON")
        parents.append(id(value))
        if isinstance(value, dict):
            form: Any = {
                key_text(key, place): _plain(item, f"{place}[{key!r}]", parents) for key, item in value.items()
            }
        else:
            form = [_plain(item, f"{place}[{index}]", parents) for index, item in enumerate(value)]
        parents.pop()
        return form
    try:
        return _plain(_scalar(value), place, parents)
    except NotSerialisable as error:
        raise NotSerialisable(f"{place} {error}") if str(error).startswith("is ") else error from None


def _scalar(value: Any) -> Any:
    """The plain form of single values. Sets, functions and arbitrary objects have none."""
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (uuid.UUID, decimal.Decimal)):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    # Numbers of numerical libraries say what they are through Python's number classes.
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational):
        return float(value) if math.isfinite(value) else None
    raise NotSerialisable(f"is of type {_type_name(value)}, which cannot be written as JSON")


def key_text(key: Any, place: str) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, (bool, int, float)):
        return json.dumps(key, allow_nan=True)
    try:
        scalar = _scalar(key)
    except NotSerialisable as error:
        raise NotSerialisable(f"a key of {place} {error}") from None
    return scalar if isinstance(scalar, str) else json.dumps(scalar)


def _type_name(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
