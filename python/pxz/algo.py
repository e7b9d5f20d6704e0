"""Repair, tessellation, decimation. Lengths are millimetres, angles degrees; -1 stands for "not given"."""

from __future__ import annotations

from typing import Any, NoReturn

from ._engine.errors import PxzError, missing
from ._engine.session import current

__all__ = ["decimateTarget", "repairCAD", "repairMesh", "tessellate", "tessellateRelativelyToAABB"]


def repairCAD(occurrences: list[int], tolerance: float = 0.1, orient: bool = True) -> None:
    """Nothing left to do: OpenCASCADE heals and sews shapes when it reads them."""
    current().occurrences(occurrences)


def repairMesh(
    occurrences: list[int], tolerance: float = 0.1, crackNonManifold: bool = True, orient: bool = True
) -> None:
    """Weld vertices nearer than `tolerance` mm that agree in all attributes, drop degenerate and repeated triangles.

    Meshes that come from CAD are left alone: tessellations are clean, and `tessellate` makes them anew. Faces are not
    turned around.
    """
    from ._engine.meshmath import clean
    from ._engine.model import MM

    session = current()
    exact = {id(m) for source in session.document.cad for m in source.meshes}
    seen: set[int] = set()
    for occurrence, _ in session.parts(occurrences):
        mesh = occurrence.mesh
        if mesh is None or id(mesh) in exact or id(mesh) in seen:
            continue
        seen.add(id(mesh))
        mesh.primitives = [p if p.is_points else clean(p, tolerance / MM) for p in mesh.primitives]
    session.changed()


def tessellate(
    occurrences: list[int],
    maxSag: float = 0.1,
    maxLength: float = -1,
    maxAngle: float = -1,
    createNormals: bool = True,
    *rest: Any,
) -> None:
    """Tessellate CAD parts again, at most `maxSag` mm off the exact surface. Parts without exact geometry are left
    alone.
    """
    _tessellate(occurrences, maxSag, maxAngle)


def tessellateRelativelyToAABB(
    occurrences: list[int],
    maxSag: float = 0.01,
    sagRatio: float = 0.0001,
    maxLength: float = -1,
    maxAngle: float = -1,
    createNormals: bool = True,
    *rest: Any,
) -> None:
    """Tessellate CAD parts again with a sag of `sagRatio` times the diagonal of their box, but no finer than `maxSag`
    mm.
    """
    _tessellate(occurrences, max(maxSag, sagRatio * _diagonal(occurrences)), maxAngle)


def _diagonal(occurrences: list[int]) -> float:
    """Length of the box's diagonal in mm."""
    from . import scene

    box = scene.getAABB(occurrences)
    low, high = tuple(box.low), tuple(box.high)
    return float(sum((b - a) ** 2 for a, b in zip(low, high, strict=True)) ** 0.5)


def _tessellate(occurrences: list[int], sag: float, degrees: float) -> None:
    session = current()
    if not session.document.cad:
        return
    from math import radians

    from ._engine.retessellate import DEFAULT_ANGLE, retessellate

    if sag <= 0:
        raise PxzError(f"the sag must be larger than 0 mm, not {sag}; 0.1 is usual")
    wanted = {id(o.mesh) for o, _ in session.parts(occurrences)}
    retessellate(
        session.document, wanted, sag, radians(degrees) if degrees > 0 else DEFAULT_ANGLE, _diagonal(occurrences)
    )
    session.changed()


def decimateTarget(
    occurrences: list[int],
    TargetStrategy: Any,
    UVImportance: int = 0,
    protectTopology: bool = False,
    iterativeThreshold: int = 5000000,
    *rest: Any,
) -> None:
    """Reduce triangles to a target over all occurrences: `["triangleCount", n]` or `["ratio", percent]`.

    Where the scene is below the target nothing happens. Parts keep materials, texture coordinates and colours.
    """
    from ._engine.decimate import decimate_meshes

    session = current()
    parts = [o.mesh for o, _ in session.parts(occurrences) if o.mesh is not None]
    uses: dict[int, int] = {}
    for mesh in parts:
        uses[id(mesh)] = uses.get(id(mesh), 0) + 1
    meshes = [(mesh, uses[id(mesh)]) for mesh in {id(m): m for m in parts}.values()]
    kind, value = TargetStrategy
    total = sum(m.triangle_count * n for m, n in meshes)
    if kind == "triangleCount":
        target = int(value)
    elif kind == "ratio":
        target = int(total * float(value) / 100)
    else:
        raise PxzError(f"unknown target strategy {kind!r}: the open engine has 'triangleCount' and 'ratio'")
    before, after = decimate_meshes(meshes, target)
    if after != before:
        changed = {id(m) for m, _ in meshes}
        session.document.cad = [s for s in session.document.cad if not any(id(m) in changed for m in s.meshes)]
        session.changed()


def __getattr__(name: str) -> NoReturn:
    missing("pxz.algo", name)
