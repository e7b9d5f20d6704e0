"""Canvases on the rival's workers: a chain and a chord of trivial tasks, timed from sending to result.

``python rival_canvas.py SCRIPT chain 40`` prints the seconds. The client sends them itself: that spares the rival the job
that ours needs to send them from.
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, timezone

from celery import chain, chord
from rival_tasks import pixyz_execute


def context(script: str) -> dict[str, str]:
    now = datetime.now(timezone.utc).replace(tzinfo=None).isoformat()
    return {"script": script, "entrypoint": "step", "time_request": now}


def link(script: str, *params: object):
    return pixyz_execute.s(*params, pc=context(script)).set(queue="cpu")


def main() -> None:
    script, shape, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    start = time.perf_counter()
    if shape == "chain":
        sent = chain(link(script, {}), *(link(script) for _ in range(count - 1)))()
    else:
        sent = chord([link(script, {}) for _ in range(count)])(link(script))
    sent.get(timeout=300, interval=0.005)
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
