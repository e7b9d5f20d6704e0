"""A file comes in, another one goes out: conversion of a 3D model.

Remotely:  curl -s $URL/jobs -H "x-api-key: $TOKEN" -F script=@scripts/00_convert_a_file.py \\
               -F file=@samples/pump-unit.step -F 'params={"extension": "glb"}'
Locally:   PYTHONPATH=python python scripts/00_convert_a_file.py samples/pump-unit.step glb
           (a Python with what python/requirements.txt names; the result lies in the current folder)
"""

from pixyz_worker.script import *


@pixyz_schedule(queue="cpu")
def main(pc, params):
    """Import the input file and export it under another extension.

    Input: one 3D file, or an archive with it.

    Params:
        extension (string, default "pxz"): format to write.

    Output: {"output": "output.<extension>"}.
    Files: output.<extension>, and what belongs to it.
    """
    # Imported here, so that the file can be read, and its documentation shown, where there is no pxz.
    from pxz import io

    extension = str(params.get("extension", "pxz")).lower()
    output = f"output.{extension}"

    pc.progress_set_total(3)
    pc.progress_next(f"Importing file {os.path.basename(pc.get_input_file())}")
    io.importScene(pc.get_input_file())
    pc.progress_next(f"Exporting file to {output}")
    io.exportScene(pc.get_output_dir(output))
    pc.progress_next("done")
    return {"output": output}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} FILE [EXTENSION]")
    wanted = {"extension": sys.argv[2]} if len(sys.argv) > 2 else {}
    print(LocalPixyzTask.from_commandline(__file__, os.getcwd(), "main", wanted, sys.argv[1]))
