"""PLY and OFF by trimesh: millimetres, Z up, by convention. Vertex colours and point clouds are kept."""

from __future__ import annotations

import os

import numpy as np

from ..errors import ReadError
from ..meshmath import srgb_to_linear
from ..model import FloatArray, Material, Mesh, Occurrence, Primitive
from .imported import Imported


def read(path: str) -> Imported:
    """Read a PLY or OFF file."""
    import trimesh

    name = os.path.basename(path)
    with open(path, "rb") as file:
        loaded = trimesh.load(file, file_type=os.path.splitext(path)[1].lower().lstrip("."), process=False)
    geometry = next(iter(loaded.geometry.values())) if isinstance(loaded, trimesh.Scene) and loaded.geometry else loaded
    points = np.asarray(getattr(geometry, "vertices", np.zeros((0, 3))), float)
    triangles = np.asarray(getattr(geometry, "faces", np.zeros((0, 3), int)))
    if len(triangles) and (triangles.max() >= len(points) or triangles.min() < 0):
        raise ReadError(f"{name}: a face names a vertex that is not there; the file is damaged or cut short")
    uv = getattr(getattr(geometry, "visual", None), "uv", None)
    if uv is not None and len(uv) == len(points):
        uv = np.column_stack([uv[:, 0], 1 - uv[:, 1]])
    colors = vertex_colors(geometry, len(points))
    material = Material("default", (1.0, 1.0, 1.0, 1.0)) if colors is not None else Material("default")
    title = os.path.splitext(name)[0]
    moved = np.column_stack([points[:, 0], points[:, 2], -points[:, 1]]) * 0.001
    return Imported(Occurrence(title, mesh=Mesh(title, [Primitive(moved, triangles, None, uv, colors, material)])))


def vertex_colors(geometry: object, count: int) -> FloatArray | None:
    """(n,4) linear vertex colours, None where the file has none."""
    visual = getattr(geometry, "visual", None)
    raw = getattr(geometry, "colors", None)
    if visual is not None and getattr(visual, "kind", None) == "vertex":
        raw = visual.vertex_colors
    if raw is None or np.shape(raw)[:1] != (count,) or not count:
        return None
    values = np.asarray(raw, float) / 255
    alpha = values[:, 3] if values.shape[1] > 3 else np.ones(count)
    return np.column_stack([srgb_to_linear(values[:, :3]), alpha])
