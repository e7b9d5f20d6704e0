"""Settings by the names that scripts know."""

from __future__ import annotations

from pathlib import Path

from pixyz_worker import _config

__all__ = [
    "cleanup_delay",
    "cleanup_enabled",
    "debug",
    "disable_pixyz",
    "license_acquire_at_start",
    "license_flexlm",
    "license_host",
    "license_port",
    "log_level",
    "pixyz_python_path",
    "process_path",
    "share_dir",
    "supported_archive",
    "time_limit",
    "version",
]

version = "2025.2.0.1"
"""Version of the script interface."""
share_dir = _config.text("SHARE_PATH", str(Path(__file__).resolve().parents[2] / "share"))
process_path = _config.text("PROCESS_PATH", str(Path(__file__).resolve().parents[2] / "processes"))
debug = _config.flag("DEBUG")
log_level = _config.text("LOGLEVEL", "INFO")
cleanup_enabled = _config.flag("CLEANUP_ENABLED")
cleanup_delay = _config.number("CLEANUP_DELAY", 3600)
time_limit = _config.number("PIXYZ_TIME_LIMIT", 2400)
"""Time limit, in seconds, of sub-tasks that are sent without one."""
supported_archive = [".zip", ".tar.gz", ".tgz", ".tar"]
disable_pixyz = _config.flag("DISABLE_PIXYZ")
pixyz_python_path = _config.text("PIXYZ_PYTHON_PATH")
license_flexlm = _config.flag("LICENSE_FLEXLM")
license_host = _config.text("LICENSE_HOST")
license_port = _config.number("LICENSE_PORT", 27000)
license_acquire_at_start = _config.flag("LICENSE_ACQUIRE_AT_START", True)
