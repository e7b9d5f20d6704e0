"""One level of detail of a model, and how different it looks."""

from pixyz_worker.script import *

SIZE = 256
VIEWS = {"iso": (-0.5, -0.5, -1.0), "front": (0.0, 0.0, -1.0), "side": (-1.0, 0.0, 0.0)}


def silhouettes(pc, name):
    """Which pixels the model covers, from each side."""
    import numpy as np
    import pxz
    from PIL import Image
    from pxz import scene, view

    viewer = view.createViewer(SIZE, SIZE)
    view.addGPUScene(view.createGPUScene([scene.getRoot()]), viewer)
    view.setViewerProperty("ShowBackground", "False", viewer)
    covered = []
    for side, direction in VIEWS.items():
        picture = pc.get_output_dir(f"{name}-{side}.png")
        view.fitCamera(pxz.geom.Point3(*direction), view.CameraType.Perspective, 70, viewer=viewer)
        view.takeScreenshot(picture, viewer)
        with Image.open(picture) as image:
            covered.append(np.asarray(image.convert("RGBA"))[..., 3] > 127)
    view.destroyViewer(viewer)
    return np.stack(covered)


def main(pc, params):
    """Decimate the input to a part of its triangles, and compare its silhouettes with those of the input.

    Params:
        ratio (float): how many of the triangles to keep.

    Output: {"output": "lod.glb", "triangles": <count>, "deviation": <pixels that differ / pixels covered>}.
    """
    from pxz import algo, io, scene

    pc.progress_set_total(4)
    pc.progress_next("Reading")
    io.importScene(pc.get_input_file())
    root = scene.getRoot()
    before = silhouettes(pc, "before")
    pc.progress_next("Decimating")
    target = max(4, int(scene.getPolygonCount([root], True) * float(params["ratio"])))
    algo.decimateTarget([root], ["triangleCount", target], 0, False, 1500000, False)
    pc.progress_next("Comparing")
    after = silhouettes(pc, "after")
    deviation = float((before ^ after).sum() / max(1, before.sum()))
    pc.progress_next("Writing")
    io.exportScene(pc.get_output_dir("lod.glb"))
    return {"output": "lod.glb", "triangles": scene.getPolygonCount([root], True), "deviation": round(deviation, 5)}
