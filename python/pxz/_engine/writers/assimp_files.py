"""FBX and DAE by assimp's command line, from a temporary GLB that is bent to what assimp expects.

1. assimp writes glTF's linear colours unchanged into formats whose colours are sRGB: the temporary GLB carries sRGB
   values.
2. FBX lengths are centimetres: vertices and translations are multiplied by 100, so that no node carries a scale.
3. assimp drops a lone root with its transform: the real tops hang below one that may go.
4. its Collada writer turns points into triangles of nothing: points are left out there.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace

import numpy as np

from ..errors import PxzError, WriteError
from ..meshmath import linear_to_srgb
from ..model import FloatArray, Material, Mesh, Occurrence
from ..readers.assimp_files import limit_s, run_assimp
from .flat import Scene
from .gltf import glb

FORMATS = {"fbx": "fbx", "dae": "collada"}


def write(scene: Scene, path: str) -> None:
    """Write a file through assimp. Raises `WriteError` with assimp's reason."""
    extension = os.path.splitext(path)[1].lower().lstrip(".")
    scale = 100.0 if extension == "fbx" else 1.0
    name = os.path.splitext(os.path.basename(path))[0].partition(".part-")[0]
    wrapper = Occurrence(name)
    for top, above in zip(scene.tops, scene.above, strict=True):
        copy = _bent(top, scale, keep_points=extension == "fbx")
        copy.matrix = _scaled(above, scale) @ copy.matrix
        wrapper.children.append(copy)
    bent = Scene([wrapper], [np.eye(4)])
    if not any(True for _ in bent.parts()):
        raise WriteError(
            f"{extension.upper()} holds triangles only here, and the scene has only points; export PLY or GLB"
        )
    with tempfile.TemporaryDirectory(prefix="pxz-") as folder:
        source = os.path.join(folder, "scene.glb")
        with open(source, "wb") as file:
            file.write(glb(bent))
        try:
            run_assimp(
                ["export", source, os.path.abspath(path), f"-f{FORMATS[extension]}"],
                os.path.basename(path),
                limit_s(source),
            )
        except PxzError as error:
            raise WriteError(str(error)) from None
    if not os.path.exists(path):
        raise WriteError(f"{os.path.basename(path)}: assimp wrote nothing; export GLB instead")


def _scaled(matrix: FloatArray, scale: float) -> FloatArray:
    """The same placement in units that are `scale` times smaller."""
    result = np.array(matrix, float)
    result[:3, 3] *= scale
    return result


def _bent(top: Occurrence, scale: float, keep_points: bool) -> Occurrence:
    """A copy of the tree with sRGB colours and scaled lengths; what need not change is shared, not copied."""
    materials: dict[int, Material] = {}
    meshes: dict[int, Mesh] = {}

    def material_of(material: Material) -> Material:
        if id(material) not in materials:
            red, green, blue = (float(c) for c in linear_to_srgb(np.array(material.color[:3])))
            materials[id(material)] = replace(material, color=(red, green, blue, material.color[3]))
        return materials[id(material)]

    def mesh_of(mesh: Mesh) -> Mesh:
        if id(mesh) not in meshes:
            copies = [
                replace(
                    p,
                    positions=p.positions * np.float32(scale),
                    material=material_of(p.material) if p.material else None,
                )
                for p in mesh.primitives
                if keep_points or not p.is_points
            ]
            meshes[id(mesh)] = Mesh(mesh.name, copies)
        return meshes[id(mesh)]

    copies: dict[int, Occurrence] = {}
    order = [o for o, _ in top.walk()]
    for occurrence in reversed(order):  # children before parents
        mesh = mesh_of(occurrence.mesh) if occurrence.mesh else None
        below = [copies[id(c)] for c in occurrence.children]
        mesh = mesh if mesh is not None and mesh.primitives else None
        matrix = _scaled(occurrence.matrix, scale)
        copies[id(occurrence)] = replace(occurrence, matrix=matrix, mesh=mesh, children=below, metadata={})
    return copies[id(top)]
