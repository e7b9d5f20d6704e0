"""A converter that runs on special machines only, then a preparation, then pictures: three kinds of workers.

Remotely:  curl -s $URL/jobs -H "x-api-key: $TOKEN" -F script=@scripts/06_chain_wine_cpu_gpu.py -F file=@assembly.asm
           (a worker with QUEUE_NAME=wine, where the converter is installed)
Another converter: -F 'config={"converter": ["/path/of/program", "argument"]}'; it gets input and output at the end.
"""

import subprocess
import time

from pixyz_worker.script import *

CONVERTER = ["/usr/bin/python3wine", "/opt/exportcreo.py"]
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


def count():
    """What is in the scene after the merging."""
    from pxz import material, scene

    mesh = scene.getTessellationInfos()
    return {
        "aabb": str(diagonal()),
        "part_count": len(scene.getPartOccurrences()),
        "material_count": len(material.getAllMaterials()),
        "mesh_vertex_count": mesh["vertexCount"],
        "polygon_count": scene.getPolygonCount([scene.getRoot()]),
    }


def convert(pc, params):
    """Run the converter on the input; what it makes lies in the outputs of this task."""
    output = pc.get_output_dir("export.pxz")
    pc.progress_next("converting")
    done = subprocess.run(
        [*pc.get("converter", CONVERTER), pc.get_input_file(), output], capture_output=True, text=True
    )
    if done.returncode != 0 or not os.path.isfile(output):
        raise RuntimeError(
            f"the converter ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}"
        )
    return {**params, "filepath": output}


def import_and_prepare(pc, params):
    """Import, repair, tessellate; a light preview, counts, and the scene for the pictures."""
    from pxz import algo, core, io, scene

    started = time.perf_counter()
    folder = params["output_dir"]
    core.resetSession()
    io.importFiles([params["filepath"]])
    root = scene.getRoot()
    algo.repairCAD([root], min(0.0002 * diagonal(), 0.1), False)
    algo.repairMesh([root], min(0.0002 * diagonal(), 0.1), False, False)
    algo.tessellateRelativelyToAABB([root], 0.01, 0.0001, -1, -1, True, 0, 1, 0.0, True, False, False, False)
    io.exportScene(os.path.join(folder, "export.pxz"))
    scene.mergeImages([])
    scene.mergeMaterials([], False)
    scene.mergePartOccurrencesByMaterials([], mergeHiddenPartsMode=0, combineMeshes=True)
    core.setModuleProperty("Material", "ExportTextureFormat", "KTX2")
    algo.decimateTarget([], ["triangleCount", MOST_TRIANGLES], 0, False, 1500000, False)
    io.exportScene(os.path.join(folder, "preview.glb"))
    return {
        **params,
        "preview": {"file": "preview.glb", "size": f"{SIZE}x{SIZE}"},
        "metadata": count(),
        "process_duration": time.perf_counter() - started,
        "pxz": os.path.join(folder, "export.pxz"),
    }


def screenshot(pc, params):
    """Four pictures of the prepared scene."""
    import pxz
    from pxz import core, io, scene, view

    core.resetSession()
    io.importFiles([params["pxz"]])
    viewer = view.createViewer(SIZE, SIZE)
    view.addGPUScene(view.createGPUScene([scene.getRoot()]), viewer)
    view.setViewerProperty("ShowBackground", "False", viewer)
    for name, (direction, angle) in VIEWS.items():
        view.fitCamera(pxz.geom.Point3(*direction), view.CameraType.Perspective, angle, viewer=viewer)
        view.takeScreenshot(os.path.join(params["output_dir"], f"{name}.png"), viewer)
    view.destroyViewer(viewer)
    return {**params, "thumbs": {name: f"{name}.png" for name in VIEWS}}


@pixyz_schedule(queue="control", wait=True, timeout=3600)
def main(pc, params):
    """Convert a Creo file on queue wine, prepare it on queue cpu, take its pictures on queue gpu.

    Input: a file that the converter reads.

    Params: any; handed down.

    Output: the params, and {"filepath", "output_dir", "preview", "metadata", "process_duration", "pxz", "thumbs"}.
    Steps: the ids of the three tasks.
    Files: iso.png, x.png, y.png, z.png, preview.glb, export.pxz.
    """
    params["output_dir"] = pc.get_output_dir()
    return chain(
        pixyz_execute.s(params, pc.clone(entrypoint="convert", raw=True)).set(queue="wine"),
        pixyz_execute.s(pc=pc.clone(entrypoint="import_and_prepare", raw=True, data=None)).set(queue="cpu"),
        pixyz_execute.s(pc=pc.clone(entrypoint="screenshot", raw=True, data=None, compute_only=True)).set(queue="gpu"),
    )()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} FILE")
    print(LocalPixyzTask.from_commandline(__file__, os.getcwd(), "main", {}, sys.argv[1]))
