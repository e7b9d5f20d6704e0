"""A zip with one model and what belongs to it (MTL, textures, glTF buffers). The scheduler unpacks archives itself;
this is for local runs.
"""

from __future__ import annotations

import os
import tempfile
import zipfile

from ..errors import ReadError
from .imported import Imported

LARGEST_BYTES = 8 << 30


def read(path: str) -> Imported:
    """Unpack to a temporary folder and read the largest model in it."""
    from . import READERS, extension_of
    from . import read as read_file

    name = os.path.basename(path)
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory(prefix="pxz-") as folder:
            entries = [e for e in archive.infolist() if not e.is_dir()]
            if sum(e.file_size for e in entries) > LARGEST_BYTES:
                raise ReadError(f"{name}: unpacks to more than 8 GiB")
            models = [
                e
                for e in entries
                if extension_of(e.filename) in READERS and extension_of(e.filename) not in ("zip", "ter", "mdl")
            ]
            if not models:
                raise ReadError(f"{name}: holds no model that can be read")
            main = max(models, key=lambda e: e.file_size)
            for entry in entries:
                archive.extract(entry, folder)  # removes drive letters, '..' and leading slashes
            return read_file(os.path.join(folder, main.filename))
    except (zipfile.BadZipFile, EOFError) as error:
        raise ReadError(f"{name}: the zip is damaged or cut short ({error}); upload it again") from None
