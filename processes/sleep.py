"""Do nothing for a while: for trying queues, limits and cancelling. Does not need pxz."""

import time

from pixyz_worker.script import *


@pixyz_schedule(queue="cpu")
def main(pc, params):
    """Wait, then say how long; needs no input file and no 3D engine.

    Params:
        duration (float, seconds, default 0.1): how long to wait.

    Output: {"sleep": <duration>}; no files.
    """
    duration = float(params.get("duration", 0.1)) if isinstance(params, dict) else 0.1
    pc.progress_set_total(1)
    pc.progress_next(f"Sleeping for {duration} seconds")
    time.sleep(duration)
    pc.progress_stop()
    return {"sleep": duration}
