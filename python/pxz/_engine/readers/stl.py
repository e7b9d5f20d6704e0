"""STL, binary and ASCII: millimetres, Z up, by convention. Own reader, because a wrong count must be an error and not a
memory error.

Facet colours of the VisCAM/SolidView kind (bit 15 of the attribute set) are kept; Magics' global colour is not.
"""

from __future__ import annotations

import os

import numpy as np

from ..errors import ReadError
from ..meshmath import srgb_to_linear, weld
from ..model import FloatArray, IntArray, Material, Mesh, Occurrence, Primitive
from .imported import Imported

FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def read(path: str) -> Imported:
    """Read an STL file."""
    name = os.path.basename(path)
    with open(path, "rb") as file:
        data = file.read()
    count = int.from_bytes(data[80:84], "little") if len(data) >= 84 else -1
    text = data[:5].lower() == b"solid" and b"facet" in data[:2048].lower()
    colors: FloatArray | None = None
    title = os.path.splitext(name)[0]
    if not text or len(data) == 84 + 50 * count:
        if count < 0 or len(data) < 84 + 50 * count:
            held = max(0, (len(data) - 84) // 50)
            raise ReadError(
                f"{name}: promises {max(count, 0)} triangles and holds {held}; the STL is damaged or cut short"
            )
        facets = np.frombuffer(data, FACET, count, 84)
        corners = facets["corners"].reshape(-1, 3)
        colors = facet_colors(facets["attribute"])
    else:
        corners = ascii_corners(data, name)
        title = data[5 : data.find(b"\n")].split(b"\\")[0].decode("utf-8", "replace").strip()[:80] or title
    triangles: IntArray = np.arange(len(corners)).reshape(-1, 3)
    if colors is None:
        corners, triangles = weld(corners, triangles)
    points = np.column_stack([corners[:, 0], corners[:, 2], -corners[:, 1]]) * np.float32(0.001)
    material = Material("default", (1.0, 1.0, 1.0, 1.0)) if colors is not None else Material("default")
    mesh = Mesh(title, [Primitive(points, triangles, colors=colors, material=material)])
    return Imported(Occurrence(title, mesh=mesh))


def facet_colors(attribute: IntArray) -> FloatArray | None:
    """(3 m, 4) linear colours of the corners from 15-bit facet colours, None unless every facet has one."""
    if not len(attribute) or not (attribute & 0x8000).all() or len(np.unique(attribute)) < 2:
        return None
    channels = np.stack([attribute >> 10 & 31, attribute >> 5 & 31, attribute & 31], 1) / 31
    return np.repeat(np.column_stack([srgb_to_linear(channels), np.ones(len(channels))]), 3, axis=0)


def ascii_corners(data: bytes, name: str) -> FloatArray:
    """(3 m, 3) corners of an ASCII STL."""
    if b"endsolid" not in data[-512:].lower():
        raise ReadError(f"{name}: the ASCII STL is cut short (no 'endsolid' at its end); upload it again")
    words = data.lower().split(b"vertex")[1:]
    values = [w.split(None, 3)[:3] for w in words]
    if not values or len(values) % 3:
        raise ReadError(f"{name}: the ASCII STL holds {len(values)} corners, not a multiple of 3; it is damaged")
    return np.array(values, float).astype(np.float32)
