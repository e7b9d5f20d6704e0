"""The shipped processes: parameters, progress, files and results as documented (python-sdk.md §13.1)."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Run = Callable[..., tuple[Any, Any, Path]]
Sample = Callable[[str], str]
ROOT = Path(__file__).resolve().parents[3]
PROCESSES = ["api_test", "convert_file", "generate_metadata", "generate_thumbnails", "sleep"]
METADATA = {
    "part_count",
    "material_count",
    "brep_boundary",
    "brep_body_count",
    "mesh_boundary",
    "mesh_edge_count",
    "mesh_vertex_count",
    "polygon_count",
    "animation_count",
    "variant_count",
    "pmi_component_count",
    "annotation_group_count",
    "annotation_count",
    "metadata_component_count",
    "metadata_property_count",
}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_documents_itself(name: str) -> None:
    tree = ast.parse((ROOT / "processes" / f"{name}.py").read_text())
    main = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "main")
    text = ast.get_docstring(main) or ""
    assert "Params:" in text and "Output:" in text
    (decorator,) = main.decorator_list
    assert isinstance(decorator, ast.Call)
    queue = {k.arg: ast.literal_eval(k.value) for k in decorator.keywords}["queue"]
    assert queue == ("gpu" if name == "generate_thumbnails" else "cpu")


def test_api_test_sends_parameters_back(run_process: Run) -> None:
    result, context, _ = run_process("api_test", params={"a": [1, None]})
    assert result == {"output": "Hello World!", "params": {"a": [1, None]}}
    assert (context.total, context.steps) == (1, ["API tested successfully!"])


def test_sleep_needs_no_pxz(run_process: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pxz", None)
    result, context, _ = run_process("sleep", params={"duration": 0.01})
    assert result == {"sleep": 0.01}
    assert (context.total, context.steps, context.stopped) == (1, ["Sleeping for 0.01 seconds"], True)


@pytest.mark.parametrize(("params", "extension"), [({"extension": "GLB"}, "glb"), ({}, "pxz"), ("nonsense", "pxz")])
def test_convert_file(run_process: Run, sample: Sample, params: Any, extension: str) -> None:
    result, context, folder = run_process("convert_file", sample("pump-unit.step"), params)
    output = folder / f"output.{extension}"
    assert result["output"] == output.name and result["engine"].startswith("open ")
    assert output.stat().st_size > 1000
    source = sample("pump-unit.step")
    assert context.steps == [f"Importing file {source}", f"Exporting file to {output}", "done"]
    assert context.total == 3


def test_generate_metadata(run_process: Run, sample: Sample) -> None:
    result, context, folder = run_process("generate_metadata", sample("pump-unit.step"))
    metadata = result["metadata"]
    assert set(metadata) == METADATA | {"aabb"}
    assert all(type(metadata[key]) is int for key in METADATA)
    assert isinstance(metadata["aabb"], str) and float(metadata["aabb"]) == pytest.approx(173.25, abs=0.01)
    expected = {"part_count": 9, "material_count": 6, "brep_body_count": 6, "mesh_boundary": 0, "polygon_count": 6886}
    assert {k: metadata[k] for k in expected} == expected
    assert (folder / "metadata.json").read_text() == json.dumps(metadata, indent=4)
    assert context.steps == ["Importing file 'pump-unit.step'", "Generating metadata", "Export 'metadata.json'"]
    assert context.total == 3


def test_generate_thumbnails(run_process: Run, sample: Sample) -> None:
    result, context, folder = run_process("generate_thumbnails", sample("pump-unit.step"), {"width": 96, "height": 64})
    assert set(result) == {"thumbs", "preview", "metadata", "process_duration", "engine"}
    assert result["thumbs"] == {"iso": "iso.png", "x": "x.png", "y": "y.png", "z": "z.png"}
    assert result["preview"] == {"file": "preview.glb", "size": "96x64"}
    assert isinstance(result["process_duration"], float)
    assert result["metadata"]["part_count"] == result["metadata"]["material_count"] == 6
    for name in result["thumbs"].values():
        with Image.open(folder / name) as image:
            assert image.size == (96, 64) and image.mode == "RGBA"
            assert image.getextrema()[3] == (0, 255)
    assert (folder / "preview.glb").read_bytes()[:4] == b"glTF"
    assert json.loads((folder / "metadata.json").read_text()) == result["metadata"]
    assert context.total == 12
    assert context.steps == [
        "Importing file",
        "Repairing CAD",
        "Repairing Mesh",
        "tessellateRelativelyToAABB",
        "Creating viewer",
        "Creating GPUScene",
        "Screenshotting",
        "Combine Material",
        "DecimateTarget",
        "Exporting model preview to preview.glb",
        "Generating metadata",
        "Export 'metadata.json'",
    ]


@pytest.mark.parametrize("name", ["convert_file", "generate_metadata", "generate_thumbnails"])
def test_a_process_without_its_input_file_says_so(name: str, run_process: Run) -> None:
    with pytest.raises(ValueError, match=f"{name} needs an input file: .* as the form field `file`"):
        run_process(name)


def test_importing_pxz_loads_no_heavy_library_and_preload_loads_all() -> None:
    code = (
        "import sys, pxz; from pxz import core, scene, polygonal, algo, material, view, io;"
        "heavy = {'numpy', 'trimesh', 'cascadio', 'PIL', 'manifold3d'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules);"
        "assert pxz.core.checkLicense() is True; pxz.core.configureLicenseServer('localhost', 27000, True);"
        "assert pxz.__engine__ == 'open' and pxz.engine_name().startswith('open ');"
        "pxz.preload(); assert heavy <= set(sys.modules), heavy - set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_of_a_preloaded_host_can_read_and_draw(sample: Sample, tmp_path: Path) -> None:
    code = (
        "import os, sys, pxz; pxz.preload(); pid = os.fork();\n"
        "if pid: _, status = os.waitpid(pid, 0); sys.exit(os.waitstatus_to_exitcode(status))\n"
        "from pxz import io, view, scene, geom\n"
        f"io.importScene({sample('bolt.step')!r}); v = view.createViewer(32, 32)\n"
        "view.fitCamera(geom.Point3(0, 0, -1), view.CameraType.Perspective, 70, viewer=v)\n"
        f"view.takeScreenshot({str(tmp_path / 'a.png')!r}, v); os._exit(0)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").stat().st_size > 100


def test_sessions_keep_their_scenes_apart(sample: Sample) -> None:
    import pxz
    from pxz import io, scene

    first = pxz.get_current_session()
    io.importScene(sample("bolt.step"))
    second = pxz.initialize()
    assert pxz.get_current_session() == second != first
    assert scene.getPolygonCount([]) == 0
    pxz.set_current_session(first)
    assert scene.getPolygonCount([]) > 0
    pxz.release(second)
    with pytest.raises(pxz.PxzError, match="does not exist"):
        pxz.set_current_session(second)
