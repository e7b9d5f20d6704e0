"""Four pictures of a 3D file, a light GLB to look at in a browser, and its counts."""

import json
import time

import pxz
from pxz import algo, core, io, material, scene, view

from pixyz_worker.script import *

VIEWS = {
    "iso": ((-0.5, -0.5, -1.0), 70),
    "x": ((0.0, 0.0, -1.0), 90),
    "y": ((-1.0, 0.0, 0.0), 90),
    "z": ((0.0, -1.0, 0.0), 90),
}
"""Direction of view (Y up) and angle in degrees of each picture."""

MOST_TRIANGLES = 500000


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


def repair(pc):
    """Repair CAD, then meshes, with a tolerance that fits the size of the scene (mm), measured anew in between."""
    root = scene.getRoot()
    pc.progress_next("Repairing CAD")
    algo.repairCAD([root], min(0.0002 * diagonal(scene.getAABB([root])), 0.1), False)
    pc.progress_next("Repairing Mesh")
    algo.repairMesh([root], min(0.0002 * diagonal(scene.getAABB([root])), 0.1), False, False)


def take_pictures(pc, width, height):
    """One picture for each of VIEWS; their file names."""
    pc.progress_next("Creating viewer")
    viewer = view.createViewer(width, height)
    pc.progress_next("Creating GPUScene")
    view.addGPUScene(view.createGPUScene([scene.getRoot()]), viewer)
    pc.progress_next("Screenshotting")
    view.setViewerProperty("ShowBackground", "False", viewer)
    for name, (direction, angle) in VIEWS.items():
        view.fitCamera(pxz.geom.Point3(*direction), view.CameraType.Perspective, angle, viewer=viewer)
        view.takeScreenshot(pc.get_output_dir(f"{name}.png"), viewer)
    view.destroyViewer(viewer)
    return {name: f"{name}.png" for name in VIEWS}


def export_preview(pc):
    """Merge by material, decimate, and write preview.glb."""
    pc.progress_next("Combine Material")
    scene.mergeImages([])
    scene.mergeMaterials([], False)
    scene.mergePartOccurrencesByMaterials([], mergeHiddenPartsMode=0, combineMeshes=True)
    core.setModuleProperty("Material", "ExportTextureFormat", "KTX2")
    pc.progress_next("DecimateTarget")
    algo.decimateTarget([], ["triangleCount", MOST_TRIANGLES], 0, False, 1500000, False)
    pc.progress_next("Exporting model preview to preview.glb")
    io.exportScene(pc.get_output_dir("preview.glb"))


@pixyz_schedule(queue="gpu")
def main(pc, params):
    """Import the input file, take four pictures, export a light preview, count what is in it.

    Input: one 3D file, or an archive with it.

    Params:
        width (int, pixels, default 512): width of the pictures.
        height (int, pixels, default 512): height of the pictures.

    Output: {"thumbs": {"iso": "iso.png", "x": "x.png", "y": "y.png", "z": "z.png"},
    "preview": {"file": "preview.glb", "size": "<width>x<height>"}, "metadata": <metadata>,
    "process_duration": <seconds, float>, "engine": <engine and version>}, where <metadata>, counted after parts are
    merged by material, is {
        "aabb": string, length of the bounding box's diagonal in mm,
        "part_count", "material_count": parts (each instance counts) and materials in use,
        "brep_boundary", "brep_body_count": open edges and bodies of exact (CAD) geometry,
        "mesh_boundary", "mesh_edge_count", "mesh_vertex_count", "polygon_count": open edges, edges, vertices and
            triangles,
        "animation_count", "variant_count", "pmi_component_count", "annotation_group_count", "annotation_count",
        "metadata_component_count", "metadata_property_count": components with properties, and their properties
    }, integers but for the first.
    Files: iso.png (from the front, right and above), x.png (along -Z), y.png (along -X), z.png (along -Y), all on a
    transparent background; preview.glb (parts merged by material, at most 500,000 triangles); metadata.json
    (<metadata>, indented by 4).
    """
    started = time.perf_counter()
    params = params if isinstance(params, dict) else {}
    width, height = int(params.get("width", 512)), int(params.get("height", 512))
    input_file = pc.get_input_file()
    if not input_file:
        raise ValueError(
            "generate_thumbnails needs an input file: send the 3D file (or an archive with it) as the form field `file`"
        )

    pc.progress_set_total(12)
    pc.progress_next("Importing file")
    core.resetSession()
    io.importFiles([input_file])
    repair(pc)
    pc.progress_next("tessellateRelativelyToAABB")
    algo.tessellateRelativelyToAABB([scene.getRoot()], 0.01, 0.0001, -1, -1, True, 0, 1, 0.0, True, False, False, False)
    thumbs = take_pictures(pc, width, height)
    export_preview(pc)
    pc.progress_next("Generating metadata")
    metadata = scene_metadata()
    pc.progress_next("Export 'metadata.json'")
    write_metadata(pc, metadata)
    return {
        "thumbs": thumbs,
        "preview": {"file": "preview.glb", "size": f"{width}x{height}"},
        "metadata": metadata,
        "process_duration": time.perf_counter() - started,
        "engine": pxz.engine_name() if hasattr(pxz, "engine_name") else "pixyz",
    }
