"""The job that every system of bench/jobs.ts runs: no import, no work, one small result."""


def main(pc, params):
    return {"ok": 1, "params": params}
