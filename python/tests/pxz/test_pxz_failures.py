"""Damaged and unknown files give an error that says what happened, to which file, and what to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pxz
import pytest
from pxz import algo, core, geom, io, polygonal, scene, view

PYTHON = Path(__file__).resolve().parents[2]
BROKEN = PYTHON.parent / "samples" / "broken"
Sample = Callable[[str], str]
SPECIAL = {"crash-segfault.step", "truncated.obj"}


@pytest.mark.parametrize("name", sorted(f.name for f in BROKEN.iterdir() if f.name not in SPECIAL))
def test_a_broken_file_gives_an_error_that_names_it(name: str) -> None:
    with pytest.raises(pxz.PxzError) as caught:
        io.importScene(str(BROKEN / name))
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert any(advice in message for advice in ("again", "check", "damaged"))
    assert len(message) > len(name) + 30
    assert scene.getChildren(scene.getRoot()) == [], "nothing of a broken file may stay in the scene"


@pytest.mark.parametrize(("module", "name"), [("assimp_files", "shapes.dae"), ("occt", "bolted-cover.brep")])
def test_a_converter_that_does_not_end_is_given_up(
    module: str, name: str, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Native readers loop for ever on some damaged files; here the limit is nothing, so a healthy file will do."""
    for limit in ("LIMIT_S", "LIMIT_S_PER_MB"):
        monkeypatch.setattr(f"pxz._engine.readers.{module}.{limit}", 0.0)
    with pytest.raises(pxz.PxzError, match=rf"{name}: .*did not finish"):
        io.importScene(sample(name))


def test_a_wrong_count_is_told_with_both_numbers() -> None:
    with pytest.raises(pxz.PxzError, match="promises 4294967280 triangles and holds 80"):
        io.importScene(str(BROKEN / "wrong-count.stl"))


def test_the_segfault_sample_really_ends_the_process_by_a_signal() -> None:
    """A core dump would only slow it down."""
    path = str(BROKEN / "crash-segfault.step")
    code = f"import resource as r; r.setrlimit(r.RLIMIT_CORE, (0, 0)); from pxz import io; io.importScene({path!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(PYTHON)}, capture_output=True, timeout=60
    )
    assert done.returncode == -signal.SIGSEGV


def test_half_an_obj_loads_as_a_smaller_model() -> None:
    io.importScene(str(BROKEN / "truncated.obj"))
    assert 0 < scene.getPolygonCount([]) < 380


def test_an_unknown_extension_lists_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "part.CATPart"
    path.write_bytes(b"V5_CFV2")
    with pytest.raises(pxz.PxzError, match=r"part\.CATPart: .*no reader for '\.catpart'.*step.*PIXYZ_PYTHON_PATH"):
        io.importScene(str(path))
    with pytest.raises(pxz.PxzError, match="no such file"):
        io.importScene(str(tmp_path / "gone.step"))


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e15])
def test_impossible_coordinates_are_refused(value: float, tmp_path: Path) -> None:
    from pxz._engine.readers.stl import FACET

    facets = np.zeros(2, FACET)
    facets["corners"][0] = [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    facets["corners"][1] = [[0, 0, 0], [1, 0, 0], [0, value, 0]]
    (tmp_path / "far.stl").write_bytes(b"x" * 80 + np.uint32(2).tobytes() + facets.tobytes())
    with pytest.raises(pxz.PxzError, match=r"far\.stl: coordinates are not finite or larger"):
        io.importScene(str(tmp_path / "far.stl"))


def test_a_file_without_geometry_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.glb").write_text('{"asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "nodes": [{}]}')
    with pytest.raises(pxz.PxzError, match="no triangles and no points"):
        io.importScene(str(tmp_path / "none.glb"))
    with pytest.raises(pxz.PxzError, match="bounding box"):
        scene.getAABB([])


def test_a_scene_that_is_empty_or_a_folder_that_is_missing_cannot_be_exported(tmp_path: Path, sample: Sample) -> None:
    with pytest.raises(pxz.PxzError, match="no geometry"):
        io.exportScene(str(tmp_path / "a.glb"))
    io.importScene(sample("bolt.step"))
    with pytest.raises(pxz.PxzError, match="folder does not exist"):
        io.exportScene(str(tmp_path / "nowhere" / "a.glb"))
    with pytest.raises(pxz.PxzError, match=r"no writer for '\.jt'"):
        io.exportScene(str(tmp_path / "a.jt"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", [pxz, core, scene, polygonal, algo, io, view, geom, pxz.material])
def test_a_missing_function_names_itself_and_the_way_out(module: object) -> None:
    with pytest.raises(AttributeError, match=r"\.unwrapUV is not part of the open pxz engine.*PIXYZ_PYTHON_PATH"):
        module.unwrapUV()  # type: ignore[attr-defined]
    assert not hasattr(module, "unwrapUV")


def test_ids_of_a_reset_session_are_unknown(sample: Sample) -> None:
    root = io.importScene(sample("bolt.step"))
    core.resetSession()
    with pytest.raises(pxz.PxzError, match=f"id {root}"):
        scene.getAABB([root])


def test_a_commercial_scene_file_is_recognised_as_foreign(tmp_path: Path) -> None:
    (tmp_path / "real.pxz").write_bytes(b"PiXYZ" * 100)
    with pytest.raises(pxz.PxzError, match="not a scene saved by the open pxz engine"):
        io.importScene(str(tmp_path / "real.pxz"))
