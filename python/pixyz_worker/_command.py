"""Runs the program of a command node. Called as any script is, so limits, cancel and logs hold for it.

The program runs without standard input, in the output folder unless told otherwise, and writes to the attempt's log. It
finds its place by `PIXYZ_JOB_ID`, `PIXYZ_OUTPUT_DIR` and, where the node has a file, `PIXYZ_INPUT_FILE`.
"""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

from pixyz_worker.exception import PixyzExitFault, PixyzFileNotFound, PixyzSignalFault


def main(pc: Any, params: dict[str, Any]) -> dict[str, Any]:
    """@raise PixyzExitFault, PixyzSignalFault as the program ended; PixyzFileNotFound for what is not there"""
    outputs = None if pc.get("compute_only") else str(pc["output_dir"])
    code = _run(params, _environment(pc, params["env"]), params["cwd"] or outputs or str(pc["input_dir"]))
    if code < 0:
        raise PixyzSignalFault(f"{-code} (the command was killed by signal {-code}, {_signal_name(-code)})")
    if code not in params["okExitCodes"]:
        raise PixyzExitFault(f"{code} (the command ended with exit code {code})")
    for path in params["expectedOutputs"]:
        if os.path.normpath(path).split(os.sep)[0] == os.pardir:
            raise PixyzFileNotFound(f"{path} leads out of its outputs: expect files below them, or at absolute paths")
    base = outputs or str(pc["input_dir"])
    missing = [path for path in params["expectedOutputs"] if not os.path.exists(os.path.join(base, path))]
    if missing:
        raise PixyzFileNotFound(f"the command ended with exit code {code}, but did not make {', '.join(missing)}")
    return {"exit_code": code, "outputs": _files(outputs) if outputs else []}


def _run(params: dict[str, Any], env: dict[str, str], cwd: str) -> int:
    program, args, shell = params["program"], params["args"], params["shell"]
    try:
        # With a shell the arguments are the shell's own: $1, $2 … on POSIX.
        line = program if shell and not args else [program, *args]
        return subprocess.run(line, shell=shell, env=env, cwd=cwd, stdin=subprocess.DEVNULL, check=False).returncode
    except (FileNotFoundError, NotADirectoryError) as error:
        if error.filename == cwd:
            raise PixyzFileNotFound(f"the folder {cwd} for the command is not there, on this worker") from None
        raise PixyzFileNotFound(
            f"there is no program {program} on this worker: give its path, or put it on the worker's PATH"
        ) from None
    except PermissionError:
        raise PixyzFileNotFound(f"{program} is not a program that this worker may run") from None


def _environment(pc: Any, changes: dict[str, str | None]) -> dict[str, str]:
    own = {"PIXYZ_JOB_ID": str(pc["task_id"]), "PIXYZ_OUTPUT_DIR": str(pc["output_dir"])}
    if pc.get("input_file") is not None:
        own["PIXYZ_INPUT_FILE"] = str(pc["input_file"])
    env = {**os.environ, **own}
    for name, value in changes.items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    return env


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unnamed"


def _files(folder: str) -> list[str]:
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        found += [os.path.relpath(os.path.join(place, name), folder).replace(os.sep, "/") for name in sorted(names)]
    return found
