"""The scene in memory: a tree of occurrences whose leaves share meshes, and the materials those meshes use.

Invariants
1. Lengths are metres, the axes are glTF's (right-handed, Y up). Readers convert on the way in, writers on the way out;
   the public modules convert to the millimetres that Pixyz scripts use (`MM`).
2. An instance is an occurrence that points at a `Mesh` another occurrence points at, too. Nothing copies a mesh to
   place it.
3. Colours are linear RGB with straight alpha, floats in 0..1. Texture pixels stay in the file's encoding (sRGB for
   colour slots).
4. `Primitive` arrays have fixed types: positions (n,3) float32, triangles (m,3) uint32, normals (n,3) float32, uv (n,2)
   float32 with V pointing down as in glTF, colors (n,4) float32. Without triangles (m = 0) it is a point cloud.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]

MM = 1000.0
"""Millimetres in a model unit: the public functions speak millimetres, as Pixyz does."""

DEFAULT_COLOR = (0.48, 0.49, 0.51, 1.0)
"""Linear colour of what has no colour in its file: a light neutral grey that shows shading well."""

Z_UP_TO_Y_UP: FloatArray = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]], float)


@dataclass(eq=False)
class Texture:
    """An encoded picture, kept as the bytes of its file so that conversions do not recompress it."""

    data: bytes
    mime: str = "image/png"
    name: str = ""
    sampler: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Material:
    """glTF's metallic-roughness material. `textures` is keyed by slot: base, metal_rough, normal, occlusion,
    emissive.
    """

    name: str = ""
    color: tuple[float, float, float, float] = DEFAULT_COLOR
    metallic: float = 0.0
    roughness: float = 0.55
    emissive: tuple[float, float, float] = (0.0, 0.0, 0.0)
    alpha_mode: str = "OPAQUE"
    alpha_cutoff: float = 0.5
    double_sided: bool = True
    textures: dict[str, Texture] = field(default_factory=dict)

    def key(self) -> tuple[Any, ...]:
        """What makes two materials look the same (the name does not)."""
        pictures = tuple(sorted((slot, hash(t.data)) for slot, t in self.textures.items()))
        rounded = tuple(round(c, 4) for c in (*self.color, *self.emissive, self.metallic, self.roughness))
        return (rounded, self.alpha_mode, round(self.alpha_cutoff, 4), self.double_sided, pictures)


@dataclass(eq=False)
class Primitive:
    """Triangles, or points when `triangles` is empty, of one material."""

    positions: FloatArray
    triangles: IntArray
    normals: FloatArray | None = None
    uv: FloatArray | None = None
    colors: FloatArray | None = None
    material: Material | None = None

    def __post_init__(self) -> None:
        self.positions = np.ascontiguousarray(self.positions, np.float32).reshape(-1, 3)
        self.triangles = np.ascontiguousarray(self.triangles, np.uint32).reshape(-1, 3)
        for name, width in (("normals", 3), ("uv", 2), ("colors", 4)):
            array = getattr(self, name)
            if array is not None:
                setattr(self, name, np.ascontiguousarray(array, np.float32).reshape(-1, width))

    @property
    def is_points(self) -> bool:
        """True for a point cloud."""
        return len(self.triangles) == 0


@dataclass(eq=False)
class Mesh:
    """The geometry of one part, shared by all its instances."""

    name: str = ""
    primitives: list[Primitive] = field(default_factory=list)

    @property
    def triangle_count(self) -> int:
        """Triangles of one instance."""
        return sum(len(p.triangles) for p in self.primitives)


@dataclass(eq=False)
class Occurrence:
    """A node of the product tree. `matrix` places it in its parent: 4 × 4, for column vectors."""

    name: str = ""
    matrix: FloatArray = field(default_factory=lambda: np.eye(4))
    mesh: Mesh | None = None
    children: list[Occurrence] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)

    def walk(self, parent: FloatArray | None = None) -> Iterator[tuple[Occurrence, FloatArray]]:
        """This occurrence and all below it, parents first, each with its world matrix. Does not recurse, so depth is no
        limit.
        """
        stack = [(self, np.eye(4) if parent is None else parent)]
        while stack:
            node, above = stack.pop()
            world = above @ node.matrix
            yield node, world
            stack.extend((child, world) for child in reversed(node.children))


@dataclass(eq=False)
class CadSource:
    """The exact geometry behind some meshes, kept so that they can be tessellated again at another quality."""

    step: bytes
    path: str
    meshes: list[Mesh]
    quality: tuple[float, float, bool] = (0.0, 0.0, True)
    bodies: int = 0
    boundaries: int = 0


@dataclass(eq=False)
class Document:
    """All that one session holds."""

    root: Occurrence = field(default_factory=lambda: Occurrence("Root"))
    cad: list[CadSource] = field(default_factory=list)
    animations: list[str] = field(default_factory=list)
    variants: list[str] = field(default_factory=list)
    brep_bodies: int = 0
    brep_boundaries: int = 0

    def parts(self, below: list[Occurrence] | None = None) -> list[tuple[Occurrence, FloatArray]]:
        """Occurrences with a mesh, with their world matrices; all of them, or those in the subtrees given."""
        if below is None:
            return [(o, m) for o, m in self.root.walk() if o.mesh is not None]
        wanted = {id(o) for top in below for o, _ in top.walk()}
        return [(o, m) for o, m in self.root.walk() if o.mesh is not None and id(o) in wanted]

    def meshes(self) -> list[Mesh]:
        """Each mesh once, in tree order."""
        return list({id(o.mesh): o.mesh for o, _ in self.root.walk() if o.mesh is not None}.values())

    def materials(self) -> list[Material]:
        """Each material in use once, in tree order."""
        found = (p.material for mesh in self.meshes() for p in mesh.primitives)
        return list({id(m): m for m in found if m is not None}.values())


def bounds(parts: list[tuple[Occurrence, FloatArray]]) -> tuple[FloatArray, FloatArray] | None:
    """Axis-aligned box (low, high) of the parts in metres, or None where there is no vertex. Exact: every vertex is
    moved.
    """
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for occurrence, matrix in parts:
        for primitive in occurrence.mesh.primitives if occurrence.mesh else ():
            if len(primitive.positions):
                points = primitive.positions.astype(float) @ matrix[:3, :3].T + matrix[:3, 3]
                low, high = np.minimum(low, points.min(0)), np.maximum(high, points.max(0))
    return None if low[0] > high[0] else (low, high)
