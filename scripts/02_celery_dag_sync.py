"""Split, work side by side, merge, and wait for it: a chord.

Remotely:  curl -s $URL/jobs -H "x-api-key: $TOKEN" -F script=@scripts/02_celery_dag_sync.py -F file=@samples/bolt.step
Locally:   PYTHONPATH=python python3 scripts/02_celery_dag_sync.py samples/bolt.step
"""

import random
import time
import zlib

from pixyz_worker.script import *

PARTS = 4
PAUSE = (1, 5)
"""Seconds that a part takes at least and at most, so that they end in any order."""


def subtask(pc, params):
    """The checksum of one slice."""
    pc.progress_next(f"checksum of {os.path.basename(pc.get_input_file())}")
    time.sleep(random.uniform(*PAUSE))
    with open(pc.get_input_file(), "rb") as file:
        return {"crc": zlib.crc32(file.read())}


def merge_result(pc, params):
    """`params` is the list of what the parts hand on: records, since their contexts are neither raw nor clones."""
    return {"crc32": sum(part["result"]["crc"] for part in params)}


def split(pc):
    """Cut the input file into slices of equal size; their paths."""
    size = os.path.getsize(pc.get_input_file())
    length = -(-size // PARTS)
    paths = []
    with open(pc.get_input_file(), "rb") as source:
        for number in range(PARTS):
            paths.append(pc.get_output_dir(f"crc_part{number}"))
            with open(paths[-1], "wb") as part:
                part.write(source.read(length))
    return paths


@pixyz_schedule(queue="control")
def main(pc, params):
    """Add up the checksums of four slices of a file, each computed by a task of its own.

    Input: any file.

    Params: none.

    Output: the record of the last task, with {"crc32": <sum>} as its `result`.
    Files: crc_part0 … crc_part3.
    """
    pc.progress_next("splitting file")
    parts = split(pc)
    pc.progress_next("chord")
    # Fresh contexts: nothing of this task is handed down but what stands here.
    header = [
        pixyz_execute.s({}, ProgramContext(script=pc["script"], entrypoint="subtask", data=part)).set(queue="cpu")
        for part in parts
    ]
    merge = pixyz_execute.s(pc=ProgramContext(script=pc["script"], entrypoint="merge_result")).set(queue="cpu")
    result = chord(header)(merge)
    with pc.allow_join_result():
        return result.get(
            on_message=lambda message: pc.progress_next(f"{message['task_id']} {message['status']}"),
            propagate=False,
        )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} FILE")
    print(LocalPixyzTask.from_commandline(__file__, os.getcwd(), "main", {}, sys.argv[1]))
