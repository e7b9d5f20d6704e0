"""Input archives: what is unpacked, what is refused, which file is the main one."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixyz_worker import FileInputTemporary
from pixyz_worker._archive import extract, first_3d_file, is_archive, main_file, usable_input
from pixyz_worker.exception import InvalidFile, PixyzException, PixyzFileNotFound, PixyzSecurityViolation
from pixyz_worker.progress import TaskProgress


def make(path: Path, entries: dict[str, str]) -> str:
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in entries.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz" if path.name.lower().endswith("gz") else "w") as tar:
            for name, content in entries.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content.encode()))
    return str(path)


NAMES = ["a.zip", "A.ZIP", "a.tar.gz", "a.TAR.GZ", "a.tgz", "a.tar"]


@pytest.mark.parametrize("name", NAMES)
def test_archives_of_all_kinds_are_unpacked(name: str, tmp_path: Path) -> None:
    path = make(tmp_path / name, {"read.me": "", "sub/part.stp": "x"})
    found = usable_input(path, str(tmp_path / "in"), None)
    assert found == str(tmp_path / "in" / "sub" / "part.stp")


@pytest.mark.parametrize("name", ["part.stl", "zip", "a.7z", "a.zip.txt", "a.gz"])
def test_other_files_stay_as_they_are(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("x")
    assert not is_archive(str(path))
    assert usable_input(str(path), str(tmp_path / "in"), None) == str(path)


@pytest.mark.parametrize("archive", ["a.zip", "a.tar"])
@pytest.mark.parametrize(
    "entry", ["../out.stl", "/tmp/out.stl", "a/../../out.stl", "..\\out.stl", "C:\\out.stl", "\\out"]
)
def test_entries_that_lead_out_are_refused(archive: str, entry: str, tmp_path: Path) -> None:
    path = make(tmp_path / archive, {"ok.stl": "x", entry: "x"})
    target = tmp_path / "deep" / "in"
    target.mkdir(parents=True)
    with pytest.raises(PixyzSecurityViolation, match="leads out"):
        extract(path, str(target))
    assert list(target.iterdir()) == [], "nothing is unpacked of such an archive"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_tar_files_are_refused(kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        info = tarfile.TarInfo("link.stl")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(PixyzSecurityViolation, match="neither a file nor a folder"):
        extract(str(tmp_path / "a.tar"), str(tmp_path))


def test_links_in_zip_files_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("link.stl")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(PixyzSecurityViolation, match="is a link"):
        extract(str(tmp_path / "a.zip"), str(tmp_path))


@pytest.mark.parametrize("name", NAMES)
def test_broken_archives_are_told_by_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"this is no archive")
    with pytest.raises(InvalidFile, match=name):
        extract(str(tmp_path / name), str(tmp_path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 400), st.integers(0, 255))
def test_damaged_archives_never_raise_anything_else(tmp_path: Path, name: str, at: int, byte: int) -> None:
    path = Path(make(tmp_path / name, {"part.stl": "solid " * 20}))
    content = bytearray(path.read_bytes())
    content[at % len(content)] = byte
    path.write_bytes(content[: max(1, len(content) - byte)])
    target = tmp_path / "in"
    target.mkdir(exist_ok=True)
    try:
        extract(str(path), str(target))
    except PixyzException:
        pass


def test_an_archive_larger_than_the_free_space_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 3})())
    path = make(tmp_path / "a.zip", {"part.stl": "four"})
    with pytest.raises(InvalidFile, match="only 3 bytes are free"):
        extract(path, str(tmp_path / "in"))


def test_the_main_file_is_the_first_by_name_top_down(tmp_path: Path) -> None:
    for name in ["z.stl", "sub/a.stl", "notes.txt", "b.STEP", "__MACOSX/._a.stl", "._a.stl", "a.catpart.txt"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert first_3d_file(str(tmp_path)) == str(tmp_path / "b.STEP")
    (tmp_path / "b.STEP").unlink()
    (tmp_path / "z.stl").unlink()
    assert first_3d_file(str(tmp_path)) == str(tmp_path / "sub" / "a.stl")
    (tmp_path / "sub" / "a.stl").unlink()
    assert first_3d_file(str(tmp_path)) is None


def test_no_3d_file_is_said_so(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", {"read.me": ""})
    with pytest.raises(PixyzFileNotFound, match="no 3D file in the archive a.zip"):
        usable_input(path, str(tmp_path / "in"), None)


@pytest.mark.parametrize("root", ["../a.stl", "/etc/passwd", "sub/../../x", "a..stl", "C:\\x", "\\x"])
def test_a_root_file_outside_is_refused(root: str, tmp_path: Path) -> None:
    with pytest.raises(PixyzSecurityViolation):
        main_file(str(tmp_path), root, "a.zip")


def test_a_root_file_that_is_missing(tmp_path: Path) -> None:
    os.mkdir(tmp_path / "folder")
    for root in ("none.stl", "folder"):
        with pytest.raises(PixyzFileNotFound, match="not in the archive a.zip"):
            main_file(str(tmp_path), root, "a.zip")


def test_the_helper_for_scripts_unpacks_and_cleans_up(tmp_path: Path) -> None:
    progress = TaskProgress(None, "id")
    path = make(tmp_path / "a.zip", {"part.stl": "x"})
    with FileInputTemporary(path, progress) as ready:
        assert ready.file is not None and os.path.isfile(ready.file)
        folder = ready.directory
    assert not os.path.exists(folder)
    assert progress.step_infos[0]["info"] == "Extracting archive"
    with pytest.raises(PixyzFileNotFound):
        FileInputTemporary(str(tmp_path / "gone.zip")).__enter__()
