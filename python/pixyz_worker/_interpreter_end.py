"""What Python does at the end of an interpreter, for a child, which ends by `os._exit` and so does it itself."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time

_TRACKER_S = 1.0


def forget_exit_functions() -> None:
    """Those of the host's libraries are for the host's end: run in a child they take time, or delete what is still in
    use."""
    atexit._clear()
    atexit.register(logging.shutdown)
    if "multiprocessing.util" in sys.modules:
        atexit.register(sys.modules["multiprocessing.util"]._exit_function)


def finish() -> None:
    """What the interpreter does at its end: waits for threads, runs exit functions. Time limit and cancel still
    hold."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        _finish_resource_tracker()
    except BaseException as error:
        warn(error)


def _finish_resource_tracker() -> None:
    """The process in which multiprocessing notes shared memory deletes at its end what the script has left. The host
    would kill it before it has done so, and each such job would keep memory of the machine."""
    tracker = getattr(sys.modules.get("multiprocessing.resource_tracker"), "_resource_tracker", None)
    if tracker is None or tracker._fd is None or tracker._pid is None:
        return
    os.close(tracker._fd)
    tracker._fd = None
    deadline = time.monotonic() + _TRACKER_S  # a process that the script leaves behind may keep it running
    try:
        while os.waitpid(tracker._pid, os.WNOHANG)[0] == 0 and time.monotonic() < deadline:
            time.sleep(0.002)
    except ChildProcessError:  # it is not this process's own, or has ended
        pass


def warn(error: BaseException) -> None:
    logging.getLogger("pixyz_worker").warning("at the end of the script: %s: %s", type(error).__name__, error)
