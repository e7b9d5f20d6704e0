"""Loading a script as the module `external` and finding its entrypoint."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

MODULE = "external"


class NoEntrypoint(AttributeError):
    """The script has no function of that name, or it is not one that can be run."""


def load(path: str, module_name: str = MODULE) -> ModuleType:
    """Runs the file's module-level code. Writes no bytecode: the script lies in a job's folder."""
    with open(path, "rb") as file:
        return load_source(file.read(), path, module_name)


def load_source(source: bytes, path: str, module_name: str) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(module_name, path)
    spec = importlib.util.spec_from_file_location(module_name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    code = loader.source_to_code(source, path)
    sys.modules[module_name] = module
    exec(code, module.__dict__)
    return module


def entrypoint_of(module: ModuleType, name: str) -> Callable[[Any, Any], Any]:
    function = getattr(module, name, None)
    if function is None:
        known = sorted(
            key for key, value in vars(module).items() if inspect.isfunction(value) and value.__module__ == MODULE
        )
        has = f"its functions are {', '.join(known)}" if known else "it has no function at all"
        raise NoEntrypoint(f"the script has no function {name!r}: {has}")
    if not callable(function):
        raise NoEntrypoint(f"{name!r} in the script is not a function but of type {type(function).__name__}")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise NoEntrypoint(f"the function {name!r} is async: an entrypoint has to be a plain function")
    entrypoint: Callable[[Any, Any], Any] = function
    return entrypoint
