"""Paths on the share, and the folders that exist for the time of a task."""

from __future__ import annotations

import http.server
import os
import signal
import tarfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

import pixyz_worker
from pixyz_worker import share as paths
from pixyz_worker.exception import (
    DiskStateAlreadyExists,
    PixyzExitFault,
    PixyzSignalFault,
    PixyzTimeout,
    PixyzWebError,
    SharePathInvalidError,
    SharePathNotFoundError,
)
from pixyz_worker.pc import ProgramContext

JOB = "3c7b1077-d4f2-42ce-98b0-8d9fba12a471"


def test_paths_of_a_job(share: Path) -> None:
    assert paths.get_job_share_dir(JOB) == str(share / JOB)
    assert not paths.is_job_in_share(JOB)
    assert paths.get_job_output_dir(JOB) == str(share / JOB / "outputs")
    assert paths.is_job_in_share(JOB) and paths.is_a_valid_job_id_directory(str(share / JOB))
    assert not paths.is_a_valid_job_id_directory(str(share))
    (share / JOB / "outputs" / "b").touch()
    (share / JOB / "outputs" / "a").touch()
    assert paths.get_job_output_dir_content(JOB) == ["a", "b"]
    assert paths.get_job_output_file_path(JOB, "a", check_if_exists=True) == str(share / JOB / "outputs" / "a")
    with pytest.raises(SharePathNotFoundError):
        paths.get_job_input_file_path(JOB, "none", check_if_exists=True)
    assert paths.is_path_in_share(str(share / "x")) and not paths.is_path_in_share("/etc/passwd")


@pytest.mark.parametrize("job", ["", "..", "x" * 36, JOB + "/..", None, 5])
def test_bad_ids_are_refused(job: Any, share: Path) -> None:
    with pytest.raises(SharePathInvalidError):
        paths.get_job_share_dir(job)


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "a/../../../x"])
def test_names_that_leave_the_job_are_refused(name: str, share: Path) -> None:
    with pytest.raises(SharePathInvalidError):
        paths.get_job_share_file_path(JOB, name)
    assert not (share / JOB).exists(), "and nothing is made for them"


def test_the_output_manager_wants_a_version_4_id(share: Path) -> None:
    with pixyz_worker.StorageOutputManager(JOB) as storage:
        assert os.path.isdir(storage.output_dir)
    with pytest.raises(SharePathInvalidError):
        pixyz_worker.StorageOutputManager("3c7b1077-d4f2-12ce-98b0-8d9fba12a471")


def test_a_temporary_folder_goes_with_its_block() -> None:
    with pixyz_worker.StorageTemporaryManager() as storage:
        assert os.stat(storage.directory).st_mode & 0o077 == 0
    assert not os.path.exists(storage.directory)


def test_execute_if_enabled() -> None:
    with pixyz_worker.ExecuteIfEnabled(pixyz_worker.StorageTemporaryManager(), False) as nothing:
        assert nothing is None
    with pixyz_worker.ExecuteIfEnabled(pixyz_worker.StorageTemporaryManager(), True) as storage:
        assert os.path.isdir(storage.directory)


def test_a_disk_state_excludes_others_until_it_is_too_old(share: Path) -> None:
    with pixyz_worker.DiskAsyncState(JOB, "zip"):
        assert (share / JOB / "states" / ".zip.state").exists()
        with pytest.raises(DiskStateAlreadyExists):
            pixyz_worker.DiskAsyncState(JOB, "zip").acquire()
        pixyz_worker.DiskAsyncState(JOB, "zip", ttl=0).acquire()
    assert not pixyz_worker.DiskAsyncState(JOB, "zip").exists()


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar"])
def test_package(kind: str, share: Path) -> None:
    Path(paths.get_job_output_file_path(JOB, "a.txt")).write_text("x")
    made = pixyz_worker.package(JOB, kind)
    if kind == "zip":
        with zipfile.ZipFile(made) as archive:
            assert "a.txt" in archive.namelist()
    else:
        with tarfile.open(made) as tar:
            assert "./a.txt" in tar.getnames()
    assert len(list((share / JOB / "archives").iterdir())) == 1


def test_clean_up_stays_on_the_share(share: Path, tmp_path: Path) -> None:
    (share / "x").mkdir()
    pixyz_worker.cleanup_share_file(str(share / "x"), is_directory=True)
    assert not (share / "x").exists()
    for outside in (tmp_path, share):
        with pytest.raises(SharePathInvalidError):
            pixyz_worker.cleanup_share_file(str(outside), is_directory=True)


def test_downloads(tmp_path: Path) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/a%20b.stl?x=1" else 404)
            self.end_headers()
            self.wfile.write(b"content")

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}"
        target = tmp_path / "file"
        paths.download_file(f"{root}/a%20b.stl?x=1", str(target))
        assert target.read_bytes() == b"content"
        with pytest.raises(PixyzWebError) as caught:
            paths.download_file(f"{root}/none", str(target))
        assert caught.value.status_code == 404
        server.shutdown()
    assert paths.get_filename_from_url("http://host/x/a%20b.stl?x=1#y") == "a b.stl"


def test_each_and_task_infos() -> None:
    seen: list[int] = []
    pixyz_worker.each(seen.append, [1, 2])
    assert seen == [1, 2]
    assert pixyz_worker.TaskInfos({"task_id": "x", "other": 1})["task_id"] == "x"
    assert set(pixyz_worker.TaskInfos({})) == {"task_id", "name", "args", "kwargs", "queue", "max_retries", "retries"}


def _crash(pc: Any, how: str) -> Any:
    if how == "exit":
        os._exit(3)
    if how == "signal":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "time":
        time.sleep(60)
    if how == "raise":
        raise KeyError("k")
    return how


@pytest.mark.parametrize(
    ("how", "error"),
    [("exit", PixyzExitFault), ("signal", PixyzSignalFault), ("time", PixyzTimeout), ("raise", KeyError)],
)
def test_a_call_in_a_process_of_its_own_cannot_hurt(how: str, error: type[Exception]) -> None:
    limit = 0.3 if how == "time" else 30
    with pytest.raises(error):
        pixyz_worker.SignalSafeExecution.run(_crash, ProgramContext(), {"how": how}, limit)
    assert pixyz_worker.SignalSafeExecution.run(_crash, ProgramContext(), {"how": "fine"}) == "fine"


def test_external_code(write: Any) -> None:
    code = pixyz_worker.ExternalPythonCode(write("def f(pc, params):\n    return params['x']\n"))
    assert code.execute(ProgramContext(entrypoint="f", params={"x": 4})) == 4
