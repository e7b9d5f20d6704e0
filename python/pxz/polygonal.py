"""Imported by many scripts, called by none: it has no functions in the open engine, and says so when asked for one."""

from __future__ import annotations

from typing import NoReturn

from ._engine.errors import missing


def __getattr__(name: str) -> NoReturn:
    missing("pxz.polygonal", name)
