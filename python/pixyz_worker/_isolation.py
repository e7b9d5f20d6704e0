"""Running code of a script from another script. The engine itself isolates in `_child`."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pixyz_worker import _loader
from pixyz_worker.exception import (
    PixyzExceptionUnpickleableExceptionWrapper,
    PixyzExitFault,
    PixyzSignalFault,
    PixyzTimeout,
)
from pixyz_worker.pc import ProgramContext

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


class ExternalPythonCode:
    """A script file, loaded as a module."""

    def __init__(self, source: str, module_name: str = _loader.MODULE) -> None:
        self.source = source
        self.module = _loader.load(source, module_name)

    def execute(self, pc: ProgramContext) -> Any:
        """Calls the context's entrypoint, in this process."""
        return _loader.entrypoint_of(self.module, pc["entrypoint"])(pc, pc.get("params", {}))


class SignalSafeExecution:
    """Calls a function in a process of its own, whose crash or endless loop is only an exception here."""

    @staticmethod
    def run(
        func: Callable[..., Any],
        pc: ProgramContext,
        kwargs: Mapping[str, Any] | None = None,
        time_limit: float | None = None,
    ) -> Any:
        """`func(pc, **kwargs)` in a forked process; its value.

        @raise PixyzTimeout, PixyzSignalFault or PixyzExitFault when the process was ended; else what `func` raises
        """
        import multiprocessing  # here: its exit function would cost every task of every script

        context = multiprocessing.get_context("fork")
        receive, send = context.Pipe(duplex=False)
        process = context.Process(target=_call, args=(send, func, pc, dict(kwargs or {})))
        process.start()
        send.close()
        with receive:
            try:
                if not receive.poll(time_limit):
                    raise PixyzTimeout(f"the call took longer than its time limit of {time_limit} s")
                succeeded, value = receive.recv()
            except EOFError:
                process.join()
                raise _fault_of(process.exitcode or 0) from None
            except PixyzTimeout:
                process.kill()
                raise
            finally:
                process.join()
        if succeeded:
            return value
        raise value


def _call(send: Connection, func: Callable[..., Any], pc: ProgramContext, kwargs: dict[str, Any]) -> None:
    try:
        outcome = (True, func(pc, **kwargs))
    except Exception as error:
        outcome = (False, error)
    try:
        send.send(outcome)
    except Exception as error:
        value = outcome[1] if isinstance(outcome[1], Exception) else error
        send.send((False, PixyzExceptionUnpickleableExceptionWrapper(value)))


def _fault_of(exit_code: int) -> Exception:
    if exit_code < 0:
        return PixyzSignalFault(f"{-exit_code} (killed by {signal.Signals(-exit_code).name})")
    return PixyzExitFault(f"{exit_code} (the process ended with exit code {exit_code})")
