"""USDA and USDZ as text, without any USD library: metres, Y up, tree and names, instances by reference,
UsdPreviewSurface materials.

A USDZ is an uncompressed zip whose files start at multiples of 64 bytes, the root layer first. Textures of a USDA lie
beside it. Points become `Points` prims. Original names, which USD's identifiers cannot hold, are kept as displayName.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterable
from io import StringIO

import numpy as np

from ..meshmath import ensure_normals
from ..model import FloatArray, Material, Mesh, Occurrence, Primitive, Texture
from ..textures import ALLOWED, portable
from .flat import Scene, corner_colors


def write(scene: Scene, path: str) -> None:
    """Write a .usda (textures beside it) or a .usdz."""
    stem = os.path.basename(os.path.splitext(path)[0])
    packed = path.lower().endswith(".usdz")
    layer = _Layer("textures/" if packed else f"{stem}-")
    text = layer.document(scene).encode()
    if packed:
        write_usdz(path, [("scene.usda", text), *layer.files.items()])
        return
    with open(path, "wb") as file:
        file.write(text)
    for name, data in layer.files.items():
        with open(os.path.join(os.path.dirname(os.path.abspath(path)), name), "wb") as file:
            file.write(data)


def write_usdz(path: str, files: list[tuple[str, bytes]]) -> None:
    """A stored zip; an extra field before each file pads its data to a multiple of 64, as USDZ demands."""
    with open(path, "wb") as raw, zipfile.ZipFile(raw, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files:
            info = zipfile.ZipInfo(name)
            start = raw.tell() + 30 + len(name.encode())
            pad = -start % 64
            pad += 64 if 0 < pad < 4 else 0  # the field's own head takes 4 bytes
            info.extra = b"" if not pad else b"\x86\x19" + (pad - 4).to_bytes(2, "little") + bytes(pad - 4)
            archive.writestr(info, data)


def _floats(values: FloatArray, digits: int = 7) -> str:
    """`(a, b), (c, d)` of the rows of an array, or `a, b` of a flat one."""
    if values.ndim == 1:
        return ", ".join(f"{v:.{digits}g}" for v in values.tolist())
    template = "(" + ", ".join([f"%.{digits}g"] * values.shape[1]) + ")"
    return ", ".join([template % tuple(row) for row in values.tolist()])


def _numbers(values: Iterable[int]) -> str:
    return ", ".join(map(str, values))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


class _Layer:
    """Text of one layer. Each mesh with several instances is written once, as a class that its instances refer to."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.files: dict[str, bytes] = {}
        self.out = StringIO()
        self.materials: dict[int, str] = {}
        self.shared: dict[int, str] = {}
        self.pictures: dict[int, str | None] = {}

    def document(self, scene: Scene) -> str:
        counts: dict[int, int] = {}
        meshes = {}
        for part in scene.parts():
            counts[id(part.mesh)] = counts.get(id(part.mesh), 0) + 1
            meshes[id(part.mesh)] = part.mesh
        self.out.write('#usda 1.0\n(\n    defaultPrim = "World"\n    metersPerUnit = 1\n    upAxis = "Y"\n)\n\n')
        self.out.write('def Xform "World" (\n    kind = "assembly"\n)\n{\n')
        self.out.write('def Scope "Looks"\n{\n')
        used = {id(p.material): p.material for m in meshes.values() for p in m.primitives if p.material}
        taken: set[str] = set()
        for material in used.values():
            self.material(material, self.name(material.name or "material", taken))
        self.out.write("}\n")
        names: set[str] = {"Looks"}
        for key, mesh in meshes.items():
            if counts[key] > 1:
                prim = self.name("_class_" + (mesh.name or "part"), names)
                self.shared[key] = f"/World/{prim}"
                self.out.write(f'class Xform "{prim}"\n{{\n')
                self.primitives(mesh)
                self.out.write("}\n")
        for top, above in zip(scene.tops, scene.above, strict=True):
            self.occurrence(top, above @ top.matrix, names)
        self.out.write("}\n")
        return self.out.getvalue()

    def name(self, text: str, taken: set[str]) -> str:
        """A USD identifier for a name, unique among its siblings."""
        base = re.sub(r"\W", "_", text, flags=re.ASCII) or "_"
        base = "_" + base if base[0].isdigit() else base
        made, number = base, 2
        while made in taken:
            made, number = f"{base}_{number}", number + 1
        taken.add(made)
        return made

    def occurrence(self, occurrence: Occurrence, matrix: FloatArray, taken: set[str]) -> None:
        prim = self.name(occurrence.name, taken)
        facts = [f"displayName = {_quoted(occurrence.name)}"]
        shared = self.shared.get(id(occurrence.mesh)) if occurrence.mesh else None
        if shared:
            facts.append(f"prepend references = <{shared}>")
            if not occurrence.children:
                facts.insert(0, "instanceable = true")
        self.out.write(f'def Xform "{prim}" (\n' + "".join(f"    {f}\n" for f in facts) + ")\n{\n")
        if not np.array_equal(matrix, np.eye(4)):
            rows = ", ".join(f"({_floats(row, 9)})" for row in matrix.T)
            self.out.write(
                f'matrix4d xformOp:transform = ( {rows} )\nuniform token[] xformOpOrder = ["xformOp:transform"]\n'
            )
        below: set[str] = set()
        if occurrence.mesh and not shared:
            self.primitives(occurrence.mesh, below)
        for child in occurrence.children:
            self.occurrence(child, child.matrix, below)
        self.out.write("}\n")

    def primitives(self, mesh: Mesh, taken: set[str] | None = None) -> None:
        taken = set() if taken is None else taken
        for primitive in mesh.primitives:
            if primitive.is_points:
                self.points(primitive, self.name("points", taken))
            else:
                self.triangles(ensure_normals(primitive), self.name("mesh", taken))

    def points(self, primitive: Primitive, prim: str) -> None:
        low, high = primitive.positions.min(0), primitive.positions.max(0)
        width = float((high - low).max() or 1.0) / max(10.0, len(primitive.positions) ** 0.5)
        self.out.write(f'def Points "{prim}"\n{{\npoint3f[] points = [{_floats(primitive.positions)}]\n')
        self.out.write(f"float3[] extent = [{_floats(np.stack([low, high]))}]\n")
        self.out.write(f'float[] widths = [{width:.6g}] (\n    interpolation = "constant"\n)\n')
        self.colors(primitive)
        self.out.write("}\n")

    def triangles(self, primitive: Primitive, prim: str) -> None:
        bound = self.materials.get(id(primitive.material)) if primitive.material else None
        bound = None if primitive.colors is not None else bound  # a bound material would hide the vertex colours
        schema = ' (\n    prepend apiSchemas = ["MaterialBindingAPI"]\n)' if bound else ""
        self.out.write(f'def Mesh "{prim}"{schema}\n{{\nuniform token subdivisionScheme = "none"\n')
        if primitive.material is None or primitive.material.double_sided:
            self.out.write("uniform bool doubleSided = 1\n")
        low, high = primitive.positions.min(0), primitive.positions.max(0)
        self.out.write(f"float3[] extent = [{_floats(np.stack([low, high]))}]\n")
        self.out.write(f"int[] faceVertexCounts = [{_numbers([3] * len(primitive.triangles))}]\n")
        self.out.write(f"int[] faceVertexIndices = [{_numbers(primitive.triangles.ravel().tolist())}]\n")
        self.out.write(f"point3f[] points = [{_floats(primitive.positions)}]\n")
        if primitive.normals is not None:
            self.out.write(
                f'normal3f[] normals = [{_floats(primitive.normals, 5)}] (\n    interpolation = "vertex"\n)\n'
            )
        if primitive.uv is not None:
            flipped = primitive.uv * [1, -1] + [0, 1]
            self.out.write(f'texCoord2f[] primvars:st = [{_floats(flipped)}] (\n    interpolation = "vertex"\n)\n')
        self.colors(primitive)
        if bound:
            self.out.write(f"rel material:binding = <{bound}>\n")
        self.out.write("}\n")

    def colors(self, primitive: Primitive) -> None:
        if primitive.colors is not None:
            values = _floats(corner_colors(primitive)[:, :3], 4)
            self.out.write(f'color3f[] primvars:displayColor = [{values}] (\n    interpolation = "vertex"\n)\n')

    def material(self, material: Material, prim: str) -> None:
        path = f"/World/Looks/{prim}"
        self.materials[id(material)] = path
        texture = material.textures.get("base")
        picture = self.picture(texture) if texture is not None else None
        self.out.write(f'def Material "{prim}"\n{{\ntoken outputs:surface.connect = <{path}/surface.outputs:surface>\n')
        self.out.write('def Shader "surface"\n{\nuniform token info:id = "UsdPreviewSurface"\n')
        if picture:
            self.out.write(f"color3f inputs:diffuseColor.connect = <{path}/picture.outputs:rgb>\n")
        else:
            self.out.write(f"color3f inputs:diffuseColor = ({_floats(np.array(material.color[:3]))})\n")
        self.out.write(
            f"float inputs:metallic = {material.metallic:.6g}\nfloat inputs:roughness = {material.roughness:.6g}\n"
        )
        if material.alpha_mode == "BLEND":
            self.out.write(f"float inputs:opacity = {material.color[3]:.6g}\n")
        if any(material.emissive):
            self.out.write(f"color3f inputs:emissiveColor = ({_floats(np.array(material.emissive))})\n")
        self.out.write("token outputs:surface\n}\n")
        if picture:
            self.out.write('def Shader "reader"\n{\nuniform token info:id = "UsdPrimvarReader_float2"\n')
            self.out.write('string inputs:varname = "st"\nfloat2 outputs:result\n}\n')
            self.out.write('def Shader "picture"\n{\nuniform token info:id = "UsdUVTexture"\n')
            self.out.write(f'asset inputs:file = @{picture}@\ntoken inputs:sourceColorSpace = "sRGB"\n')
            self.out.write('token inputs:wrapS = "repeat"\ntoken inputs:wrapT = "repeat"\n')
            self.out.write(f"float4 inputs:scale = ({_floats(np.array(material.color))})\n")
            self.out.write(f"float2 inputs:st.connect = <{path}/reader.outputs:result>\nfloat3 outputs:rgb\n}}\n")
        self.out.write("}\n")

    def picture(self, texture: Texture) -> str | None:
        """Name of a texture's file, added to `files` at its first use."""
        if id(texture) not in self.pictures:
            usable = portable(texture)
            name = f"{self.prefix}{len(self.pictures) + 1}.{ALLOWED[usable.mime]}" if usable else None
            if usable and name:
                self.files[name] = usable.data
            self.pictures[id(texture)] = name
        return self.pictures[id(texture)]
