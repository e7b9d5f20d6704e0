"""Exact node transforms from assimp.

assimp's glTF exporter leaves out every transform whose 16 numbers are within 0.01 of the identity's. In a model
measured in metres that silently moves each part placed less than a centimetre from its parent, and straightens
rotations below half a degree. The binary dump of the same import (`assimp dump -b`) holds all of them, so they are read
from there. Layout: assimp's AssbinFileWriter, version 1.0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

from ..model import FloatArray, Occurrence

HEAD = 512
"""Bytes before the scene chunk: title, versions, source, command line, padding."""
SCENE, NODE = 0x1239, 0x123C
SCENE_FIELDS = 7 * 4


@dataclass
class Node:
    """A node of the dump: name, 4 × 4 matrix for column vectors, children."""

    name: str
    matrix: FloatArray
    children: list[Node] = field(default_factory=list)


def read_nodes(dump: bytes) -> Node | None:
    """The node tree of a binary dump; None where it is not laid out as expected (another version of assimp)."""
    try:
        magic, _size = struct.unpack_from("<II", dump, HEAD)
        if not dump.startswith(b"ASSIMP.binary-dump") or magic != SCENE:
            return None
        node, _ = _node(dump, HEAD + 8 + SCENE_FIELDS)
        return node
    except (struct.error, ValueError, UnicodeDecodeError, RecursionError):
        return None


def _node(dump: bytes, at: int) -> tuple[Node, int]:
    magic, size = struct.unpack_from("<II", dump, at)
    if magic != NODE:
        raise ValueError("not a node chunk")
    end = at + 8 + size
    at += 8
    (length,) = struct.unpack_from("<I", dump, at)
    name = dump[at + 4 : at + 4 + length].decode("utf-8")
    at += 4 + length
    matrix = np.array(struct.unpack_from("<16f", dump, at), float).reshape(4, 4)
    children, meshes, _metadata = struct.unpack_from("<III", dump, at + 64)
    at += 64 + 12 + 4 * meshes
    made = Node(name, matrix)
    for _ in range(children):
        child, at = _node(dump, at)
        made.children.append(child)
    return made, end


def restore(root: Occurrence, exact: Node) -> int:
    """Give occurrences the exact matrices of the nodes they were made from, where assimp had dropped them; number
    restored.
    """
    restored = 0
    stack = [(root, exact)]
    while stack:
        occurrence, node = stack.pop()
        if np.array_equal(occurrence.matrix, np.eye(4)) and not np.array_equal(node.matrix, np.eye(4)):
            occurrence.matrix = node.matrix.copy()
            restored += 1
        if len(occurrence.children) == len(node.children):
            stack.extend(zip(occurrence.children, node.children, strict=True))
    return restored
