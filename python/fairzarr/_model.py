"""The OME model as JSON, looked at by image. ``docs/ome-json.md`` says how it is made from OME-XML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Json = dict[str, Any]


@dataclass(frozen=True)
class Quantity:
    """A number with its unit."""

    value: float
    unit: str | None

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit or ''}".rstrip()


@dataclass(frozen=True)
class Objective:
    """The objective that an image was taken with. What is not known is ``None``."""

    id: str | None
    model: str | None
    manufacturer: str | None
    serial_number: str | None
    lens_na: float | None
    nominal_magnification: float | None
    immersion: str | None
    correction: str | None
    working_distance: Quantity | None
    #: All attributes of the element, by their OME names.
    json: Json

    @classmethod
    def of(cls, element: Json) -> Objective:
        """From the OME element."""
        return cls(
            element.get("ID"), element.get("Model"), element.get("Manufacturer"), element.get("SerialNumber"),
            element.get("LensNA"), element.get("NominalMagnification"), element.get("Immersion"),
            element.get("Correction"), quantity(element, "WorkingDistance", "µm"), element,
        )  # fmt: skip


def quantity(element: Json, name: str, default: str | None = None) -> Quantity | None:
    """The number of this name and its unit; the schema's default where the element names none."""
    value = element.get(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return Quantity(float(value), element.get(f"{name}Unit", default))


def root(model: Json | None) -> Json:
    """The OME element of a model."""
    found = (model or {}).get("OME", [{}])
    first = found[0] if found else {}
    return first if isinstance(first, dict) else {}


def image(model: Json | None, index: int) -> Json:
    """The Image element of this number."""
    images = root(model).get("Image", [])
    return images[index] if index < len(images) and isinstance(images[index], dict) else {}


def pixels(element: Json) -> Json:
    """The Pixels element of an Image."""
    return first(element, "Pixels")


def first(element: Json, name: str) -> Json:
    """The first child of this name that has anything to say."""
    for child in element.get(name, []) or []:
        if isinstance(child, dict):
            return child
    return {}


def objective(model: Json | None, element: Json) -> Objective | None:
    """The objective that an Image refers to; nothing is guessed where it refers to none."""
    settings = first(element, "ObjectiveSettings") or first(element, "ObjectiveRef")
    wanted = settings.get("ID")
    if wanted is None:
        return None
    for instrument in root(model).get("Instrument", []):
        for found in instrument.get("Objective", []) if isinstance(instrument, dict) else []:
            if isinstance(found, dict) and found.get("ID") == wanted:
                return Objective.of(found)
    return None


#: Columns of planes that count, and units that the schema supplies where a document names none.
_PLACES = ("TheT", "TheC", "TheZ")
_UNITS = {
    "DeltaT": "s",
    "ExposureTime": "s",
    "PositionX": "reference frame",
    "PositionY": "reference frame",
    "PositionZ": "reference frame",
}


@dataclass(frozen=True)
class PlaneValues:
    """One value for each plane of an image."""

    name: str
    #: The values by ``[t, c, z]``: NaN, or ``None`` for texts, where a plane has none.
    values: NDArray[Any]
    #: ``None`` where planes differ in it, or it has none.
    unit: str | None


def planes(element: Json) -> dict[str, PlaneValues]:
    """What an Image says of its planes, by the names of OME: ``ExposureTime``, ``DeltaT``, ``PositionX``, …"""
    import numpy as np

    found = pixels(element)
    table = found.get("Plane")
    rows = _columns(table)
    if not all(name in rows for name in _PLACES):
        return {}
    shape = tuple(int(found.get(name, 0)) for name in ("SizeT", "SizeC", "SizeZ"))
    places = tuple(np.array([_index(value) for value in rows[name]], dtype=np.int64) for name in _PLACES)
    inside = np.ones(len(places[0]), dtype=bool)
    for place, size in zip(places, shape):
        inside &= (place >= 0) & (place < size)
    places = tuple(place[inside] for place in places)
    values: dict[str, PlaneValues] = {}
    for name, column in rows.items():
        if name in _PLACES or (name.endswith("Unit") and name[: -len("Unit")] in rows):
            continue
        values[name] = PlaneValues(name, _grid(column, inside, places, shape), _unit(name, rows))
    return values


def _columns(table: Any) -> dict[str, list[Any]]:
    """The columns of a table, or of elements that are written out."""
    if isinstance(table, dict):
        columns = table.get("columns", {})
        return columns if isinstance(columns, dict) else {}
    if not isinstance(table, list):
        return {}
    elements = [one for one in table if isinstance(one, dict)]
    names = dict.fromkeys(name for one in elements for name in one if not name.startswith("#"))
    return {name: [one.get(name) for one in elements] for name in names}


def _grid(column: list[Any], inside: NDArray[np.bool_], places: tuple[Any, ...], shape: tuple[int, ...]) -> NDArray[Any]:
    import numpy as np

    grid: NDArray[Any]
    if all(value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)) for value in column):
        grid = np.full(shape, np.nan)
        cells = np.array([np.nan if value is None else value for value in column], dtype=np.float64)
    else:
        grid = np.full(shape, None, dtype=object)
        cells = np.empty(len(column), dtype=object)
        cells[:] = column
    grid[places] = cells[inside]
    return grid


def _index(value: Any) -> int:
    return value if isinstance(value, int) else -1


def _unit(name: str, rows: dict[str, list[Any]]) -> str | None:
    said = rows.get(f"{name}Unit")
    if said is None:
        return _UNITS.get(name)
    units = {unit if unit is not None else _UNITS.get(name) for unit in said}
    return units.pop() if len(units) == 1 else None
