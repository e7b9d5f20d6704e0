"""The Pixyz session of a process, and its licence."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from types import ModuleType, TracebackType
from typing import Any

from pixyz_worker import config

__all__ = ["License", "PiXYZSession"]

_log = logging.getLogger("pixyz_worker")


def make_importable(folder: str | None = None) -> None:
    """Puts the folder of the real `pxz` before the open engine. @raise FileNotFoundError where it is set and
    missing."""
    path = config.pixyz_python_path if folder is None else folder
    if not path:
        return
    if not os.path.isdir(path):
        raise FileNotFoundError(f"PIXYZ_PYTHON_PATH names the folder {path}, which does not exist")
    if path not in sys.path:
        sys.path.insert(0, path)


def _pxz() -> ModuleType | None:
    """The module `pxz`, or None where there is none (a half-installed one counts as none)."""
    try:
        module = importlib.import_module("pxz")
    except ImportError as error:
        _log.warning("the module pxz cannot be imported, scripts run without it: %s", error)
        return None
    return module if hasattr(module, "initialize") else None


class License:
    """How this machine gets its Pixyz licence."""

    def __init__(
        self,
        host: str | None = None,
        port: int | None = None,
        acquire_at_start: bool = True,
        flexlm: bool = False,
        disable_pixyz: bool = False,
    ) -> None:
        self.host = host
        self.port = port
        self.acquire_at_start = acquire_at_start
        self.flexlm = flexlm
        self.disable_pixyz = disable_pixyz

    @staticmethod
    def from_config() -> License:
        """The licence of this machine's settings."""
        return License(
            config.license_host or None,
            config.license_port,
            config.license_acquire_at_start,
            config.license_flexlm,
            config.disable_pixyz,
        )

    def is_acquire_at_start(self) -> bool:
        """Whether workers take it when they start: FlexLM, `LICENSE_ACQUIRE_AT_START`, and Pixyz not disabled."""
        return self.flexlm and self.acquire_at_start and not self.disable_pixyz

    def configure_license(self) -> None:
        """Makes sure that there is a licence; asks the server for one. @raise RuntimeError when it gives none."""
        if not self.flexlm or self.disable_pixyz:
            return
        core = importlib.import_module("pxz").core
        if core.checkLicense():
            return
        core.configureLicenseServer(self.host, self.port, True)
        if not core.checkLicense():
            raise RuntimeError(
                f"no Pixyz licence: the licence server {self.host}:{self.port} gave none. "
                "Check LICENSE_HOST, LICENSE_PORT and that it has a free token"
            )


class PiXYZSession:
    """A Pixyz session for a block of code: initialised on entry, reset (licence taken at start) or released on exit."""

    def __init__(self, license: License | None = None) -> None:
        self.license = license if license is not None else License.from_config()

    def __enter__(self) -> PiXYZSession:
        if not self.license.disable_pixyz and not self.license.is_acquire_at_start():
            self.initialize()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.license.disable_pixyz:
            return
        if self.license.is_acquire_at_start():
            self.reset()
        else:
            self.release()

    @staticmethod
    def initialize_import() -> Any:
        """Makes `pxz` importable and returns it, or None where there is none."""
        make_importable()
        return _pxz()

    @staticmethod
    def initialize(mandatory: bool = False) -> None:
        """Starts Pixyz in this process. @raise RuntimeError when it is `mandatory` and there is none."""
        pxz = PiXYZSession.initialize_import()
        if pxz is not None:
            pxz.initialize()
        elif mandatory:
            raise RuntimeError("the module pxz cannot be imported: check PIXYZ_PYTHON_PATH")

    @staticmethod
    def release() -> None:
        """Ends the session of this process, and gives its tokens back."""
        pxz = _pxz()
        if pxz is not None and hasattr(pxz, "release"):
            pxz.release()

    @staticmethod
    def reset() -> None:
        """Empties the session and keeps it."""
        pxz = _pxz()
        if pxz is not None:
            pxz.core.resetSession()

    @staticmethod
    def initialize_at_start_if_needed(license: License) -> None:
        """What a worker does when it starts: takes the licence, where settings say so."""
        if license.is_acquire_at_start():
            PiXYZSession.initialize(mandatory=True)
            license.configure_license()

    @staticmethod
    def release_at_shutdown_if_needed(license: License) -> None:
        """What a worker does when it ends: gives back what it took at its start."""
        if license.is_acquire_at_start():
            PiXYZSession.release()
