"""The stored samples of OME-TIFF."""

from __future__ import annotations

import json
import warnings
from functools import cached_property
from typing import Any, cast

import numpy as np

from . import _fairzarr, _model
from ._lazy import LazyArray
from ._model import Json, PlaneValues
from ._place import PathLike, StoreOptions, resolve
from .errors import FairzarrWarning, InputError, UsageError


class TiffFile:
    """An OME-TIFF fileset, opened by any of its files. Made by :func:`fairzarr.open_tiff`."""

    def __init__(self, url: str, options: dict[str, str], on_missing: str) -> None:
        #: Where it is.
        self.url = url
        self._state = (url, options, on_missing)
        try:
            self._native = _fairzarr.Tiff(url, list(options.items()), on_missing == "fill")
        except OSError as error:
            text = str(error)
            name = url.rstrip("/").rsplit("/", 1)[-1]
            raise InputError(text if name in text else f"{url}: {text}", 3) from None
        self._described: Json = json.loads(self._native.describe())

    @property
    def images(self) -> list[Json]:
        """Name, sizes, type and levels of each image."""
        return cast("list[Json]", self._described["images"])

    @property
    def files(self) -> list[Json]:
        """Name and bytes of each file of the set."""
        return cast("list[Json]", self._described["files"])

    @property
    def warnings(self) -> list[str]:
        """What was read although it is not as it should be."""
        return cast("list[str]", self._described["warnings"])

    @cached_property
    def ome(self) -> Json | None:
        """The OME model in the document's own schema, as ``docs/ome-json.md`` describes it."""
        text = self._native.ome()
        return None if text is None else cast(Json, json.loads(text))

    def planes(self, image: int = 0) -> dict[str, PlaneValues]:
        """One value for each plane of an image, by ``[t, c, z]``, with units."""
        return _model.planes(_model.image(self.ome, image))

    def array(self, image: int = 0, level: int = 0) -> LazyArray:
        """The stored samples of an image: axes t, c, z, y, x, always all five. Nothing is read yet."""
        if not 0 <= image < len(self.images):
            raise UsageError(f"{self.url} holds {len(self.images)} images, none of them number {image}", 2)
        found = self.images[image]
        if not 0 <= level < len(found["levels"]):
            count = len(found["levels"])
            raise UsageError(f"image {image} of {self.url} has {count} levels, none of them number {level}", 2)
        size = found["levels"][level]
        dtype = np.dtype(found["dtype"])
        groups: list[tuple[int, int]] = [(start, end) for start, end in found["groups"]]
        shape = (found["t"], found["c"], found["z"], size["y"], size["x"])

        def read(box: list[tuple[int, int]]) -> np.ndarray[Any, np.dtype[Any]]:
            (t0, t1), (c0, c1), (z0, z1), (y0, y1), (x0, x1) = box
            out = np.empty([end - start for start, end in box], dtype)
            region = (y0, x0, y1 - y0, x1 - x0)
            for group, (first, last) in enumerate(groups):
                low, high = max(first, c0), min(last, c1)
                if low >= high:
                    continue
                for t in range(t0, t1):
                    for z in range(z0, z1):
                        try:
                            stored = self._native.read(image, level, (t, group, z), region)
                        except OSError as error:
                            raise InputError(f"{self.url}: {error}", 3) from None
                        samples = np.frombuffer(stored, dtype).reshape(last - first, y1 - y0, x1 - x0)
                        out[t - t0, low - c0 : high - c0, z - z0] = samples[low - first : high - first]
            return out

        wide = max(last - first for first, last in groups)
        rows, columns = size["chunk"]
        chunks = (1, wide, 1, max(1, min(rows, shape[3])), max(1, min(columns, shape[4])))
        return LazyArray(shape, dtype, chunks, ("t", "c", "z", "y", "x"), read)

    def __repr__(self) -> str:
        lines = [f"<fairzarr.TiffFile {self.url}>"]
        for one in self.images[:20]:
            sizes = ", ".join(f"{name}: {one[name]}" for name in "tczyx")
            lines.append(f"  {one['name']!r} ({sizes}) {one['type']}, {len(one['levels'])} levels")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        return TiffFile, self._state


def open_tiff(
    path: PathLike, *, on_missing: str = "error", source_options: StoreOptions | None = None
) -> TiffFile:
    """Open an OME-TIFF fileset by any of its files.

    Args:
        path: Path, URL, or an object of pathlib, fsspec or obstore.
        on_missing: ``"fill"`` reads planes that the files lack as zeros; ``"error"`` refuses them.
        source_options: Settings of an object store's client.

    Raises:
        InputError: It cannot be read.
    """
    if on_missing not in ("error", "fill"):
        raise UsageError(f"on_missing is 'error' or 'fill', not {on_missing!r}", 2)
    url, options = resolve(path, source_options)
    opened = TiffFile(url, options, on_missing)
    for warning in opened.warnings:
        warnings.warn(warning, FairzarrWarning, stacklevel=2)
    return opened


def read_tiff(
    path: PathLike,
    *,
    image: int = 0,
    level: int = 0,
    on_missing: str = "error",
    source_options: StoreOptions | None = None,
) -> LazyArray:
    """The stored samples of an image of an OME-TIFF, as an array that reads what is indexed.

    Samples are those that are stored: nothing is inverted, scaled or looked up. Axes are t, c, z, y, x.
    """
    return open_tiff(path, on_missing=on_missing, source_options=source_options).array(image, level)
