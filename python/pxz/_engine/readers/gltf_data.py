"""Bytes of a glTF: chunks, buffers, accessors as numpy arrays, Draco. Knows nothing of scenes.

Limits: EXT_meshopt_compression and KTX2 textures are not decoded (the error says so; textures are left out).
"""

from __future__ import annotations

import base64
import json
import os
import struct
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from urllib.parse import unquote

import numpy as np

from ..errors import ReadError
from ..model import FloatArray, IntArray

COMPONENTS = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
Json = dict[str, Any]


def split_glb(data: bytes, name: str) -> tuple[Json, bytes]:
    """JSON and binary chunk of a GLB. Raises `ReadError` when it is cut short."""
    if data[:4] != b"glTF" or len(data) < 20:
        raise ReadError(f"{name}: not a GLB file (it does not start with 'glTF'); export it again")
    _, version, total = struct.unpack_from("<4sII", data)
    if version != 2:
        raise ReadError(f"{name}: glTF version {version} is not supported; export it as glTF 2.0")
    if total > len(data):
        raise ReadError(f"{name}: the file is cut short ({len(data)} of {total} bytes); upload it again")
    doc: Json | None = None
    binary, at = b"", 12
    while at + 8 <= total:
        size, kind = struct.unpack_from("<I4s", data, at)
        chunk = data[at + 8 : at + 8 + size]
        if kind == b"JSON" and doc is None:
            doc = json.loads(chunk)
        elif kind == b"BIN\0" and not binary:
            binary = chunk
        at += 8 + size
    if doc is None:
        raise ReadError(f"{name}: a GLB without its JSON chunk; export it again")
    return doc, binary


@dataclass
class GltfData:
    """The JSON of a glTF and access to its buffers; external files only from `folder` or below it."""

    doc: Json
    binary: bytes
    folder: str | None
    name: str
    _buffers: dict[int, bytes] = field(default_factory=dict)
    _draco: dict[int, Any] = field(default_factory=dict)

    def fetch(self, uri: str) -> bytes:
        """Bytes of a data URI or of a file beside the glTF."""
        if uri.startswith("data:"):
            return base64.b64decode(uri.partition(",")[2])
        if self.folder is None or "://" in uri:
            raise ReadError(f"{self.name}: refers to '{uri[:80]}', which is not inside the file; export it as one GLB")
        folder = os.path.realpath(self.folder)
        path = os.path.realpath(os.path.join(folder, unquote(uri)))
        if os.path.commonpath([folder, path]) != folder:  # a job's model must not read other files of the worker
            raise ReadError(f"{self.name}: refers to '{uri[:80]}' outside its own folder; pack it beside the model")
        if not os.path.isfile(path):
            raise ReadError(f"{self.name}: its file '{uri[:80]}' is missing; upload both in one zip archive")
        with open(path, "rb") as file:
            return file.read()

    def buffer(self, index: int) -> bytes:
        """A whole buffer."""
        if index not in self._buffers:
            spec = self.doc["buffers"][index]
            data = self.fetch(spec["uri"]) if "uri" in spec else self.binary
            if len(data) < spec["byteLength"]:
                raise ReadError(
                    f"{self.name}: the file is cut short (a buffer has {len(data)} of {spec['byteLength']} bytes)"
                )
            self._buffers[index] = data
        return self._buffers[index]

    def view(self, index: int) -> tuple[memoryview, int]:
        """A buffer view's bytes, and the stride given for it (0: tight)."""
        spec = self.doc["bufferViews"][index]
        if "EXT_meshopt_compression" in spec.get("extensions", {}):
            raise ReadError(
                f"{self.name}: uses EXT_meshopt_compression, which the open engine cannot decode; export it without"
            )
        start = spec.get("byteOffset", 0)
        data = memoryview(self.buffer(spec["buffer"]))[start : start + spec["byteLength"]]
        return data, int(spec.get("byteStride", 0))

    def raw(self, index: int) -> Any:
        """An accessor as stored: (count, width) of its own component type; (count,) for scalars. Sparse parts are
        filled in.
        """
        spec = self.doc["accessors"][index]
        kind, width, count = np.dtype(COMPONENTS[spec["componentType"]]), WIDTHS[spec["type"]], int(spec["count"])
        if "bufferView" in spec:
            data, stride = self.view(spec["bufferView"])
            start, step = spec.get("byteOffset", 0), stride or kind.itemsize * width
            if count and start + (count - 1) * step + kind.itemsize * width > len(data):
                raise ReadError(f"{self.name}: an accessor reaches past its buffer; the file is damaged")
            array = np.ndarray((count, width), kind, data, start, (step, kind.itemsize)).copy()
        else:
            array = np.zeros((count, width), kind)
        if "sparse" in spec:
            sparse = spec["sparse"]
            n, where, what = sparse["count"], sparse["indices"], sparse["values"]
            rows = np.frombuffer(
                self.view(where["bufferView"])[0], COMPONENTS[where["componentType"]], n, where.get("byteOffset", 0)
            )
            values = np.frombuffer(self.view(what["bufferView"])[0], kind, n * width, what.get("byteOffset", 0))
            array[rows] = values.reshape(n, width)
        return array[:, 0] if width == 1 else array

    def floats(self, index: int) -> FloatArray:
        """An accessor as float32, normalised integers scaled to -1..1 or 0..1."""
        array = self.raw(index)
        result: FloatArray = array.astype(np.float32)
        if self.doc["accessors"][index].get("normalized") and array.dtype.kind in "iu":
            result = np.maximum(result / np.iinfo(array.dtype).max, -1)
        return result

    def draco(self, primitive: Json) -> tuple[IntArray, dict[str, FloatArray]] | None:
        """Triangles and attributes of a Draco-compressed primitive, None where it is not compressed."""
        packed = primitive.get("extensions", {}).get("KHR_draco_mesh_compression")
        if packed is None:
            return None
        index = packed["bufferView"]
        if index not in self._draco:
            draco: Any = import_module("DracoPy")
            self._draco[index] = draco.decode(bytes(self.view(index)[0]))
        mesh = self._draco[index]
        arrays: dict[str, FloatArray] = {}
        by_id = {a["unique_id"]: a for a in mesh.attributes}
        for semantic, unique_id in packed["attributes"].items():
            if unique_id not in by_id:
                continue
            array = np.asarray(by_id[unique_id]["data"])
            accessor = self.doc["accessors"][primitive["attributes"][semantic]]
            scale = np.iinfo(array.dtype).max if accessor.get("normalized") and array.dtype.kind in "iu" else 1
            arrays[semantic] = array.reshape(len(mesh.points), -1).astype(np.float32) / np.float32(scale)
        return np.asarray(mesh.faces), arrays
