"""Measure a 3D file: size, parts, materials, triangles, properties."""

import json
import os

import pxz
from pxz import core, io, material, scene

from pixyz_worker.script import *


def diagonal(box):
    """Length of a box's diagonal, in the scene's unit (mm)."""
    low, high = box.low, box.high
    return ((high.x - low.x) ** 2 + (high.y - low.y) ** 2 + (high.z - low.z) ** 2) ** 0.5


def scene_metadata():
    """Counts of the current scene. Lengths are millimetres; a part used n times counts n times."""
    root = scene.getRoot()
    brep, mesh = scene.getBRepInfos(), scene.getTessellationInfos()
    pmi = scene.listComponent(scene.ComponentType.PMI)
    groups = [group for component in pmi for group in scene.getAnnotationGroups(component)]
    components = scene.listComponent(scene.ComponentType.Metadata)
    return {
        "aabb": str(diagonal(scene.getAABB([root]))),
        "part_count": len(scene.getPartOccurrences()),
        "material_count": len(material.getAllMaterials()),
        "brep_boundary": brep["boundaryCount"],
        "brep_body_count": brep["bodyCount"],
        "mesh_boundary": mesh["boundaryCount"],
        "mesh_edge_count": mesh["edgeCount"],
        "mesh_vertex_count": mesh["vertexCount"],
        "polygon_count": scene.getPolygonCount([root]),
        "animation_count": len(scene.listAnimations()),
        "variant_count": len(scene.listVariants()),
        "pmi_component_count": len(pmi),
        "annotation_group_count": len(groups),
        "annotation_count": sum(len(scene.getAnnotations(group)) for group in groups),
        "metadata_component_count": len(components),
        "metadata_property_count": sum(len(core.listProperties(component)) for component in components),
    }


def write_metadata(pc, metadata):
    """Write metadata.json into the output folder."""
    with open(pc.get_output_dir("metadata.json"), "w", encoding="utf-8") as file:
        json.dump(metadata, file, indent=4)


@pixyz_schedule(queue="cpu")
def main(pc, params):
    """Import the input file and count what is in it.

    Input: one 3D file, or an archive with it.

    Params: none.

    Output: {"metadata": <metadata>, "engine": <engine and version>}, where <metadata> is {
        "aabb": string, length of the bounding box's diagonal in mm,
        "part_count", "material_count": parts (each instance counts) and materials in use,
        "brep_boundary", "brep_body_count": open edges and bodies of exact (CAD) geometry,
        "mesh_boundary", "mesh_edge_count", "mesh_vertex_count", "polygon_count": open edges, edges, vertices and
            triangles,
        "animation_count", "variant_count", "pmi_component_count", "annotation_group_count", "annotation_count",
        "metadata_component_count", "metadata_property_count": components with properties, and their properties
    }, integers but for the first.
    Files: metadata.json, the same <metadata>, indented by 4.
    """
    input_file = pc.get_input_file()
    if not input_file:
        raise ValueError(
            "generate_metadata needs an input file: send the 3D file (or an archive with it) as the form field `file`"
        )
    pc.progress_set_total(3)
    pc.progress_next(f"Importing file '{os.path.basename(input_file)}'")
    core.resetSession()
    io.importFiles([input_file])
    pc.progress_next("Generating metadata")
    metadata = scene_metadata()
    pc.progress_next("Export 'metadata.json'")
    write_metadata(pc, metadata)
    return {"metadata": metadata, "engine": pxz.engine_name() if hasattr(pxz, "engine_name") else "pixyz"}
