"""Prepare a model on a CPU machine, take its pictures on a GPU machine, and do not wait.

Remotely:  curl -s $URL/jobs -H "x-api-key: $TOKEN" \\
               -F script=@scripts/05_chain_cpu_gpu_async.py -F file=@samples/bolt.step
Locally:   PYTHONPATH=python python scripts/05_chain_cpu_gpu_async.py samples/bolt.step
           (a Python with what python/requirements.txt names; the results lie in the current folder)
"""

import time

from pixyz_worker.script import *

TAKE_PICTURES = False
"""Only names them where there is no GPU; the open engine draws on the CPU and could."""
VIEWS = {"iso": (-0.5, -0.5, -1.0), "x": (0.0, 0.0, -1.0), "y": (-1.0, 0.0, 0.0), "z": (0.0, -1.0, 0.0)}


def import_and_prepare(pc, params):
    """Import, repair, tessellate, and save the scene where the parent has its outputs."""
    from pxz import algo, io, scene

    started = time.perf_counter()
    io.importFiles([pc.get_input_file()])
    root = scene.getRoot()
    algo.repairCAD([root], 0.1, False)
    algo.tessellate([root], 0.1, -1, -1)
    path = os.path.join(params["output_dir"], "export.pxz")
    io.exportScene(path)
    return {**params, "pxz": path, "process_duration": time.perf_counter() - started}


def screenshot(pc, params):
    """Load the prepared scene and take its pictures; this task has no folder of its own (compute_only)."""
    import pxz
    from pxz import io, scene, view

    started = time.perf_counter()
    thumbs = {name: os.path.join(params["output_dir"], f"{name}.png") for name in VIEWS}
    if TAKE_PICTURES:
        io.importFiles([params["pxz"]])
        viewer = view.createViewer(512, 512)
        view.addGPUScene(view.createGPUScene([scene.getRoot()]), viewer)
        for name, direction in VIEWS.items():
            view.fitCamera(pxz.geom.Point3(*direction), view.CameraType.Perspective, 90, viewer=viewer)
            view.takeScreenshot(thumbs[name], viewer)
        view.destroyViewer(viewer)
    return {**params, "thumbs": {**thumbs, "time": time.perf_counter() - started}}


@pixyz_schedule(queue="cpu", wait=False)
def main(pc, params):
    """Start the preparation of a model on queue cpu and its pictures on queue gpu, and end at once.

    Input: one 3D file, or an archive with it.

    Params: any; handed down.

    Output: [[<id of the pictures>, [[<id of the preparation>, null], null]], null]; the first id has the result: the
    params, and {"output_dir", "pxz": <path>, "process_duration": <seconds>, "thumbs": {<view>: <path>, "time": <s>}}.
    Files: export.pxz.
    """
    # Clones inherit the parameters as they are when the chain is sent.
    params["output_dir"] = pc.get_output_dir()
    prepare = pc.clone(entrypoint="import_and_prepare", raw=True)
    pictures = pc.clone(entrypoint="screenshot", raw=True, compute_only=True)
    return chain(
        pixyz_execute.s(params, prepare).set(queue="cpu"),
        pixyz_execute.s(pc=pictures).set(queue="gpu"),
    )().as_tuple()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} FILE")
    print(LocalPixyzTask.from_commandline(__file__, os.getcwd(), "main", {}, sys.argv[1]))
