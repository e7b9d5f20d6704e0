"""FBX, DAE, X3D and 3DS by assimp's command line, from a temporary GLB that is bent to what assimp expects.

1. assimp writes glTF's linear colours unchanged into formats whose colours are sRGB: the temporary GLB carries sRGB values.
2. FBX lengths are centimetres: the temporary GLB is scaled by 100.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace

import numpy as np

from ..errors import PxzError, WriteError
from ..meshmath import linear_to_srgb
from ..model import Material, Mesh, Occurrence
from ..readers.assimp_files import run_assimp
from .flat import Scene
from .gltf import glb

FORMATS = {"fbx": "fbx", "dae": "collada", "x3d": "x3d", "3ds": "3ds"}


def write(scene: Scene, path: str) -> None:
    """Write a file through assimp. Raises `WriteError` with assimp's reason."""
    extension = os.path.splitext(path)[1].lower().lstrip(".")
    scale = 100.0 if extension == "fbx" else 1.0
    bent = Scene([_encoded(top) for top in scene.tops], [np.diag([scale, scale, scale, 1]) @ above for above in scene.above])
    with tempfile.TemporaryDirectory(prefix="pxz-") as folder:
        source = os.path.join(folder, "scene.glb")
        with open(source, "wb") as file:
            file.write(glb(bent))
        try:
            run_assimp(["export", source, os.path.abspath(path), f"-f{FORMATS[extension]}"], os.path.basename(path))
        except PxzError as error:
            raise WriteError(str(error)) from None
    if not os.path.exists(path):
        raise WriteError(f"{os.path.basename(path)}: assimp wrote nothing; export GLB instead")


def _encoded(top: Occurrence) -> Occurrence:
    """A copy of the tree whose material colours are sRGB values; arrays are shared, not copied."""
    materials: dict[int, Material] = {}
    meshes: dict[int, Mesh] = {}

    def material_of(material: Material) -> Material:
        if id(material) not in materials:
            red, green, blue = (float(c) for c in linear_to_srgb(np.array(material.color[:3])))
            materials[id(material)] = replace(material, color=(red, green, blue, material.color[3]))
        return materials[id(material)]

    def mesh_of(mesh: Mesh) -> Mesh:
        if id(mesh) not in meshes:
            copies = [replace(p, material=material_of(p.material) if p.material else None) for p in mesh.primitives]
            meshes[id(mesh)] = Mesh(mesh.name, copies)
        return meshes[id(mesh)]

    copies: dict[int, Occurrence] = {}
    order = [o for o, _ in top.walk()]
    for occurrence in reversed(order):  # children before parents
        mesh = mesh_of(occurrence.mesh) if occurrence.mesh else None
        below = [copies[id(c)] for c in occurrence.children]
        copies[id(occurrence)] = replace(occurrence, mesh=mesh, children=below, metadata={})
    return copies[id(top)]
