"""Readers: a file becomes an `Imported` (tree, CAD source, counts), in metres with Y up.

| extension | reader | unit and axes of the file | kept |
| --- | --- | --- | --- |
| step stp iges igs brep brp xbf | cad | named in the file (BREP: mm), Z up | tree, names, colours, exact geometry |
| glb gltf | gltf | metres, Y up | everything but animations, skins and cameras |
| stl, ply off, 3mf | stl, polygons, threemf | mm (3MF: named in the file), Z up | colours, points, names, instances |
| fbx | assimp_files | cm x UnitScaleFactor | tree, names, colours, textures |
| obj dae 3ds x3d amf ... | assimp_files | metres (AMF: named in the file) | tree, names, colours, textures |
| pxz | pxz_file | metres, Y up | everything |
| zip | archive | those of the main file inside | those of the main file inside |
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module

import numpy as np

from ..errors import PxzError, ReadError, UnsupportedFormat
from ..model import bounds
from .imported import Imported

READERS: dict[str, str] = {
    **dict.fromkeys(("step", "stp", "iges", "igs", "brep", "brp", "xbf"), "cad"),
    **dict.fromkeys(("glb", "gltf"), "gltf"),
    "stl": "stl",
    **dict.fromkeys(("ply", "off"), "polygons"),
    "3mf": "threemf",
    "pxz": "pxz_file",
    "zip": "archive",
    **dict.fromkeys(
        [
            "fbx",
            "obj",
            "dae",
            "3ds",
            "x3d",
            "x3db",
            "amf",
            "ac",
            "ase",
            "b3d",
            "blend",
            "cob",
            "dxf",
            "ifc",
            "irr",
            "irrmesh",
            "lwo",
            "lws",
            "lxo",
            "md2",
            "md3",
            "md5mesh",
            "mdl",
            "ms3d",
            "nff",
            "smd",
            "ter",
            "vta",
            "x",
            "xgl",
            "zgl",
            "zae",
            "wrl",
        ],
        "assimp_files",
    ),
}
"""Module of this package that reads an extension. Each has `read(path) -> Imported`."""

LARGEST = 1e12 * 1e-3
"""Coordinates beyond this (metres; 1e12 mm) are damage, not geometry."""


def extension_of(path: str) -> str:
    """Lower-case extension without its dot."""
    return os.path.splitext(path)[1].lower().lstrip(".")


def read(path: str) -> Imported:
    """Read one file. Raises `UnsupportedFormat`, or `ReadError` telling what is wrong with which file."""
    name = os.path.basename(path)
    if not os.path.isfile(path):
        raise ReadError(f"{path}: no such file; check the path, or the root_file inside the archive")
    module = READERS.get(extension_of(path))
    if module is None:
        known = " ".join(sorted(READERS))
        raise UnsupportedFormat(
            f"{name}: the open engine has no reader for '.{extension_of(path)}' files; convert it to one of: {known}; "
            "or use the real Pixyz SDK (PIXYZ_PYTHON_PATH)"
        )
    if os.path.getsize(path) == 0:
        raise ReadError(f"{name}: the file is empty (0 bytes); upload it again")
    reader: Callable[[str], Imported] = import_module(f"{__name__}.{module}").read
    try:
        imported = reader(path)
    except (PxzError, MemoryError):
        raise
    except Exception as error:  # libraries raise anything from IndexError to struct.error on damaged files
        reason = f"{type(error).__name__}: {error}"
        raise ReadError(
            f"{name}: cannot be read, the file looks damaged ({reason}); export or upload it again"
        ) from error
    check(imported, name)
    return imported


def check(imported: Imported, name: str) -> None:
    """Refuse what libraries hand out for damaged files: nothing at all, or geometry at impossible places."""
    parts = [(o, m) for o, m in imported.root.walk() if o.mesh is not None]
    if not any(len(p.positions) for o, _ in parts if o.mesh for p in o.mesh.primitives):
        raise ReadError(f"{name}: holds no triangles and no points; it is empty, damaged, or has only wires")
    with np.errstate(all="ignore"):
        box = bounds(parts)
    finite = all(np.isfinite(p.positions).all() for o, _ in parts if o.mesh for p in o.mesh.primitives)
    if box is None or not finite or not np.isfinite(box).all() or np.abs(box).max() > LARGEST:
        raise ReadError(
            f"{name}: coordinates are not finite or larger than 1e12 mm; the file is damaged, export it again"
        )
