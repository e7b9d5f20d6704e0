"""An archive of parts: each is prepared by a task of its own, then all are put together.

Remotely:  curl -s $URL/jobs -H "x-api-key: $TOKEN" -F script=@scripts/parallel_process.py -F file=@parts.zip
Locally:   PYTHONPATH=python python scripts/parallel_process.py parts.zip
           (a Python with what python/requirements.txt names; the results lie in the current folder)
"""

import shutil

from pixyz_worker.script import *

KINDS = (".catpart", ".step", ".stp", ".stl", ".obj", ".glb")
"""Which files of the archive are parts. CATPart needs the commercial engine."""


def subtask(pc, params):
    """Prepare one part: import, repair, tessellate, save beside it."""
    from pxz import algo, core, io, scene

    path = pc.get_input_file()
    pc.progress_set_total(4)
    pc.progress_next(f"Importing {os.path.basename(path)}")
    root = io.importScene(path)
    pc.progress_next("Repairing CAD")
    algo.repairCAD([root], 0.1, False)
    pc.progress_next("Tessellating")
    algo.tessellate([root], 0.1, -1, -1)
    pc.progress_next("Saving")
    saved = f"{os.path.splitext(path)[0]}.pxz"
    core.save(saved)
    return {"part": saved, "triangles": scene.getPolygonCount([scene.getRoot()])}


def merge_result(pc, params):
    """Import all parts into one scene and export it."""
    from pxz import io

    parts = [part["result"] for part in params]
    io.importFiles([part["part"] for part in parts])
    io.exportScene(os.path.join(pc["target"], "output.glb"))
    return {"output": "output.glb", "parts": len(parts), "triangles": sum(part["triangles"] for part in parts)}


def parts_of(pc):
    """The parts of the archive, which has been unpacked already, copied to where other machines see them."""
    found = []
    for folder, _, names in sorted(os.walk(pc.get_input_dir())):
        for name in sorted(names):
            if name.lower().endswith(KINDS):
                found.append(shutil.copy(os.path.join(folder, name), pc.get_output_dir(f"{len(found)}-{name}")))
    if not found:
        raise ValueError(f"the archive has no part: files that end with one of {', '.join(KINDS)}")
    return found


@pixyz_schedule(queue="control")
def main(pc, params):
    """Prepare the parts of an archive side by side and export them as one file.

    Input: an archive with CATPart, STEP, STL, OBJ or GLB files.

    Params: none.

    Output: the record of the last task, with {"output": "output.glb", "parts": <n>, "triangles": <n>} as its `result`.
    Files: the parts, each also as pxz; output.glb.
    """
    header = [
        pixyz_execute.s({}, ProgramContext(script=pc["script"], entrypoint="subtask", data=part)).set(queue="cpu")
        for part in parts_of(pc)
    ]
    pc.progress_next("chord")
    merge = ProgramContext(script=pc["script"], entrypoint="merge_result", target=pc.get_output_dir())
    result = chord(header)(pixyz_execute.s(pc=merge).set(queue="cpu"))
    with pc.allow_join_result():
        return result.get(
            on_message=lambda message: pc.progress_next(f"{message['task_id']} {message['status']}"),
            propagate=False,
        )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} ARCHIVE")
    print(LocalPixyzTask.from_commandline(__file__, os.getcwd(), "main", {}, sys.argv[1]))
