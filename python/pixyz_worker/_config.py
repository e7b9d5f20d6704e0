"""Settings that the SDK itself needs: from the environment, else (outside a worker) from `pixyz-scheduler.conf`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pixyz_worker import _processes

_FILE = "pixyz-scheduler.conf"


def _file_candidates() -> list[Path]:
    if sys.platform == "win32":
        system = [Path(os.environ[name]) / "PixyzSDK" for name in ("APPDATA", "ProgramData") if name in os.environ]
    else:
        system = [Path("/etc")]
    return [folder / _FILE for folder in (Path.cwd(), *system)]


def _parse(text: str) -> dict[str, str]:
    """`KEY=value` lines; quotes and `#` comments as in a dotenv file."""
    values = {}
    for line in text.splitlines():
        name, mark, value = line.strip().removeprefix("export ").partition("=")
        if not mark or name.startswith("#"):
            continue
        value = value.strip()
        if value[:1] in ("'", '"') and value.endswith(value[0]) and len(value) > 1:
            value = value[1:-1]
        else:
            value = value.partition(" #")[0].strip()
        values[name.strip()] = value
    return values


def _from_file() -> dict[str, str]:
    if _processes.WORKER in os.environ:
        return {}  # the worker hands over what scripts may know; the file also holds what they may not
    for path in _file_candidates():
        try:
            return _parse(path.read_text(encoding="utf-8"))
        except OSError:
            continue
    return {}


_file_values = _from_file()


def text(name: str, default: str = "") -> str:
    """A setting; an empty one counts as not set."""
    return os.environ.get(name, "") or _file_values.get(name, "") or default


def flag(name: str, default: bool = False) -> bool:
    """True for the word `true` in any case."""
    value = text(name)
    return value.strip().lower() == "true" if value else default


def number(name: str, default: int) -> int:
    value = text(name)
    try:
        return int(value) if value else default
    except ValueError:
        raise ValueError(f"the setting {name} must be a whole number, not {value!r}") from None
