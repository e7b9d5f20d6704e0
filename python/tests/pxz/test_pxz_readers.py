"""Every sample reads with its names, colours, units and places."""

from __future__ import annotations

import io as stdio
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pxz import core, geom, io, material, scene

Document = Callable[[], Any]
Sample = Callable[[str], str]

SIZES_MM = {
    "pump-unit.step": (120, 96, 80),
    "pump-unit.glb": (120, 96, 80),
    "bracket-inch.step": (40, 36, 30),
    "bolt.step": (15, 21.3, 12.99),
    "bolted-cover.igs": (60, 21.3, 60),
    "bolted-cover.brep": (59.9, 21.3, 60),
    "bolt-ascii.stl": (15, 21.3, 12.99),
    "cover.stl": (59.66, 8, 59.83),
    "torus-vertex-colours.ply": (54, 13.79, 54),
    "points.ply": (99.94, 99.9, 59.96),
    "shapes.obj": (5400, 2200, 3000),
    "shapes.dae": (5400, 2200, 3000),
    "shapes.fbx": (54, 22, 30),
    "shapes.3mf": (5.4, 3, 2.2),
    "crate-obj-textured.zip": (1870, 1000, 1005),
}
"""x, y, z of the box in mm: Z-up formats turned to Y up, units converted (FBX: cm, OBJ and DAE: m, STL and PLY: mm)."""


def size_mm() -> tuple[float, ...]:
    box = scene.getAABB([])
    return tuple(high - low for low, high in zip(box.low, box.high, strict=True))


def names(document: Document) -> list[str]:
    return [o.name for o, _ in document().parts()]


def color_of(document: Document, name: str) -> tuple[float, ...]:
    """sRGB colour of the material with a name, rounded to hundredths."""
    from pxz._engine.meshmath import linear_to_srgb

    found = next(m for m in document().materials() if m.name == name)
    return tuple(round(float(c), 2) for c in linear_to_srgb(np.array(found.color[:3])))


def test_every_sample_has_an_expected_size(sample: Sample) -> None:
    folder = Path(sample("LICENSES.md")).parent
    models = {f.name for f in folder.iterdir() if f.is_file() and f.suffix not in (".md", ".mtl")}
    assert models == set(SIZES_MM)


@pytest.mark.parametrize("name", sorted(SIZES_MM))
def test_a_sample_has_its_true_size_in_millimetres(name: str, sample: Sample) -> None:
    io.importScene(sample(name))
    assert size_mm() == pytest.approx(SIZES_MM[name], rel=2e-3, abs=0.05)


def test_an_assembly_keeps_tree_names_colours_and_instances(sample: Sample, document: Document) -> None:
    root = io.importScene(sample("pump-unit.step"))
    bolts = ["Bolt 1", "Bolt 2", "Bolt 3", "Bolt 4"]
    assert core.getProperty(root, "Name") == "Pump Unit"
    assert names(document) == ["Base Plate", "Housing Body", "O-Ring", "Cover", "Drive Shaft", *bolts]
    assert len(scene.getPartOccurrences()) == 9
    assert len(document().meshes()) == 6
    assert len({id(o.mesh) for o, _ in document().parts() if o.name in bolts}) == 1
    assert {o.mesh.name for o, _ in document().parts() if o.name in bolts} == {"Bolt M8x16"}
    assert len(material.getAllMaterials()) == 6
    colors = {tuple(round(c, 2) for c in m.color[:3]) for m in document().materials()}
    assert (0.01, 0.1, 0.52) in colors  # the blue housing, linear
    assert {m.metallic for m in document().materials()} == {0.0}
    assert scene.getBRepInfos() == {"bodyCount": 6, "boundaryCount": 0}


def test_an_inch_file_keeps_its_non_ascii_name_and_its_orange_face(sample: Sample, document: Document) -> None:
    io.importScene(sample("bracket-inch.step"))
    assert names(document) == ['Bracket "Größe" 支架']
    assert len(document().meshes()[0].primitives) == 2
    assert any(m.color[0] > 0.9 and m.color[1] < 0.3 and m.color[2] == 0 for m in document().materials())
    assert dict(document().root.children[0].metadata)["unit"] == "inch"


def test_iges_has_colours_and_brep_is_read(sample: Sample, document: Document) -> None:
    io.importScene(sample("bolted-cover.igs"))
    reds = [m for m in document().materials() if m.color[0] > 0.5 and m.color[1] < 0.05]
    assert len(reds) == 1
    core.resetSession()
    io.importScene(sample("bolted-cover.brep"))
    assert len(scene.getPartOccurrences()) == 4
    assert len(document().meshes()) == 2
    assert scene.getPolygonCount([]) > 1000


@pytest.mark.parametrize("name", ["shapes.obj", "shapes.dae", "shapes.fbx"])
def test_flat_colours_are_not_paled(name: str, sample: Sample, document: Document) -> None:
    io.importScene(sample(name))
    assert sorted(names(document)) == ["Ball", "Block", "Cone"]
    assert scene.getPolygonCount([]) == 380
    assert color_of(document, "red") == (0.8, 0.15, 0.1)
    assert color_of(document, "blue") == (0.1, 0.3, 0.8)


def test_3mf_keeps_names(sample: Sample, document: Document) -> None:
    io.importScene(sample("shapes.3mf"))
    assert names(document) == ["grey", "blue", "red"]


def test_textures_are_kept_byte_for_byte(sample: Sample, document: Document) -> None:
    io.importScene(sample("crate-obj-textured.zip"))
    with zipfile.ZipFile(sample("crate-obj-textured.zip")) as archive:
        label = archive.read("crate-model/textures/label.png")
    kept = {m.name: m.textures["base"].data for m in document().materials() if "base" in m.textures}
    assert set(kept) == {"wood", "label"}
    assert kept["label"] == label


def test_vertex_colours_and_point_clouds_are_read(sample: Sample, document: Document) -> None:
    io.importScene(sample("torus-vertex-colours.ply"))
    (primitive,) = document().meshes()[0].primitives
    assert primitive.colors.shape == (720, 4)
    assert np.ptp(primitive.colors[:, :3], axis=0).min() > 0.5
    core.resetSession()
    io.importScene(sample("points.ply"))
    (cloud,) = document().meshes()[0].primitives
    assert cloud.is_points and len(cloud.positions) == 3000 and len(cloud.colors) == 3000
    assert scene.getPolygonCount([]) == 0


def test_a_small_offset_between_fbx_nodes_is_not_lost(sample: Sample, tmp_path: Path, document: Document) -> None:
    """assimp's GLB exporter drops transforms within 0.01 of the identity; the housing sits exactly 0.01 m up."""
    io.importScene(sample("pump-unit.step"))
    before = size_mm()
    io.exportScene(str(tmp_path / "pump.dae"))
    core.resetSession()
    io.importScene(str(tmp_path / "pump.dae"))
    assert size_mm() == pytest.approx(before, abs=1e-3)
    housing = next(o for o, _ in document().root.walk() if o.name == "Housing Assembly")
    assert np.abs(housing.matrix[:3, 3]).max() == pytest.approx(0.01, abs=1e-6)


def test_several_files_are_imported_side_by_side(sample: Sample) -> None:
    ids = io.importFiles([sample("bolt.step"), sample("shapes.obj")])
    assert len(ids) == 2
    assert scene.getChildren(scene.getRoot()) == ids
    assert scene.getPolygonCount([ids[1]]) == 380
    box = scene.getAABB([ids[0]])
    assert isinstance(box.low, geom.Point3)
    assert box.high.y - box.low.y == pytest.approx(21.3, abs=0.01)


def gltf(document: dict[str, Any], binary: bytes, path: Path) -> str:
    """Write a .gltf with its buffer beside it."""
    (path / "data.bin").write_bytes(binary)
    document = {"asset": {"version": "2.0"}, "buffers": [{"uri": "data.bin", "byteLength": len(binary)}], **document}
    (path / "model.gltf").write_text(json.dumps(document))
    return str(path / "model.gltf")


def triangle(path: Path, **changes: Any) -> dict[str, Any]:
    return {
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "meshes": [{"name": "tri", "primitives": [{"attributes": {"POSITION": 0}}]}],
        "nodes": [{"mesh": 0, "translation": [1, 2, 3], "rotation": [0, 0.7071068, 0, 0.7071068], "scale": [2, 2, 2]}],
        "scenes": [{"nodes": [0]}],
        **changes,
    }


POINTS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32).tobytes()


def test_gltf_with_a_separate_buffer_and_a_turned_node(tmp_path: Path) -> None:
    io.importScene(gltf(triangle(tmp_path), POINTS, tmp_path))
    box = scene.getAABB([])
    # +X of the triangle, doubled, turned a quarter about Y: towards -Z
    assert tuple(box.low) == pytest.approx((1000, 2000, 1000), abs=0.01)
    assert tuple(box.high) == pytest.approx((1000, 4000, 3000), abs=0.01)


def test_gltf_may_not_reach_outside_its_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.bin").write_bytes(POINTS)
    path = gltf(triangle(tmp_path), POINTS, inside)
    text = (inside / "model.gltf").read_text().replace("data.bin", "../secret.bin")
    (inside / "model.gltf").write_text(text)
    with pytest.raises(core_error(), match="outside its own folder"):
        io.importScene(path)


def test_draco_compressed_glb_is_read(tmp_path: Path, sample: Sample) -> None:
    import trimesh

    box = trimesh.creation.box((1, 2, 3))
    data = box.export(file_type="glb", extension_draco=True)
    if b"KHR_draco" not in data:
        pytest.skip("this trimesh writes no Draco")
    (tmp_path / "draco.glb").write_bytes(data)
    io.importScene(str(tmp_path / "draco.glb"))
    assert size_mm() == pytest.approx((1000, 2000, 3000), rel=1e-3)
    assert scene.getPolygonCount([]) == 12


def test_3mf_instances_units_and_colours(tmp_path: Path, document: Document) -> None:
    xml = """<model unit="inch" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"><resources>
    <basematerials id="5"><base name="gold" displaycolor="#FFCC00"/></basematerials>
    <object id="1" name="tri" pid="5" pindex="0"><mesh><vertices><vertex x="0" y="0" z="0"/><vertex x="1" y="0" z="0"/>
    <vertex x="0" y="0" z="1"/></vertices><triangles><triangle v1="0" v2="1" v3="2"/></triangles></mesh></object>
    <object id="2" name="pair"><components><component objectid="1"/>
    <component objectid="1" transform="1 0 0 0 1 0 0 0 1 2 0 0"/></components></object>
    </resources><build><item objectid="2"/></build></model>"""
    buffer = stdio.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("3D/3dmodel.model", xml)
    (tmp_path / "pair.3mf").write_bytes(buffer.getvalue())
    io.importScene(str(tmp_path / "pair.3mf"))
    assert size_mm() == pytest.approx((76.2, 25.4, 0), abs=1e-3)  # 3 inch wide, 1 inch up
    assert len(scene.getPartOccurrences()) == 2 and len(document().meshes()) == 1
    assert color_of(document, "gold") == (1.0, 0.8, 0.0)


def core_error() -> type[Exception]:
    import pxz

    return pxz.PxzError
