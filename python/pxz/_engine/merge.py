"""Merging what is equal or belongs together: textures, materials, and parts by material."""

from __future__ import annotations

import numpy as np

from .meshmath import joined, transformed
from .model import Document, Material, Mesh, Occurrence, Primitive, Texture


def merge_images(document: Document) -> int:
    """Make textures with equal bytes one object; number removed."""
    first: dict[bytes, Texture] = {}
    removed: set[int] = set()
    for material in document.materials():
        for slot, texture in material.textures.items():
            kept = first.setdefault(texture.data, texture)
            if kept is not texture and kept.sampler == texture.sampler:
                removed.add(id(texture))
                material.textures[slot] = kept
    return len(removed)


def merge_materials(document: Document) -> int:
    """Make materials that look the same one object; number removed."""
    first: dict[tuple[object, ...], Material] = {}
    removed: set[int] = set()
    for mesh in document.meshes():
        for primitive in mesh.primitives:
            if primitive.material is not None:
                kept = first.setdefault(primitive.material.key(), primitive.material)
                if kept is not primitive.material:
                    removed.add(id(primitive.material))
                    primitive.material = kept
    return len(removed)


def merge_parts_by_material(document: Document, tops: list[Occurrence]) -> list[Occurrence]:
    """Replace the parts below `tops` by one part per material under the scene's root, geometry in world space; the new
    parts.

    Names, tree and instances of the merged parts go: that is what the operation is for (few draw calls). Point clouds
    stay apart from triangles. Branches left empty are removed.
    """
    parts = document.parts(tops)
    groups: dict[tuple[int, bool], list[Primitive]] = {}
    for occurrence, matrix in parts:
        for primitive in occurrence.mesh.primitives if occurrence.mesh else ():
            groups.setdefault((id(primitive.material), primitive.is_points), []).append(transformed(primitive, matrix))
    merged = []
    for number, primitives in enumerate(groups.values(), 1):
        material = primitives[0].material
        name = material.name if material is not None and material.name else f"part {number}"
        merged.append(Occurrence(name, np.eye(4), Mesh(name, [joined(primitives)])))
    gone = {id(o.mesh) for o, _ in parts}
    for occurrence, _ in parts:
        occurrence.mesh = None
    document.cad = [s for s in document.cad if not any(id(m) in gone for m in s.meshes)]
    _prune(document.root)
    document.root.children += merged
    return merged


def _prune(root: Occurrence) -> None:
    """Remove branches without a mesh; keeps the root, and moves the properties of removed tops to it."""
    order = [o for o, _ in root.walk()]
    for occurrence in reversed(order):
        for child in occurrence.children:
            if child.mesh is None and not child.children and occurrence is root:
                root.metadata.update(child.metadata)
        occurrence.children = [c for c in occurrence.children if c.mesh is not None or c.children]
