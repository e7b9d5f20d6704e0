"""Files in and out. Which formats, and what of them is kept: `_engine/readers/__init__.py` and
`_engine/writers/__init__.py`.
"""

from __future__ import annotations

import os
from typing import NoReturn

from ._engine.errors import missing
from ._engine.session import current

__all__ = ["exportScene", "importFiles", "importScene"]


def importScene(fileName: str, root: int = 0) -> int:
    """Import one file below `root` (default: the scene's root); id of its top occurrence.

    CAD is tessellated at the default quality. Raises `PxzError` telling what is wrong with which file; nothing is added
    then.
    """
    from ._engine.readers import read

    session = current()
    (parent,) = session.occurrences([root] if root else None)
    imported = read(os.fspath(fileName))
    document = session.document
    parent.children.append(imported.root)
    if imported.cad is not None:
        document.cad.append(imported.cad)
    document.animations += imported.animations
    document.variants += imported.variants
    document.brep_bodies += imported.brep_bodies
    document.brep_boundaries += imported.brep_boundaries
    session.changed()
    return session.id_of(imported.root)


def importFiles(fileNames: list[str], root: int = 0) -> list[int]:
    """Import several files; ids of their top occurrences, in the order of the names."""
    return [importScene(name, root) for name in fileNames]


def exportScene(fileName: str, root: int = 0) -> None:
    """Write the scene, or the tree below `root`, in the format of the file's extension."""
    write_scene(fileName, root)


def write_scene(file_name: str, root: int, kind: str | None = None) -> None:
    """`exportScene` with the format named apart from the extension. The scene's own nameless root is not written."""
    import numpy as np

    from ._engine.writers import write
    from ._engine.writers.flat import Scene

    session = current()
    document = session.document
    (top,) = session.occurrences([root] if root else None)
    above = next((m for o, m in document.root.walk() if any(c is top for c in o.children)), np.eye(4))
    tops = top.children if top is document.root else [top]
    above = above @ top.matrix if top is document.root else above
    scene = Scene(
        list(tops),
        [above] * len(tops),
        document.brep_bodies,
        document.brep_boundaries,
        document.animations,
        document.variants,
    )
    if top is document.root and top.metadata and len(tops) == 1:
        tops[0].metadata = {**top.metadata, **tops[0].metadata}
    write(scene, os.fspath(file_name), kind)


def __getattr__(name: str) -> NoReturn:
    missing("pxz.io", name)
