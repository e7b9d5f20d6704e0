"""Sessions, and the integer ids by which scripts name what is in them.

Importing this module is cheap: numpy and the model are loaded when a session first needs its document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import UnknownEntity

if TYPE_CHECKING:
    from .model import Document, FloatArray, Occurrence
    from .raster.camera import Camera

T = TypeVar("T")


@dataclass(eq=False)
class MetadataComponent:
    """The properties of one occurrence, as an entity of its own."""

    owner: Occurrence


@dataclass(eq=False)
class GPUScene:
    """Occurrences made ready for drawing."""

    occurrences: list[int]


@dataclass(eq=False)
class Viewer:
    """An off-screen viewer: size in pixels, what it shows, where it looks from."""

    width: int
    height: int
    scenes: list[GPUScene] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    camera: Camera | None = None
    soup: Any = None
    """The flattened scene, kept between pictures of the same content."""


class Session:
    """One scene with everything that hangs on it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.properties: dict[tuple[str, str], str] = {}
        self.viewers: dict[int, Viewer] = {}
        self._document: Document | None = None
        self._entities: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._components: dict[int, MetadataComponent] = {}
        self._last = 0

    @property
    def document(self) -> Document:
        """The scene; empty until something is imported."""
        if self._document is None:
            from .model import Document

            self._document = Document()
            self.id_of(self._document.root)
        return self._document

    def reset(self) -> None:
        """Empty the scene; ids given out before become unknown. Module properties stay."""
        self._document = None
        self._entities.clear()
        self._numbers.clear()
        self._components.clear()
        self.viewers.clear()

    def id_of(self, entity: object) -> int:
        """The id of an object of this session, given out at first use and never reused."""
        if id(entity) not in self._numbers:
            self._last += 1
            self._numbers[id(entity)] = self._last
            self._entities[self._last] = entity
        return self._numbers[id(entity)]

    def entity(self, number: int, kind: type[T]) -> T:
        """The object behind an id. Raises `UnknownEntity`."""
        found = self._entities.get(int(number))
        if not isinstance(found, kind):
            what = "nothing" if found is None else type(found).__name__
            raise UnknownEntity(
                f"id {number} is {what} in the current scene, not a {kind.__name__}; was the session reset in between?"
            )
        return found

    def any_entity(self, number: int) -> Any:
        """Whatever object an id stands for. Raises `UnknownEntity`."""
        return self.entity(number, object)

    def metadata_of(self, owner: Occurrence) -> MetadataComponent:
        """The metadata component of an occurrence, always the same object."""
        return self._components.setdefault(id(owner), MetadataComponent(owner))

    def occurrences(self, numbers: list[int] | None) -> list[Occurrence]:
        """The occurrences named; none named means the root."""
        from .model import Occurrence

        if not numbers:
            return [self.document.root]
        return [self.entity(n, Occurrence) for n in numbers]

    def parts(self, numbers: list[int] | None = None) -> list[tuple[Occurrence, FloatArray]]:
        """Placed parts below the occurrences named, or all."""
        return self.document.parts(None if not numbers else self.occurrences(numbers))

    def changed(self) -> None:
        """Tell viewers that geometry or materials are not what they were."""
        for viewer in self.viewers.values():
            viewer.soup = None


_sessions: dict[int, Session] = {}
_current: int | None = None
_last = 0


def open_session() -> int:
    """Make a session and make it current; its id."""
    global _current, _last
    _last += 1
    _sessions[_last] = Session(_last)
    _current = _last
    return _last


def close_session(number: int | None = None) -> None:
    """Drop a session (the current one by default). No session left open is no error."""
    global _current
    number = _current if number is None else int(number)
    if number is None:
        return
    if number not in _sessions:
        raise UnknownEntity(f"session {number} does not exist; it may have been released before")
    del _sessions[number]
    if _current == number:
        _current = None


def current_number() -> int | None:
    """Id of the current session, None where there is none."""
    return _current


def make_current(number: int | None) -> None:
    """Switch to another session; None to none."""
    global _current
    if number is not None and int(number) not in _sessions:
        raise UnknownEntity(f"session {number} does not exist; call pxz.initialize() for a new one")
    _current = None if number is None else int(number)


def current() -> Session:
    """The current session, opened on demand: the open engine needs no licence, so nothing is gained by refusing."""
    if _current is None:
        open_session()
    assert _current is not None
    return _sessions[_current]
