"""A scene as flat arrays in world space: what the rasteriser draws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..meshmath import ensure_normals, transformed
from ..model import DEFAULT_COLOR, FloatArray, IntArray, Material, Occurrence
from ..textures import linear_pixels

Pyramid = list[FloatArray]
"""A texture at full, half, quarter ... size, each (h,w,4) float32 linear."""


@dataclass
class Surface:
    """What shading needs to know of a material: one row of the material table."""

    metallic: float = 0.0
    roughness: float = 0.55
    emissive: tuple[float, float, float] = (0.0, 0.0, 0.0)
    cutoff: float = -1.0
    """Alpha below this is not drawn at all (MASK); negative: blend."""
    texture: Pyramid | None = None
    blends: bool = False


@dataclass
class Soup:
    """n vertices, m triangles, k points. Colours linear RGBA; `surface` (m,) indexes `surfaces`."""

    positions: FloatArray
    normals: FloatArray
    colors: FloatArray
    uv: FloatArray
    triangles: IntArray
    surface: IntArray
    points: FloatArray
    point_colors: FloatArray
    surfaces: list[Surface] = field(default_factory=list)

    def corners(self) -> FloatArray:
        """All places that must be inside the frame."""
        return np.concatenate([self.positions, self.points])


def pyramid(pixels: FloatArray) -> Pyramid:
    """Halve a texture until one side is a pixel; averages weigh colours by nothing but area."""
    levels = [pixels]
    while min(levels[-1].shape[:2]) > 1:
        last = levels[-1][: levels[-1].shape[0] // 2 * 2, : levels[-1].shape[1] // 2 * 2]
        levels.append(last.reshape(last.shape[0] // 2, 2, last.shape[1] // 2, 2, 4).mean((1, 3)))
    return levels


def gather(parts: Iterable[tuple[Occurrence, FloatArray]]) -> Soup:
    """Flatten placed parts. Meshes without normals get crease-split ones; each texture is decoded once."""
    surfaces = [Surface()]
    numbers: dict[int, int] = {}
    pyramids: dict[int, Pyramid] = {}
    lists: dict[str, list[FloatArray | IntArray]] = {k: [] for k in ("p", "n", "c", "u", "f", "s", "q", "r")}
    count = 0
    for occurrence, matrix in parts:
        for primitive in occurrence.mesh.primitives if occurrence.mesh else ():
            placed = transformed(ensure_normals(primitive), matrix)
            size = len(placed.positions)
            base = np.array(placed.material.color if placed.material else DEFAULT_COLOR, np.float32)
            colors = (
                np.tile(base, (size, 1)) if placed.colors is None else placed.colors * (base if placed.material else 1)
            )
            if placed.is_points:
                lists["q"].append(placed.positions)
                lists["r"].append(colors)
                continue
            material = placed.material
            if material is not None and id(material) not in numbers:
                numbers[id(material)] = len(surfaces)
                surfaces.append(_surface(material, pyramids))
            number = numbers[id(material)] if material is not None else 0
            lists["p"].append(placed.positions)
            lists["n"].append(placed.normals if placed.normals is not None else np.zeros((size, 3)))
            lists["c"].append(colors)
            lists["u"].append(placed.uv if placed.uv is not None else np.zeros((size, 2)))
            lists["f"].append(placed.triangles.astype(np.int64) + count)
            lists["s"].append(np.full(len(placed.triangles), number))
            count += size

    def join(key: str, width: int, kind: type) -> npt.NDArray[Any]:
        rows: list[npt.NDArray[Any]] = [np.asarray(a, kind).reshape(-1, width) for a in lists[key]]
        return np.concatenate(rows) if rows else np.zeros((0, width), kind)

    return Soup(
        join("p", 3, np.float64),
        join("n", 3, np.float32),
        join("c", 4, np.float32),
        join("u", 2, np.float32),
        join("f", 3, np.int64),
        join("s", 1, np.int64)[:, 0],
        join("q", 3, np.float64),
        join("r", 4, np.float32),
        surfaces,
    )


def _surface(material: Material, pyramids: dict[int, Pyramid]) -> Surface:
    texture = material.textures.get("base")
    levels = None
    if texture is not None:
        if id(texture) not in pyramids:
            pyramids[id(texture)] = pyramid(linear_pixels(texture))
        levels = pyramids[id(texture)]
    cutoff = material.alpha_cutoff if material.alpha_mode == "MASK" else -1.0
    blends = material.alpha_mode != "OPAQUE"
    return Surface(material.metallic, material.roughness, material.emissive, cutoff, levels, blends)
