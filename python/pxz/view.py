"""Off-screen pictures by a software rasteriser: no GPU, no window system.

viewer = view.createViewer(512, 512)
view.addGPUScene(view.createGPUScene([scene.getRoot()]), viewer)
view.setViewerProperty("ShowBackground", "False", viewer)
view.fitCamera(geom.Point3(-0.5, -0.5, -1), view.CameraType.Perspective, 70, viewer=viewer)
view.takeScreenshot("iso.png", viewer)
"""

from __future__ import annotations

import os
from enum import IntEnum
from typing import Any, NoReturn

from . import geom
from ._engine.errors import PxzError, UnknownEntity, missing
from ._engine.session import GPUScene, Viewer, current

__all__ = [
    "CameraType",
    "addGPUScene",
    "createGPUScene",
    "createViewer",
    "destroyViewer",
    "fitCamera",
    "removeGPUScene",
    "setViewerProperty",
    "takeScreenshot",
]

WIDEST_FOV = 32.0
"""Degrees. A camera that fits an object fills the frame whatever its angle; a wide angle only brings it so near that
shapes distort (at 90° a cube's face hides its sides). Wider requests are therefore framed the same with this angle."""
LARGEST = 8192
BACKGROUND = (0.91, 0.92, 0.93)


class CameraType(IntEnum):
    """Kinds of cameras."""

    Orthographic = 0
    Perspective = 1


def _viewer(number: int) -> Viewer:
    viewers = current().viewers
    if number == -1 and viewers:
        return viewers[max(viewers)]
    if number not in viewers:
        raise UnknownEntity(f"viewer {number} does not exist; it may have been destroyed, or the session reset")
    return viewers[number]


def createViewer(width: int, height: int) -> int:
    """An off-screen viewer of a size in pixels; its id."""
    if not (1 <= int(width) <= LARGEST and 1 <= int(height) <= LARGEST):
        raise PxzError(
            f"a viewer of {width} x {height} pixels is not possible: each side must be between 1 and {LARGEST}"
        )
    session = current()
    viewer = Viewer(int(width), int(height))
    number = session.id_of(viewer)
    session.viewers[number] = viewer
    return number


def destroyViewer(viewer: int) -> None:
    """Forget a viewer."""
    _viewer(viewer)
    del current().viewers[viewer]


def createGPUScene(occurrences: list[int]) -> int:
    """What is to be drawn: the occurrences, or everything for an empty list; its id."""
    session = current()
    session.occurrences(occurrences)
    return session.id_of(GPUScene(list(occurrences)))


def addGPUScene(scene: int, viewer: int) -> None:
    """Show a GPU scene in a viewer."""
    shown = _viewer(viewer)
    shown.scenes.append(current().entity(scene, GPUScene))
    shown.soup = None


def removeGPUScene(scene: int, viewer: int) -> None:
    """Show a GPU scene no longer."""
    shown = _viewer(viewer)
    shown.scenes.remove(current().entity(scene, GPUScene))
    shown.soup = None


def setViewerProperty(propertyName: str, propertyValue: str, viewer: int = -1) -> str:
    """Set a property; the open engine looks at `ShowBackground` only ("False": transparent)."""
    _viewer(viewer).properties[propertyName] = str(propertyValue)
    return str(propertyValue)


def _soup(viewer: Viewer) -> Any:
    """The viewer's scenes flattened, kept until the session's geometry changes."""
    if viewer.soup is None:
        from ._engine.raster.soup import gather

        session = current()
        wanted = [o for shown in viewer.scenes for o in session.occurrences(shown.occurrences)]
        parts = session.document.parts(wanted) if viewer.scenes else session.parts()
        soup = gather(parts)
        if not len(soup.positions) and not len(soup.points):
            raise PxzError(
                "there is nothing to show: the GPU scene holds no geometry; import a file before createGPUScene"
            )
        viewer.soup = soup
    return viewer.soup


def fitCamera(
    direction: geom.Point3,
    cameraType: CameraType | int = CameraType.Perspective,
    fov: float = 45.0,
    viewer: int = -1,
    **_other: Any,
) -> None:
    """Look along `direction` (model space, Y up) from where everything is just in frame.

    `fov` in degrees, at most `WIDEST_FOV`. An orthographic camera is a perspective one from far away.
    """
    from ._engine.raster.camera import fit

    shown = _viewer(viewer)
    angle = min(max(float(fov), 1.0), WIDEST_FOV) if cameraType == CameraType.Perspective else 1.0
    soup = _soup(shown)
    vector = list(direction)
    if not any(vector):
        raise PxzError("fitCamera: the direction must not be (0, 0, 0)")
    import numpy as np

    shown.camera = fit(soup.corners(), np.array(vector, float), angle, shown.width / shown.height)


def takeScreenshot(fileName: str, viewer: int = -1) -> None:
    """Draw and save a picture (PNG, JPEG or WebP by the extension; background transparent where "ShowBackground" is
    "False").
    """
    from PIL import Image

    from ._engine.raster.picture import render

    shown = _viewer(viewer)
    path = os.fspath(fileName)
    kind = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}.get(os.path.splitext(path)[1].lower())
    if kind is None:
        raise PxzError(f"{os.path.basename(path)}: pictures are saved as .png, .jpg or .webp")
    if not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        raise PxzError(f"{path}: its folder does not exist; create it first")
    soup = _soup(shown)
    if shown.camera is None:
        fitCamera(geom.Point3(-0.5, -0.5, -1), viewer=viewer)
    assert shown.camera is not None
    hidden = shown.properties.get("ShowBackground", "True").lower() == "false" and kind != "JPEG"
    pixels = render(soup, shown.camera, shown.width, shown.height, None if hidden else BACKGROUND)
    picture = Image.fromarray(pixels)
    (picture if hidden else picture.convert("RGB")).save(path, kind)


def __getattr__(name: str) -> NoReturn:
    missing("pxz.view", name)
