"""Exceptions of the open engine.

PxzError(RuntimeError)
 +- ReadError                a file could not be read (message: what, which file, what to do)
 |   +- UnsupportedFormat    no reader or writer for this extension
 +- WriteError               a file could not be written
 +- UnknownEntity            an id that is not in the current scene
 +- MissingFunction          also an AttributeError, so that hasattr() and getattr(..., default) work
"""

from __future__ import annotations

from typing import NoReturn


class PxzError(RuntimeError):
    """Base of all errors the open engine raises on purpose."""


class ReadError(PxzError):
    """A file could not be read."""


class UnsupportedFormat(ReadError):
    """No reader or writer is registered for the extension."""


class WriteError(PxzError):
    """A file could not be written."""


class UnknownEntity(PxzError):
    """An occurrence, component, viewer or session id that does not exist (any more)."""


class MissingFunction(PxzError, AttributeError):
    """A name of the commercial module that the open engine does not have."""


def missing(module: str, name: str) -> NoReturn:
    """Raise the error of a module-level `__getattr__`; dunder names get the plain error that Python's own look-ups
    expect.
    """
    if name.startswith("__"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    raise MissingFunction(
        f"{module}.{name} is not part of the open pxz engine; it needs the real Pixyz SDK: "
        "set PIXYZ_PYTHON_PATH to the folder that holds its pxz module"
    )
