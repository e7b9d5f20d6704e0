"""The open engine's own scene file: a zip with `scene.glb` (geometry, tree, materials) and `scene.json` (what glTF has
no place for).

Not the commercial format of the same extension: the real SDK's `.pxz` cannot be read here, nor this one there.
"""

from __future__ import annotations

import json
import os
import zipfile

from ..errors import ReadError
from .gltf import scene_from_glb
from .imported import Imported

FORMAT = "open-pxz-scene"
GLB, EXTRA = "scene.glb", "scene.json"


def read(path: str) -> Imported:
    """Read a scene saved by the open engine."""
    name = os.path.basename(path)
    foreign = f"{name}: not a scene saved by the open pxz engine, but perhaps by the commercial SDK (PIXYZ_PYTHON_PATH)"
    if not zipfile.is_zipfile(path):
        raise ReadError(foreign)
    with zipfile.ZipFile(path) as archive:
        if not {GLB, EXTRA} <= set(archive.namelist()):
            raise ReadError(foreign)
        extra = json.loads(archive.read(EXTRA))
        imported = scene_from_glb(archive.read(GLB), name)
    if extra.get("format") != FORMAT:
        raise ReadError(foreign)
    imported.brep_bodies = int(extra.get("brepBodies", 0))
    imported.brep_boundaries = int(extra.get("brepBoundaries", 0))
    imported.animations = list(extra.get("animations", []))
    imported.variants = list(extra.get("variants", []))
    return imported
