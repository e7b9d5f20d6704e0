"""Puts finished jobs into the rival's result store: ``python rival_fill.py COUNT`` prints their ids, one a line."""

import sys
import uuid

from rival_tasks import app, now

for _ in range(int(sys.argv[1])):
    job_id = str(uuid.uuid4())
    at = now()
    meta = {
        "shadow_name": "filler",
        "time_info": {"request": at, "started": at, "stopped": at},
        "progress": 100,
        "steps": [],
        "result": {"ok": 1, "params": {}},
    }
    app.backend.store_result(job_id, meta, "SUCCESS")
    print(job_id)
