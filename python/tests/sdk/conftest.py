"""Fixtures of the SDK's tests. They need no wheels, no server, no worker."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PYTHON = Path(__file__).resolve().parents[2]
if str(PYTHON) not in sys.path:
    sys.path.insert(0, str(PYTHON))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], str]:
    """Writes a script; returns its path."""

    def write(source: str) -> str:
        path = tmp_path / "script.py"
        path.write_text(source)
        return str(path)

    return write


@pytest.fixture(autouse=True)
def _no_external_module() -> Iterator[None]:
    yield
    sys.modules.pop("external", None)


@pytest.fixture
def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A share of its own."""
    from pixyz_worker import config

    folder = tmp_path / "share"
    folder.mkdir()
    monkeypatch.setattr(config, "share_dir", str(folder))
    return folder
