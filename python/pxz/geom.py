"""Points, vectors and boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from ._engine.errors import missing

__all__ = ["AABB", "Point3", "Vector3"]


@dataclass
class Point3:
    """A point or direction; iterable, so that tuple(p) works."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0

    def __iter__(self) -> Iterator[float]:
        return iter((self.x, self.y, self.z))


Vector3 = Point3


@dataclass
class AABB:
    """An axis-aligned box, millimetres."""

    low: Point3 = field(default_factory=Point3)
    high: Point3 = field(default_factory=Point3)


def __getattr__(name: str) -> NoReturn:
    missing("pxz.geom", name)
