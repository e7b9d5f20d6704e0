"""Counts that metadata reports: welded vertices, edges and open borders of the triangles; nothing here changes the
scene.
"""

from __future__ import annotations

import numpy as np

from .meshmath import unique_rows
from .model import Document, FloatArray, IntArray, Mesh, Occurrence


def mesh_counts(mesh: Mesh) -> tuple[int, int, int]:
    """(boundary edges, edges, vertices) of a mesh, its vertices welded by position as the eye sees them."""
    points: list[FloatArray] = []
    faces: list[IntArray] = []
    count = 0
    for primitive in mesh.primitives:
        points.append(primitive.positions)
        faces.append(primitive.triangles.astype(np.int64) + count)
        count += len(primitive.positions)
    if not count:
        return 0, 0, 0
    first, place = unique_rows(np.concatenate(points))
    corners = place[np.concatenate(faces)]
    pairs = np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]]), 1)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    _, uses = np.unique(pairs[:, 0] * np.int64(len(first)) + pairs[:, 1], return_counts=True)
    return int((uses == 1).sum()), len(uses), len(first)


def tessellation_infos(parts: list[tuple[Occurrence, FloatArray]]) -> dict[str, int]:
    """Sums over all parts; an instanced mesh counts once for each instance, and is measured once."""
    measured: dict[int, tuple[int, int, int]] = {}
    total = np.zeros(3, np.int64)
    for occurrence, _ in parts:
        mesh = occurrence.mesh
        if mesh is not None:
            if id(mesh) not in measured:
                measured[id(mesh)] = mesh_counts(mesh)
            total += measured[id(mesh)]
    return {"boundaryCount": int(total[0]), "edgeCount": int(total[1]), "vertexCount": int(total[2])}


def brep_infos(document: Document) -> dict[str, int]:
    """Bodies and boundary edges of the exact geometry in the imported files; 0 for meshes."""
    return {"boundaryCount": document.brep_boundaries, "bodyCount": document.brep_bodies}
