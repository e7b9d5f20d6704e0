"""The front of the rival: ``POST /jobs`` and ``GET /jobs/{id}/details`` over FastAPI, for bench/jobs.ts.

Answers have the shape of the Celery-based scheduler. Middlewares that it has (metrics, CORS, access log at debug level)
are left out: they would only cost the rival time.
"""

from __future__ import annotations

import ast
import hashlib
import hmac
import json
import os
import uuid
from datetime import datetime, timezone

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel

from rival_tasks import app as celery_app
from rival_tasks import pixyz_execute

SHARE = os.environ["BENCH_SHARE"]
TOKEN_SHA256 = hashlib.sha256(os.environ["BENCH_TOKEN"].encode()).hexdigest()
BLOCK = 10 * 2**20

api = FastAPI()


class JobState(BaseModel):
    uuid: str
    name: str | None
    status: str
    progress: int | None
    error: str | None


class JobDetails(JobState):
    time_info: dict
    steps: list | None
    retry: int
    result: object


def check_token(request: Request) -> None:
    token = request.headers.get("x-api-key", "")
    if not hmac.compare_digest(hashlib.sha256(token.encode()).hexdigest(), TOKEN_SHA256):
        raise HTTPException(401, "Invalid token")


async def store(upload, folder: str) -> str:
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, os.path.basename(upload.filename))
    with open(path, "wb") as file:
        while block := await upload.read(BLOCK):
            file.write(block)
    os.chmod(path, 0o777)
    return path


def entrypoint_options(script: str, entrypoint: str) -> dict:
    """The literal keywords of the ``pixyz_schedule`` decorator. The file is parsed, not run."""
    with open(script, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == entrypoint:
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "pixyz_schedule":
                    pairs = decorator.keywords
                    return {k.arg: k.value.value for k in pairs if isinstance(k.value, ast.Constant)}
            return {}
    raise HTTPException(400, f"no function {entrypoint}")


@api.post("/jobs")
async def create_job(request: Request) -> JobState:
    check_token(request)
    form = await request.form()
    job_id = str(uuid.uuid4())
    inputs = os.path.join(SHARE, job_id, "inputs")
    paths = {}
    for part in ("file", "script"):
        upload = form.get(part)
        paths[part] = await store(upload, inputs) if getattr(upload, "filename", None) else None
    params = json.loads(form.get("params") or "{}")
    if (form.get("process") or "custom") != "custom" or paths["script"] is None:
        raise HTTPException(400, "the benchmark runs custom scripts only")
    config = {key: value for key, value in json.loads(form.get("config") or "{}").items() if value is not None}
    entrypoint = config.get("entrypoint", "main")
    options = {"queue": "cpu", "time_limit": 3600, **entrypoint_options(paths["script"], entrypoint), **config}
    name = form.get("name") or None
    context = {
        "script": paths["script"],
        "entrypoint": entrypoint,
        "data": paths["file"],
        "shadow": name,
        "task_id": job_id,
        "time_limit": options["time_limit"],
        "time_request": datetime.now(timezone.utc).replace(tzinfo=None).isoformat(),
    }
    pixyz_execute.apply_async(
        args=(params, context),
        task_id=job_id,
        queue=options["queue"],
        time_limit=options["time_limit"],
        shadow=name,
    )
    return JobState(uuid=job_id, name=name, status="SENT", progress=None, error=None)


@api.get("/jobs/{job_id}/details")
async def job_details(job_id: uuid.UUID, request: Request) -> JobDetails:
    check_token(request)
    record = celery_app.backend.get_task_meta(str(job_id))
    meta = record["result"] if isinstance(record["result"], dict) else {}
    times = meta.get("time_info") or {"request": None, "started": None, "stopped": record.get("date_done")}
    return JobDetails(
        uuid=str(job_id),
        name=meta.get("shadow_name"),
        status=record["status"],
        progress=meta.get("progress"),
        error=record.get("traceback"),
        time_info=times,
        steps=meta.get("steps"),
        retry=0,
        result=meta.get("result"),
    )
