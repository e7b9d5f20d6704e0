"""Split, work side by side, merge, and do not wait: the answer is the ids to follow.

Remotely:  curl -s $URL/jobs -H "x-api-key: $TOKEN" -F script=@scripts/02_celery_dag_async.py -F file=@samples/bolt.step
Locally:   PYTHONPATH=python python3 scripts/02_celery_dag_async.py samples/bolt.step
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
    """Start the checksums of four slices of a file and their sum; do not wait for them.

    Input: any file.

    Params: none.

    Output: [[<id of the last task>, [[<id of the group>, null], [<one for each slice>]]], null]; ask for the first id.
    Files: crc_part0 … crc_part3.
    """
    pc.progress_next("splitting file")
    parts = split(pc)
    pc.progress_next("chord")
    header = [
        pixyz_execute.s({}, ProgramContext(script=pc["script"], entrypoint="subtask", data=part)).set(queue="cpu")
        for part in parts
    ]
    merge = pixyz_execute.s(pc=ProgramContext(script=pc["script"], entrypoint="merge_result")).set(queue="cpu")
    return chord(header)(merge).as_tuple()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} FILE")
    print(LocalPixyzTask.from_commandline(__file__, os.getcwd(), "main", {}, sys.argv[1]))
