"""The smallest job: it prints a line and sleeps for a moment.

Remotely:  curl -s $URL/jobs -H "x-api-key: $TOKEN" -F script=@scripts/00_sleep.py
Locally:   PYTHONPATH=python python3 scripts/00_sleep.py
"""

import time

from pixyz_worker.script import *


@pixyz_schedule(queue="cpu")
def main(pc, params):
    """Sleep for a tenth of a second.

    Params: none.

    Output: null; no files.
    """
    print("sleeping")
    time.sleep(0.1)
    print("awake again")


if __name__ == "__main__":
    LocalPixyzTask.from_commandline(__file__, os.getcwd(), "main")
