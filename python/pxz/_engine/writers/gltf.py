"""GLB and GLTF (self-contained, buffers as data URIs). The tree, names and instances are written as they are.

Equal arrays are stored once. `metallicFactor` and `roughnessFactor` are always written, because their defaults make
black metal.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import Any

import numpy as np

from ..meshmath import ensure_normals, unit
from ..model import FloatArray, IntArray, Material, Mesh, Occurrence, Primitive, Texture
from ..textures import portable
from .flat import Scene

SLOTS = {"normal": "normalTexture", "occlusion": "occlusionTexture", "emissive": "emissiveTexture"}
Json = dict[str, Any]


def write(scene: Scene, path: str) -> None:
    """Write a .glb or .gltf."""
    if path.lower().endswith(".gltf"):
        doc, binary = build(scene)
        doc["buffers"][0]["uri"] = "data:application/octet-stream;base64," + base64.b64encode(binary).decode()
        with open(path, "w", encoding="utf-8") as file:
            json.dump(doc, file, ensure_ascii=False, separators=(",", ":"))
    else:
        with open(path, "wb") as file:
            file.write(glb(scene))


def glb(scene: Scene) -> bytes:
    """The scene as the bytes of a GLB."""
    doc, binary = build(scene)
    text = json.dumps(doc, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    total = 28 + len(text) + len(binary)
    head = struct.pack("<4sIIII", b"glTF", 2, total, len(text), 0x4E4F534A)
    return head + text + struct.pack("<II", len(binary), 0x004E4942) + binary


def build(scene: Scene) -> tuple[Json, bytes]:
    """JSON and binary part of a scene."""
    return _Writer().document(scene)


class _Writer:
    """Collects nodes, meshes, materials and bytes; every object of the model is written once."""

    def __init__(self) -> None:
        self.doc: Json = {"asset": {"version": "2.0", "generator": "open pxz"}, "scene": 0}
        self.chunks: list[bytes] = []
        self.size = 0
        self.seen: dict[Any, int] = {}
        self.alive: list[Any] = []  # keeps what `seen` knows by id() from being freed and its id used again

    def document(self, scene: Scene) -> tuple[Json, bytes]:
        nodes = []
        for top, above in zip(scene.tops, scene.above, strict=True):
            nodes.append(self.node(top, above))
        self.doc["scenes"] = [{"nodes": nodes}]
        binary = b"".join(self.chunks)
        self.doc["buffers"] = [{"byteLength": len(binary)}]
        return self.doc, binary

    def add(self, table: str, entry: Json) -> int:
        """Append to a top-level array; the entry's index."""
        rows: list[Json] = self.doc.setdefault(table, [])
        rows.append(entry)
        return len(rows) - 1

    def node(self, top: Occurrence, above: FloatArray) -> int:
        """Write a subtree, children after parents, without recursion; index of its top."""
        first = len(self.doc.get("nodes", []))
        stack: list[tuple[Occurrence, int | None]] = [(top, None)]
        while stack:
            occurrence, parent = stack.pop()
            entry: Json = {"name": occurrence.name}
            matrix = above @ occurrence.matrix if parent is None else occurrence.matrix
            if not np.array_equal(matrix, np.eye(4)):
                entry["matrix"] = [float(v) for v in np.asarray(matrix, np.float64).T.ravel()]
            if occurrence.mesh is not None and occurrence.mesh.primitives:
                entry["mesh"] = self.mesh(occurrence.mesh)
            if occurrence.metadata:
                entry["extras"] = {k: v for k, v in occurrence.metadata.items() if _plain(v)}
            index = self.add("nodes", entry)
            if parent is not None:
                self.doc["nodes"][parent].setdefault("children", []).append(index)
            stack.extend((child, index) for child in reversed(occurrence.children))
        return first

    def once(self, thing: object) -> int | None:
        """Index of an object already written."""
        return self.seen.get(id(thing))

    def remember(self, thing: object, index: int) -> int:
        self.seen[id(thing)] = index
        self.alive.append(thing)
        return index

    def mesh(self, mesh: Mesh) -> int:
        known = self.once(mesh)
        if known is not None:
            return known
        primitives = [self.primitive(p) for p in mesh.primitives if len(p.positions)]
        return self.remember(mesh, self.add("meshes", {"name": mesh.name, "primitives": primitives}))

    def primitive(self, primitive: Primitive) -> Json:
        made = ensure_normals(primitive)
        attributes = {"POSITION": self.accessor(made.positions, "VEC3", 34962, box=True)}
        if made.normals is not None:
            lengths = np.linalg.norm(made.normals, axis=1)
            exact = made.normals if (np.abs(lengths - 1) < 1e-3).all() else _unit_normals(made.normals)
            attributes["NORMAL"] = self.accessor(exact, "VEC3", 34962)
        if made.uv is not None:
            attributes["TEXCOORD_0"] = self.accessor(made.uv, "VEC2", 34962)
        if made.colors is not None:
            opaque = bool((made.colors[:, 3] >= 1).all())
            attributes["COLOR_0"] = self.accessor(_bytes_of(made.colors), "VEC4", 34962, normalized=True)
            if not opaque and made.material is not None and made.material.alpha_mode == "OPAQUE":
                made.material.alpha_mode = "BLEND"
        entry: Json = {"attributes": attributes, "mode": 0 if made.is_points else 4}
        if not made.is_points:
            wide = len(made.positions) > 65535
            indices: IntArray = made.triangles.ravel() if wide else made.triangles.ravel().astype(np.uint16)
            entry["indices"] = self.accessor(indices, "SCALAR", 34963)
        if made.material is not None:
            entry["material"] = self.material(made.material)
        return entry

    def material(self, material: Material) -> int:
        known = self.once(material)
        if known is not None:
            return known
        pbr: Json = {
            "baseColorFactor": [float(c) for c in material.color],
            "metallicFactor": float(material.metallic),
            "roughnessFactor": float(material.roughness),
        }
        entry: Json = {"name": material.name, "pbrMetallicRoughness": pbr}
        for slot, texture in material.textures.items():
            index = self.texture(texture)
            if index is None:
                continue
            if slot == "base":
                pbr["baseColorTexture"] = {"index": index}
            elif slot == "metal_rough":
                pbr["metallicRoughnessTexture"] = {"index": index}
            else:
                entry[SLOTS[slot]] = {"index": index}
        if any(material.emissive):
            entry["emissiveFactor"] = [min(1.0, float(c)) for c in material.emissive]
        if material.alpha_mode != "OPAQUE":
            entry["alphaMode"] = material.alpha_mode
        if material.alpha_mode == "MASK":
            entry["alphaCutoff"] = material.alpha_cutoff
        if material.double_sided:
            entry["doubleSided"] = True
        return self.remember(material, self.add("materials", entry))

    def texture(self, texture: Texture) -> int | None:
        known = self.once(texture)
        if known is not None:
            return known
        usable = portable(texture)
        if usable is None:
            print(f"pxz: texture {texture.name or '(unnamed)'} cannot be decoded and is left out")
            return None
        image: Json = {"bufferView": self.view(usable.data), "mimeType": usable.mime}
        if usable.name:
            image["name"] = usable.name
        entry: Json = {"source": self.add("images", image)}
        sampler = {k: v for k, v in texture.sampler.items() if k in ("magFilter", "minFilter", "wrapS", "wrapT")}
        if sampler:
            entry["sampler"] = self.add("samplers", sampler)
        return self.remember(texture, self.add("textures", entry))

    def view(self, data: bytes, target: int | None = None) -> int:
        """A buffer view of the bytes, shared by equal bytes, starting at a multiple of 4."""
        key = (hash(data), len(data), target)
        if key in self.seen:
            return self.seen[key]
        entry: Json = {"buffer": 0, "byteOffset": self.size, "byteLength": len(data)}
        if target is not None:
            entry["target"] = target
        padded = data + bytes(-len(data) % 4)
        self.chunks.append(padded)
        self.size += len(padded)
        self.seen[key] = self.add("bufferViews", entry)
        return self.seen[key]

    def accessor(
        self, array: FloatArray | IntArray, kind: str, target: int, box: bool = False, normalized: bool = False
    ) -> int:
        flat = np.ascontiguousarray(array)
        types = {"f": 5126, "H": 5123, "I": 5125, "B": 5121}
        entry: Json = {
            "bufferView": self.view(flat.tobytes(), target),
            "componentType": types[
                flat.dtype.char if flat.dtype.char in types else {2: "H", 4: "I"}[flat.dtype.itemsize]
            ],
            "count": len(flat),
            "type": kind,
        }
        if box:
            entry["min"], entry["max"] = ([float(v) for v in limit] for limit in (flat.min(0), flat.max(0)))
        if normalized:
            entry["normalized"] = True
        return self.add("accessors", entry)


def _bytes_of(colors: FloatArray) -> IntArray:
    result: IntArray = np.round(np.clip(colors, 0, 1) * 255).astype(np.uint8)
    return result


def _unit_normals(normals: FloatArray) -> FloatArray:
    """Unit normals; zero ones point up, because glTF wants length 1."""
    made = unit(normals)
    made[~(np.linalg.norm(made, axis=1) > 0.5)] = (0, 1, 0)
    return made.astype(np.float32)


def _plain(value: object) -> bool:
    """True for what JSON can hold (NaN cannot)."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str | int | bool | list | dict) or value is None
