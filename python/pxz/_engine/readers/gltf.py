"""Own glTF 2 reader: node tree, names, instancing, PBR materials and textures survive as they are (trimesh renames and
reverses).

Not read: animations (only counted), skins and morph targets (rest pose), cameras, lights, lines.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from ..errors import ReadError
from ..model import FloatArray, IntArray, Material, Mesh, Occurrence, Primitive, Texture
from ..textures import sniff
from .gltf_data import GltfData, Json, split_glb
from .imported import Imported

SLOTS = {"normal": "normalTexture", "occlusion": "occlusionTexture", "emissive": "emissiveTexture"}
SUPPORTED = {
    "KHR_draco_mesh_compression",
    "KHR_mesh_quantization",
    "KHR_texture_transform",
    "KHR_materials_unlit",
    "EXT_texture_webp",
    "KHR_materials_specular",
    "KHR_materials_ior",
    "KHR_materials_emissive_strength",
    "KHR_materials_transmission",
    "KHR_materials_volume",
    "KHR_materials_clearcoat",
    "KHR_materials_sheen",
    "KHR_materials_variants",
    "KHR_lights_punctual",
    "EXT_mesh_gpu_instancing",
    "KHR_materials_pbrSpecularGlossiness",
    "KHR_texture_basisu",
    "EXT_meshopt_compression",
    "FB_ngon_encoding",
}


def read(path: str) -> Imported:
    """Read a .glb or .gltf file."""
    with open(path, "rb") as file:
        data = file.read()
    name = os.path.basename(path)
    if data[:4] == b"glTF":
        doc, binary = split_glb(data, name)
    else:
        try:
            doc, binary = json.loads(data.decode("utf-8-sig")), b""
        except ValueError as error:
            raise ReadError(f"{name}: neither a GLB nor valid glTF JSON ({error}); export it again") from None
    return scene_from(GltfData(doc, binary, os.path.dirname(os.path.abspath(path)), name))


def scene_from_glb(data: bytes, name: str) -> Imported:
    """The tree of a GLB in memory; used by the readers that go through GLB."""
    doc, binary = split_glb(data, name)
    return scene_from(GltfData(doc, binary, None, name))


def scene_from(source: GltfData) -> Imported:
    """Build the tree of the file's default scene below one root named after the file (or its only top node)."""
    doc = source.doc
    unknown = set(doc.get("extensionsRequired", ())) - SUPPORTED
    if unknown:
        raise ReadError(
            f"{source.name}: needs the glTF extension {sorted(unknown)[0]}, which the open engine lacks; "
            "export it without"
        )
    builder = _Builder(source)
    scenes = doc.get("scenes", [])
    tops = scenes[doc.get("scene", 0)].get("nodes", []) if scenes else _roots(doc)
    children = [builder.tree(n) for n in tops]
    root = children[0] if len(children) == 1 else Occurrence(os.path.splitext(source.name)[0], children=children)
    extras = doc.get("asset", {}).get("extras")
    if isinstance(extras, dict):
        root.metadata.update(extras)
    animations = [a.get("name", f"animation {i}") for i, a in enumerate(doc.get("animations", []))]
    variants = [
        v.get("name", "") for v in doc.get("extensions", {}).get("KHR_materials_variants", {}).get("variants", [])
    ]
    return Imported(root, animations=animations, variants=variants)


def _roots(doc: Json) -> list[int]:
    below = {c for n in doc.get("nodes", []) for c in n.get("children", ())}
    return [i for i in range(len(doc.get("nodes", []))) if i not in below]


def _local_matrix(node: Json) -> FloatArray:
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    return trs(node.get("translation", (0, 0, 0)), node.get("rotation", (0, 0, 0, 1)), node.get("scale", (1, 1, 1)))


def trs(translation: Any, rotation: Any, scale: Any) -> FloatArray:
    """4 × 4 matrix of a translation, a unit quaternion (x, y, z, w) and a scale."""
    x, y, z, w = np.asarray(rotation, float) / (np.linalg.norm(rotation) or 1)
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] *= np.asarray(scale, float)
    matrix[:3, 3] = translation
    return matrix


class _Builder:
    """Makes each mesh, material and texture of a file once."""

    def __init__(self, source: GltfData) -> None:
        self.source, self.doc = source, source.doc
        self.meshes: dict[str, Mesh] = {}
        self.materials: dict[int, Material] = {}
        self.textures: dict[int, Texture | None] = {}
        self.transforms: dict[int, tuple[FloatArray, FloatArray, float, int]] = {}

    def tree(self, index: int) -> Occurrence:
        """The subtree of a node. A node met twice (a cycle) is an error, as glTF demands a strict tree."""
        nodes, made = self.doc["nodes"], {}
        order, stack = [], [index]
        while stack:
            current = stack.pop()
            if current in made:
                raise ReadError(f"{self.source.name}: node {current} has two parents; the file is damaged")
            made[current] = self.occurrence(nodes[current], current)
            order.append(current)
            stack.extend(nodes[current].get("children", ()))
        for number in order:
            made[number].children += [made[c] for c in nodes[number].get("children", ())]
        return made[index]

    def occurrence(self, node: Json, index: int) -> Occurrence:
        mesh = self.mesh(node["mesh"]) if "mesh" in node else None
        name = node.get("name") or (mesh.name if mesh and mesh.name else f"node {index}")
        extras = node.get("extras")
        made = Occurrence(name, _local_matrix(node), mesh, metadata=dict(extras) if isinstance(extras, dict) else {})
        instancing = node.get("extensions", {}).get("EXT_mesh_gpu_instancing")
        if instancing and mesh:
            made.mesh = None
            attributes = {k: self.source.floats(v) for k, v in instancing["attributes"].items()}
            count = len(next(iter(attributes.values())))
            parts = [attributes.get(k) for k in ("TRANSLATION", "ROTATION", "SCALE")]
            rest: tuple[Any, ...] = ((0, 0, 0), (0, 0, 0, 1), (1, 1, 1))
            for i in range(count):
                values = [rest[k] if part is None else part[i] for k, part in enumerate(parts)]
                made.children.append(Occurrence(f"{name} {i + 1}", trs(*values), mesh))
        return made

    def mesh(self, index: int) -> Mesh | None:
        """A mesh, shared by nodes whose meshes have the same name and the same accessors (cascadio writes one mesh per
        node).
        """
        spec = self.doc["meshes"][index]
        key = json.dumps([spec.get("name"), spec["primitives"]], sort_keys=True)
        if key not in self.meshes:
            found = [p for p in map(self.primitive, spec["primitives"]) if p is not None]
            self.meshes[key] = Mesh(spec.get("name", ""), found)
        return self.meshes[key] if self.meshes[key].primitives else None

    def primitive(self, spec: Json) -> Primitive | None:
        mode = spec.get("mode", 4)
        if mode not in (0, 4, 5, 6) or "POSITION" not in spec.get("attributes", {}):
            return None
        packed = self.source.draco(spec)
        names = spec["attributes"]
        if packed:
            triangles, arrays = packed
        else:
            wanted = [n for n in names if n in ("POSITION", "NORMAL", "TEXCOORD_0", "TEXCOORD_1", "COLOR_0")]
            arrays = {n: self.source.floats(names[n]) for n in wanted}
            count = len(arrays["POSITION"])
            triangles = _triangles(self.source.raw(spec["indices"]) if "indices" in spec else np.arange(count), mode)
            if len(triangles) and triangles.max() >= count:
                raise ReadError(f"{self.source.name}: a triangle names a vertex that is not there; the file is damaged")
        colors = arrays.get("COLOR_0")
        if colors is not None and colors.shape[1] == 3:
            colors = np.column_stack([colors, np.ones(len(colors), np.float32)])
        material = self.material(spec["material"]) if "material" in spec else None
        uv = arrays.get("TEXCOORD_0")
        if material is not None and spec["material"] in self.transforms:
            offset, scale, angle, channel = self.transforms[spec["material"]]
            uv = arrays.get(f"TEXCOORD_{channel}", uv)
            if uv is not None:
                cos, sin = np.cos(angle), np.sin(angle)
                uv = (uv * scale) @ np.array([[cos, -sin], [sin, cos]]) + offset
        if not len(arrays["POSITION"]) or (mode != 0 and not len(triangles)):
            return None
        return Primitive(arrays["POSITION"], triangles, arrays.get("NORMAL"), uv, colors, material)

    def material(self, index: int) -> Material:
        if index not in self.materials:
            spec = self.doc["materials"][index]
            pbr = spec.get("pbrMetallicRoughness", {})
            old = spec.get("extensions", {}).get("KHR_materials_pbrSpecularGlossiness")
            if old and not pbr:
                pbr = {"baseColorFactor": old.get("diffuseFactor", [1, 1, 1, 1]), "metallicFactor": 0}
                if "diffuseTexture" in old:
                    pbr["baseColorTexture"] = old["diffuseTexture"]
            made = Material(
                spec.get("name", ""),
                tuple(map(float, pbr.get("baseColorFactor", (1, 1, 1, 1)))),  # type: ignore[arg-type]
                float(pbr.get("metallicFactor", 1)),
                float(pbr.get("roughnessFactor", 1)),
                tuple(map(float, spec.get("emissiveFactor", (0, 0, 0)))),  # type: ignore[arg-type]
                spec.get("alphaMode", "OPAQUE"),
                float(spec.get("alphaCutoff", 0.5)),
                bool(spec.get("doubleSided", False)),
            )
            slots = {"base": pbr.get("baseColorTexture"), "metal_rough": pbr.get("metallicRoughnessTexture")}
            slots.update({slot: spec.get(name) for slot, name in SLOTS.items()})
            for slot, info in slots.items():
                texture = self.texture(info["index"]) if info else None
                if texture is not None:
                    made.textures[slot] = texture
            base = slots["base"] or {}
            move = base.get("extensions", {}).get("KHR_texture_transform")
            if move or base.get("texCoord"):
                move = move or {}
                channel = move.get("texCoord", base.get("texCoord", 0))
                offset, scale = np.array(move.get("offset", (0, 0)), float), np.array(move.get("scale", (1, 1)), float)
                self.transforms[index] = (offset, scale, float(move.get("rotation", 0)), int(channel))
            self.materials[index] = made
        return self.materials[index]

    def texture(self, index: int) -> Texture | None:
        if index not in self.textures:
            self.textures[index] = self._load_texture(self.doc["textures"][index])
        return self.textures[index]

    def _load_texture(self, spec: Json) -> Texture | None:
        source = spec.get("extensions", {}).get("EXT_texture_webp", {}).get("source", spec.get("source"))
        if source is None:  # only a KTX2 picture: without a decoder the plain colour is the best there is
            return None
        image = self.doc["images"][source]
        try:
            data = (
                bytes(self.source.view(image["bufferView"])[0])
                if "bufferView" in image
                else self.source.fetch(image["uri"])
            )
        except ReadError as error:
            print(f"pxz: texture left out: {error}")
            return None
        samplers = self.doc.get("samplers", [])
        sampler = dict(samplers[spec["sampler"]]) if spec.get("sampler", -1) in range(len(samplers)) else {}
        return Texture(data, sniff(data), image.get("name", ""), sampler)


def _triangles(indices: IntArray, mode: int) -> IntArray:
    """Triangles of a list, strip or fan; none for points."""
    flat = np.asarray(indices, np.int64).ravel()
    if mode == 0 or len(flat) < 3:
        return np.zeros((0, 3), np.int64)
    if mode == 4:
        return flat[: len(flat) // 3 * 3].reshape(-1, 3)
    if mode == 6:
        return np.column_stack([np.full(len(flat) - 2, flat[0]), flat[1:-1], flat[2:]])
    strip = np.column_stack([flat[:-2], flat[1:-1], flat[2:]])
    strip[1::2] = strip[1::2, ::-1]
    return strip
