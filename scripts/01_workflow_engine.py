"""A whole pipeline in one job: import, repair, tessellate, take pictures, simplify, export, count.

Remotely:  curl -s $URL/jobs -H "x-api-key: $TOKEN" \\
               -F script=@scripts/01_workflow_engine.py -F file=@samples/pump-unit.step
Locally:   PYTHONPATH=python python scripts/01_workflow_engine.py samples/pump-unit.step
           (a Python with what python/requirements.txt names; the results lie in the current folder)
"""

import time

from pixyz_worker.script import *

# Without a GPU the commercial engine takes no pictures; the open one draws on the CPU and does not care.
TAKE_PICTURES = True
SIZE = 512
MOST_TRIANGLES = 500000
VIEWS = {
    "iso": ((-0.5, -0.5, -1.0), 70),
    "x": ((0.0, 0.0, -1.0), 90),
    "y": ((-1.0, 0.0, 0.0), 90),
    "z": ((0.0, -1.0, 0.0), 90),
}


def diagonal():
    """Length of the diagonal of the scene's bounding box, mm."""
    from pxz import scene

    box = scene.getAABB([scene.getRoot()])
    return ((box.high.x - box.low.x) ** 2 + (box.high.y - box.low.y) ** 2 + (box.high.z - box.low.z) ** 2) ** 0.5


def repair(pc):
    """Repair CAD, then meshes, with a tolerance that fits the size of the model."""
    from pxz import algo, scene

    root = scene.getRoot()
    pc.progress_next("Repairing CAD")
    algo.repairCAD([root], min(0.0002 * diagonal(), 0.1), False)
    pc.progress_next("Repairing Mesh")
    algo.repairMesh([root], min(0.0002 * diagonal(), 0.1), False, False)


def tessellate(pc):
    """Triangles of every CAD face, as fine as the size of the model asks for."""
    from pxz import algo, scene

    pc.progress_next("tessellateRelativelyToAABB")
    algo.tessellateRelativelyToAABB([scene.getRoot()], 0.01, 0.0001, -1, -1, True, 0, 1, 0.0, True, False, False, False)


def take_pictures(pc):
    """One picture from each side; the full paths of the files."""
    import pxz
    from pxz import scene, view

    pc.progress_next("Creating viewer")
    viewer = view.createViewer(SIZE, SIZE)
    pc.progress_next("Creating GPUScene")
    view.addGPUScene(view.createGPUScene([scene.getRoot()]), viewer)
    pc.progress_next("Screenshotting")
    view.setViewerProperty("ShowBackground", "False", viewer)
    pictures = {}
    for name, (direction, angle) in VIEWS.items():
        pictures[name] = pc.get_output_dir(f"{name}.png")
        view.fitCamera(pxz.geom.Point3(*direction), view.CameraType.Perspective, angle, viewer=viewer)
        view.takeScreenshot(pictures[name], viewer)
    view.destroyViewer(viewer)
    return pictures


def export_preview(pc):
    """One part for each material, few triangles, and a file that every browser shows."""
    from pxz import algo, core, io, scene

    pc.progress_next("Combine Material")
    scene.mergeImages([])
    scene.mergeMaterials([], False)
    scene.mergePartOccurrencesByMaterials([], mergeHiddenPartsMode=0, combineMeshes=True)
    core.setModuleProperty("Material", "ExportTextureFormat", "KTX2")
    pc.progress_next("DecimateTarget")
    algo.decimateTarget([], ["triangleCount", MOST_TRIANGLES], 0, False, 1500000, False)
    pc.progress_next("Exporting model preview to output.glb")
    io.exportScene(pc.get_output_dir("output.glb"))


def count(pc):
    """What is in the scene after the merging."""
    from pxz import material, scene

    pc.progress_next("Generating metadata")
    mesh = scene.getTessellationInfos()
    return {
        "aabb": str(diagonal()),
        "part_count": len(scene.getPartOccurrences()),
        "material_count": len(material.getAllMaterials()),
        "mesh_vertex_count": mesh["vertexCount"],
        "polygon_count": scene.getPolygonCount([scene.getRoot()]),
    }


@pixyz_schedule(queue="gpu")
def main(pc, params):
    """Make pictures, a light preview and counts of a 3D file.

    Input: one 3D file, or an archive with it.

    Params: none.

    Output: {"thumbs": {<view>: <full path>}, "preview": {"file": "output.glb", "size": "512x512"},
    "metadata": <counts>, "process_duration": <seconds>}.
    Files: iso.png, x.png, y.png, z.png, output.glb.
    """
    from pxz import core, io

    started = time.perf_counter()
    pc.progress_set_total(11)
    pc.progress_next("Importing file")
    core.resetSession()
    io.importFiles([pc.get_input_file()])
    repair(pc)
    tessellate(pc)
    thumbs = take_pictures(pc) if TAKE_PICTURES else {}
    export_preview(pc)
    metadata = count(pc)
    return {
        "thumbs": thumbs,
        "preview": {"file": "output.glb", "size": f"{SIZE}x{SIZE}"},
        "metadata": metadata,
        "process_duration": time.perf_counter() - started,
    }


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} FILE")
    print(LocalPixyzTask.from_commandline(__file__, os.getcwd(), "main", {}, sys.argv[1]))
