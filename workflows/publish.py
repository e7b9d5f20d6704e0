"""Puts a file where others look for it."""

import os
import shutil

from pixyz_worker.script import *


def main(pc, params):
    """Copy a file; whoever reads the folder sees it whole or not at all.

    Params:
        from (string): the file.
        to (string): where it goes; folders are made.

    Output: {"file": <to>, "bytes": <size>}.
    """
    target = params["to"]
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(params["from"], f"{target}.part")
    os.replace(f"{target}.part", target)
    return {"file": target, "bytes": os.path.getsize(target)}
