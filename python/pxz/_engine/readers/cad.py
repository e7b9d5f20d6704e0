"""STEP, IGES, BREP and XBF by OpenCASCADE.

STEP goes straight to cascadio. IGES, BREP and XBF are first rewritten as STEP by the same OpenCASCADE libraries
(`occt`), which keeps the colours of IGES that cascadio drops and reads BREP, which cascadio cannot. The STEP bytes stay
with the scene (`CadSource`), so a part can be tessellated again at any quality.

OpenCASCADE dies of SIGSEGV on some damaged files. For STEP that ends this process, on purpose: whoever started the job
sees the signal, and no time is lost to a second process for the healthy files.
"""

from __future__ import annotations

import os
import re

from ..errors import ReadError
from ..model import Z_UP_TO_Y_UP, CadSource, Material, Mesh, Occurrence
from .gltf import scene_from_glb
from .imported import Imported

MEDIUM = (0.005, 0.35, True)
"""Default quality: sag 0.5 % of an edge's length, 0.35 rad between neighbouring facets. Scale-free: right for a screw
and for a hall.
"""

SHOWN = {"step": "STEP", "stp": "STEP", "iges": "IGES", "igs": "IGES", "brep": "BREP", "brp": "BREP", "xbf": "XBF"}


def read(path: str) -> Imported:
    """Read a CAD file at the default quality."""
    name = os.path.basename(path)
    kind = SHOWN[os.path.splitext(path)[1].lower().lstrip(".")]
    with open(path, "rb") as file:
        data = file.read()
    if kind == "STEP":
        if b"ISO-10303-21" not in data[:4096]:
            raise ReadError(f"{name}: not a STEP file (no 'ISO-10303-21' at its start); check what was uploaded")
        return from_step(data, name, kind)
    from . import occt

    if kind == "IGES":
        check_iges(data, name)
    try:
        return from_step(occt.to_step(path, kind), name, kind)
    except occt.BridgeUnavailable as error:
        if kind != "IGES":
            raise ReadError(f"{name}: {error}") from error
        print(f"pxz: IGES is read without colours ({error})")
        root = tessellated(data, name, MEDIUM, iges=True)
        return Imported(root)


def check_iges(data: bytes, name: str) -> None:
    """IGES numbers its sections in columns 73-80 and ends with a terminate line; a half file may still yield half a
    model.
    """
    lines = data[:200].splitlines()
    if not lines or len(lines[0]) < 73 or lines[0][72:73] not in (b"S", b"B", b"C"):
        raise ReadError(f"{name}: not an IGES file (no section letter in column 73); check what was uploaded")
    last = data.rstrip().rsplit(b"\n", 1)[-1]
    if last[72:73] != b"T":
        raise ReadError(f"{name}: the IGES file is cut short (its terminate section is missing); upload it again")


def from_step(step: bytes, name: str, kind: str) -> Imported:
    """The tree of a STEP file in memory, tessellated at the default quality, with the source kept."""
    root = tessellated(step, name, MEDIUM)
    meshes = unique_meshes(root)
    bodies, boundaries = brep_counts(step)
    root.metadata.update({"format": kind, **(header(step) if kind == "STEP" else {})})
    source = CadSource(step, name, meshes, MEDIUM, bodies, boundaries)
    return Imported(root, source, brep_bodies=bodies, brep_boundaries=boundaries)


def tessellated(data: bytes, name: str, quality: tuple[float, float, bool], iges: bool = False) -> Occurrence:
    """Tree (metres, Y up) of STEP or IGES bytes. `quality`: sag (mm, or a ratio where relative), angle (rad),
    relative.
    """
    import cascadio

    sag, angle, relative = quality
    kind = cascadio.FileType.IGES if iges else cascadio.FileType.STEP
    glb = cascadio.to_glb_bytes(data, kind, tol_linear=sag, tol_angular=angle, tol_relative=relative)
    if len(glb) < 20:  # the only sign of trouble that cascadio gives
        raise ReadError(
            f"{name}: OpenCASCADE found no shape in it; the file is damaged or cut short, export or upload it again"
        )
    root = scene_from_glb(glb, name).root
    scale = 0.001 if iges else 1.0  # cascadio leaves IGES in millimetres
    root.matrix = Z_UP_TO_Y_UP @ (root.matrix * [[scale], [scale], [scale], [1]])
    tidy(root)
    return root


def tidy(root: Occurrence) -> None:
    """Give colourless faces the default material, set what OpenCASCADE leaves open, replace its made-up names."""
    plain = Material("default")
    for mesh in unique_meshes(root):
        for primitive in mesh.primitives:
            material = primitive.material = primitive.material or plain
            material.metallic, material.roughness = 0.0, 0.55  # unset in the file, and glTF's default is a black metal
            if material.color[3] < 1:
                material.alpha_mode = "BLEND"
    for occurrence, _ in root.walk():
        if occurrence.name.startswith("=>[") or not occurrence.name:
            occurrence.name = occurrence.mesh.name if occurrence.mesh else "Assembly"


def unique_meshes(root: Occurrence) -> list[Mesh]:
    """Each mesh below `root` once, in tree order: the same order for every tessellation of a file."""
    return list({id(o.mesh): o.mesh for o, _ in root.walk() if o.mesh is not None}.values())


def brep_counts(step: bytes) -> tuple[int, int]:
    """(bodies, boundary edges) of a STEP text. A boundary edge belongs to one face only: a closed solid has none."""
    bodies = len(
        re.findall(rb"=\s*(?:MANIFOLD_SOLID_BREP|BREP_WITH_VOIDS|FACETED_BREP|SHELL_BASED_SURFACE_MODEL)\s*\(", step)
    )
    uses: dict[bytes, int] = {}
    for edge in re.findall(rb"ORIENTED_EDGE\s*\(\s*'[^']*'\s*,\s*\*\s*,\s*\*\s*,\s*#(\d+)", step):
        uses[edge] = uses.get(edge, 0) + 1
    return bodies, sum(1 for n in uses.values() if n == 1)


def header(step: bytes) -> dict[str, str]:
    """Properties from the head of a STEP file: schema, originating system, time, and the unit of its lengths."""
    head = step[: step.find(b"ENDSEC;")].decode("latin-1") if b"ENDSEC;" in step else ""
    found: dict[str, str] = {}
    schema = re.search(r"FILE_SCHEMA\s*\(\s*\(\s*'([^'{]*)", head)
    if schema:
        found["schema"] = schema.group(1).strip()
    named = re.search(r"FILE_NAME\s*\((.*?)\)\s*;", head, re.S)
    strings = re.findall(r"'((?:[^']|'')*)'", named.group(1)) if named else []
    if len(strings) >= 4:
        found["time"], found["system"] = strings[1], strings[-2]
    inch = re.search(rb"CONVERSION_BASED_UNIT\s*\(\s*'([A-Z]+)'", step)
    metre = re.search(rb"SI_UNIT\s*\(\s*(?:\.(\w+)\.|\$)\s*,\s*\.METRE\.", step)
    if inch and inch.group(1) not in (b"DEGREE", b"DEGREES"):
        found["unit"] = inch.group(1).decode().lower()
    elif metre:
        found["unit"] = (metre.group(1) or b"").decode().lower() + "metre"
    return {k: v for k, v in found.items() if v.strip()}
