"""Binary STL in millimetres, Z up."""

from __future__ import annotations

import numpy as np

from ..errors import WriteError
from ..meshmath import face_normals, unit
from ..readers.stl import FACET
from .flat import Y_UP_M_TO_Z_UP_MM, Scene


def write(scene: Scene, path: str) -> None:
    """Write all triangles of the scene as one body list. Raises `WriteError` for a scene of points only."""
    records = []
    for _, primitive in scene.placed(Y_UP_M_TO_Z_UP_MM):
        facets = np.zeros(len(primitive.triangles), FACET)
        facets["corners"] = primitive.positions[primitive.triangles]
        facets["normal"] = unit(face_normals(primitive.positions, primitive.triangles))
        records.append(facets)
    count = sum(map(len, records))
    if not count:
        raise WriteError("STL holds triangles only, and the scene has only points; export PLY or GLB")
    with open(path, "wb") as file:
        file.write(b"open pxz, millimetres, Z up".ljust(80))
        file.write(np.uint32(count).tobytes())
        for facets in records:
            file.write(facets.tobytes())
