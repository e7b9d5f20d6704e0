"""Everything that assimp reads, by its command line in a child process: FBX, OBJ, DAE, 3DS, X3D, AMF and more.

assimp dies of signals on some damaged files; as a child that is an error like any other. It writes a GLB, which has
habits to undo:
1. colours of the source (sRGB) are copied as if they were linear;
2. textures may be of a type glTF does not know, or be file names: re-encoded, or dropped when missing;
3. FBX lengths are left in centimetres x UnitScaleFactor;
4. a root named after the file or the format wraps the real content;
5. small transforms are lost (see `assimp_nodes`);
6. Collada nodes are named by their ids, in which blanks have become letters.
"""

from __future__ import annotations

import html
import os
import re
import struct
import subprocess
import sysconfig
import tempfile

import numpy as np

from ..errors import PxzError, ReadError
from ..meshmath import srgb_to_linear
from ..model import DEFAULT_COLOR, Material, Occurrence
from ..textures import portable
from .assimp_nodes import read_nodes, restore
from .gltf import scene_from_glb
from .imported import Imported

LIMIT_S, LIMIT_S_PER_MB = 60.0, 20.0
"""Time for a converter, and more for each megabyte: assimp loops for ever on some damaged Collada files."""
FLAT = {"obj", "nff", "smd", "ac"}
"""Formats without transforms, for which a second look at the nodes is a waste."""
UNITS_IN_METRES = {
    "millimeter": 1e-3,
    "micron": 1e-6,
    "centimeter": 1e-2,
    "inch": 0.0254,
    "foot": 0.3048,
    "feet": 0.3048,
    "meter": 1.0,
}


def limit_s(path: str) -> float:
    """Seconds a converter may spend on a file: several times what a slow machine needs for a healthy one."""
    return LIMIT_S + LIMIT_S_PER_MB * os.path.getsize(path) / 1e6


def run_assimp(arguments: list[str], name: str, limit: float) -> None:
    """Run assimp's command line. Raises `PxzError` with its own last words."""
    home = os.path.join(sysconfig.get_paths()["purelib"], "cmeel.prefix")
    program = os.path.join(home, "bin", "assimp")
    if not os.path.exists(program):
        raise PxzError(f"{name}: needs assimp; install the wheel cmeel-assimp (python/requirements.txt)")
    environment = {**os.environ, "LD_LIBRARY_PATH": os.path.join(home, "lib")}
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, errors="replace", timeout=limit, env=environment
        )
    except subprocess.TimeoutExpired:
        raise PxzError(
            f"{name}: assimp did not finish in {limit:.0f} s; the file is damaged, export it again"
        ) from None
    if done.returncode < 0:
        raise PxzError(f"{name}: assimp died of signal {-done.returncode} on it; the file is damaged, export it again")
    if done.returncode:
        words = re.findall(r"ERROR: (.*)", done.stdout + done.stderr)
        raise PxzError(
            f"{name}: assimp cannot read it ({words[-1] if words else 'no reason given'}); export or upload it again"
        )


def read(path: str) -> Imported:
    """Read a file through assimp."""
    name = os.path.basename(path)
    kind = os.path.splitext(path)[1].lower().lstrip(".")
    with tempfile.TemporaryDirectory(prefix="pxz-") as folder:
        target = os.path.join(folder, "out.glb")
        try:
            run_assimp(
                ["export", os.path.abspath(path), target, "-fglb2", "-tri", "-jiv", "-embtex"], name, limit_s(path)
            )
        except PxzError as error:
            raise ReadError(str(error)) from None
        with open(target, "rb") as file:
            imported = scene_from_glb(file.read(), name)
        if kind not in FLAT and imported.root.children:
            restore_transforms(imported.root, path, folder)
    root = imported.root = unwrap(imported.root, name)
    scale = unit_scale(path, kind)
    if scale != 1:
        root.matrix = np.diag([scale, scale, scale, 1]) @ root.matrix
    for material in materials_of(root):
        repair(material)
    if kind == "fbx":
        drop_noise(root)
    if kind == "dae":
        name_by_collada(root, path)
    return imported


def restore_transforms(root: Occurrence, path: str, folder: str) -> None:
    """Put back the small transforms that the GLB lacks; says so where that is not possible."""
    target = os.path.join(folder, "out.assbin")
    try:
        run_assimp(["dump", os.path.abspath(path), target, "-b", "-tri", "-jiv"], os.path.basename(path), limit_s(path))
        with open(target, "rb") as file:
            nodes = read_nodes(file.read())
    except (PxzError, OSError):
        nodes = None
    if nodes is None:
        print(f"pxz: {os.path.basename(path)}: parts placed less than 0.01 units from their parent may have moved")
    else:
        restore(root, nodes)


def name_by_collada(root: Occurrence, path: str) -> None:
    """Name nodes and meshes by the names in the file, where assimp took their ids."""
    with open(path, "rb") as file:
        text = file.read().decode("utf-8", "replace")
    names: dict[str, str] = {}
    for tag in re.findall(r"<(?:node|geometry|visual_scene)\b[^>]*>", text):
        attributes = {k: html.unescape(v) for k, v in re.findall(r"""\b(id|name)\s*=\s*["']([^"']*)["']""", tag)}
        if attributes.get("id") and attributes.get("name"):
            names[attributes["id"]] = attributes["name"]
    for occurrence, _ in root.walk():
        occurrence.name = names.get(occurrence.name, occurrence.name)
        if occurrence.mesh is not None:
            occurrence.mesh.name = names.get(occurrence.mesh.name, occurrence.mesh.name)


def unwrap(root: Occurrence, name: str) -> Occurrence:
    """Name the root after the file where assimp invented a name, and use its only child instead where it says no
    more.
    """
    if root.name in (
        name,
        "RootNode",
        "ROOT",
        "3MF",
        "$dummy_root",
        "<BlenderRoot>",
        "Scene",
        "AMF",
    ) or root.name.startswith("node "):
        if len(root.children) == 1 and root.mesh is None:
            child = root.children[0]
            child.matrix = root.matrix @ child.matrix
            return child
        root.name = os.path.splitext(name)[0]
    return root


def materials_of(root: Occurrence) -> list[Material]:
    """Materials below `root`, each once; primitives without one get a shared default."""
    plain, found = Material("default"), {}
    for occurrence, _ in root.walk():
        for primitive in occurrence.mesh.primitives if occurrence.mesh else ():
            primitive.material = primitive.material or plain
            found[id(primitive.material)] = primitive.material
    return list(found.values())


def repair(material: Material) -> None:
    """Undo what assimp does to materials on their way into a GLB."""
    if material.name == "DefaultMaterial" and not material.textures:
        material.color = DEFAULT_COLOR
    elif material.name != "default":
        red, green, blue = (float(c) for c in srgb_to_linear(np.array(material.color[:3])))
        material.color = (red, green, blue, material.color[3])
        red, green, blue = (float(c) for c in srgb_to_linear(np.array(material.emissive)))
        material.emissive = (red, green, blue)
    if material.color[3] < 1:
        material.alpha_mode = "BLEND"
    if material.roughness >= 1:
        material.roughness = 0.6
    material.double_sided = True
    for slot, texture in list(material.textures.items()):
        usable = portable(texture)
        if usable is None:
            del material.textures[slot]
        else:
            material.textures[slot] = usable


def drop_noise(root: Occurrence) -> None:
    """Remove the FBX bookkeeping that assimp exports as properties of every node."""
    noise = {"UserProperties", "IsNull", "RotationActive", "DefaultAttributeIndex", "InheritType", "UnitScaleFactor"}
    for occurrence, _ in root.walk():
        for key in noise & set(occurrence.metadata):
            del occurrence.metadata[key]


def unit_scale(path: str, kind: str) -> float:
    """Metres in a unit of the file, for the formats where assimp leaves them alone."""
    if kind == "fbx":
        with open(path, "rb") as file:
            return 0.01 * fbx_unit_factor(file.read())
    if kind == "amf":
        with open(path, "rb") as file:
            found = re.search(rb"<amf[^>]*unit\s*=\s*[\"'](\w+)", file.read(4096))
        return UNITS_IN_METRES.get(found.group(1).decode().lower() if found else "millimeter", 1e-3)
    return 1.0


def fbx_unit_factor(data: bytes) -> float:
    """`UnitScaleFactor` (centimetres in a unit) of a binary or text FBX; 1 where it says nothing."""
    for match in re.finditer(rb"(?<!Original)UnitScaleFactor", data):
        rest = data[match.end() : match.end() + 80]
        text = re.match(rb'"[^\n]*,\s*([-+0-9.eE]+)', rest)
        if text:
            return float(text.group(1)) or 1.0
        number = re.match(rb"S.{4}double.*?S.{4}Number.*?D(.{8})", rest, re.S)
        if number:
            value = float(struct.unpack("<d", number.group(1))[0])
            return value if 1e-6 < value < 1e9 else 1.0
    return 1.0
