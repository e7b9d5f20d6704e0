"""Materials."""

from __future__ import annotations

from typing import NoReturn

from ._engine.errors import missing
from ._engine.session import current

__all__ = ["getAllMaterials"]


def getAllMaterials() -> list[int]:
    """Ids of the materials in use."""
    session = current()
    return [session.id_of(m) for m in session.document.materials()]


def __getattr__(name: str) -> NoReturn:
    missing("pxz.material", name)
