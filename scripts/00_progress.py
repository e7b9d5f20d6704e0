"""How a job tells where it is: watchers see each step as it begins.

Remotely:  curl -s $URL/jobs -H "x-api-key: $TOKEN" -F script=@scripts/00_progress.py
Locally:   PYTHONPATH=python python3 scripts/00_progress.py
"""

import time

from pixyz_worker.script import *


@pixyz_schedule(queue="cpu")
def main(pc, params):
    """Announce three steps, do two of them, and return a number.

    Params: none.

    Output: 1; no files.
    """
    # Progress is the share of steps that are done: 0 during the first, 33 during the second. The end is always 100.
    pc.progress_set_total(3)
    pc.progress_next("Do something 1")
    time.sleep(0.1)
    pc.progress_next("Do something 2")
    time.sleep(0.2)
    return 1


if __name__ == "__main__":
    print(LocalPixyzTask.from_commandline(__file__, os.getcwd(), "main"))
