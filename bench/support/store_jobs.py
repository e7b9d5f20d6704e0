"""Copy jobs that have run, as many times as asked for: their rows in Temporal's list, and their folders on the share.

    store_jobs.py DATABASE SHARE COUNT JOB...

Running so many jobs would take half an hour. What lists read is the same: rows of the visibility table with times of their
own, spread over the past, and a record and a specification in each folder. Prints how long it took, in seconds.
"""

import datetime
import json
import os
import random
import sqlite3
import sys
import time
import uuid

database, share, count, *templates = sys.argv[1:]
began = time.monotonic()
rng = random.Random(int(count))
words = ["pump", "valve", "bracket", "housing", "rotor", "flange", "gear", "turbine", "chassis", "panel"]


def new_name(number):
    return f"{rng.choice(words)} {rng.choice(words)} {number}"


connection = sqlite3.connect(database, timeout=60)
connection.row_factory = sqlite3.Row
columns = [
    row["name"]
    for row in connection.execute("PRAGMA table_info(executions_visibility)")  # leaves out what is computed
]
rows = []
for job in templates:
    graph = job[:-8] + "00000000"
    row = connection.execute(
        "SELECT * FROM executions_visibility WHERE workflow_id IN (?, ?) ORDER BY start_time DESC", (job, graph)
    ).fetchone()
    folder = os.path.join(share, job)
    files = {name: open(os.path.join(folder, name)).read() for name in ("job.json", "spec.json")}
    rows.append((job, graph, dict(row), files))
name_field = None
for key, value in json.loads(rows[0][2]["search_attributes"]).items():
    if value == "template":
        name_field = key
assert name_field is not None, "the template jobs are to be called 'template'"

placeholders = ", ".join("?" * len(columns))
insert = f"INSERT INTO executions_visibility ({', '.join(columns)}) VALUES ({placeholders})"
form = "%Y-%m-%d %H:%M:%S.%f+00:00"
end = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=5)
batch = []
for number in range(int(count)):
    job, graph, row, files = rows[number % len(rows)]
    new_graph = str(uuid.UUID(int=rng.getrandbits(128), version=4))[:-8] + "00000000"
    new_job = new_graph[:-8] + job[-8:]
    name = new_name(number)
    start = end - datetime.timedelta(seconds=10 * number, microseconds=rng.randrange(10**6))
    close = start + datetime.timedelta(seconds=rng.uniform(0.1, 300))
    fields = json.loads(row["search_attributes"])
    fields[name_field] = name
    changed = {
        **row,
        "run_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "workflow_id": new_job if row["workflow_id"] == job else new_graph,
        "start_time": start.strftime(form),
        "execution_time": start.strftime(form),
        "close_time": close.strftime(form) if row["close_time"] is not None else None,
        "search_attributes": json.dumps(fields, ensure_ascii=False),
    }
    changed["root_workflow_id"], changed["root_run_id"] = changed["workflow_id"], changed["run_id"]
    batch.append([changed[column] for column in columns])
    folder = os.path.join(share, new_job)
    os.mkdir(folder)
    for file, text in files.items():
        text = text.replace(graph, new_graph).replace(job, new_job).replace('"template"', json.dumps(name))
        with open(os.path.join(folder, file), "w") as target:
            target.write(text)
    if len(batch) == 5000:
        with connection:
            connection.executemany(insert, batch)
        batch = []
with connection:
    connection.executemany(insert, batch)
print(f"{time.monotonic() - began:.1f}")
