"""Names of Celery that Pixyz scripts import: not Celery.

Scripts written for the Celery-based scheduler say `from celery import chain` and mean the canvases of
`pixyz_execute`. This package gives them ours. It is NOT Celery: there is no `Celery` application, no broker, no
worker, no `shared_task`, no settings, no signals, no beat, no result backend, and tasks other than `pixyz_execute`
and the engine's own cannot be sent. Whoever needs the real one in a script imports it in a process of its own,
started without this folder on its path.

Where it stands: on a worker before site-packages (`PYTHONPATH`), so it wins over an installed Celery, because scripts
hand our tasks to these names. In local mode it is put last on the path, and only where no Celery is installed.
"""

from typing import NoReturn

from pixyz_worker._canvas import chain, chord, chunks, group
from pixyz_worker._canvas._signatures import Signature

__all__ = ["Signature", "chain", "chord", "chunks", "group"]
__version__ = "0.0.0+pixyz"

_MISSING = {
    "Celery": "there is no application and no broker here",
    "Task": "tasks are functions of scripts: pixyz_execute.s(params, pc)",
    "shared_task": "tasks are functions of scripts: pixyz_execute.s(params, pc)",
    "current_app": "there is no application here",
    "current_task": "the running task is pc['task']",
    "signature": "write pixyz_execute.s(params, pc)",
    "xmap": "write group(pixyz_execute.s(params, pc) for params in …)",
    "xstarmap": "write pixyz_execute.chunks(calls, n)",
}


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(name)
    hint = _MISSING.get(name, "only chain, group, chord, chunks, celery.result and celery.exceptions are")
    # Not AttributeError: `from celery import …` would make a sentence of its own of that.
    raise ImportError(f"celery.{name}: this is the Pixyz scheduler's stand-in for Celery, not Celery: {hint}")
