"""One task after another: what a link returns are the parameters of the next.

Remotely:  curl -s $URL/jobs -H "x-api-key: $TOKEN" -F script=@scripts/04_chain_async.py
Locally:   PYTHONPATH=python python3 scripts/04_chain_async.py
"""

import time

from pixyz_worker.script import *


def sleep_for(pc, params):
    """Sleep, and hand on the parameters with a tenth of the time."""
    time.sleep(params["time"])
    return {**params, "time": params["time"] / 10}


@pixyz_schedule(queue="cpu")
def main(pc, params):
    """Start a chain of two sleeps, 2 s and 0.2 s, and end at once.

    Params: any; clones hand them down to the sleeps.

    Output: [[<id of the last>, [[<id of the first>, null], null]], null]; the last returns {"time": 0.02, "id": 2, …}.
    """
    # Raw: the bare value goes on, without the record around it.
    link = pc.clone(entrypoint="sleep_for", raw=True)
    return chain(
        pixyz_execute.s({"time": 2, "id": 2}, link).set(queue="cpu"),
        pixyz_execute.s(pc=link).set(queue="cpu"),
    )().as_tuple()


if __name__ == "__main__":
    print(LocalPixyzTask.from_commandline(__file__, os.getcwd(), "main"))
