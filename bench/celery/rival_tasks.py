"""The worker side of the rival: one Celery task that runs a user's script, in one of two forms.

``BENCH_FORM=isolated`` does per task what the Celery-based scheduler does on its solo workers: state RUNNING, a private
input folder, the output folder, the script's module loaded in the worker, then a manager process and a forked child
that is joined with the time limit; result and context come back through the manager's list; the closing record; the
result. ``BENCH_FORM=bare`` loads the script and calls it in the worker process: no limit, no protection, no progress.

Written for this benchmark from the behaviour that docs and running instances show; no code of another system is used.
What would only cost the rival time and is not needed to run a job (licence session, signal handlers, verbose logs) is
left out on purpose.
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
from datetime import datetime, timezone

from celery import Celery

REDIS = os.environ["BENCH_REDIS_URL"]
SHARE = os.environ["BENCH_SHARE"]
FORM = os.environ.get("BENCH_FORM", "isolated")
DEFAULT_TIME_LIMIT = 2400

app = Celery("rival", broker=f"{REDIS}/0", backend=f"{REDIS}/0")
app.conf.update(
    worker_prefetch_multiplier=1,
    task_default_queue="cpu",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_track_started=True,
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    enable_utc=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=5,
    result_chord_join_timeout=8 * 3600,
)


class TimeLimit(Exception):
    """The script ran longer than it may."""


class ExitFault(Exception):
    """The script's process ended with a code other than 0, or by a signal."""


def load_entrypoint(script, name):
    spec = importlib.util.spec_from_file_location("external", script)
    module = importlib.util.module_from_spec(spec)
    sys.modules["external"] = module
    spec.loader.exec_module(module)
    return getattr(module, name)


def _child(box, function, context, params):
    try:
        box.append(function(context, params))
        box.append(context)
    except Exception as error:  # the parent raises it again
        box.append(error)


def run_isolated(function, context, params, limit):
    """One manager process and one forked child per task, as the original does it."""
    with multiprocessing.Manager() as manager:
        box = manager.list()
        process = multiprocessing.Process(target=_child, args=(box, function, context, params))
        process.start()
        process.join(limit)
        if process.is_alive():
            process.kill()
            process.join()
            raise TimeLimit(limit)
        if process.exitcode != 0:
            raise ExitFault(process.exitcode)
        if isinstance(box[0], Exception):
            raise box[0]
        return box[0], box[1]


def now():
    return datetime.now(timezone.utc).isoformat()


@app.task(bind=True, name="pixyz_execute", acks_late=False, max_retries=1, queue="gpu", time_limit=DEFAULT_TIME_LIMIT)
def pixyz_execute(self, params, pc):
    if FORM == "bare":
        return bare(self, params, pc)
    return isolated(self, params, pc)


def bare(self, params, pc):
    pc["output_dir"] = os.path.join(SHARE, self.request.id, "outputs")
    os.makedirs(pc["output_dir"], exist_ok=True)
    function = load_entrypoint(pc["script"], pc["entrypoint"])
    return {"result": function(pc, params)}


def isolated(self, params, pc):
    trace = os.path.join(tempfile.gettempdir(), f"latest_task_id.{os.getpid()}")
    with open(trace, "w") as file:
        json.dump({"id": self.request.id, "name": self.name, "args": [params, pc], "retries": self.request.retries}, file)
    meta = {
        "shadow_name": pc.get("shadow"),
        "time_info": {"request": pc["time_request"], "started": now(), "stopped": None},
        "progress": None,
        "steps": [],
    }
    self.update_state(state="RUNNING", meta=meta)
    pc["input_dir"] = tempfile.mkdtemp()
    try:
        pc["input_file"] = pc.get("data")
        pc["output_dir"] = os.path.join(SHARE, self.request.id, "outputs")
        os.makedirs(pc["output_dir"], exist_ok=True)
        pc["params"] = params
        pc["queue"] = self.request.delivery_info["routing_key"]
        pc["retry"] = self.request.retries
        function = load_entrypoint(pc["script"], pc["entrypoint"])
        limit = (self.request.timelimit or [None])[0] or DEFAULT_TIME_LIMIT
        result, context = run_isolated(function, pc, params, None if limit > 86400 else limit)
        pc.update(context)
        meta["time_info"]["stopped"] = now()
        meta["progress"] = 100
        self.update_state(state="RUNNING", meta=meta)
        return {**meta, "result": result}
    finally:
        shutil.rmtree(pc["input_dir"], ignore_errors=True)
        os.unlink(trace)
