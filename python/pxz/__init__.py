"""Open stand-in for the commercial `pxz` module: the functions that Pixyz scripts commonly call, on open libraries,
with no licence.

What it has is listed in each module; anything else raises an error that names the function. Lengths are millimetres, as
in Pixyz. Importing it is quick: libraries are loaded by the first call that needs them, or all at once by `preload()`.

    import pxz
    from pxz import algo, core, io, material, polygonal, scene, view
"""

from __future__ import annotations

from types import ModuleType
from typing import NoReturn

from . import algo, core, geom, io, material, polygonal, scene, view
from ._engine import session as _session
from ._engine.errors import PxzError, missing

__version__ = "1.0.0"
__engine__ = "open"
"""Only the open engine has this name: `getattr(pxz, "__engine__", "pixyz")` tells which one runs."""

__all__ = [
    "PxzError",
    "algo",
    "core",
    "engine_name",
    "geom",
    "get_current_session",
    "initialize",
    "io",
    "material",
    "polygonal",
    "preload",
    "release",
    "scene",
    "set_current_session",
    "view",
]


def engine_name() -> str:
    """Name and version of the engine, for results: which one made this file?"""
    return f"{__engine__} {__version__}"


def initialize(*_licence: object) -> int:
    """Open a session and make it current; its id. Licence arguments of the commercial module are accepted and not
    used.
    """
    return _session.open_session()


def release(session: int | None = None) -> None:
    """Drop a session and its scene: the one given, else the current one."""
    _session.close_session(session)


def get_current_session() -> int | None:
    """Id of the current session, None where there is none."""
    return _session.current_number()


def set_current_session(session: int | None) -> None:
    """Make another session the current one."""
    _session.make_current(session)


def preload() -> list[str]:
    """Import every library that readers, writers and the rasteriser may need; names of those found.

    For a warm host process that forks children: afterwards a child's first import of a model costs no library loading.
    Opens no file, starts no thread of its own.
    """
    from importlib import import_module

    names = [
        "numpy",
        "PIL.Image",
        "PIL.PngImagePlugin",
        "PIL.JpegImagePlugin",
        "trimesh",
        "cascadio",
        "manifold3d",
        "fast_simplification",
        "DracoPy",
        "zipfile",
        "tempfile",
        "subprocess",
        "xml.etree.ElementTree",
    ]
    engine = (
        "readers.gltf readers.cad readers.assimp_files readers.stl readers.polygons readers.threemf readers.pxz_file "
    )
    engine += "writers.gltf writers.pxz_file raster.picture raster.camera counts decimate merge retessellate"
    found: list[ModuleType] = []
    for name in [*names, *(f"{__name__}._engine.{part}" for part in engine.split())]:
        try:
            found.append(import_module(name))
        except ImportError:
            continue
    return [module.__name__ for module in found]


def __getattr__(name: str) -> NoReturn:
    missing("pxz", name)
