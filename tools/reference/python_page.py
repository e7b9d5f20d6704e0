"""`docs/reference/python.md` from the docstrings of what scripts can import, on standard output.

Run by `npm run reference`, with `python/` and `python/shims` as PYTHONPATH. A public name without a docstring ends it:
a reference with holes is not made.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

HEAD = """# Python reference

Everything that scripts can import, from the docstrings of the SDK: made by `npm run reference`, not by hand. What it is
for, with examples, stands in [sdk](../sdk.md) and in the [tutorial](../tutorial.md).
"""

MODULES = [
    ("pixyz_worker.script", "`from pixyz_worker.script import *` brings these names, and the modules `os` and `sys`."),
    ("pixyz_worker", "`from pixyz_worker import *` brings these on top of what stands above."),
    ("celery.result", "Handles of what was sent, under Celery's names: `from celery.result import AsyncResult`."),
    ("celery.exceptions", "Exceptions under Celery's names."),
]
ENGINE = ["core", "io", "scene", "material", "algo", "view", "geom"]
SETTINGS = {
    "app": "stands where scripts expect the Celery application; there is none behind it",
    "cleanup_delay": "`CLEANUP_DELAY`, seconds",
    "debug": "`DEBUG`",
    "log_level": "`LOGLEVEL`",
    "share_dir": "`SHARE_PATH`",
    "supported_archive": "endings of archives that are unpacked",
    "version": "version of the script interface",
}

missing: list[str] = []


def main() -> None:
    told: set[str] = set()
    parts = [HEAD]
    for name, intro in MODULES:
        module = importlib.import_module(name)
        parts += [f"## {name}", intro, *sections(module, told)]
    parts += [
        "## pxz",
        "The open engine of this project. Where the commercial module is installed, its own documentation counts. "
        "Lengths are millimetres, angles degrees.",
    ]
    for name in ENGINE:
        module = importlib.import_module(f"pxz.{name}")
        parts += [f"### pxz.{name}", first_paragraph(module), table(functions_of(module))]
    if missing:
        sys.exit("no docstring: " + ", ".join(missing))
    print("\n\n".join(part.strip() for part in parts))


def sections(module: ModuleType, told: set[str]) -> Iterator[str]:
    names = [name for name in module.__all__ if name not in told and not inspect.ismodule(getattr(module, name))]
    told.update(names)
    objects = {name: getattr(module, name) for name in names}
    classes = {name: one for name, one in objects.items() if inspect.isclass(one)}
    exceptions = {name: one for name, one in classes.items() if issubclass(one, BaseException)}
    # An object that is called and sent, such as `pixyz_execute`, has members to tell of.
    tasks = {name: one for name, one in objects.items() if hasattr(one, "apply_async") and name not in classes}
    functions = {name: one for name, one in objects.items() if inspect.isfunction(one)}
    settings = {name for name in objects if name not in {*classes, *tasks, *functions}}
    for name in sorted({*classes, *tasks} - set(exceptions), key=str.lower):
        one = objects[name]
        kind = one if inspect.isclass(one) else type(one)
        shown = f"class {name}{arguments(one)}" if inspect.isclass(one) else name
        yield f"### {name}"
        yield f"`{shown}`"
        yield text(one, f"{module.__name__}.{name}")
        rows = [
            (f"{member}{suffix}", text(value, f"{name}.{member}"))
            for member, (suffix, value) in sorted(members(kind).items())
        ]
        if rows:
            yield table(rows, "Member")
    if functions:
        yield f"### Functions of {module.__name__}" if module.__name__ == "pixyz_worker" else "### Functions"
        yield table([(f"{name}{arguments(one)}", text(one, name)) for name, one in sorted(functions.items())])
    if exceptions:
        yield f"### Exceptions of {module.__name__}"
        yield table([(base_of(one), text(one, name)) for name, one in sorted(exceptions.items())], "Exception")
    if settings:
        yield "### Settings"
        yield table([(name, SETTINGS[name]) for name in sorted(settings)], "Name")


def functions_of(module: ModuleType) -> list[tuple[str, str]]:
    objects = [(name, getattr(module, name)) for name in sorted(module.__all__, key=str.lower)]
    return [
        (name if issubclass(type(one), type) and not callable_with(one) else f"{name}{arguments(one)}", text(one, name))
        for name, one in objects
    ]


def callable_with(one: Any) -> bool:
    return not issubclass(type(one), type(importlib.import_module("enum").Enum))


def members(kind: type) -> dict[str, tuple[str, Any]]:
    """Public methods and properties of a class and of those of ours that it extends, with how they are written."""
    found: dict[str, tuple[str, Any]] = {}
    for base in reversed(kind.__mro__):
        if base.__module__ == "abc" or hasattr(builtins, base.__name__):
            continue
        for name, value in vars(base).items():
            if name.startswith("_"):
                continue
            if isinstance(value, property):
                found[name] = ("", value.fget)
            elif inspect.isfunction(getattr(value, "__func__", value)):
                function = getattr(value, "__func__", value)
                found[name] = (arguments(function, bound=not isinstance(value, staticmethod)), function)
    return found


def arguments(one: Any, bound: bool = False) -> str:
    """As it is written in a call: names and defaults, without types."""
    signature = inspect.signature(one)
    parameters = list(signature.parameters.values())[1 if bound else 0 :]
    shown = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    return str(signature.replace(parameters=shown, return_annotation=inspect.Signature.empty))


def base_of(one: type) -> str:
    base = one.__bases__[0].__name__
    return one.__name__ if base == "Exception" else f"{one.__name__}({base})"


def text(one: Any, name: str) -> str:
    # Only its own: what a class inherits from `dict` or `Exception` says nothing of it.
    own = one.__dict__.get("__doc__") if inspect.isclass(one) else inspect.getdoc(one)
    if not own:
        missing.append(name)
        return ""
    return inspect.cleandoc(own).replace("@raise", "Raises")


def first_paragraph(module: ModuleType) -> str:
    return text(module, module.__name__).split("\n\n")[0]


def table(rows: list[tuple[str, str]], head: str = "Call") -> str:
    lines = [f"| `{cell(call)}` | {cell(what)} |" for call, what in rows]
    return "\n".join([f"| {head} | What |", "| --- | --- |", *lines])


def cell(value: str) -> str:
    paragraphs = [" ".join(paragraph.split()) for paragraph in value.split("\n\n")]
    return "<br>".join(paragraphs).replace("|", "\\|")


if __name__ == "__main__":
    main()
