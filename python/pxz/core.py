"""Sessions' content, licence, properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ._engine.errors import UnknownEntity, missing
from ._engine.session import MetadataComponent, current

if TYPE_CHECKING:
    from ._engine.model import Material, Occurrence

__all__ = [
    "checkLicense",
    "configureLicenseServer",
    "getModuleProperty",
    "getProperty",
    "listProperties",
    "resetSession",
    "save",
    "setModuleProperty",
]


def checkLicense() -> bool:
    """Always True: the open engine needs none."""
    return True


def configureLicenseServer(host: str, port: int = 27000, flexLM: bool = True) -> None:
    """Nothing to do: the open engine needs no licence server."""


def resetSession() -> None:
    """Empty the scene. Ids given out before become unknown."""
    current().reset()


def save(fileName: str) -> None:
    """Save the whole scene in the open engine's own format (a zip with a GLB and a JSON, whatever the extension says).

    `io.importScene` reads it back from a file named `*.pxz`. The commercial SDK cannot read it.
    """
    from . import io

    io.write_scene(fileName, 0, "pxz")


def setModuleProperty(module: str, propertyName: str, propertyValue: str) -> str:
    """Remember a module's property; the value. No property changes what the open engine does (KTX2 textures are written
    as PNG or JPEG).
    """
    session = current()
    if (module, propertyName) == ("Material", "ExportTextureFormat") and propertyValue.upper() == "KTX2":
        print("pxz: the open engine has no KTX2 encoder; textures are exported as PNG or JPEG")
    session.properties[module, propertyName] = str(propertyValue)
    return str(propertyValue)


def getModuleProperty(module: str, propertyName: str) -> str:
    """A module's property as it was set, '' where it never was."""
    return current().properties.get((module, propertyName), "")


def _properties(entity: Any) -> dict[str, Any]:
    from ._engine.model import Material, Occurrence

    if isinstance(entity, MetadataComponent):
        return dict(entity.owner.metadata)
    if isinstance(entity, Occurrence):
        return _of_occurrence(entity)
    if isinstance(entity, Material):
        return _of_material(entity)
    raise UnknownEntity(f"a {type(entity).__name__} has no properties in the open engine")


def _of_occurrence(occurrence: Occurrence) -> dict[str, Any]:
    return {"Name": occurrence.name, "Visible": "True", "Transform": occurrence.matrix.tolist()}


def _of_material(material: Material) -> dict[str, Any]:
    return {
        "Name": material.name,
        "Color": list(material.color),
        "Metallic": material.metallic,
        "Roughness": material.roughness,
    }


def listProperties(entity: int) -> list[str]:
    """Names of an entity's properties. For a metadata component: of its metadata."""
    return list(_properties(current().any_entity(entity)))


def getProperty(entity: int, propertyName: str) -> str:
    """A property as text. Raises `KeyError` for a name that `listProperties` does not list."""
    return str(_properties(current().any_entity(entity))[propertyName])


def __getattr__(name: str) -> NoReturn:
    missing("pxz.core", name)
