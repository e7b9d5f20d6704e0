"""Check that a job travels through API, queue and worker."""

from pixyz_worker.script import *


@pixyz_schedule(queue="cpu")
def main(pc, params):
    """Answer with a greeting and the parameters received; needs no input file and no 3D engine.

    Params: any JSON value, sent back as it came.

    Output: {"output": "Hello World!", "params": <params>}; no files.
    """
    pc.progress_set_total(1)
    pc.progress_next("API tested successfully!")
    return {"output": "Hello World!", "params": params}
