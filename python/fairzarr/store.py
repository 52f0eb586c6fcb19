"""Opened OME-Zarrs: metadata as plain values, samples for numpy, zarr, dask and xarray."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional, cast

from . import _fairzarr, _html, _model, commands
from ._call import call
from ._lazy import LazyArray
from ._model import Json, Objective, PlaneValues, Quantity
from ._place import PathLike, StoreOptions, local_path, resolve
from .errors import InputError, UsageError
from .reports import CheckReport, QcReport, ValidationReport, VerificationReport

if TYPE_CHECKING:
    import dask.array
    import xarray
    import zarr


@dataclass(frozen=True)
class Axis:
    """A dimension of an image."""

    name: str
    #: ``"time"``, ``"channel"``, ``"space"`` or another word.
    type: str | None
    #: UDUNITS-2 name, such as ``"micrometer"``.
    unit: str | None


@dataclass(frozen=True)
class Level:
    """A resolution of an image: the place of a sample is ``translation + scale * index``, in the axes' units."""

    #: The array's path below the store's root.
    path: str
    scale: tuple[float, ...]
    translation: tuple[float, ...]


@dataclass(frozen=True)
class Channel:
    """A channel: how it is shown, and what OME-XML says of it. What is not known is ``None``."""

    index: int
    label: str
    #: Red, green and blue, 0 to 255; ``None`` without rendering settings.
    color: tuple[int, int, int] | None
    #: First and last sample value that is shown.
    window: tuple[float, float] | None
    fluor: str | None
    excitation: Quantity | None
    emission: Quantity | None
    #: All attributes of the OME element, by their OME names.
    json: Json


def open(url: PathLike, *, store_options: StoreOptions | None = None) -> Store:
    """Open an OME-Zarr of any origin and version for reading.

    Args:
        url: Path, URL, or an object of pathlib, fsspec, obstore or zarr.
        store_options: Settings of an object store's client, such as ``{"aws_endpoint": "http://localhost:9000"}``.

    Raises:
        InputError: There is no OME-Zarr, or it is unfinished or damaged.
    """
    place, options = resolve(url, store_options)
    return Store(place, options)


class Store:
    """An OME-Zarr. Made by :func:`fairzarr.open`."""

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        #: Where it is.
        self.url = url
        #: Settings of the client for it.
        self.options = dict(options)
        try:
            self._native = _fairzarr.Store(url, list(options.items()))
        except OSError as error:
            raise InputError(str(error), 3) from None

    @cached_property
    def images(self) -> list[Image]:
        """The images in series order."""
        return [Image(self, index, found) for index, found in enumerate(json.loads(self._native.images()))]

    @property
    def image(self) -> Image:
        """The only image."""
        if len(self.images) != 1:
            raise UsageError(f"{self.url} holds {len(self.images)} images: take one of Store.images", 2)
        return self.images[0]

    @property
    def attributes(self) -> Json:
        """The attributes of the root."""
        return self.attributes_of("") or {}

    def attributes_of(self, path: str) -> Json | None:
        """The attributes of a group; ``None`` where there is no group."""
        text = self._read(lambda: self._native.attributes(path))
        return None if text is None else cast(Json, json.loads(text))

    @cached_property
    def ome(self) -> Json | None:
        """The OME model in schema 2016-06, as ``docs/ome-json.md`` describes it; ``None`` where the store has none."""
        text = self._read(self._native.ome)
        return None if text is None else cast(Json, json.loads(text))

    @cached_property
    def record(self) -> Json:
        """The NBO record of microscope, acquisition and quality control, as JSON-LD."""
        words = ["extract", self.url, "--as", "nbo-json"]
        return call([*words, *self._settings()], reads_only=True).result

    @cached_property
    def conversion(self) -> Json | None:
        """What the store says of its conversion; ``None`` in stores of other programs."""
        found = self.attributes.get("fairzarr:conversion")
        return found if isinstance(found, dict) else None

    def qc(self, require: str | list[str] | tuple[str, ...] = ()) -> QcReport:
        """Recorded quality control, and verdicts on demands such as ``"OpticalCalibration within 90 days"``."""
        return commands.qc(self.url, require, store_options=self.options)

    def check(self, **options: Any) -> CheckReport:
        """How complete the record is, as :func:`fairzarr.check`."""
        return commands.check(self.url, store_options=self.options, **options)

    def validate(self, *, deep: bool = False) -> ValidationReport:
        """How the store stands to the specifications, as :func:`fairzarr.validate`."""
        return commands.validate(self.url, deep=deep, store_options=self.options)

    def verify(self, source: PathLike | None = None, **options: Any) -> VerificationReport:
        """Prove the store, against its source if there is one, as :func:`fairzarr.verify`."""
        if source is None:
            return commands.verify(self.url, source_options=self.options, **options)
        return commands.verify(source, self.url, target_options=self.options, **options)

    @cached_property
    def zarr_store(self) -> Any:
        """This place as a store of zarr-python."""
        import zarr.storage

        path = local_path(self.url)
        if path is not None:
            if path.rstrip("/").lower().endswith((".ozx", ".zip")):
                return zarr.storage.ZipStore(path, mode="r")
            return zarr.storage.LocalStore(path, read_only=True)
        import obstore.store

        options = {key.lower(): value for key, value in self.options.items()}
        if options.pop("anonymous", "false") == "true":
            options["skip_signature"] = "true"
        plain = any(value.startswith("http://") for value in (self.url, *options.values()))
        client: Any = {"allow_http": True} if plain else {}
        place = obstore.store.from_url(self.url, config=cast(Any, options), client_options=client)
        return zarr.storage.ObjectStore(place, read_only=True)

    def zarr_group(self, path: str = "") -> zarr.Group:
        """A group of zarr-python: the root, or what lies below it."""
        import zarr

        return zarr.open_group(self.zarr_store, path=path, mode="r")

    def datatree(self) -> xarray.DataTree:
        """All images with all their levels, as a tree of datasets: ``tree["0/image"]`` is full resolution of a single image,
        ``tree["3/0/image"]`` that of image ``3`` of several."""
        import xarray

        nodes: dict[str, xarray.Dataset | xarray.DataTree | None] = {}
        for image in self.images:
            attributes = {"name": image.name, "ngff_version": image.version}
            nodes[f"/{image.path}"] = xarray.Dataset(attrs=attributes)
            for number, level in enumerate(image.levels):
                nodes[f"/{level.path}"] = image.xarray(number).to_dataset(name="image")
        return xarray.DataTree.from_dict(nodes)

    def _settings(self) -> list[str]:
        return [word for key, value in self.options.items() for word in ("--store-option", f"{key}={value}")]

    def _read(self, read: Any) -> Any:
        try:
            return read()
        except OSError as error:
            raise InputError(f"{self.url}: {error}", 3) from None

    def __repr__(self) -> str:
        lines = [f"<fairzarr.Store {self.url}>", *(f"  {image!r}" for image in self.images[:20])]
        if len(self.images) > 20:
            lines.append(f"  and {len(self.images) - 20} more images")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return _html.store(self)

    def __getstate__(self) -> tuple[str, dict[str, str]]:
        return self.url, self.options

    def __setstate__(self, state: tuple[str, dict[str, str]]) -> None:
        self.__init__(*state)  # type: ignore[misc]


class Image:
    """A multiscale image of a store."""

    def __init__(self, store: Store, index: int, found: Json) -> None:
        self.store = store
        #: Its number in series order.
        self.index = index
        #: Its group's path below the store's root; empty for the root.
        self.path: str = found["path"]
        self.name: Optional[str] = found["name"]
        #: NGFF version of its metadata.
        self.version: str = found["version"]
        self.axes = tuple(Axis(axis["name"], axis["type"], axis["unit"]) for axis in found["axes"])
        still = [0.0] * len(self.axes)
        self.levels = tuple(
            Level(level["path"], tuple(level["scale"]), tuple(level["translation"] or still))
            for level in found["levels"]
        )
        self._shown: list[Json] = found["channels"]
        self._arrays: dict[int, _fairzarr.Array] = {}

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the axes."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of full resolution, by axis."""
        return tuple(self._array(0).shape)

    @property
    def attributes(self) -> Json:
        """The attributes of the image's group."""
        return self.store.attributes_of(self.path) or {}

    @cached_property
    def ome(self) -> Json:
        """The OME element ``Image``; empty where the store has no OME model."""
        return _model.image(self.store.ome, self.index)

    @cached_property
    def channels(self) -> list[Channel]:
        """The channels, in the order of axis c."""
        described: list[Json] = []
        for one in _model.pixels(self.ome).get("Channel", []):
            # Channels of several samples, such as RGB, take several places on the axis.
            one = one if isinstance(one, dict) else {}
            described += [one] * max(1, int(one.get("SamplesPerPixel", 1)))
        count = max(len(self._shown), len(described))
        return [self._channel(index, described) for index in range(count)]

    def _channel(self, index: int, described: list[Json]) -> Channel:
        shown = self._shown[index] if index < len(self._shown) else {}
        element = described[index] if index < len(described) else {}
        label = shown.get("label") or element.get("Name") or f"Channel {index}"
        color = shown.get("color")
        window = shown.get("window")
        return Channel(
            index, label, None if color is None else (color[0], color[1], color[2]),
            None if window is None else (window[0], window[1]), element.get("Fluor"),
            _model.quantity(element, "ExcitationWavelength", "nm"),
            _model.quantity(element, "EmissionWavelength", "nm"), element,
        )  # fmt: skip

    @cached_property
    def objective(self) -> Objective | None:
        """The objective that the OME-XML names for this image; ``None`` where it names none."""
        return _model.objective(self.store.ome, self.ome)

    @cached_property
    def planes(self) -> dict[str, PlaneValues]:
        """One value for each plane, by ``[t, c, z]``: ``ExposureTime``, ``DeltaT``, ``PositionX``, … with units."""
        return _model.planes(self.ome)

    def planes_xarray(self) -> xarray.Dataset:
        """:attr:`planes` as a dataset with dimensions t, c, z."""
        import xarray

        found = {
            name: xarray.Variable(("t", "c", "z"), one.values, {} if one.unit is None else {"units": one.unit})
            for name, one in self.planes.items()
        }
        return xarray.Dataset(found)

    def array(self, level: int = 0) -> LazyArray:
        """A level, read with this package alone when a part of it is asked for."""
        import numpy as np

        native = self._array(level)
        dtype = np.dtype(native.data_type)

        def read(box: list[tuple[int, int]]) -> np.ndarray[Any, np.dtype[Any]]:
            samples = self.store._read(lambda: native.read(box))
            return np.frombuffer(samples, dtype).reshape([end - start for start, end in box])

        return LazyArray(tuple(native.shape), dtype, tuple(native.chunks), self.dims, read)

    def zarr(self, level: int = 0) -> zarr.Array[Any]:
        """A level as an array of zarr-python."""
        import zarr

        path = self.levels[level].path
        return zarr.open_array(self.store.zarr_store, path=path, mode="r")

    def dask(self, level: int = 0, chunks: Any = None) -> dask.array.Array:
        """A level as an array of dask, in pieces of at least 1 MiB or those that are named."""
        return self.array(level).dask(chunks)

    def xarray(self, level: int = 0, chunks: Any = None) -> xarray.DataArray:
        """A level as an array of xarray on dask, with the places of its samples as coordinates and units as attributes."""
        import numpy as np
        import xarray

        data = self.dask(level, chunks)
        described = self.levels[level]
        coords: dict[str, xarray.Variable] = {}
        for axis, size, scale, start in zip(self.axes, data.shape, described.scale, described.translation):
            if axis.type == "channel" or axis.name == "c":
                labels = [channel.label for channel in self.channels]
                if len(labels) == size and len(set(labels)) == size:
                    coords[axis.name] = xarray.Variable((axis.name,), labels)
                continue
            attributes = {} if axis.unit is None else {"units": axis.unit}
            coords[axis.name] = xarray.Variable((axis.name,), start + scale * np.arange(size), attributes)
        return xarray.DataArray(data, coords=coords, dims=self.dims, name=self.name or "image")

    def thumbnail(self, size: int = 160, t: int = 0, z: int | None = None) -> bytes:
        """A PNG of the channels in their colours, at most ``size`` pixels wide and high; the middle plane if ``z`` is not said."""
        return _html.thumbnail(self, size, t, z)

    def _array(self, level: int) -> _fairzarr.Array:
        if level not in self._arrays:
            path = self.levels[level].path
            self._arrays[level] = self.store._read(lambda: self.store._native.array(path))
        return self._arrays[level]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}: {size}" for name, size in zip(self.dims, self.shape))
        kind = self._array(0).data_type
        return f"<fairzarr.Image {self.path or '(root)'} {self.name!r} ({sizes}) {kind}, {len(self.levels)} levels>"

    def _repr_html_(self) -> str:
        return _html.image(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _image_of, (self.store, self.index)


def _image_of(store: Store, index: int) -> Image:
    return store.images[index]


__all__ = ["Axis", "Channel", "Image", "Level", "Objective", "PlaneValues", "Quantity", "Store", "open"]
