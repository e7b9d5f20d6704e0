"""Pictures: framing, orientation, colours, transparency, sizes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pxz
import pytest
import trimesh
from PIL import Image
from pxz import geom, io, scene, view

Document = Callable[[], Any]
Sample = Callable[[str], str]

FRONT, RIGHT, TOP, ISO = (0, 0, -1), (-1, 0, 0), (0, -1, 0), (-0.5, -0.5, -1)


def picture(
    path: Path,
    direction: tuple[float, float, float] = ISO,
    width: int = 160,
    height: int = 160,
    background: str = "False",
) -> Any:
    """(height, width, 4) pixels of the current scene."""
    viewer = view.createViewer(width, height)
    view.addGPUScene(view.createGPUScene([scene.getRoot()]), viewer)
    view.setViewerProperty("ShowBackground", background, viewer)
    view.fitCamera(geom.Point3(*direction), view.CameraType.Perspective, 70, viewer=viewer)
    target = path / "shot.png"
    view.takeScreenshot(str(target), viewer)
    view.destroyViewer(viewer)
    with Image.open(target) as image:
        return np.asarray(image.convert("RGBA")).astype(int)


def add(document: Document, mesh: trimesh.Trimesh, color: tuple[float, ...], **material: Any) -> None:
    """A part of one colour (linear RGBA), metres."""
    from pxz._engine.model import Material, Mesh, Occurrence, Primitive

    made = Primitive(mesh.vertices, mesh.faces, material=Material("m", color, **material))  # type: ignore[arg-type]
    document().root.children.append(Occurrence("part", mesh=Mesh("part", [made])))


def extent(pixels: Any) -> tuple[int, int, int, int]:
    """left, top, right, bottom of what is not transparent."""
    rows, columns = np.nonzero(pixels[..., 3])
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize("direction", [FRONT, RIGHT, TOP, ISO, (0.3, 1, 0.2), (0, 1, 0)])
@pytest.mark.parametrize("size", [(160, 160), (240, 100), (90, 200)])
def test_the_model_is_whole_centred_and_fills_the_frame(
    direction: tuple[float, float, float], size: tuple[int, int], sample: Sample, tmp_path: Path
) -> None:
    io.importScene(sample("pump-unit.glb"))
    pixels = picture(tmp_path, direction, *size)
    assert pixels.shape == (size[1], size[0], 4)
    left, top, right, bottom = extent(pixels)
    assert left >= 1 and top >= 1 and right <= size[0] - 1 and bottom <= size[1] - 1, "nothing is cut off"
    assert abs(left - (size[0] - right)) <= 0.06 * size[0] and abs(top - (size[1] - bottom)) <= 0.06 * size[1]
    assert max((right - left) / size[0], (bottom - top) / size[1]) > 0.88, "the tighter side is filled"


def test_right_is_right_and_up_is_up(document: Document, tmp_path: Path) -> None:
    red, green, blue = (0.8, 0, 0, 1.0), (0, 0.8, 0, 1.0), (0, 0, 0.8, 1.0)
    for color, center in ((red, (1, 0, 0)), (green, (0, 1, 0)), (blue, (0, 0, 1))):
        cube = trimesh.creation.box((0.3, 0.3, 0.3))
        cube.apply_translation(center)
        add(document, cube, color)

    def center_of(pixels: Any, channel: int) -> tuple[float, float]:
        others = [c for c in range(3) if c != channel]
        mask = (pixels[..., 3] > 200) & (pixels[..., channel] > pixels[..., others].max(2) + 60)
        rows, columns = np.nonzero(mask)
        return float(columns.mean()), float(rows.mean())

    front = picture(tmp_path, FRONT)
    assert center_of(front, 0)[0] > center_of(front, 1)[0] + 30, "+X is to the right of the front view"
    assert center_of(front, 1)[1] < center_of(front, 0)[1] - 30, "+Y is up"
    right = picture(tmp_path, RIGHT)
    assert center_of(right, 2)[0] < center_of(right, 0)[0] - 30, "+Z is to the left when looking from +X"
    top = picture(tmp_path, TOP)
    assert center_of(top, 2)[1] > center_of(top, 0)[1] + 30, "+Z is at the bottom when looking from above"


def test_the_nearer_of_two_parts_is_seen(document: Document, tmp_path: Path) -> None:
    for color, z in (((0.8, 0, 0, 1.0), 0.0), ((0, 0, 0.8, 1.0), 1.0)):
        plate = trimesh.creation.box((1, 1, 0.1))
        plate.apply_translation((0, 0, z))
        add(document, plate, color)
    middle = picture(tmp_path, FRONT)[80, 80]
    assert middle[2] > 120 and middle[0] < 90, "the blue plate is in front"


def test_the_background_is_transparent_or_light(sample: Sample, tmp_path: Path) -> None:
    io.importScene(sample("bolt.step"))
    assert picture(tmp_path)[0, 0, 3] == 0
    shown = picture(tmp_path, background="True")
    assert (shown[..., 3] == 255).all() and shown[0, 0, 0] > 200


def test_colours_are_those_of_the_material(document: Document, tmp_path: Path) -> None:
    """A mid-grey front face comes out near its own sRGB value: neither black nor washed out."""
    add(document, trimesh.creation.box(), (0.216, 0.216, 0.216, 1.0))  # sRGB 0.5
    face = picture(tmp_path, FRONT)[80, 80]
    assert np.ptp(face[:3]) < 12
    assert 95 < face[:3].mean() < 165


def test_glass_shows_what_is_behind_it(document: Document, tmp_path: Path) -> None:
    back = trimesh.creation.box((0.5, 0.5, 0.1))
    add(document, back, (0.8, 0, 0, 1.0))
    glass = trimesh.creation.box((1, 1, 0.02))
    glass.apply_translation((0, 0, 0.5))
    add(document, glass, (0, 0, 0.8, 0.4), alpha_mode="BLEND")
    pixels = picture(tmp_path, FRONT)
    middle, rim = pixels[80, 80], pixels[80, 20]
    assert middle[3] == 255 and middle[0] > 60 and middle[2] > 60, "red through blue"
    assert 100 < rim[3] < 230 and rim[2] > rim[0], "glass alone is half transparent"


def test_the_label_of_the_crate_is_upright(sample: Sample, tmp_path: Path) -> None:
    """Its triangle points up: the blue rows grow wider downwards. A flipped V axis turns it over."""
    io.importScene(sample("crate-obj-textured.zip"))
    pixels = picture(tmp_path, FRONT, 320, 320)
    blue = (pixels[..., 2] > pixels[..., 0] + 60) & (pixels[..., 2] > pixels[..., 1] + 40)
    rows = np.flatnonzero(blue.any(1))
    widths = blue[rows].sum(1)
    assert len(rows) > 15
    assert widths[: len(rows) // 4].mean() < 0.5 * widths[-len(rows) // 4 :].mean()
    columns = np.flatnonzero(blue.any(0))
    assert columns.mean() < 130, "the arrow is left of the text, so nothing is mirrored"


def test_vertex_colours_and_points_are_drawn(sample: Sample, tmp_path: Path) -> None:
    for name in ("torus-vertex-colours.ply", "points.ply"):
        pxz.core.resetSession()
        io.importScene(sample(name))
        pixels = picture(tmp_path)
        seen = pixels[pixels[..., 3] > 128][:, :3]
        assert len(seen) > 2000
        assert seen.std(0).min() > 30, "many colours"


def test_creases_are_darker_than_open_faces(document: Document, tmp_path: Path) -> None:
    """Two plates at a right angle: the inner corner is occluded."""
    add(document, trimesh.creation.box((2, 0.1, 2)), (0.5, 0.5, 0.5, 1.0))
    wall = trimesh.creation.box((2, 1, 0.1))
    wall.apply_translation((0, 0.5, -0.95))
    add(document, wall, (0.5, 0.5, 0.5, 1.0))
    column = picture(tmp_path, (0, -0.6, -1))[:, 80, :3].mean(1)
    corner = 40 + int(np.abs(np.diff(column[40:130])).argmax())
    near, far = column[corner + 2 : corner + 4].mean(), column[corner + 30 : corner + 33].mean()
    assert near < far - 8, "the floor gets darker towards the wall"


def test_viewers_check_their_arguments(sample: Sample, tmp_path: Path) -> None:
    with pytest.raises(pxz.PxzError, match="between 1 and"):
        view.createViewer(0, 100)
    viewer = view.createViewer(64, 64)
    with pytest.raises(pxz.PxzError, match="nothing to show"):
        view.fitCamera(geom.Point3(0, 0, -1), view.CameraType.Perspective, 45, viewer=viewer)
    io.importScene(sample("bolt.step"))
    with pytest.raises(pxz.PxzError, match="direction"):
        view.fitCamera(geom.Point3(0, 0, 0), view.CameraType.Perspective, 45, viewer=viewer)
    with pytest.raises(pxz.PxzError, match=r"\.png, \.jpg or \.webp"):
        view.takeScreenshot(str(tmp_path / "a.gif"), viewer)
    view.takeScreenshot(str(tmp_path / "a.jpg"), viewer)
    assert (tmp_path / "a.jpg").stat().st_size > 500
    view.destroyViewer(viewer)
    with pytest.raises(pxz.PxzError, match=r"viewer .* does not exist"):
        view.takeScreenshot(str(tmp_path / "a.png"), viewer)
