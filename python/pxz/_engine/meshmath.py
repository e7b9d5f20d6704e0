"""Array helpers for triangle meshes: normals with a crease angle, welding, cleaning. numpy only, no Python loop per
triangle.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .model import FloatArray, IntArray, Primitive

CREASE_DEGREES = 35.0
"""Sharper edges stay sharp when normals are made."""
FAN = 64
"""Corners at one place that are compared each with each."""


def srgb_to_linear(values: FloatArray) -> FloatArray:
    """Decode sRGB values in 0..1; pass colour channels only, not alpha."""
    v = np.asarray(values, float)
    result: FloatArray = np.where(v <= 0.04045, v / 12.92, ((np.maximum(v, 0) + 0.055) / 1.055) ** 2.4)
    return result


def linear_to_srgb(values: FloatArray) -> FloatArray:
    """Encode linear values in 0..1 as sRGB."""
    v = np.clip(np.asarray(values, float), 0, 1)
    result: FloatArray = np.where(v <= 0.0031308, v * 12.92, 1.055 * v ** (1 / 2.4) - 0.055)
    return result


def face_normals(positions: FloatArray, triangles: IntArray) -> FloatArray:
    """(m,3) normals of length twice the triangle's area."""
    a, b, c = (positions[triangles[:, k]].astype(float) for k in range(3))
    return np.cross(b - a, c - a)


def unit(vectors: FloatArray) -> FloatArray:
    """Vectors (n,3) at length 1; zero vectors stay zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def scatter_add(index: IntArray, values: FloatArray, size: int) -> FloatArray:
    """(size,3) sums of the rows of `values` (n,3) by `index` (n,): np.add.at at a tenth of its price."""
    return np.stack([np.bincount(index, values[:, k], size) for k in range(3)], 1)


def unique_rows(rows: FloatArray | IntArray) -> tuple[IntArray, IntArray]:
    """First index of each distinct row, and for every row the number of its distinct row.

    Floats are compared as float32 bits (0.0 and -0.0 agree), integers as int32. Rows are hashed to 64 bits, because
    sorting those is ten times faster than sorting rows; the answer is then checked, and sorted the slow way should two
    rows ever have collided.
    """
    if np.asarray(rows).dtype.kind == "f":
        bits = (np.ascontiguousarray(rows, np.float32) + np.float32(0)).view(np.uint32)
    else:
        bits = np.ascontiguousarray(rows, np.int32).view(np.uint32)
    keys = np.full(len(bits), 0x9E3779B97F4A7C15, np.uint64)
    for column in bits.T:
        keys = (keys ^ column) * np.uint64(0xBF58476D1CE4E5B9)
        keys ^= keys >> np.uint64(29)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    inverse = inverse.ravel()
    if not np.array_equal(bits[first][inverse], bits):
        whole = bits.view(np.dtype((np.void, 4 * bits.shape[1]))).ravel()
        _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    return first, inverse.ravel()


def weld(positions: FloatArray, triangles: IntArray, tolerance: float = 0.0) -> tuple[FloatArray, IntArray]:
    """Merge vertices at the same place (or in the same cell of a grid of `tolerance`) and drop triangles that
    vanish.
    """
    keys = np.round(positions / tolerance) if tolerance > 0 else positions
    first, inverse = unique_rows(np.asarray(keys, np.float32))
    faces = inverse[triangles]
    keep = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return positions[first], faces[keep].astype(np.uint32)


def crease_normals(primitive: Primitive, degrees: float = CREASE_DEGREES) -> Primitive:
    """The primitive with normals: smooth where faces meet at less than `degrees`, vertices split elsewhere.

    Vertices at one place count as one. Where all faces around a place agree, it gets their mean (by area, which keeps
    fillets even). Elsewhere each corner takes the mean of the faces within the angle of its own face, and corners of
    one vertex that end up with the same normal share it again.
    """
    triangles = primitive.triangles
    if not len(triangles):
        return primitive
    _, place = unique_rows(primitive.positions)
    weights = face_normals(primitive.positions, triangles)
    directions = unit(weights)
    corner_vertex = triangles.ravel().astype(np.int64)
    corner_place = place[corner_vertex]
    corner_face = np.repeat(np.arange(len(triangles)), 3)
    mean = unit(scatter_add(corner_place, weights[corner_face], int(place.max()) + 1))
    # faces within half the angle of the mean are within the angle of each other
    astray = np.einsum("ij,ij->i", directions[corner_face], mean[corner_place]) < np.cos(np.radians(degrees / 2))
    # slivers have no say: what is a thousand times longer than wide points anywhere
    sides = [
        np.linalg.norm(primitive.positions[triangles[:, k]] - primitive.positions[triangles[:, k - 1]], axis=1)
        for k in range(3)
    ]
    astray &= (np.linalg.norm(weights, axis=1) > 1e-3 * np.max(sides, axis=0) ** 2)[corner_face]
    sharp = np.zeros(len(mean), bool)
    sharp[corner_place[astray]] = True
    split = np.flatnonzero(sharp[corner_place])
    normals = mean[place]
    if not len(split):
        return replace(primitive, normals=normals)
    own = _corner_normals(corner_place[split], corner_face[split], directions, weights, np.cos(np.radians(degrees)))
    first, inverse = unique_rows(np.column_stack([corner_vertex[split], np.round(own * 4096)]).astype(np.int32))
    source = np.concatenate([np.arange(len(primitive.positions)), corner_vertex[split][first]])
    corners = corner_vertex.copy()
    corners[split] = len(primitive.positions) + inverse
    used, compact = np.unique(corners, return_inverse=True)
    source, normals = source[used], np.concatenate([normals, own[first]])[used]
    return Primitive(
        primitive.positions[source],
        compact.reshape(-1, 3),
        normals,
        None if primitive.uv is None else primitive.uv[source],
        None if primitive.colors is None else primitive.colors[source],
        primitive.material,
    )


def _corner_normals(
    place: IntArray, face: IntArray, directions: FloatArray, weights: FloatArray, limit: float
) -> FloatArray:
    """(k,3) unit normals for corners, given their places and faces: the mean of faces at the place within the angle."""
    _, place = np.unique(place, return_inverse=True)
    order = np.argsort(place, kind="stable")
    counts = np.bincount(place)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    normals: FloatArray = np.zeros((len(place), 3))
    # visit neighbours by rank around the place: as many passes as the busiest place has corners, each for all corners
    for rank in range(min(int(counts.max()), FAN)):
        has = np.flatnonzero(counts[place] > rank)
        other = face[order[starts[place[has]] + rank]]
        near = np.einsum("ij,ij->i", directions[face[has]], directions[other]) > limit
        normals[has[near]] += weights[other[near]]
    crowded = counts[place] > FAN
    if crowded.any():  # the centre of a disc, the tip of a cone: too many to compare each with each
        around = unit(scatter_add(place, weights[face], len(counts)))[place[crowded]]
        flat = directions[face[crowded]]
        normals[crowded] = np.where((np.einsum("ij,ij->i", flat, around) > limit)[:, None], around, flat)
    return unit(np.where(np.abs(normals).sum(1, keepdims=True) > 0, normals, directions[face]))


def ensure_normals(primitive: Primitive) -> Primitive:
    """Give a primitive normals where it has none, in place (vertices may be split), so that they are made only once."""
    if primitive.normals is None or len(primitive.normals) != len(primitive.positions):
        made = crease_normals(primitive)
        primitive.positions, primitive.triangles, primitive.normals = made.positions, made.triangles, made.normals
        primitive.uv, primitive.colors = made.uv, made.colors
    return primitive


def clean(primitive: Primitive, tolerance: float) -> Primitive:
    """Weld vertices equal in every attribute and nearer than `tolerance` (metres), drop degenerate and repeated
    triangles.
    """
    columns = [np.round(primitive.positions / tolerance) if tolerance > 0 else primitive.positions]
    columns += [np.round(a * 1024) for a in (primitive.normals, primitive.uv, primitive.colors) if a is not None]
    first, inverse = unique_rows(np.hstack(columns))
    faces = inverse[primitive.triangles]
    area = np.linalg.norm(face_normals(primitive.positions, primitive.triangles), axis=1)
    keep = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0]) & (area > 0)
    faces = faces[keep]
    if len(faces):
        _, unique = np.unique(np.sort(faces, 1), axis=0, return_index=True)
        faces = faces[np.sort(unique)]

    def pick(array: FloatArray | None) -> FloatArray | None:
        return None if array is None else array[first]

    if not len(faces) and not primitive.is_points:
        return primitive  # everything would go: a part thinner than the tolerance is better kept as it is
    return Primitive(
        primitive.positions[first],
        faces,
        pick(primitive.normals),
        pick(primitive.uv),
        pick(primitive.colors),
        primitive.material,
    )


def transformed(primitive: Primitive, matrix: FloatArray) -> Primitive:
    """A copy moved by a 4 × 4 matrix; mirrored matrices turn the triangles around so that outsides stay outside."""
    linear = matrix[:3, :3]
    normals = primitive.normals
    if normals is not None:
        normals = unit(normals @ np.linalg.pinv(linear)).astype(np.float32)
    mirrored = np.linalg.det(linear) < 0
    return Primitive(
        primitive.positions.astype(float) @ linear.T + matrix[:3, 3],
        primitive.triangles[:, ::-1] if mirrored else primitive.triangles,
        normals,
        primitive.uv,
        primitive.colors,
        primitive.material,
    )


def joined(primitives: list[Primitive]) -> Primitive:
    """One primitive from several of one material. An attribute only some have is filled in: UV 0, colour white, normals
    made.
    """
    primitives = [ensure_normals(p) for p in primitives]
    offsets = np.cumsum([0] + [len(p.positions) for p in primitives])
    faces = [p.triangles.astype(np.int64) + o for p, o in zip(primitives, offsets, strict=False)]
    uv = colors = None
    if any(p.uv is not None for p in primitives):
        uv = np.concatenate([p.uv if p.uv is not None else np.zeros((len(p.positions), 2)) for p in primitives])
    if any(p.colors is not None for p in primitives):
        colors = np.concatenate(
            [p.colors if p.colors is not None else np.ones((len(p.positions), 4)) for p in primitives]
        )
    normals = None
    if all(p.normals is not None for p in primitives):
        normals = np.concatenate([p.normals for p in primitives if p.normals is not None])
    return Primitive(
        np.concatenate([p.positions for p in primitives]),
        np.concatenate(faces),
        normals,
        uv,
        colors,
        primitives[0].material,
    )
