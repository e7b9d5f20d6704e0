"""Fewer triangles at nearly the same shape.

A closed body goes to manifold3d: simplified by a tolerance that is bisected until the count fits. It keeps sharp edges
and borders between materials. Anything else goes to fast-simplification, scaled to size 1 first (its stop rule depends
on absolute size). Both start from vertices welded by position, because tessellations repeat vertices along face borders
and would open there, and end with normals made new with a crease angle. Texture coordinates and vertex colours are
taken from the nearest original vertex.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from .meshmath import crease_normals, weld
from .model import FloatArray, IntArray, Mesh, Primitive

FIRST, FACTOR, COARSEST = 1e-6, 3.0, 0.1
"""Tolerances to try, as parts of the size: the first, the step from one to the next, the largest."""
STEPS = 6
"""Halvings of the last step."""
SMALL = 64
"""Primitives below this many triangles are left alone."""


def decimate_meshes(meshes: list[tuple[Mesh, int]], target: int) -> tuple[int, int]:
    """Bring the sum of triangles × instances to `target`; (before, after). `meshes`: each with its number of
    instances.
    """
    before = sum(m.triangle_count * n for m, n in meshes)
    if before <= target or not before:
        return before, before
    ratio = target / before
    for mesh, _ in meshes:
        mesh.primitives = [
            p if p.is_points or len(p.triangles) < SMALL else decimated(p, ratio) for p in mesh.primitives
        ]
    return before, sum(m.triangle_count * n for m, n in meshes)


def decimated(primitive: Primitive, ratio: float) -> Primitive:
    """A primitive with about `ratio` of its triangles; itself where that cannot be had."""
    points, faces = weld(primitive.positions, primitive.triangles)
    wanted = max(4, int(len(primitive.triangles) * ratio))
    if len(faces) <= wanted:
        return primitive
    result = by_manifold(points, faces, wanted) or by_quadrics(points, faces, wanted)
    if result is None or not len(result[1]):
        return primitive
    new_points, new_faces = result
    uv, colors = _carried(primitive, new_points)
    return crease_normals(Primitive(new_points, new_faces, None, uv, colors, primitive.material))


def by_manifold(points: FloatArray, faces: IntArray, wanted: int) -> tuple[FloatArray, IntArray] | None:
    """Simplify a closed body to at most `wanted` triangles; None where it is not closed, or cannot get there."""
    manifold3d: Any = import_module("manifold3d")
    body = manifold3d.Manifold(
        manifold3d.Mesh(np.ascontiguousarray(points, np.float32), np.ascontiguousarray(faces, np.uint32))
    )
    if body.is_empty():
        return None
    size = float(np.ptp(points, axis=0).max())
    # upwards in steps, each from the last result (a smaller body, so quick), then between the last two
    tolerance, best, above = FIRST, None, body
    while best is None and tolerance < COARSEST:
        simplified = above.simplify(tolerance * size)
        if simplified.num_tri() > wanted:
            above, tolerance = simplified, tolerance * FACTOR
        elif simplified.num_tri() >= 4:
            best = simplified
        else:
            return None
    if best is None:
        return None
    low, high = tolerance / FACTOR, tolerance
    for _ in range(STEPS):
        if best.num_tri() > 0.95 * wanted:
            break
        middle = (low * high) ** 0.5
        simplified = above.simplify(middle * size)
        if simplified.num_tri() > wanted:
            low = middle
        else:
            high, best = middle, simplified
    mesh = best.to_mesh()
    return np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts)


def by_quadrics(points: FloatArray, faces: IntArray, wanted: int) -> tuple[FloatArray, IntArray] | None:
    """Quadric decimation for open and non-manifold meshes."""
    fast_simplification: Any = import_module("fast_simplification")
    low = points.min(0)
    size = float(np.ptp(points, axis=0).max()) or 1.0
    scaled = ((points - low) / size).astype(np.float32)
    made, triangles = fast_simplification.simplify(scaled, faces.astype(np.int32), target_count=wanted)
    return np.asarray(made, float) * size + low, np.asarray(triangles)


def _carried(primitive: Primitive, places: FloatArray) -> tuple[FloatArray | None, FloatArray | None]:
    """UV and colours for new vertices, from the nearest original vertex."""
    if primitive.uv is None and primitive.colors is None:
        return None, None
    source = nearest(primitive.positions, places)
    return (
        None if primitive.uv is None else primitive.uv[source],
        None if primitive.colors is None else primitive.colors[source],
    )


def nearest(points: FloatArray, places: FloatArray) -> IntArray:
    """Index of the point nearest to each place: a grid of cells with a few points each, searched ring by ring."""
    low = points.min(0)
    size = float(np.ptp(points, axis=0).max()) or 1.0
    # coarse to fine: a place takes the nearest point among those that share its cell in the finest grid where there is
    # one
    result = np.zeros(len(places), np.int64)
    best = np.full(len(places), np.inf)
    cells = max(1, int((len(points) / 2) ** 0.5))
    for grid in sorted({max(1, cells >> k) for k in range(12)}, reverse=True):
        open_ = np.flatnonzero(~(best < np.inf))
        if not len(open_):
            break
        for shift in (0.0, 0.5):
            keys = _cells(points, low, size, grid, shift)
            order = np.argsort(keys, kind="stable")
            wanted = _cells(places[open_], low, size, grid, shift)
            start = np.searchsorted(keys[order], wanted, "left")
            stop = np.searchsorted(keys[order], wanted, "right")
            for k in range(min(int((stop - start).max(initial=0)), 64)):
                has = np.flatnonzero(start + k < stop)
                candidate = order[start[has] + k]
                distance = ((points[candidate] - places[open_[has]]) ** 2).sum(1)
                better = distance < best[open_[has]]
                rows = open_[has[better]]
                best[rows], result[rows] = distance[better], candidate[better]
    return result


def _cells(points: FloatArray, low: FloatArray, size: float, grid: int, shift: float) -> IntArray:
    """Number of the cell of each point in a grid with `grid` cells along the longest side."""
    cell = np.floor((points - low) / size * grid + shift).astype(np.int64) + 1
    result: IntArray = (cell[:, 0] * np.int64(2097152) + cell[:, 1]) * np.int64(2097152) + cell[:, 2]
    return result
