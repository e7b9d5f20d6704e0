"""Convert one 3D file to another format."""

from pixyz_worker.script import *


def engine():
    """Which module named pxz does the work: the open one says so itself."""
    import pxz

    return pxz.engine_name() if hasattr(pxz, "engine_name") else "pixyz"


@pixyz_schedule(queue="cpu")
def main(pc, params):
    """Import the input file and export it under another extension.

    Input: one 3D file, or an archive with it (STEP, IGES, BREP, GLB, GLTF, OBJ, FBX, STL, PLY, 3MF, DAE and more; with
    the commercial engine whatever it reads).

    Params:
        extension (string, default "pxz"): format to write, case does not matter. The open engine writes glb, gltf, obj,
            stl, ply, off, 3mf, usdz, usda, fbx, dae and pxz (its own scene file), each in its usual unit and axes.

    Output: {"output": "output.<extension>", "engine": <engine and version>}.
    Files: output.<extension>, and what belongs to it (obj: output.mtl and textures).
    """
    from pxz import io

    extension = params.get("extension", "pxz") if isinstance(params, dict) else "pxz"
    extension = str(extension).lower().lstrip(".")
    input_file = pc.get_input_file()
    if not input_file:
        raise ValueError(
            "convert_file needs an input file: send the 3D file (or an archive with it) as the form field `file`"
        )
    output = f"output.{extension}"
    output_file = pc.get_output_dir(output)

    pc.progress_set_total(3)
    pc.progress_next(f"Importing file {input_file}")
    io.importScene(input_file)
    pc.progress_next(f"Exporting file to {output_file}")
    io.exportScene(output_file)
    pc.progress_next("done")
    return {"output": output, "engine": engine()}
