"""What is written can be read back: sizes, names, colours, textures, instances."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pxz
import pytest
from pxz import core, io, scene

Document = Callable[[], Any]
Sample = Callable[[str], str]


def box_mm() -> tuple[float, ...]:
    box = scene.getAABB([])
    return (*box.low, *box.high)


def colors(document: Document) -> list[tuple[float, ...]]:
    """Material colours, linear, to hundredths."""
    return sorted(tuple(round(c, 2) for c in m.color) for m in document().materials())


def glb_json(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    (size,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + size])  # type: ignore[no-any-return]


@pytest.mark.parametrize("extension", ["glb", "gltf", "obj", "stl", "ply", "off", "3mf", "fbx", "dae", "pxz"])
@pytest.mark.parametrize("name", ["pump-unit.step", "bracket-inch.step"])
def test_a_cad_model_comes_back_at_its_place_and_size(
    name: str, extension: str, sample: Sample, tmp_path: Path, document: Document
) -> None:
    io.importScene(sample(name))
    box, count, before = box_mm(), scene.getPolygonCount([]), colors(document)
    parts = [o.name for o, _ in document().parts()]
    target = tmp_path / f"out.{extension}"
    io.exportScene(str(target))
    assert not [f for f in tmp_path.iterdir() if ".part-" in f.name]
    core.resetSession()
    io.importScene(str(target))
    assert box_mm() == pytest.approx(box, abs=2e-3)
    assert scene.getPolygonCount([]) == count
    if extension not in ("stl", "ply", "off"):
        assert np.allclose(colors(document), before, atol=0.011)  # 3MF: 8 bits
        after = [o.name for o, _ in document().parts()]
        assert after == [p.replace(" ", "_") for p in parts] if extension == "obj" else after == parts
    if extension in ("glb", "gltf", "3mf", "pxz"):
        assert len(document().meshes()) == len({id(m) for m in document().meshes()}) == (6 if "pump" in name else 1)


@pytest.mark.parametrize("extension", ["glb", "gltf", "obj", "fbx", "dae", "pxz"])
def test_textures_survive(extension: str, sample: Sample, tmp_path: Path, document: Document) -> None:
    io.importScene(sample("crate-obj-textured.zip"))
    label = next(m.textures["base"].data for m in document().materials() if m.name == "label")
    corner = label_corner(document)
    io.exportScene(str(tmp_path / f"out.{extension}"))
    core.resetSession()
    io.importScene(str(tmp_path / f"out.{extension}"))
    textured = [m for m in document().materials() if "base" in m.textures]
    assert label in [m.textures["base"].data for m in textured]
    assert label_corner(document) == corner, "V must point the same way"


def label_corner(document: Document) -> tuple[float, ...]:
    """UV at the highest vertex nearest to -X of the label: its upper left corner."""
    part, matrix = next((o, m) for o, m in document().parts() if o.name == "Label")
    (primitive,) = part.mesh.primitives
    world = primitive.positions @ matrix[:3, :3].T
    return tuple(round(float(v), 3) for v in primitive.uv[np.argmax(world[:, 1] - world[:, 0])])


def test_glb_never_leaves_the_metal_default(sample: Sample, tmp_path: Path) -> None:
    io.importScene(sample("pump-unit.step"))
    io.exportScene(str(tmp_path / "a.glb"))
    doc = glb_json(tmp_path / "a.glb")
    assert all(m["pbrMetallicRoughness"]["metallicFactor"] == 0 for m in doc["materials"])
    assert len(doc["meshes"]) == 6 and sum("mesh" in n for n in doc["nodes"]) == 9
    normals = {p["attributes"]["NORMAL"] for mesh in doc["meshes"] for p in mesh["primitives"]}
    assert len(normals) == 6
    assert doc["nodes"][doc["scenes"][0]["nodes"][0]]["name"] == "Pump Unit"


def test_glb_holds_points_with_colours(sample: Sample, tmp_path: Path, document: Document) -> None:
    io.importScene(sample("points.ply"))
    before = document().meshes()[0].primitives[0].colors
    io.exportScene(str(tmp_path / "a.glb"))
    core.resetSession()
    io.importScene(str(tmp_path / "a.glb"))
    (cloud,) = document().meshes()[0].primitives
    assert cloud.is_points and len(cloud.positions) == 3000
    assert np.abs(cloud.colors - before).max() < 0.005
    for extension in ("stl", "off", "3mf", "dae"):
        with pytest.raises(pxz.PxzError, match="only points"):
            io.exportScene(str(tmp_path / f"a.{extension}"))


def test_only_the_tree_below_a_root_is_written_and_stays_where_it_is(sample: Sample, tmp_path: Path) -> None:
    root = io.importScene(sample("pump-unit.step"))
    housing = next(i for i in scene.getChildren(root) if core.getProperty(i, "Name") == "Housing Assembly")
    shaft = next(i for i in scene.getChildren(housing) if core.getProperty(i, "Name") == "Drive Shaft")
    box = scene.getAABB([shaft])
    io.exportScene(str(tmp_path / "shaft.glb"), shaft)
    core.resetSession()
    io.importScene(str(tmp_path / "shaft.glb"))
    assert len(scene.getPartOccurrences()) == 1
    assert box_mm() == pytest.approx((*box.low, *box.high), abs=1e-3)


def test_usdz_is_a_stored_zip_with_aligned_files(sample: Sample, tmp_path: Path) -> None:
    io.importScene(sample("crate-obj-textured.zip"))
    io.exportScene(str(tmp_path / "a.usdz"))
    with zipfile.ZipFile(tmp_path / "a.usdz") as archive:
        entries = archive.infolist()
        text = archive.read(entries[0]).decode()
    assert [e.filename for e in entries] == ["scene.usda", "textures/1.png", "textures/2.png"]
    assert {e.compress_type for e in entries} == {zipfile.ZIP_STORED}
    data = (tmp_path / "a.usdz").read_bytes()
    for entry in entries:
        name, extra = struct.unpack_from("<HH", data, entry.header_offset + 26)
        assert (entry.header_offset + 30 + name + extra) % 64 == 0
    assert text.startswith("#usda 1.0") and text.count("{") == text.count("}")
    assert "metersPerUnit = 1" in text and 'upAxis = "Y"' in text and "@textures/2.png@" in text


def test_usda_shares_instances_and_keeps_names(sample: Sample, tmp_path: Path) -> None:
    io.importScene(sample("pump-unit.step"))
    io.exportScene(str(tmp_path / "a.usda"))
    text = (tmp_path / "a.usda").read_text()
    assert text.count("instanceable = true") == 4 and text.count("def Mesh") == 6
    assert 'displayName = "Bolt 3"' in text
    core.resetSession()
    io.importScene(sample("bracket-inch.step"))
    io.exportScene(str(tmp_path / "b.usda"))
    assert 'displayName = "Bracket \\"Größe\\" 支架"' in (tmp_path / "b.usda").read_text(encoding="utf-8")


def test_a_saved_scene_keeps_counts_and_properties(sample: Sample, tmp_path: Path) -> None:
    root = io.importScene(sample("pump-unit.step"))
    core.save(str(tmp_path / "a.pxz"))
    infos = scene.getBRepInfos()
    (metadata,) = scene.listComponent(scene.ComponentType.Metadata)
    properties = core.listProperties(metadata)
    assert "unit" in properties and core.getProperty(metadata, "unit") == "millimetre"
    assert core.getProperty(root, "Name") == "Pump Unit"
    core.resetSession()
    io.importScene(str(tmp_path / "a.pxz"))
    assert scene.getBRepInfos() == infos
    (metadata,) = scene.listComponent(scene.ComponentType.Metadata)
    assert core.listProperties(metadata) == properties
