"""Reads what a script says of itself, without running it: `python -m pixyz_worker._inspect`, for the API.

One JSON object a line on standard input, one answer a line on standard output:

    {"id": 1, "path": "/…/script.py", "entrypoint": "main"}
      -> {"id": 1, "ok": true, "settings": {"queue": "gpu"}, "doc": "What it does."}
      -> {"id": 1, "ok": false, "problem": "the script has no function 'main': its functions are load, save"}
    {"id": 2, "kind": "doc", "path": "/…/script.py"}
      -> {"id": 2, "ok": true, "doc": ""}          (`doc` is "" where `main` has no docstring, null where there is no
      `main`)
"""

from __future__ import annotations

import ast
import inspect
import json
import math
import sys
import warnings
from collections.abc import Iterator
from typing import Any

_MAX_BYTES = 16 << 20
_DECORATOR = "pixyz_schedule"

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Problem(Exception):
    """A sentence about the script for the person who sent it."""


def parse(path: str) -> ast.Module:
    try:
        with open(path, "rb") as file:
            source = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise Problem(f"the script cannot be read: {error.strerror or error}") from None
    if len(source) > _MAX_BYTES:
        raise Problem(f"the script is larger than {_MAX_BYTES >> 20} MiB")
    if b"\0" in source:
        raise Problem("the script is not Python source: it contains NUL bytes")
    try:
        return ast.parse(source)
    except SyntaxError as error:
        if not _is_utf8(source) and (
            error.lineno in (None, 0) or "codec" in str(error.msg) or "encoding" in str(error.msg)
        ):
            raise Problem("the script is not UTF-8 text (a file in another encoding needs a coding line)") from None
        line = f" in line {error.lineno}" if error.lineno else ""
        raise Problem(f"the script has a syntax error{line}: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise Problem("the script is nested too deeply to be read") from None
    except ValueError as error:
        raise Problem(f"the script is not Python source: {error}") from None


def _is_utf8(source: bytes) -> bool:
    try:
        source.decode()
    except UnicodeDecodeError:
        return False
    return True


def _module_level(body: list[ast.stmt]) -> Iterator[_Function]:
    """Functions that end up as attributes of the module, also those defined under `if`, `try` or `with`."""
    for statement in body:
        if isinstance(statement, _Function):
            yield statement
        elif isinstance(statement, (ast.If, ast.Try, ast.With)):
            for field in ("body", "handlers", "orelse", "finalbody"):
                for inner in getattr(statement, field, ()):
                    yield from _module_level(inner.body if isinstance(inner, ast.ExceptHandler) else [inner])


def find(tree: ast.Module, name: str) -> ast.FunctionDef:
    """The function that `name` stands for when the module has been loaded."""
    functions = list(_module_level(tree.body))
    found = [function for function in functions if function.name == name]
    if found:
        if isinstance(found[-1], ast.AsyncFunctionDef):
            raise Problem(f"the function {name!r} is async: an entrypoint has to be a plain function")
        return found[-1]
    if any(isinstance(node, _Function) and node.name == name for node in ast.walk(tree)):
        raise Problem(
            f"the function {name!r} is inside another function or class: an entrypoint has to be at module level"
        )
    known = ", ".join(sorted({function.name for function in functions if isinstance(function, ast.FunctionDef)}))
    raise Problem(
        f"the script has no function {name!r}: {f'its functions are {known}' if known else 'it has no function at all'}"
    )


def settings_of(function: ast.FunctionDef) -> dict[str, Any]:
    """Literal keyword arguments of the innermost `pixyz_schedule(...)`; anything computed is left out."""
    for decorator in reversed(function.decorator_list):  # the last one written is the innermost
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
        if name != _DECORATOR:
            continue
        if not isinstance(decorator, ast.Call):
            return {}
        return dict(_literals(decorator.keywords))
    return {}


def _literals(keywords: list[ast.keyword]) -> Iterator[tuple[str, Any]]:
    for keyword in keywords:
        if keyword.arg is None:  # **something
            continue
        try:
            value = ast.literal_eval(keyword.value)
            json.dumps(value, allow_nan=False)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
        if not (isinstance(value, float) and not math.isfinite(value)):
            yield keyword.arg, value


def doc_of(function: _Function) -> str:
    return inspect.cleandoc(ast.get_docstring(function, clean=False) or "")


def answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        tree = parse(request["path"])
        if request.get("kind") == "doc":
            mains = [function for function in _module_level(tree.body) if function.name == "main"]
            return {"ok": True, "doc": doc_of(mains[-1]) if mains else None}
        function = find(tree, request["entrypoint"])
        settings = settings_of(function)
        other = settings.get("entrypoint")
        if isinstance(other, str) and other != request["entrypoint"]:
            find(tree, other)
        return {"ok": True, "settings": settings, "doc": doc_of(function)}
    except Problem as problem:
        return {"ok": False, "problem": str(problem)}


def main() -> None:
    warnings.simplefilter("ignore")  # of the parser, about the user's source
    for line in sys.stdin.buffer:
        request = json.loads(line)
        reply = {"id": request.get("id"), **answer(request)}
        sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
