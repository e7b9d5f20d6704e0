"""The product tree: occurrences, boxes, counts, components, merging. Occurrences and components are named by integer
ids.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NoReturn

from . import geom
from ._engine.errors import PxzError, missing
from ._engine.session import current

__all__ = [
    "ComponentType",
    "getAABB",
    "getAnnotationGroups",
    "getAnnotations",
    "getBRepInfos",
    "getChildren",
    "getPartOccurrences",
    "getPolygonCount",
    "getRoot",
    "getTessellationInfos",
    "listAnimations",
    "listComponent",
    "listVariants",
    "mergeImages",
    "mergeMaterials",
    "mergePartOccurrencesByMaterials",
]


class ComponentType(IntEnum):
    """Kinds of components an occurrence may carry; the open engine has parts and metadata."""

    Part = 0
    PMI = 1
    LightComponent = 2
    VisualBehavior = 3
    InteractionBehavior = 4
    Metadata = 5
    Variant = 6
    Animation = 7
    Joint = 8
    Widget = 9
    OoC = 10
    LOD = 11
    ExternalDataComponent = 12


def getRoot() -> int:
    """The root occurrence."""
    session = current()
    return session.id_of(session.document.root)


def getChildren(occurrence: int) -> list[int]:
    """Occurrences directly below one."""
    session = current()
    (top,) = session.occurrences([occurrence])
    return [session.id_of(child) for child in top.children]


def getAABB(occurrences: list[int]) -> geom.AABB:
    """Box around the occurrences in millimetres (`low` and `high`, each with x, y, z); of the whole scene for an empty
    list.

    Raises `PxzError` where they hold no geometry.
    """
    from ._engine.model import MM, bounds

    box = bounds(current().parts(occurrences))
    if box is None:
        raise PxzError("the occurrences hold no geometry, so they have no bounding box; import a file first")
    low, high = ([float(v) * MM for v in corner] for corner in box)
    return geom.AABB(geom.Point3(*low), geom.Point3(*high))


def getPartOccurrences(fromOccurrence: int = 0) -> list[int]:
    """Occurrences with geometry, in tree order: below one occurrence, or all."""
    session = current()
    return [session.id_of(o) for o, _ in session.parts([fromOccurrence] if fromOccurrence else None)]


def getPolygonCount(occurrences: list[int], asTriangleCount: bool = False, countOnceEachInstance: bool = False) -> int:
    """Triangles of the occurrences; an instanced part counts for each instance, unless `countOnceEachInstance`."""
    meshes = [o.mesh for o, _ in current().parts(occurrences) if o.mesh is not None]
    if countOnceEachInstance:
        meshes = list({id(m): m for m in meshes}.values())
    return sum(mesh.triangle_count for mesh in meshes)


def getBRepInfos() -> dict[str, int]:
    """`bodyCount` and `boundaryCount` (edges of one face only) of the exact geometry; both 0 for mesh files."""
    from ._engine.counts import brep_infos

    return brep_infos(current().document)


def getTessellationInfos() -> dict[str, int]:
    """`vertexCount`, `edgeCount`, `boundaryCount` of all triangles, vertices welded by position."""
    from ._engine.counts import tessellation_infos

    return tessellation_infos(current().parts())


def listComponent(componentType: ComponentType | int) -> list[int]:
    """All components of a kind. Metadata: one for each occurrence that has properties. PMI and others: none in the open
    engine.
    """
    session = current()
    kind = ComponentType(componentType)
    if kind is ComponentType.Metadata:
        return [session.id_of(session.metadata_of(o)) for o, _ in session.document.root.walk() if o.metadata]
    if kind is ComponentType.Part:
        return [session.id_of(mesh) for mesh in session.document.meshes()]
    return []


def getAnnotationGroups(component: int) -> list[int]:
    """None: PMI is not read by the open engine."""
    return []


def getAnnotations(group: int) -> list[int]:
    """None: PMI is not read by the open engine."""
    return []


def listAnimations() -> list[int]:
    """Ids of the animations that imported files name (they are counted, not kept)."""
    session = current()
    return list(range(1, len(session.document.animations) + 1))


def listVariants() -> list[int]:
    """Ids of the material variants that imported files name (they are counted, not kept)."""
    session = current()
    return list(range(1, len(session.document.variants) + 1))


def mergeImages(images: list[int] | None = None) -> int:
    """Make equal textures one; number removed. A list of images is not looked at: all are compared."""
    from ._engine.merge import merge_images

    return merge_images(current().document)


def mergeMaterials(materials: list[int] | None = None, takeNameIntoAccount: bool = False) -> int:
    """Make materials that look the same one; number removed."""
    from ._engine.merge import merge_materials

    session = current()
    session.changed()
    return merge_materials(session.document)


def mergePartOccurrencesByMaterials(
    occurrences: list[int] | None = None, mergeHiddenPartsMode: int = 0, combineMeshes: bool = True
) -> list[int]:
    """Replace parts by one part per material; ids of the new parts."""
    from ._engine.merge import merge_parts_by_material

    session = current()
    merged = merge_parts_by_material(session.document, session.occurrences(occurrences))
    session.changed()
    return [session.id_of(o) for o in merged]


def __getattr__(name: str) -> NoReturn:
    missing("pxz.scene", name)
