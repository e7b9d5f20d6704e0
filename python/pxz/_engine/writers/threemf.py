"""3MF: millimetres, Z up; one object per mesh, instances as build items, one base material per colour."""

from __future__ import annotations

import io
import zipfile
from typing import TextIO
from xml.sax.saxutils import quoteattr

import numpy as np

from ..errors import WriteError
from ..meshmath import linear_to_srgb, unique_rows
from ..model import DEFAULT_COLOR, FloatArray, Mesh
from .flat import Y_UP_M_TO_Z_UP_MM, Scene, corner_colors

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
)
RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="rel0" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>'
    "</Relationships>"
)


def write(scene: Scene, path: str) -> None:
    """Write a .3mf. Vertex colours become one colour per triangle; textures are left out."""
    parts = [p for p in scene.parts() if p.mesh.triangle_count]
    if not parts:
        raise WriteError("3MF holds triangles only, and the scene has only points; export PLY or GLB")
    meshes = list({id(p.mesh): p.mesh for p in parts}.values())
    tables = [_table(mesh) for mesh in meshes]
    palette: dict[tuple[str, str], int] = {}
    for _, _, labels in tables:
        for label in labels:
            palette.setdefault(label, len(palette))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("_rels/.rels", RELATIONS)
        raw = archive.open("3D/3dmodel.model", "w", force_zip64=True)
        with io.TextIOWrapper(raw, encoding="utf-8") as file:
            _model(file, meshes, tables, palette, [(p.name, p.mesh, p.matrix) for p in parts])


def _table(mesh: Mesh) -> tuple[FloatArray, FloatArray, list[tuple[str, str]]]:
    """Welded points in local mm (Z up), rows (a, b, c, number of label), and the labels (name, colour) of a mesh."""
    points, faces, rows, count = [], [], [], 0
    labels: list[tuple[str, str]] = []
    local = Y_UP_M_TO_Z_UP_MM[:3, :3]
    for primitive in mesh.primitives:
        if primitive.is_points:
            continue
        linear = corner_colors(primitive)[primitive.triangles].mean(1)
        if primitive.material is None and primitive.colors is None:
            linear[:] = DEFAULT_COLOR
        colors = np.round(np.column_stack([linear_to_srgb(linear[:, :3]), linear[:, 3]]) * 255).astype(int)
        distinct, which = np.unique(colors, axis=0, return_inverse=True)
        name = primitive.material.name if primitive.material and primitive.material.name else "color"
        rows.append(which.ravel() + len(labels))
        labels += [
            (name, "#" + "".join(f"{c:02X}" for c in (color if color[3] < 255 else color[:3]))) for color in distinct
        ]
        points.append(primitive.positions @ local.T)
        faces.append(primitive.triangles.astype(np.int64) + count)
        count += len(primitive.positions)
    every, triangles, label = np.concatenate(points), np.concatenate(faces), np.concatenate(rows)
    first, inverse = unique_rows(every.astype(np.float32))
    corners = inverse[triangles]
    keep = (corners[:, 0] != corners[:, 1]) & (corners[:, 1] != corners[:, 2]) & (corners[:, 2] != corners[:, 0])
    return every[first], np.column_stack([corners, label])[keep], labels


def _model(
    file: TextIO,
    meshes: list[Mesh],
    tables: list[tuple[FloatArray, FloatArray, list[tuple[str, str]]]],
    palette: dict[tuple[str, str], int],
    parts: list[tuple[str, Mesh, FloatArray]],
) -> None:
    file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<model unit="millimeter" xml:lang="en-US" xmlns="{CORE}">\n')
    file.write('<metadata name="Application">open pxz</metadata>\n<resources>\n<basematerials id="1">\n')
    for name, color in palette:
        file.write(f'<base name={quoteattr(name)} displaycolor="{color}"/>\n')
    file.write("</basematerials>\n")
    numbers: dict[int, int] = {}
    for number, (mesh, (points, rows, labels)) in enumerate(zip(meshes, tables, strict=True), 2):
        numbers[id(mesh)] = number
        colors = [palette[label] for label in labels]
        file.write(
            f'<object id="{number}" type="model" name={quoteattr(mesh.name or "part")} pid="1" pindex="{colors[0]}">\n'
        )
        file.write("<mesh>\n<vertices>\n")
        file.writelines([f'<vertex x="{x:.7g}" y="{y:.7g}" z="{z:.7g}"/>\n' for x, y, z in points.tolist()])
        file.write("</vertices>\n<triangles>\n")
        if len(labels) == 1:
            file.writelines([f'<triangle v1="{a}" v2="{b}" v3="{c}"/>\n' for a, b, c, _ in rows.tolist()])
        else:
            triangles = (
                f'<triangle v1="{a}" v2="{b}" v3="{c}" pid="1" p1="{colors[k]}"/>\n' for a, b, c, k in rows.tolist()
            )
            file.writelines(triangles)
        file.write("</triangles>\n</mesh>\n</object>\n")
    file.write("</resources>\n<build>\n")
    to_file = Y_UP_M_TO_Z_UP_MM
    for name, mesh, matrix in parts:
        placed = to_file @ matrix @ np.linalg.inv(to_file)
        text = " ".join(f"{v:.7g}" for v in placed[:3, :4].T.ravel())
        file.write(f'<item objectid="{numbers[id(mesh)]}" transform="{text}" partnumber={quoteattr(name)}/>\n')
    file.write("</build>\n</model>\n")
