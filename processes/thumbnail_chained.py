"""Preview, counts and pictures of a 3D file, prepared on a CPU machine and drawn on a GPU machine."""

import json
import os
import time

from pixyz_worker.script import *

SIZE = 512
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
    from pxz import core, material, scene

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


def load_file_and_metadata(pc, params):
    """First link: import, repair, tessellate, save the scene for the pictures, a light preview, counts."""
    from pxz import algo, core, io, scene

    started = time.perf_counter()
    folder = params["output_dir"]
    pc.progress_set_total(8)
    pc.progress_next("Importing file")
    core.resetSession()
    # This task has the parent's input, too, unpacked anew where it is an archive: the parent's path is of its machine.
    io.importFiles([pc.get_input_file() or params["filepath"]])
    root = scene.getRoot()
    pc.progress_next("Repairing CAD")
    algo.repairCAD([root], min(0.0002 * diagonal(scene.getAABB([root])), 0.1), False)
    pc.progress_next("Repairing Mesh")
    algo.repairMesh([root], min(0.0002 * diagonal(scene.getAABB([root])), 0.1), False, False)
    pc.progress_next("tessellateRelativelyToAABB")
    algo.tessellateRelativelyToAABB([root], 0.01, 0.0001, -1, -1, True, 0, 1, 0.0, True, False, False, False)
    scene_file = os.path.join(folder, "export.pxz")
    io.exportScene(scene_file)
    pc.progress_next("Combine Material")
    scene.mergeImages([])
    scene.mergeMaterials([], False)
    scene.mergePartOccurrencesByMaterials([], mergeHiddenPartsMode=0, combineMeshes=True)
    core.setModuleProperty("Material", "ExportTextureFormat", "KTX2")
    pc.progress_next("DecimateTarget")
    algo.decimateTarget([], ["triangleCount", MOST_TRIANGLES], 0, False, 1500000, False)
    pc.progress_next("Exporting model preview to preview.glb")
    io.exportScene(os.path.join(folder, "preview.glb"))
    pc.progress_next("Generating metadata")
    metadata = scene_metadata()
    with open(os.path.join(folder, "metadata.json"), "w", encoding="utf-8") as file:
        json.dump(metadata, file, indent=4)
    return {
        "preview": {"file": "preview.glb", "size": f"{params['width']}x{params['height']}"},
        "metadata": metadata,
        "process_duration": time.perf_counter() - started,
        "pxz": scene_file,
    }


def screenshot(pc, params):
    """Second link: four pictures. What only the parent put into the parameters arrives, since contexts are clones."""
    import pxz
    from pxz import core, io, scene, view

    pc.progress_next("Screenshotting")
    core.resetSession()
    io.importFiles([params["pxz"]])
    viewer = view.createViewer(params["width"], params["height"])
    view.addGPUScene(view.createGPUScene([scene.getRoot()]), viewer)
    view.setViewerProperty("ShowBackground", "False", viewer)
    for name, (direction, angle) in VIEWS.items():
        view.fitCamera(pxz.geom.Point3(*direction), view.CameraType.Perspective, angle, viewer=viewer)
        view.takeScreenshot(os.path.join(params["output_dir"], f"{name}.png"), viewer)
    view.destroyViewer(viewer)
    return {**params, "thumbs": {name: f"{name}.png" for name in VIEWS}}


@pixyz_schedule(queue="control", wait=True, timeout=3600)
def main(pc, params):
    """Import the input file and make a light preview, counts and four pictures, on two kinds of machines.

    Input: one 3D file, or an archive with it.

    Params:
        width, height: accepted; pictures are always 512 × 512 (generate_thumbnails takes other sizes).

    Output: {"filepath": <input file>, "output_dir": <folder>, "width": 512, "height": 512, "preview": {"file":
    "preview.glb", "size": "512x512"}, "metadata": <as of generate_thumbnails>, "process_duration": <seconds, float>,
    "pxz": <path of export.pxz>, "thumbs": {"iso": "iso.png", "x": "x.png", "y": "y.png", "z": "z.png"}}.
    Files: iso.png, x.png, y.png, z.png, preview.glb, metadata.json, export.pxz. Steps: the ids of the two tasks.
    """
    if not pc.get_input_file():
        raise ValueError(
            "thumbnail_chained needs an input file: send the 3D file (or an archive with it) as the form field `file`"
        )
    params = params if isinstance(params, dict) else {}
    params.update(filepath=pc.get_input_file(), output_dir=pc.get_output_dir(), width=SIZE, height=SIZE)
    pc["params"] = params
    load = pc.clone(entrypoint="load_file_and_metadata", raw=True)
    pictures = pc.clone(entrypoint="screenshot", raw=True, compute_only=True, data=None)
    return chain(
        pixyz_execute.s(params, load).set(queue="cpu"),
        pixyz_execute.s(pc=pictures).set(queue="gpu"),
    )()
