"""Tessellation, repair, decimation, merging, and the helpers beneath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pxz
import pytest
import trimesh
from pxz import algo, io, material, scene

Document = Callable[[], Any]
Sample = Callable[[str], str]


def box_mm() -> tuple[float, ...]:
    box = scene.getAABB([])
    return (*box.low, *box.high)


def volume(primitive: Any) -> float:
    """Volume inside a closed primitive."""
    a, b, c = (primitive.positions[primitive.triangles[:, k]].astype(float) for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def test_cad_is_tessellated_again_finer_and_coarser(sample: Sample, document: Document) -> None:
    root = io.importScene(sample("pump-unit.step"))
    materials, names = document().materials(), [o.name for o, _ in document().parts()]
    counts = []
    for sag in (2.0, 0.1, 0.01):
        algo.tessellate([root], sag, -1, 10)
        counts.append(scene.getPolygonCount([root]))
    assert counts[0] < counts[1] < counts[2]
    assert document().materials() == materials, "materials keep their identity"
    assert [o.name for o, _ in document().parts()] == names
    assert len(document().meshes()) == 6


def test_tessellation_relative_to_the_box_suits_a_screw(sample: Sample) -> None:
    root = io.importScene(sample("bolt.step"))
    algo.tessellateRelativelyToAABB([root], 0.01, 0.0001, -1, -1, True, 0, 1, 0.0, True, False, False, False)
    assert 164 < scene.getPolygonCount([root]) < 2000


def test_a_mesh_file_is_not_tessellated(sample: Sample) -> None:
    root = io.importScene(sample("cover.stl"))
    algo.tessellate([root], 0.1, -1, -1)
    assert scene.getPolygonCount([root]) == 692


def test_repair_welds_and_drops_degenerate_triangles(sample: Sample, document: Document) -> None:
    io.importScene(sample("crate-obj-textured.zip"))
    box = box_mm()
    algo.repairMesh([scene.getRoot()], 0.1, False, False)
    assert scene.getPolygonCount([]) == 110 - 24  # the drum's caps are quads with two corners at one place
    assert box_mm() == pytest.approx(box)
    uvs = [p.uv for m in document().meshes() for p in m.primitives]
    assert all(uv is not None for uv in uvs)


@pytest.mark.parametrize("closed", [True, False])
def test_decimation_reaches_its_target_and_keeps_the_shape(closed: bool, document: Document) -> None:
    from pxz._engine.model import Mesh, Occurrence, Primitive

    ball = trimesh.creation.icosphere(subdivisions=5, radius=0.03)
    faces = ball.faces if closed else ball.faces[ball.triangles_center[:, 1] < 0.02]
    primitive = Primitive(ball.vertices, faces)
    document().root.children.append(Occurrence("ball", mesh=Mesh("ball", [primitive])))
    before, inside = len(primitive.triangles), volume(primitive)
    algo.decimateTarget([], ["triangleCount", 2000], 0, False, 1500000, False)
    (after,) = document().meshes()[0].primitives
    assert before > 15000
    assert 1200 <= scene.getPolygonCount([]) <= 2000
    distance = np.linalg.norm(after.positions, axis=1)
    assert np.abs(distance / 0.03 - 1).max() < 0.02
    if closed:
        assert volume(after) == pytest.approx(inside, rel=0.01)
        assert scene.getTessellationInfos()["boundaryCount"] == 0


def test_decimation_below_the_target_does_nothing(sample: Sample) -> None:
    io.importScene(sample("pump-unit.step"))
    algo.decimateTarget([], ["triangleCount", 500000], 0, False, 1500000, False)
    assert scene.getPolygonCount([]) == 6886
    with pytest.raises(pxz.PxzError, match="unknown target strategy"):
        algo.decimateTarget([], ["bananas", 5])


def test_decimation_keeps_parts_materials_and_vertex_colours(sample: Sample, document: Document) -> None:
    io.importScene(sample("pump-unit.step"))
    algo.tessellate([scene.getRoot()], 0.01, -1, 5)
    box = box_mm()
    algo.decimateTarget([], ["ratio", 30])
    assert len(scene.getPartOccurrences()) == 9 and len(material.getAllMaterials()) == 6
    assert box_mm() == pytest.approx(box, abs=0.5)
    pxz.core.resetSession()
    io.importScene(sample("torus-vertex-colours.ply"))
    algo.decimateTarget([], ["triangleCount", 500])
    (primitive,) = document().meshes()[0].primitives
    assert len(primitive.triangles) <= 500
    assert np.ptp(primitive.colors[:, :3], axis=0).min() > 0.4


def test_parts_merge_by_material(sample: Sample, document: Document) -> None:
    io.importScene(sample("pump-unit.step"))
    box, count = box_mm(), scene.getPolygonCount([])
    scene.mergeMaterials([], False)
    ids = scene.mergePartOccurrencesByMaterials([], mergeHiddenPartsMode=0, combineMeshes=True)
    assert scene.getPartOccurrences() == ids and len(ids) == 6
    assert scene.getPolygonCount([]) == count
    assert box_mm() == pytest.approx(box, abs=1e-3)


def test_equal_materials_and_images_become_one(sample: Sample) -> None:
    io.importFiles([sample("crate-obj-textured.zip"), sample("crate-obj-textured.zip")])
    assert len(material.getAllMaterials()) == 6
    assert scene.mergeImages([]) == 2
    assert scene.mergeMaterials([], False) == 3
    assert len(material.getAllMaterials()) == 3


def test_counts_of_a_cube(document: Document) -> None:
    from pxz._engine.model import Mesh, Occurrence, Primitive

    cube = trimesh.creation.box()
    split = Primitive(cube.vertices[cube.faces.ravel()], np.arange(36).reshape(-1, 3))
    mesh = Mesh("cube", [split])
    document().root.children += [Occurrence("a", mesh=mesh), Occurrence("b", mesh=mesh)]
    assert scene.getTessellationInfos() == {"boundaryCount": 0, "edgeCount": 36, "vertexCount": 16}
    assert scene.getPolygonCount([]) == 24
    assert scene.getPolygonCount([], False, True) == 12
    split.triangles = split.triangles[:-1]
    assert scene.getTessellationInfos()["boundaryCount"] == 6


def test_made_normals_are_sharp_at_edges_and_smooth_on_curves() -> None:
    from pxz._engine.meshmath import crease_normals
    from pxz._engine.model import Primitive

    cube = trimesh.creation.box()
    made = crease_normals(Primitive(cube.vertices, cube.faces))
    assert made.normals is not None and len(made.positions) == 24
    assert np.allclose(np.abs(made.normals).max(1), 1, atol=1e-3)
    ball = trimesh.creation.icosphere(subdivisions=3)
    made = crease_normals(Primitive(ball.vertices, ball.faces))
    assert made.normals is not None and len(made.positions) == len(ball.vertices)
    assert (made.normals * ball.vertices).sum(1).min() > 0.999


def test_the_nearest_point_is_found() -> None:
    from pxz._engine.decimate import nearest

    random = np.random.default_rng(1)
    points, places = random.random((500, 3)), random.random((200, 3))
    exact = np.linalg.norm(points[None] - places[:, None], axis=2)
    found = exact[np.arange(200), nearest(points, places)]
    assert (found <= exact.min(1) * 3 + 1e-9).mean() > 0.95, "near enough for colours, in nearly all places"
    assert (nearest(points, points) == np.arange(500)).all()
