"""Which triangle or point each pixel shows: a depth buffer of 64-bit keys, depth above, number below, filled by
np.minimum.at.

Chunks of triangles are expanded to the pixels of their bounding boxes, so the cost is that of the boxes' areas, with no
Python loop per triangle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..model import FloatArray, IntArray

Keys = npt.NDArray[np.uint64]
EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
CHUNK = 600_000
"""Pixels handled at once: about 60 MB of temporaries."""
NUMBER = np.uint64(0xFFFFFFFF)
SHIFT = np.uint64(32)


@dataclass
class Screen:
    """Vertices on a picture of `width` × `height` pixels: x, y in pixels (y down), `inverse` 1/z, `depth` 0 (near) ..
    2^31 (far).
    """

    x: FloatArray
    y: FloatArray
    inverse: FloatArray
    depth: FloatArray
    width: int
    height: int


def project(view: FloatArray, focal: float, width: int, height: int, near: float, far: float) -> Screen:
    """Perspective projection of camera-space points. `near`, `far`: the range of 1/z depths is spread over."""
    inverse = 1 / np.maximum(view[:, 2], near * 1e-3)
    half = height / 2
    x = view[:, 0] * focal * inverse * half + width / 2
    y = half - view[:, 1] * focal * inverse * half
    span = 1 / near - 1 / far
    depth = (1 / near - inverse) / (span if span > 0 else 1.0) * (2**31 - 2)
    return Screen(x, y, inverse, np.clip(depth, 0, 2**31 - 2), width, height)


def triangles(screen: Screen, faces: IntArray, behind: Keys | None = None, before: Keys | None = None) -> Keys:
    """Keys (height·width,) of the nearest triangle of each pixel; `EMPTY` where there is none.

    `behind`: only what is farther than these keys counts (peeling a transparent layer off); `before`: only what is
    nearer.
    """
    size_x, size_y = screen.width, screen.height
    keys = np.full(size_x * size_y, EMPTY)
    x, y, d = screen.x[faces], screen.y[faces], screen.depth[faces]

    def limit(values: FloatArray, size: int) -> IntArray:
        result: IntArray = np.clip(values, 0, size).astype(np.int64)
        return result

    left, top = limit(np.ceil(x.min(1) - 0.5), size_x), limit(np.ceil(y.min(1) - 0.5), size_y)
    wide = limit(np.floor(x.max(1) + 0.5), size_x) - left
    high = limit(np.floor(y.max(1) + 0.5), size_y) - top
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    pixels = np.where((wide > 0) & (high > 0) & (area != 0), wide * high, 0)
    drawn = np.flatnonzero(pixels)
    ends = np.cumsum(pixels[drawn])
    planes = _planes(x, y, d, area, drawn)
    at = 0
    while at < len(drawn):
        base = int(ends[at - 1]) if at else 0
        stop = max(at + 1, int(np.searchsorted(ends, base + CHUNK, "right")))
        part = drawn[at:stop]
        which = np.repeat(np.arange(stop - at), pixels[part])
        k = np.arange(len(which)) - np.repeat(ends[at:stop] - pixels[part] - base, pixels[part])
        row = k // wide[part][which]
        column = left[part][which] + k - row * wide[part][which]
        row += top[part][which]
        a1, c1, e1, a2, c2, e2, az, cz, ez = planes[:, at:stop]
        b1 = a1[which] * column + c1[which] * row + e1[which]
        b2 = a2[which] * column + c2[which] * row + e2[which]
        inside = np.flatnonzero((b1 >= 0) & (b2 >= 0) & (b1 + b2 <= 1))
        which, column, row = which[inside], column[inside], row[inside]
        place = row * size_x + column
        z = np.clip(az[which] * column + cz[which] * row + ez[which], 0, 2**31 - 2).astype(np.uint64)
        found = (z << SHIFT) | part[which].astype(np.uint64)
        if behind is not None and before is not None:
            # two triangles of one depth (a doubled face) count as two layers only if their numbers differ the right way
            keep = (found > behind[place]) & (z < (before[place] >> SHIFT))
            place, found = place[keep], found[keep]
        np.minimum.at(keys, place, found)
        at = stop
    return keys


def _planes(x: FloatArray, y: FloatArray, d: FloatArray, area: FloatArray, drawn: IntArray) -> FloatArray:
    """(9, len(drawn)): weights of the second and third corner, and depth, each as a, c, e of a · column + c · row + e
    at pixel centres.
    """
    x, y, d, area = x[drawn], y[drawn], d[drawn], area[drawn]
    a1, c1 = (y[:, 2] - y[:, 0]) / area, -(x[:, 2] - x[:, 0]) / area
    a2, c2 = -(y[:, 1] - y[:, 0]) / area, (x[:, 1] - x[:, 0]) / area
    ox, oy = 0.5 - x[:, 0], 0.5 - y[:, 0]
    e1, e2 = a1 * ox + c1 * oy, a2 * ox + c2 * oy
    d1, d2 = d[:, 1] - d[:, 0], d[:, 2] - d[:, 0]
    return np.stack([a1, c1, e1, a2, c2, e2, a1 * d1 + a2 * d2, c1 * d1 + c2 * d2, d[:, 0] + e1 * d1 + e2 * d2])


def points(screen: Screen, radius: FloatArray, keys: Keys) -> Keys:
    """Discs of `radius` (k,) pixels around points, drawn into a copy of `keys`; numbers carry on after the triangles'
    (bit 31 set).
    """
    result = keys.copy()
    reach = int(np.ceil(min(float(radius.max(initial=0)), 64.0)))
    number = np.arange(len(screen.x), dtype=np.uint64) | np.uint64(1 << 31)
    found = (screen.depth.astype(np.uint64) << SHIFT) | number
    cx, cy = np.floor(screen.x).astype(np.int64), np.floor(screen.y).astype(np.int64)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            column, row = cx + dx, cy + dy
            distance = (column + 0.5 - screen.x) ** 2 + (row + 0.5 - screen.y) ** 2
            # the pixel that holds the centre always counts, so that far points do not vanish
            hit = (distance <= radius**2) | ((dx == 0) & (dy == 0))
            hit &= (column >= 0) & (column < screen.width) & (row >= 0) & (row < screen.height)
            np.minimum.at(result, (row * screen.width + column)[hit], found[hit])
    return result


def barycentrics(screen: Screen, corners: IntArray, place: IntArray) -> FloatArray:
    """(h,3) perspective-correct weights of the triangles' corners (h,3) at pixels `place`."""
    x, y = screen.x[corners], screen.y[corners]
    px, py = place % screen.width + 0.5 - x[:, 0], place // screen.width + 0.5 - y[:, 0]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    b1 = (px * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * py) / area
    b2 = ((x[:, 1] - x[:, 0]) * py - px * (y[:, 1] - y[:, 0])) / area
    weights: FloatArray = np.stack([1 - b1 - b2, b1, b2], 1) * screen.inverse[corners]
    result: FloatArray = weights / weights.sum(1, keepdims=True)
    return result
