"""What scripts import: `from pixyz_worker.script import *`."""

from __future__ import annotations

import os
import sys

from pixyz_worker._canvas import chain, chord, chunks, group, pixyz_execute, subtask_async
from pixyz_worker._decorator import pixyz_schedule
from pixyz_worker.license import License, PiXYZSession
from pixyz_worker.local import LocalPixyzTask
from pixyz_worker.pc import ProgramContext

__all__ = [
    "License",
    "LocalPixyzTask",
    "PiXYZSession",
    "ProgramContext",
    "chain",
    "chord",
    "chunks",
    "group",
    "os",
    "pixyz_execute",
    "pixyz_schedule",
    "subtask_async",
    "sys",
]
