"""What the graph benchmark runs on both systems: `step` is one task; `main` sends canvases on ours and tells the seconds."""

import time


def step(pc, params):
    return params


def main(pc, params):
    from pixyz_worker.script import ProgramContext, chain, chord, pixyz_execute

    def link(*given):
        context = ProgramContext(script=pc["script"], entrypoint="step", raw=True)
        return pixyz_execute.s(*given, pc=context).set(queue="cpu")

    count = params["count"]
    start = time.perf_counter()
    if params["shape"] == "chain":
        sent = chain(link({}), *(link() for _ in range(count - 1)))()
    else:
        sent = chord([link({}) for _ in range(count)])(link())
    with pc.allow_join_result():
        sent.get(timeout=300)
    return time.perf_counter() - start
