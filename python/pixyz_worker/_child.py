"""A single-use child: gets ready, waits for one task, runs it, tells what came of it, ends.

The host forks it or (`python -m pixyz_worker._child`) starts it. All code of users runs here and nowhere else. Rules:

1. Messages go over a socket that nothing else writes to; descriptors 1 and 2 lead to the attempt's log from the moment
the
   task is taken, so native prints and grandchildren write there, too.
2. The outcome is sent when everything of the user's has ended: its threads and its exit functions.
3. The process ends by `os._exit`: no clean-up of a library may turn a told outcome into a crash.
"""

from __future__ import annotations

import contextlib
import datetime
import faulthandler
import json
import os
import random
import signal
import stat
import sys
import traceback
from collections.abc import Iterator
from typing import Any, NoReturn, cast

from pixyz_worker import _archive, _exact, _failure, _interpreter_end, _json, _loader, _processes
from pixyz_worker._canvas._calls import run_calls
from pixyz_worker._canvas._context import Packed, unpack
from pixyz_worker._canvas._errors import SoftTimeLimitExceeded
from pixyz_worker._canvas._session import WorkerSession, use
from pixyz_worker._canvas._share import failure_of
from pixyz_worker._task import Request, Task
from pixyz_worker._wire import Wire
from pixyz_worker.exception import PixyzExitFault, PixyzFileNotFound
from pixyz_worker.license import License, PiXYZSession
from pixyz_worker.pc import ProgramContext
from pixyz_worker.progress import TaskProgress

_FRAME_ROOM = 8 << 20


def prepare() -> None:
    """What lasts over a fork, so that it is done once: by the host, or by a child that was started."""
    faulthandler.enable(file=2)
    if hasattr(faulthandler, "register"):
        # The host sends it before it ends a script: the log then shows where the script was. Works inside native code,
        # too.
        faulthandler.register(signal.SIGUSR1, file=2, all_threads=True)
    for stream in (sys.stdout, sys.stderr):
        cast(Any, stream).reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def serve(config: dict[str, Any], parent: int) -> NoReturn:
    """Becomes ready, runs one task, ends."""
    _processes.die_with_parent(parent)
    _interpreter_end.forget_exit_functions()
    os.setsid()  # a session of its own: signals to its group reach what the script starts, and nothing else
    wire = Wire.connect(config["socket"])
    _reseed()
    try:
        _open_session(config)
    except Exception as error:
        code = "LICENCE" if isinstance(error, RuntimeError) and "licence" in str(error) else "PIXYZ"
        wire.send({"t": "refused", "pid": os.getpid(), "code": code, "message": str(error)})
        os._exit(0)
    pid = os.getpid()
    mark = _processes.Mark(_processes.ATTEMPT)
    log = _Log(os.path.join(config["folder"], f"{pid}.log"))
    input_dir = _private_folder(config["scratch"], pid)
    rehearse(input_dir)
    wire.send({"t": "hello", "pid": pid, "log": log.path, "inputDir": input_dir})
    task = wire.receive()
    if task is None:
        os._exit(0)  # not needed any more
    log.redirect()
    mark.set(task["attemptId"])
    try:
        _run(task, wire, config, input_dir, mark, log)
    except BaseException as error:
        with contextlib.suppress(OSError, ValueError):  # the script may have closed its output, too
            traceback.print_exc()
        _tell_broken(config, error)
        os._exit(70)
    os._exit(0)


def _private_folder(scratch: str, pid: int) -> str:
    """An empty folder for the task. The runner keeps some that scripts before have left empty: renaming one costs a
    tenth of making one."""
    path = os.path.join(scratch, f"{pid}.input")
    for spare in ("spare-1", "spare-2", "spare-3", "spare-4"):
        try:
            os.rename(os.path.join(scratch, spare), path)
        except FileNotFoundError:
            continue
        # Scripts of one worker share a user: one could have put something else in its place.
        if stat.S_ISDIR(os.lstat(path).st_mode) and not os.listdir(path):
            os.chmod(path, 0o700)
            return path
        os.rename(path, f"{path}.strange")
    os.mkdir(path, 0o700)
    return path


def _tell_broken(config: dict[str, Any], error: BaseException) -> None:
    """The script has closed or used our socket: says so on a fresh one, and waits until it was heard."""
    try:
        wire = Wire.connect(config["socket"])
        wire.send({"t": "broken", "pid": os.getpid(), "detail": f"{type(error).__name__}: {error}"})
        wire.receive()
    except OSError:
        pass


class _Log:
    """A pipe with a name, through which the runner reads what the script prints.

    A pipe and not a socket: programs may then open /dev/stdout. Opening for reading and writing does not wait for the
    runner; that end is closed once the runner reads, which it does before it sends a task.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        os.mkfifo(path, 0o600)
        self._both = os.open(path, os.O_RDWR)
        self._write = os.open(path, os.O_WRONLY)

    def redirect(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(self._write, 1)
        os.dup2(self._write, 2)
        os.close(self._write)
        os.close(self._both)

    def close(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)


def _reseed() -> None:
    """Forked children share the state of generators; without this all scripts would draw the same numbers."""
    random.seed()
    # Looked up as a module of its own: asking numpy for it would load it.
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def _open_session(config: dict[str, Any]) -> None:
    license = License.from_config()
    if config["pixyzDisabled"]:
        return
    if license.is_acquire_at_start():
        PiXYZSession.initialize_at_start_if_needed(license)
    else:
        PiXYZSession.initialize(mandatory=config["pixyzMandatory"])


def _release_session() -> None:
    """Gives the licence token back. The open engine has none, and its memory goes with the process."""
    try:
        PiXYZSession.release()
    except Exception as error:
        print(f"the Pixyz session could not be released: {error}", file=sys.stderr)


def _limit_memory(limit: int | None) -> None:
    """Lets Python raise MemoryError where it can: what is there already does not count. Grandchildren are watched by
    the host."""
    if limit is None or sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    room = _processes.address_space_bytes() + limit
    if hard == resource.RLIM_INFINITY or room < hard:
        resource.setrlimit(resource.RLIMIT_AS, (room, hard))


def _lift_memory_limit() -> None:
    """Telling of a MemoryError needs some memory, too."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def rehearse(folder: str) -> None:
    """Goes through the motions of a task once. A page that is first written after a fork has to be copied, and that
    time is better spent before the task is there."""
    task: dict[str, Any] = {
        "attemptId": "",
        "jobId": "",
        "script": os.devnull,
        "entrypoint": "main",
        "params": "{}",
        "context": {},
        "data": None,
        "rootFile": None,
        "outputDir": folder,
        "computeOnly": True,
        "raw": False,
        "memoryLimit": None,
    }
    pc, progress = _context(task, unpack(task["context"]), None, folder)
    module = _loader.load_source(b"def main(pc, params):\n    return {'a': 1}\n", "rehearsal", _loader.MODULE)
    value = _loader.entrypoint_of(module, "main")(pc, pc["params"])
    del sys.modules[_loader.MODULE]
    _success(value, {**task, "resultFile": os.path.join(folder, "result.json")}, {"resultInlineBytes": 1 << 10})
    progress.stop()
    json.loads(json.dumps(task))


def _run(
    task: dict[str, Any],
    wire: Wire,
    config: dict[str, Any],
    input_dir: str,
    mark: _processes.Mark,
    log: _Log,
) -> None:
    pid = os.getpid()
    sys.argv = [task["script"]]
    progress: TaskProgress | None = None
    reply: dict[str, Any]
    stage = "prepare"
    try:
        _limit_memory(task["memoryLimit"])
        use(WorkerSession(wire, task["jobId"]))
        packed = unpack(task["context"], task["jobId"])
        # For scripts, and programs they start, that write traces of their own: theirs go on with ours.
        if (trace := packed.context.get("traceparent")) is not None:
            os.environ["TRACEPARENT"] = trace
        pc, progress = _context(task, packed, wire, input_dir)
        if packed.calls is None:
            _prepare_input(pc, progress)
        wire.send({"t": "begin"})
        stage = "load"
        with _soft_limit(packed.soft_limit):
            if packed.calls is None:
                module = _loader.load(task["script"])
                function = _loader.entrypoint_of(module, task["entrypoint"])
                stage = "run"
                value = function(pc, pc["params"])
            else:
                stage = "run"
                value = run_calls(packed.calls, pc)
        stage = "result"
        reply = _success(value, task, config)
    except _loader.NoEntrypoint as error:
        reply = _fault(error, kind="invalid", rename="AttributeError")
    except _json.NotSerialisable as error:
        reply = _fault(error, kind="invalid" if stage == "result" else None, rename="TypeError")
    except SystemExit as error:
        reply = _exit(error, stage)
    except MemoryError as error:
        reply = _out_of_memory(error, task["memoryLimit"])
    except BaseException as error:
        reply = _fault(error, kind="invalid" if stage == "prepare" and isinstance(error, Exception) else None)
    if os.getpid() != pid:
        os._exit(0)  # a fork of the script that ran on to here: the outcome is its parent's to tell
    _interpreter_end.finish()
    if progress is not None:
        _stop(progress)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # closed or replaced by the script
            pass
    # The kernel needs milliseconds to take a large process apart. The runner does not wait for that when it knows that
    # the
    # script is over: no process of it is left, and nothing more can come into its log.
    releases = config["pixyzMandatory"] and not config["pixyzDisabled"]
    reply["alone"] = not releases and _processes.is_alone()
    if reply["alone"]:
        mark.set("-")
        log.close()
    wire.send(reply)
    if releases:
        _release_session()


def _context(
    task: dict[str, Any], packed: Packed, wire: Wire | None, input_dir: str
) -> tuple[ProgramContext, TaskProgress]:
    given = packed.context
    request_time = given.pop("time_request", None)
    if isinstance(request_time, str):
        given["time_request"] = datetime.datetime.fromisoformat(request_time)
    elif request_time is not None:
        given["time_request"] = request_time
    queue, retry, limit = given.get("queue"), given.get("retry") or 0, given.get("time_limit")
    job = task["jobId"]

    def publish(message: dict[str, Any]) -> None:
        size = len(json.dumps(message))
        if size > _FRAME_ROOM:
            raise ValueError(f"progress of {size} bytes is larger than the {_FRAME_ROOM} bytes that can be stored")
        if wire is not None:
            wire.send(message)

    stand_in = Task(Request(job, queue, retry, limit, given.get("shadow"), packed.soft_limit), publish)
    pc = ProgramContext(
        **{
            **given,
            "script": task["script"],
            "entrypoint": task["entrypoint"],
            "data": task["data"],
            "root_file": task["rootFile"],
            "compute_only": task["computeOnly"],
            "raw": task["raw"],
            "is_local": False,
            "input_dir": input_dir,
            "input_file": None,
            "output_dir": task["outputDir"],
            "retry": retry,
            "task": stand_in,
        }
    )
    pc.setdefault("task_id", job)
    progress = TaskProgress(stand_in, job, time_request=pc["time_request"])
    progress.retry_count = retry
    pc["progress"] = progress
    params = _exact.loads(task["params"])
    if packed.failed:
        params = {**(params if isinstance(params, dict) else {}), **failure_of(job, packed.failed)}
    # A cloned context holds its parent's parameters: what was sent is merged over them.
    pc.update(params=params)
    return pc, progress


@contextlib.contextmanager
def _soft_limit(seconds: float | None) -> Iterator[None]:
    """Raises in the script when it has run for so long: it may end what it does in an orderly way."""
    if seconds is None or seconds <= 0 or not hasattr(signal, "setitimer"):
        yield
        return

    def over(*_: Any) -> None:
        raise SoftTimeLimitExceeded(f"the soft time limit of {seconds:g} s is over")

    signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _prepare_input(pc: ProgramContext, progress: TaskProgress) -> None:
    if not pc["compute_only"]:
        os.makedirs(pc["output_dir"], exist_ok=True)
    if not os.path.isfile(pc["script"]):
        raise PixyzFileNotFound(f"the script {pc['script']} does not exist")
    data = pc["data"]
    if data is None:
        return
    if _archive.is_archive(data):
        progress.next("Extracting archive")
    pc["input_file"] = _archive.usable_input(data, pc["input_dir"], pc["root_file"])


def _success(value: Any, task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Small results go over the socket. Into a file go those that are large, and those that JavaScript would change;
    one whose JSON form loses a type has a second file with the exact form, for tasks and handles that read it."""
    body = _json.encode(value)
    path = task["resultFile"]
    exact = os.path.join(os.path.dirname(path), "exact.json")
    tagged = _exact.needs_tags(value)
    if len(body) <= config["resultInlineBytes"] and not tagged and not _exact.is_lossy(body.decode()):
        if task["context"].get("retry"):
            _remove(exact)
        return {"t": "outcome", "ok": True, "result": json.loads(body), "resultFileBytes": None}
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if tagged:
        _write(exact, _exact.dumps(value).encode())
    else:
        _remove(exact)
    _write(path, body)
    return {"t": "outcome", "ok": True, "result": None, "resultFileBytes": len(body)}


def _write(path: str, body: bytes) -> None:
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "wb") as file:
        file.write(body)
    os.replace(temporary, path)


def _remove(path: str) -> None:
    """An attempt before this one may have left it."""
    try:
        os.unlink(path)
    except OSError:
        pass


def _fault(error: BaseException, kind: str | None = None, rename: str | None = None) -> dict[str, Any]:
    described = _failure.describe(error, kind)
    if rename is not None:  # our own class is no name that a user could look up
        described["traceback"] = described["traceback"].replace(described["type"], rename)
        described.update(type=rename, module="builtins")
    return {"t": "outcome", "ok": False, "error": described}


def _exit(error: SystemExit, stage: str) -> dict[str, Any]:
    code = error.code
    where = "its module-level code" if stage == "load" else "its entrypoint"
    if code is None or code == 0:
        if stage == "run":
            return {"t": "outcome", "ok": True, "result": None, "resultFileBytes": None}
        number, said = 0, f"the script called sys.exit() in {where}, before its entrypoint was called"
    elif isinstance(code, int):
        number, said = code & 0xFF, f"the script called sys.exit({code}) in {where}"
    else:
        number, said = 1, f"the script called sys.exit() in {where} and said: {code}"
    fault = PixyzExitFault(f"{number} ({said})").with_traceback(error.__traceback__)
    return {**_fault(fault), "exitCode": number}


def _out_of_memory(error: MemoryError, limit: int | None) -> dict[str, Any]:
    if limit is not None and sys.platform != "win32":
        _lift_memory_limit()
    seen = _processes.resident_bytes([os.getpid()])
    told = _fault(error)
    text = _failure.message_of(error)
    if limit is not None:
        said = f"the script needed more than its memory limit of {_mib(limit)} (resident at that moment: {_mib(seen)})"
        _say(told["error"], f"{said}: {text}" if text else said)
        told["memory"] = {"limitBytes": limit, "seenBytes": seen}
    elif not text:  # Python gives none when an allocation fails
        _say(told["error"], f"no more memory could be had (resident at that moment: {_mib(seen)}; no limit was set)")
    return told


def _say(error: dict[str, Any], message: str) -> None:
    """Puts another message in the place of the exception's own."""
    error["message"] = message
    error["traceback"] = f"{error['traceback'].rpartition(chr(10))[0]}\n{error['type']}: {message}"


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"


def _stop(progress: TaskProgress) -> None:
    """What the script put into its progress may have no JSON form. That has been raised in the script, if it was told
    there, and must not take the place of the outcome here."""
    try:
        progress.stop()
    except (TypeError, ValueError) as error:
        _interpreter_end.warn(error)


def main() -> None:
    parent = os.getppid()
    config: dict[str, Any] = json.loads(sys.argv[1])
    if parent != config["hostPid"]:
        return
    prepare()
    serve(config, parent)


if __name__ == "__main__":
    main()
