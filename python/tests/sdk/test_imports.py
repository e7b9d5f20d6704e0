"""What scripts import, exactly."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pixyz_worker
from pixyz_worker import script

PYTHON = Path(__file__).resolve().parents[2]

SCRIPT_NAMES = """
License LocalPixyzTask PiXYZSession ProgramContext chain chord chunks group os pixyz_execute pixyz_schedule
subtask_async sys
""".split()

PACKAGE_NAMES = """
ProgramContext PiXYZSession TaskProgress ProgressCallBack ExternalPythonCode SignalSafeExecution
StorageOutputManager StorageSharedManager StorageTemporaryManager FileInputTemporary ExecuteIfEnabled TasksUtils
CeleryBackendResult DiskAsyncState TaskInfos pixyz_execute sleep package cleanup_share_file app share_dir version
debug log_level cleanup_delay supported_archive get_logger each download_file get_job_share_dir
get_job_share_file_path get_job_input_dir get_job_output_dir get_job_input_dir_content get_job_output_dir_content
get_job_input_file_path get_job_output_file_path get_job_archive_file_path is_job_in_share is_path_in_share
is_a_valid_job_id_directory cleanup_data_after_timeout get_first_3D_files_in_directory get_filename_from_url
move_file_as_result_to_shared_storage PixyzException InvalidBackendParameter InvalidFile InvalidYamlFile
InvalidConfigurationFile InternalError PixyzWebError PixyzFileNotFound PixyzSharedDirectoryNotFound
PixyzSecurityViolation PixyzExecutionFault PixyzSignalFault PixyzExitFault DiskStateAlreadyExists PixyzTimeout
PixyzExceptionUnpickleableExceptionWrapper SharePathNotFoundError SharePathInvalidError TaskNotCompletedError
TaskProcessingStarted
""".split()


def test_the_script_module_exports_exactly_the_promised_names() -> None:
    names: dict[str, object] = {}
    exec("from pixyz_worker.script import *", names)
    assert sorted(set(names) - {"__builtins__"}) == sorted(SCRIPT_NAMES)


def test_the_package_exports_exactly_the_promised_names() -> None:
    names: dict[str, object] = {}
    exec("from pixyz_worker import *", names)
    assert sorted(set(names) - {"__builtins__"}) == sorted(PACKAGE_NAMES)


@pytest.mark.parametrize("module", [pixyz_worker, script])
def test_all_is_sorted(module: object) -> None:
    names = module.__all__  # type: ignore[attr-defined]
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("pixyz_worker.tasks", "pixyz_execute app sleep package cleanup_share_file"),
        ("pixyz_worker.local", "LocalPixyzTask AsyncResultLocal allow_join_result"),
        ("pixyz_worker.license", "License PiXYZSession"),
        ("pixyz_worker.progress", "TaskProgress"),
        ("pixyz_worker.pc", "ProgramContext"),
        ("pixyz_worker.config", "share_dir version debug"),
    ],
)
def test_submodules_that_scripts_import(module: str, names: str) -> None:
    loaded = importlib.import_module(module)
    for name in names.split():
        assert hasattr(loaded, name)


def run_python(source: str, *paths: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, paths))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


CELERY = """
from celery import chain, group, chord, chunks
from celery.result import AsyncResult, GroupResult, allow_join_result
from celery.exceptions import TimeoutError, ChordError, Retry, Ignore, MaxRetriesExceededError
import celery, pixyz_worker.script
assert chain is pixyz_worker.script.chain
"""


def test_celery_names_come_from_the_shim_on_a_worker() -> None:
    run_python(CELERY, PYTHON, PYTHON / "shims")


def test_celery_names_come_with_the_package_in_local_mode() -> None:
    run_python("import pixyz_worker\n" + CELERY, PYTHON)


def test_the_shim_says_what_of_celery_it_is_not() -> None:
    source = """
try:
    from celery import shared_task
except ImportError as error:
    print(error)
import celery
print(celery.__version__, hasattr(celery, "__path__"))
"""
    said = run_python(source, PYTHON, PYTHON / "shims")
    assert "stand-in for Celery, not Celery: tasks are functions of scripts" in said and "0.0.0+pixyz True" in said


def test_an_installed_celery_is_left_alone_in_local_mode(tmp_path: Path) -> None:
    (tmp_path / "celery.py").write_text("real = True\n")
    assert run_python("import pixyz_worker, celery; print(celery.real)", PYTHON, tmp_path) == "True\n"


def test_importing_is_quiet_and_needs_nothing() -> None:
    assert run_python("from pixyz_worker import *\nfrom pixyz_worker.script import *", PYTHON) == ""


def test_a_task_named_sleep_sleeps_when_called() -> None:
    from pixyz_worker import sleep

    assert sleep(0.001) == 0.001
