"""Tasks side by side, in two groups; nobody waits for them.

Remotely:  curl -s $URL/jobs -H "x-api-key: $TOKEN" -F script=@scripts/03_group_async.py
Locally:   PYTHONPATH=python python3 scripts/03_group_async.py    (one after the other, so for a minute)
"""

import time

from pixyz_worker.script import *


def sleep_for(pc, params):
    """Sleep, and return for how long."""
    pc.progress_next(f"sleeping for {params['time']} s")
    time.sleep(params["time"])
    return params["time"]


@pixyz_schedule(queue="cpu")
def main(pc, params):
    """Start four sleeps of 2, 3, 4 and 50 seconds and end at once.

    Params: none.

    Output: [[<id of the group>, null], [[[<id of a sleep>, null], null], …]]; the result of a sleep is its seconds.
    """

    def sleep_task(seconds):
        return pixyz_execute.s({"time": seconds}, pc.clone(entrypoint="sleep_for")).set(queue="cpu")

    # Groups in a group are one group of four.
    return group([group([sleep_task(2), sleep_task(3)]), group([sleep_task(4), sleep_task(50)])])().as_tuple()


if __name__ == "__main__":
    print(LocalPixyzTask.from_commandline(__file__, os.getcwd(), "main"))
