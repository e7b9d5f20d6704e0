"""3MF: own reader (assimp loses units and colours, and dies on damaged files). Z up, unit named in the file.

Kept: objects with names, components and build items as instances, base materials, colour groups (as vertex colours).
Not kept: textures, production extension's external model parts other than the main one, beam lattices, slices.
"""

from __future__ import annotations

import os
import re
import zipfile
from xml.etree import ElementTree

import numpy as np

from ..errors import ReadError
from ..meshmath import srgb_to_linear
from ..model import DEFAULT_COLOR, Z_UP_TO_Y_UP, FloatArray, Material, Mesh, Occurrence, Primitive
from .assimp_files import UNITS_IN_METRES
from .imported import Imported

LARGEST_XML = 4 << 30
DEPTH = 64
Color = tuple[float, float, float, float]


def read(path: str) -> Imported:
    """Read a 3MF file."""
    name = os.path.basename(path)
    try:
        with zipfile.ZipFile(path) as archive:
            models = [i for i in archive.infolist() if i.filename.lower().endswith(".model")]
            if not models:
                raise ReadError(f"{name}: holds no 3D model part; it is not a 3MF file")
            main = min(models, key=lambda i: (i.filename.lower() != "3d/3dmodel.model", len(i.filename)))
            if main.file_size > LARGEST_XML:
                raise ReadError(f"{name}: its model part is larger than 4 GiB unpacked")
            xml = archive.read(main)
    except (zipfile.BadZipFile, EOFError) as error:
        raise ReadError(f"{name}: the 3MF container is damaged or cut short ({error}); upload it again") from None
    if b"<!ENTITY" in xml[:65536]:
        raise ReadError(f"{name}: XML entities are not allowed in 3MF")
    try:
        return _Model(ElementTree.fromstring(xml), name).imported()
    except ElementTree.ParseError as error:
        raise ReadError(f"{name}: its XML is damaged ({error}); export it again") from None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _matrix(text: str | None) -> FloatArray:
    """3MF writes 4 rows of 3 for row vectors."""
    matrix = np.eye(4)
    if text:
        values = np.array(text.split(), float).reshape(4, 3)
        matrix[:3, :4] = values.T
    return matrix


def _color(text: str) -> Color:
    """#RRGGBB or #RRGGBBAA, sRGB, as linear RGBA."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?", text.strip()):
        return DEFAULT_COLOR
    values = [int(text.strip()[i : i + 2], 16) / 255 for i in range(1, len(text.strip()), 2)]
    red, green, blue = (float(c) for c in srgb_to_linear(np.array(values[:3])))
    return (red, green, blue, values[3] if len(values) > 3 else 1.0)


class _Model:
    """One parsed model part."""

    def __init__(self, tree: ElementTree.Element, name: str) -> None:
        self.tree, self.name = tree, name
        self.objects = {e.get("id", ""): e for e in tree.iter() if _local(e.tag) == "object"}
        self.groups: dict[str, list[Color]] = {}
        self.materials: dict[Color, Material] = {}
        self.meshes: dict[str, Mesh] = {}
        self.labels: dict[Color, str] = {}
        for element in tree.iter():
            if _local(element.tag) == "basematerials":
                colors = [_color(e.get("displaycolor", "")) for e in element]
                self.labels.update({c: e.get("name", "") for c, e in zip(colors, element, strict=True)})
                self.groups[element.get("id", "")] = colors
            elif _local(element.tag) == "colorgroup":
                self.groups[element.get("id", "")] = [_color(e.get("color", "")) for e in element]

    def imported(self) -> Imported:
        """All build items below one root."""
        scale = UNITS_IN_METRES.get(self.tree.get("unit", "millimeter"), 1e-3)
        to_metres = Z_UP_TO_Y_UP @ np.diag([scale, scale, scale, 1])
        root = Occurrence(os.path.splitext(self.name)[0], to_metres)
        for element in self.tree.iter():
            if _local(element.tag) == "item":
                root.children.append(
                    self.occurrence(element.get("objectid", ""), _matrix(element.get("transform")), element)
                )
        if len(root.children) == 1:
            only = root.children[0]
            only.matrix = to_metres @ only.matrix
            root = only
        for entry in self.tree:
            if _local(entry.tag) == "metadata" and entry.get("name"):
                root.metadata[entry.get("name", "")] = (entry.text or "").strip()
        return Imported(root)

    def occurrence(self, number: str, matrix: FloatArray, item: ElementTree.Element, depth: int = 0) -> Occurrence:
        """An object placed by an item or component."""
        spec = self.objects.get(number)
        if spec is None or depth > DEPTH:
            raise ReadError(f"{self.name}: object {number} is missing or contains itself; the file is damaged")
        own = [value for key, value in item.items() if _local(key) in ("partnumber", "name")]
        name = next((n for n in own if n), None) or spec.get("name") or f"object {number}"
        made = Occurrence(name, matrix)
        for child in spec:
            if _local(child.tag) == "mesh":
                made.mesh = self.mesh(number, spec, child)
            elif _local(child.tag) == "components":
                for part in child:
                    below = self.occurrence(part.get("objectid", ""), _matrix(part.get("transform")), part, depth + 1)
                    made.children.append(below)
        return made

    def mesh(self, number: str, spec: ElementTree.Element, element: ElementTree.Element) -> Mesh:
        """The mesh of an object, made once."""
        if number in self.meshes:
            return self.meshes[number]
        lists = {_local(e.tag): e for e in element}
        points = np.array([(v.get("x"), v.get("y"), v.get("z")) for v in lists["vertices"]], float).reshape(-1, 3)
        entries = list(lists["triangles"])
        corners = np.array([(t.get("v1"), t.get("v2"), t.get("v3")) for t in entries], np.int64).reshape(-1, 3)
        if len(corners) and (corners.max() >= len(points) or corners.min() < 0):
            raise ReadError(f"{self.name}: a triangle names a vertex that is not there; the file is damaged")
        group, index = spec.get("pid"), spec.get("pindex", "0")
        colors = [self.corner_colors(t, group, index) for t in entries]
        made = Mesh(spec.get("name") or f"object {number}")
        flat = {c[0] for c in colors if c[0] == c[1] == c[2]}
        if len(flat) <= 64 and all(c[0] == c[1] == c[2] for c in colors):
            for color in dict.fromkeys(c[0] for c in colors):
                chosen = corners[[c[0] == color for c in colors]]
                used, compact = np.unique(chosen, return_inverse=True)
                made.primitives.append(Primitive(points[used], compact.reshape(-1, 3), material=self.material(color)))
        else:
            linear = np.array(colors, float).reshape(-1, 4)
            split = np.arange(corners.size).reshape(-1, 3)
            white = self.material((1.0, 1.0, 1.0, 1.0))
            made.primitives.append(Primitive(points[corners.ravel()], split, colors=linear, material=white))
        self.meshes[number] = made
        return made

    def corner_colors(self, triangle: ElementTree.Element, group: str | None, index: str) -> tuple[Color, Color, Color]:
        """Linear colours of the three corners, by the triangle's property or the object's."""
        own = triangle.get("pid", group)
        palette = self.groups.get(own or "")
        if not palette:
            return (DEFAULT_COLOR,) * 3
        first = triangle.get("p1", index if own == group else "0")
        numbers = (first, triangle.get("p2", first), triangle.get("p3", first))
        a, b, c = (palette[int(n)] if int(n) < len(palette) else DEFAULT_COLOR for n in numbers)
        return a, b, c

    def material(self, color: Color) -> Material:
        """The material of a colour, made once."""
        if color not in self.materials:
            name = self.labels.get(color) or (
                "default" if color == DEFAULT_COLOR else f"color {len(self.materials) + 1}"
            )
            self.materials[color] = Material(name, color, alpha_mode="BLEND" if color[3] < 1 else "OPAQUE")
        return self.materials[color]
