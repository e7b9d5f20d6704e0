"""Input archives: unpacking them without leaving the folder, and choosing the main file."""

from __future__ import annotations

import lzma
import ntpath
import os
import shutil
import stat
import tarfile
import zipfile
import zlib

from pixyz_worker.exception import InvalidFile, PixyzFileNotFound, PixyzSecurityViolation

SUFFIXES = (".zip", ".tar.gz", ".tgz", ".tar")

_FORMATS_3D = tuple(
    """
    3DM 3DS 3DXML ACIS ASM CATPART CATPRODUCT CATSHAPE CGR CSB DWG DXF E57 FBX GDS GLB GLTF IAM IFC IGES IGS IPT JT
    NEU NWC NWD OBJ PAR PDF PLMXML PRC PRT PSM PTS PTX PVS PVZ PWD PXZ P_B P_T RCP RCS RFA RVM RVT SAB SAT SKP
    SLDASM SLDPRT STEP STEPZ STL STP STPX STPXZ STPZ U3D USD USDA USDC USDZ VDA VPB VRML WIRE WRL XAS XMT XMT_BIN
    XMT_TXT XPR X_B X_T
    """.split()
    # Read by the open engine beside them.
    + ["3MF", "AMF", "BREP", "DAE", "OFF", "PLY", "X3D"]
)

_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
)


def is_archive(path: str) -> bool:
    return path.lower().endswith(SUFFIXES)


def extract(path: str, folder: str) -> None:
    """Unpacks an archive. @raise PixyzSecurityViolation for entries that lead out of `folder`, InvalidFile when it is
    broken."""
    name = os.path.basename(path)
    try:
        if path.lower().endswith(".zip"):
            _extract_zip(path, folder)
        else:
            _extract_tar(path, folder)
    except PixyzSecurityViolation as error:
        raise PixyzSecurityViolation(f"the archive {name} was not unpacked: {error.message}") from None
    except InvalidFile:
        raise
    except _BROKEN as error:
        raise InvalidFile(
            f"the archive {name} cannot be unpacked, it is broken or not what its name says: {error}"
        ) from error


def _check_name(name: str) -> None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ntpath.splitdrive(name)[0] or ".." in parts:
        raise PixyzSecurityViolation(f"its entry {name!r} leads out of the folder")


def _check_room(size: int, folder: str, name: str) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise InvalidFile(f"the archive {name} holds {size} bytes unpacked, and only {free} bytes are free")


def _extract_zip(path: str, folder: str) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        for entry in entries:
            _check_name(entry.filename)
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise PixyzSecurityViolation(f"its entry {entry.filename!r} is a link")
        _check_room(sum(entry.file_size for entry in entries), folder, os.path.basename(path))
        archive.extractall(folder)


def _extract_tar(path: str, folder: str) -> None:
    with tarfile.open(path) as archive:
        entries = archive.getmembers()
        for entry in entries:
            _check_name(entry.name)
            # Links would need a check at the moment of writing, against what was unpacked before them.
            if not (entry.isreg() or entry.isdir()):
                raise PixyzSecurityViolation(f"its entry {entry.name!r} is neither a file nor a folder")
            entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
            entry.uid, entry.gid, entry.uname, entry.gname = os.getuid(), os.getgid(), "", ""
        _check_room(sum(entry.size for entry in entries), folder, os.path.basename(path))
        if hasattr(tarfile, "data_filter"):
            archive.extractall(folder, entries, filter="data")
        else:
            archive.extractall(folder, entries)


def first_3d_file(folder: str) -> str | None:
    """The first 3D file, top-down and in the order of names. Side files of macOS archives are no candidates."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__MACOSX")
        for name in sorted(files):
            if name.upper().endswith(_FORMATS_3D) and not name.startswith("._"):
                return os.path.join(parent, name)
    return None


def main_file(folder: str, root_file: str | None, archive: str) -> str:
    """The file of an unpacked archive that the job is about."""
    if root_file is None:
        found = first_3d_file(folder)
        if found is None:
            raise PixyzFileNotFound(f"no 3D file in the archive {archive}: name the main file with root_file")
        return found
    if ".." in root_file or os.path.isabs(root_file) or ntpath.splitdrive(root_file)[0] or root_file.startswith("\\"):
        raise PixyzSecurityViolation(f"root_file {root_file!r} must be a path inside the archive, without '..'")
    path = os.path.join(folder, root_file)
    if not os.path.isfile(path):
        raise PixyzFileNotFound(f"root_file {root_file!r} is not in the archive {archive}")
    return path


def usable_input(data: str, folder: str, root_file: str | None) -> str:
    """The path that a script works on: the main file of an archive (unpacked into `folder`), else the file itself."""
    if not os.path.isfile(data):
        raise PixyzFileNotFound(f"the input file {data} does not exist")
    if not is_archive(data):
        return data
    os.makedirs(folder, exist_ok=True)
    extract(data, folder)
    return main_file(folder, root_file, os.path.basename(data))
