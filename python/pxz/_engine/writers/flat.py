"""What writers get, and the views of it that several need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ..meshmath import ensure_normals, transformed
from ..model import FloatArray, Mesh, Occurrence, Primitive

Y_UP_M_TO_Z_UP_MM: FloatArray = np.array([[1e3, 0, 0, 0], [0, 0, -1e3, 0], [0, 1e3, 0, 0], [0, 0, 0, 1]], float)
"""From the model's space to that of STL, PLY, OFF and 3MF."""


@dataclass
class Part:
    """An occurrence with a mesh, placed in the world."""

    name: str
    mesh: Mesh
    matrix: FloatArray


@dataclass
class Scene:
    """The trees to write, each with the world matrix above it, and counts that travel along in our own format."""

    tops: list[Occurrence]
    above: list[FloatArray]
    brep_bodies: int = 0
    brep_boundaries: int = 0
    animations: list[str] = field(default_factory=list)
    variants: list[str] = field(default_factory=list)

    def parts(self) -> Iterator[Part]:
        """All placed parts, in tree order."""
        for top, above in zip(self.tops, self.above, strict=True):
            for occurrence, matrix in top.walk(above):
                if occurrence.mesh is not None:
                    yield Part(occurrence.name, occurrence.mesh, matrix)

    def placed(self, matrix: FloatArray | None = None, normals: bool = False) -> Iterator[tuple[str, Primitive]]:
        """Every primitive of every part in world space (times `matrix`), with the part's name."""
        for part in self.parts():
            world = part.matrix if matrix is None else matrix @ part.matrix
            for primitive in part.mesh.primitives:
                yield part.name, transformed(ensure_normals(primitive) if normals else primitive, world)


def corner_colors(primitive: Primitive) -> FloatArray:
    """(n,4) linear colours of the vertices: material colour times vertex colour (textures are not baked)."""
    base = np.array(primitive.material.color if primitive.material else (1, 1, 1, 1), np.float32)
    count = len(primitive.positions)
    return np.tile(base, (count, 1)) if primitive.colors is None else primitive.colors * base
