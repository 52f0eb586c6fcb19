"""Arrays that are read when a part of them is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import dask.array
    from numpy.typing import DTypeLike, NDArray

#: Reads a box: first index, and the one after the last, by dimension.
Reader = Callable[[list[tuple[int, int]]], "NDArray[Any]"]


class LazyArray:
    """An array by its shape, type and pieces; indexing reads what is asked for, and nothing else.

    Indices are integers, slices and ``...``, as of numpy; the result is an array of numpy. ``numpy.asarray`` reads all of it,
    and :meth:`dask` makes it an array of dask.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: DTypeLike, chunks: tuple[int, ...], dims: tuple[str, ...], read: Reader
    ) -> None:
        self._shape = shape
        self._dtype = np.dtype(dtype)
        self._chunks = chunks
        self._dims = dims
        self._read = read

    @property
    def shape(self) -> tuple[int, ...]:
        """Size by dimension."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples."""
        return self._dtype

    @property
    def chunks(self) -> tuple[int, ...]:
        """Shape of what is decoded together."""
        return self._chunks

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dimensions."""
        return self._dims

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._shape)

    @property
    def size(self) -> int:
        """Number of samples."""
        return math.prod(self._shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all samples."""
        return self.size * self._dtype.itemsize

    def __len__(self) -> int:
        return self._shape[0]

    def __getitem__(self, index: Any) -> Any:
        box, then = self._box(index if isinstance(index, tuple) else (index,))
        if any(start >= end for start, end in box):
            return np.empty([end - start for start, end in box], self._dtype)[then]
        return self._read(box)[then]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("the samples have to be read: there is nothing that could be shared")
        whole: NDArray[Any] = self[...]
        return whole if dtype is None else whole.astype(dtype)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}: {size}" for name, size in zip(self._dims, self._shape))
        return f"<{type(self).__name__} ({sizes}) {self._dtype}>"

    def dask(self, chunks: Any = None) -> dask.array.Array:
        """This array for dask, in its own pieces, or in those that are named as for ``dask.array.from_array``.

        Pieces smaller than 1 MiB are joined, so that the graph stays small.
        """
        import dask.array

        pieces = self._pieces() if chunks is None else chunks
        meta = np.empty((0,) * self.ndim, self._dtype)
        made: dask.array.Array = dask.array.from_array(self, chunks=pieces, meta=meta, name=False, asarray=False)
        return made

    def _pieces(self) -> tuple[int, ...]:
        pieces = list(self._chunks)
        for axis in reversed(range(self.ndim)):
            bytes_now = math.prod(pieces) * self._dtype.itemsize
            if bytes_now >= 1 << 20:
                break
            times = max(1, (1 << 20) // bytes_now)
            pieces[axis] = min(self._shape[axis], pieces[axis] * times)
        return tuple(pieces)

    def _box(self, index: tuple[Any, ...]) -> tuple[list[tuple[int, int]], tuple[Any, ...]]:
        """The box that holds what is asked for, and how that is then taken from the box."""
        dots = [place for place, part in enumerate(index) if part is Ellipsis]
        if len(dots) > 1:
            raise IndexError("an index can have only a single ellipsis ('...')")
        given = len(index) - len(dots)
        if given > self.ndim:
            raise IndexError(f"too many indices: the array has {self.ndim} dimensions, {given} were indexed")
        at = dots[0] if dots else len(index)
        rest = (slice(None),) * (self.ndim - given)
        index = index[:at] + rest + index[at + 1 :]
        box: list[tuple[int, int]] = []
        then: list[Any] = []
        for axis, (part, size) in enumerate(zip(index, self._shape)):
            if isinstance(part, slice):
                chosen = range(*part.indices(size))
                low, high = (min(chosen), max(chosen) + 1) if chosen else (0, 0)
                box.append((low, high))
                # Within the box the first of the chosen is at its lower or, stepping backwards, at its upper end.
                then.append(slice(None) if chosen.step > 0 and chosen.step == 1 else slice(None, None, chosen.step))
                continue
            try:
                place = part.__index__()
            except AttributeError:
                raise IndexError(f"indices are integers, slices and '...', not {type(part).__name__}") from None
            if not -size <= place < size:
                raise IndexError(f"index {place} is out of bounds for axis {axis} with size {size}")
            box.append((place % size, place % size + 1))
            then.append(0)
        return box, tuple(then)
