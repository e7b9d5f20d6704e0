"""Wavefront OBJ with MTL and textures beside it: metres, Y up, one object per part, sRGB colours as viewers expect."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TextIO

import numpy as np

from ..meshmath import linear_to_srgb
from ..model import Material, Primitive, Texture
from ..textures import ALLOWED, portable
from .flat import Scene


def write(scene: Scene, path: str) -> None:
    """Write `path`, and beside it `<stem>.mtl` and `<stem>-<n>.png|jpg`."""
    stem = os.path.splitext(path)[0]
    names: dict[int, str] = {}
    materials: list[tuple[str, Material]] = []
    at = [1, 1, 1]  # next vertex, texture coordinate and normal
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"# open pxz, metres, Y up\nmtllib {_word(os.path.basename(stem))}.mtl\n")
        last = None
        for name, primitive in scene.placed(normals=True):
            if name != last:
                file.write(f"o {_word(name)}\n")
            last = name
            if primitive.material is not None:
                if id(primitive.material) not in names:
                    word = _unique(_word(primitive.material.name or "material"), set(names.values()))
                    names[id(primitive.material)] = word
                    materials.append((word, primitive.material))
                file.write(f"usemtl {names[id(primitive.material)]}\n")
            _geometry(file, primitive, at)
    _materials(stem, materials)


def _geometry(file: TextIO, primitive: Primitive, at: list[int]) -> None:
    if primitive.colors is not None:
        rows = np.column_stack([primitive.positions, linear_to_srgb(primitive.colors[:, :3])])
        _lines(file, "v %.7g %.7g %.7g %.4g %.4g %.4g\n", rows.tolist())
    else:
        _lines(file, "v %.7g %.7g %.7g\n", primitive.positions.tolist())
    corner = "%d"
    columns = [primitive.triangles.astype(np.int64) + at[0]]
    if primitive.uv is not None:
        _lines(file, "vt %.6g %.6g\n", (primitive.uv * [1, -1] + [0, 1]).tolist())
        columns.append(primitive.triangles.astype(np.int64) + at[1])
        corner += "/%d"
    if primitive.normals is not None:
        _lines(file, "vn %.4g %.4g %.4g\n", primitive.normals.tolist())
        columns.append(primitive.triangles.astype(np.int64) + at[2])
        corner += "/%d" if primitive.uv is not None else "//%d"
    count = len(primitive.positions)
    if primitive.is_points:
        _lines(file, "p %d\n", [(at[0] + i,) for i in range(count)])
    else:
        rows = np.stack(columns, 2).reshape(len(primitive.triangles), -1)
        _lines(file, f"f {corner} {corner} {corner}\n", rows.tolist())
    at[0] += count
    at[1] += count if primitive.uv is not None else 0
    at[2] += count if primitive.normals is not None else 0


def _lines(file: TextIO, template: str, rows: Iterable[Iterable[float]]) -> None:
    file.writelines([template % tuple(row) for row in rows])


def _materials(stem: str, materials: list[tuple[str, Material]]) -> None:
    pictures: dict[int, str | None] = {}
    with open(stem + ".mtl", "w", encoding="utf-8") as file:
        for word, material in materials:
            red, green, blue = linear_to_srgb(np.array(material.color[:3]))
            file.write(f"newmtl {word}\nKd {red:.4f} {green:.4f} {blue:.4f}\nKs 0.1 0.1 0.1\nNs 30\n")
            if material.color[3] < 1:
                file.write(f"d {material.color[3]:.4f}\n")
            texture = material.textures.get("base")
            if texture is not None:
                if id(texture) not in pictures:
                    pictures[id(texture)] = _picture(stem, texture, len(pictures) + 1)
                if pictures[id(texture)]:
                    file.write(f"map_Kd {pictures[id(texture)]}\n")


def _picture(stem: str, texture: Texture, number: int) -> str | None:
    usable = portable(texture)
    if usable is None:
        return None
    path = f"{stem}-{number}.{ALLOWED[usable.mime]}"
    with open(path, "wb") as file:
        file.write(usable.data)
    return os.path.basename(path)


def _word(name: str) -> str:
    """A name without white space or control characters: OBJ readers split at blanks."""
    return re.sub(r"[\s\x00-\x1f#]+", "_", name.strip()) or "unnamed"


def _unique(name: str, taken: set[str]) -> str:
    number, made = 2, name
    while made in taken:
        made, number = f"{name}_{number}", number + 1
    return made
