"""The open engine's own scene file, described in readers.pxz_file."""

from __future__ import annotations

import json
import zipfile

from ..readers.pxz_file import EXTRA, FORMAT, GLB
from .flat import Scene
from .gltf import glb


def write(scene: Scene, path: str) -> None:
    """Write a .pxz: lossless for everything the open engine knows, except exact CAD geometry (its triangles are
    kept).
    """
    extra = {
        "format": FORMAT,
        "version": 1,
        "brepBodies": scene.brep_bodies,
        "brepBoundaries": scene.brep_boundaries,
        "animations": scene.animations,
        "variants": scene.variants,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(GLB, glb(scene))
        archive.writestr(EXTRA, json.dumps(extra, indent=1))
