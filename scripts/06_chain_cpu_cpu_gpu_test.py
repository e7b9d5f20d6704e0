"""A chain over five queues: does every one of them have a worker?

Remotely:  curl -s $URL/jobs -H "x-api-key: $TOKEN" -F script=@scripts/06_chain_cpu_cpu_gpu_test.py \\
               -F 'config={"entrypoint": "main_wait"}'
Locally:   PYTHONPATH=python python3 scripts/06_chain_cpu_cpu_gpu_test.py
"""

import time

from pixyz_worker.script import *


def sleep_cpu(pc, params):
    """A tenth of a second on queue cpu."""
    time.sleep(0.1)
    return {"sleep_cpu": True}


def sleep_gpu(pc, params):
    """A tenth of a second on queue gpu."""
    time.sleep(0.1)
    return {"sleep_gpu": True}


def sleep_zip(pc, params):
    """A tenth of a second on queue zip."""
    time.sleep(0.1)
    return {"sleep_zip": True}


def sleep_control(pc, params):
    """A tenth of a second on queue control."""
    time.sleep(0.1)
    return {"sleep_control": True}


def start(pc):
    """Send the chain: cpu, gpu, cpu, zip, control."""

    def link(name):
        return pc.clone(entrypoint=f"sleep_{name}", raw=True)

    return chain(
        pixyz_execute.s({}, link("cpu")).set(queue="cpu"),
        *(pixyz_execute.s(pc=link(name)).set(queue=name) for name in ("gpu", "cpu", "zip", "control")),
    )()


@pixyz_schedule(queue="cpu")
def main(pc, params):
    """Start the chain and end at once.

    Params: none.

    Output: {"status": "ok"}.
    """
    start(pc)
    return {"status": "ok"}


@pixyz_schedule(queue="control", wait=True)
def main_wait(pc, params):
    """Start the chain and wait for it.

    Params: none.

    Output: {"sleep_control": true}, what the last link returns. Steps: the ids of the five tasks.
    """
    return start(pc)


if __name__ == "__main__":
    print(LocalPixyzTask.from_commandline(__file__, os.getcwd(), "main_wait"))
