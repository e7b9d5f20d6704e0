"""Writers: the current scene (or part of it) becomes a file. Each module has `write(scene, path)`; the extension
chooses.

| extension | writer | unit and axes of the file | kept |
| --- | --- | --- | --- |
| glb gltf | gltf | metres, Y up | all: tree, names, instances, materials, textures, colours, points |
| pxz | pxz_file | metres, Y up | all |
| obj | obj | metres, Y up | parts as objects, names, materials, textures, colours |
| stl | stl | mm, Z up | triangles |
| ply, off | polygons | mm, Z up | triangles, points, colours (PLY) |
| 3mf | threemf | mm, Z up | parts, names, instances, colours |
| usda usdz | usd | metres, Y up | tree, names, instances, materials, textures |
| fbx dae | assimp_files | cm (FBX), metres; Y up | tree, names, colours, textures |
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module

from ..errors import PxzError, UnsupportedFormat, WriteError
from .flat import Scene

WRITERS: dict[str, str] = {
    **dict.fromkeys(("glb", "gltf"), "gltf"),
    "pxz": "pxz_file",
    "obj": "obj",
    "stl": "stl",
    **dict.fromkeys(("ply", "off"), "polygons"),
    "3mf": "threemf",
    **dict.fromkeys(("usda", "usdz"), "usd"),
    **dict.fromkeys(("fbx", "dae"), "assimp_files"),
}


BESIDE = {"obj", "usda", "dae"}
"""Formats that put further files (materials, textures) beside the main one, named after it."""


def write(scene: Scene, path: str, kind: str | None = None) -> None:
    """Write a scene by `kind`, else by the extension of `path`. Formats of one file appear whole or not at all: written
    under another name, then renamed.
    """
    name = os.path.basename(path)
    extension = os.path.splitext(path)[1].lower().lstrip(".")
    module = WRITERS.get(kind or extension)
    if module is None:
        known = " ".join(sorted(WRITERS))
        raise UnsupportedFormat(
            f"{name}: the open engine has no writer for '.{extension}' files; choose one of: {known}; "
            "or use the real Pixyz SDK (PIXYZ_PYTHON_PATH)"
        )
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise WriteError(f"{path}: its folder does not exist; create {folder} first")
    if not any(len(p.positions) for part in scene.parts() for p in part.mesh.primitives):
        raise WriteError(f"{name}: the scene holds no geometry; import a file before exporting")
    writer: Callable[[Scene, str], None] = import_module(f"{__name__}.{module}").write
    stem, _ = os.path.splitext(path)
    partial = path if extension in BESIDE else f"{stem}.part-{os.getpid()}.{extension}"
    try:
        writer(scene, partial)
        if partial != path:
            os.replace(partial, path)
    except (PxzError, OSError, MemoryError):
        raise
    except Exception as error:
        raise WriteError(f"{name}: cannot be written ({type(error).__name__}: {error})") from error
    finally:
        if partial != path and os.path.exists(partial):
            os.unlink(partial)
