"""The wall against fork bombs: a control group of Linux for the host and all that descends from it."""

from __future__ import annotations

import os
from typing import Any

from pixyz_worker import _processes


def limit_processes(config: dict[str, Any]) -> None:
    """Puts the host, and so all that descends from it, into a pids group where the system lets us. A fork bomb then
    meets a wall instead of taking the machine's last process id before the watch sees it. Threads count there, hence
    the margin.
    """
    limit = config["processCeiling"]
    if limit is None:
        return
    for base, own in _own_cgroups():
        group = os.path.join(base, own.lstrip("/"), f"pixyz-{os.getpid()}")
        try:
            os.mkdir(group)
            with open(os.path.join(group, "pids.max"), "w") as file:
                file.write(str(limit))
            with open(os.path.join(group, "cgroup.procs"), "w") as file:
                file.write("0")
            return
        except OSError:
            try:
                os.rmdir(group)
            except OSError:
                pass


def _own_cgroups() -> list[tuple[str, str]]:
    """(mount point, own path) of the version 1 pids hierarchy and of the version 2 one."""
    found = []
    try:
        with open("/proc/self/cgroup") as file:
            for line in file:
                _, controllers, path = line.rstrip("\n").split(":", 2)
                if "pids" in controllers.split(","):
                    found.append(("/sys/fs/cgroup/pids", path))
                elif controllers == "":
                    found.append(("/sys/fs/cgroup", path))
    except OSError:
        pass
    return found


def remove_old_groups() -> None:
    """Groups are empty folders once their host has ended; it cannot remove the one it is in."""
    for base, own in _own_cgroups():
        parent = os.path.join(base, own.lstrip("/"))
        try:
            names = os.listdir(parent)
        except OSError:
            continue
        for name in names:
            pid = name.removeprefix("pixyz-")
            if name.startswith("pixyz-") and pid.isdigit() and not _processes.is_alive(int(pid)):
                try:
                    os.rmdir(os.path.join(parent, name))
                except OSError:
                    pass
