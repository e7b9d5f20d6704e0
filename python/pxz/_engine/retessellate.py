"""CAD parts at another quality: tessellated again from the exact geometry, into the meshes the scene already has."""

from __future__ import annotations

from .model import CadSource, Document, Mesh
from .readers.cad import tessellated, unique_meshes

DEFAULT_ANGLE = 0.2
"""Radians between neighbouring facets where the caller names no angle: round edges look round in a 512 pixel
picture.
"""
FINEST = 2e-5
"""Sag is never less than this part of the model's size: an absolute 0.1 mm on a 38 m hall made 841,000 triangles in 21
s.
"""


def retessellate(document: Document, wanted: set[int], sag_mm: float, angle: float, size_mm: float) -> int:
    """Tessellate again every CAD source that has a mesh among `wanted` (ids of Mesh objects); number of sources done.

    Meshes are replaced in place, so instances, names and places stay; materials keep their identity. A source whose new
    tree does not match its old one is left alone.
    """
    sag = max(sag_mm, FINEST * size_mm)
    if sag > sag_mm:
        print(f"pxz: sag raised from {sag_mm:g} to {sag:g} mm: the model is {size_mm / 1000:.3g} m large")
    quality = (sag, angle, False)
    done = 0
    for source in document.cad:
        if not any(id(mesh) in wanted for mesh in source.meshes) or source.quality == quality:
            continue
        fresh = unique_meshes(tessellated(source.step, source.path, quality))
        if [m.name for m in fresh] != [m.name for m in source.meshes]:
            print(f"pxz: {source.path} keeps its tessellation, because its parts came out in another order")
            continue
        for old, new in zip(source.meshes, fresh, strict=True):
            if id(old) in wanted:
                _replace(old, new)
        source.quality = quality
        done += 1
    return done


def _replace(old: Mesh, new: Mesh) -> None:
    """Put new primitives into a mesh, with the materials the old ones had."""
    for index, primitive in enumerate(new.primitives):
        if index < len(old.primitives) and primitive.material is not None:
            before = old.primitives[index].material
            primitive.material = before if before is not None else primitive.material
    old.primitives = new.primitives


def detach(document: Document, source: CadSource) -> None:
    """Forget a source whose meshes have been merged or decimated: they are no longer its tessellation."""
    document.cad = [s for s in document.cad if s is not source]
