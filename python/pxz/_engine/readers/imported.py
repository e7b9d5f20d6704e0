"""What every reader returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..model import CadSource, Occurrence


@dataclass(eq=False)
class Imported:
    """One file's tree (metres, Y up), the exact geometry behind it, and what else the file counts."""

    root: Occurrence
    cad: CadSource | None = None
    animations: list[str] = field(default_factory=list)
    variants: list[str] = field(default_factory=list)
    brep_bodies: int = 0
    brep_boundaries: int = 0
