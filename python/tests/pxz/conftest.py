"""Fixtures of the tests of the open `pxz` module. They need its wheels, no server and no GPU."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PYTHON = Path(__file__).resolve().parents[2]
ROOT = PYTHON.parent
if str(PYTHON) not in sys.path:
    sys.path.insert(0, str(PYTHON))

pytest.importorskip("numpy", reason="the open engine's wheels are not installed (python/requirements.txt)")
pytest.importorskip("cascadio", reason="the open engine's wheels are not installed (python/requirements.txt)")

SAMPLES = ROOT / "samples"
BROKEN = SAMPLES / "broken"


@pytest.fixture(autouse=True)
def session() -> Iterator[int]:
    """A session of its own for each test."""
    import pxz

    before = pxz.get_current_session()
    number = pxz.initialize()
    yield number
    pxz.release(number)
    pxz.set_current_session(before)


@pytest.fixture
def document() -> Callable[[], Any]:
    """The scene model behind the current session."""
    from pxz._engine.session import current

    return lambda: current().document


@pytest.fixture
def sample() -> Callable[[str], str]:
    """Path of a sample file."""
    return lambda name: str(SAMPLES / name)


class FakeContext(dict[str, Any]):
    """The part of ProgramContext that the shipped processes use; remembers progress."""

    def __init__(self, input_file: str | None, output_dir: Path) -> None:
        super().__init__(input_file=input_file, output_dir=str(output_dir))
        self.total: int | None = None
        self.steps: list[str] = []
        self.stopped = False

    def progress_set_total(self, total: int) -> None:
        self.total = total

    def progress_next(self, info: str | None = None, output: Any = None) -> None:
        self.steps.append(info or "")

    def progress_stop(self) -> None:
        self.stopped = True

    def get_input_file(self) -> str | None:
        return self["input_file"]  # type: ignore[no-any-return]

    def get_output_dir(self, name: str | None = None) -> str:
        return str(Path(self["output_dir"]) / name) if name else str(self["output_dir"])


@pytest.fixture
def run_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Any, FakeContext, Path]]:
    """Run a shipped process as the engine does: loaded as module `external`; result, context, output folder."""
    script = ModuleType("pixyz_worker.script")
    script.pixyz_schedule = lambda **_: lambda function: function  # type: ignore[attr-defined]
    package = ModuleType("pixyz_worker")
    package.script = script  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pixyz_worker", package)
    monkeypatch.setitem(sys.modules, "pixyz_worker.script", script)

    def run(name: str, input_file: str | None = None, params: Any = None) -> tuple[Any, FakeContext, Path]:
        spec = importlib.util.spec_from_file_location("external", ROOT / "processes" / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        context = FakeContext(input_file, tmp_path)
        return module.main(context, {} if params is None else params), context, tmp_path

    return run
