"""Stored samples of OME-TIFF."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from conftest import CELLS

import fairzarr


def test_nothing_is_read_until_it_is_indexed(tiff: Path, samples: np.ndarray) -> None:
    array = fairzarr.read_tiff(tiff)
    assert array.shape == samples.shape and array.dims == ("t", "c", "z", "y", "x") and array.nbytes == samples.nbytes
    assert np.array_equal(array[1, 2, 1, 10:20, 5:9], samples[1, 2, 1, 10:20, 5:9])
    assert np.array_equal(np.asarray(array), samples)


def test_files_planes_and_model(tiff: Path) -> None:
    opened = fairzarr.open_tiff(tiff)
    assert [file["name"] for file in opened.files] == ["made image.ome.tif"]
    assert opened.planes()["ExposureTime"].values.shape == (2, 3, 2)
    assert opened.ome is not None and opened.ome["OME"][0]["Image"][0]["Name"] == "made"
    assert "c: 3" in repr(opened)


def test_the_sample_of_the_repository() -> None:
    array = fairzarr.read_tiff(CELLS)
    assert array.shape == (1, 2, 3, 400, 520)
    tifffile = pytest.importorskip("tifffile")
    assert np.array_equal(np.asarray(array).reshape(2, 3, 400, 520), tifffile.imread(CELLS))


def test_threads_may_read_at_the_same_time(tiff: Path, samples: np.ndarray) -> None:
    array = fairzarr.read_tiff(tiff)
    with ThreadPoolExecutor(4) as pool:
        planes = list(pool.map(lambda z: array[0, 0, z % 2], range(40)))
    assert all(np.array_equal(plane, samples[0, 0, z % 2]) for z, plane in enumerate(planes))


def test_dask_reads_it(tiff: Path, samples: np.ndarray) -> None:
    pytest.importorskip("dask")
    lazy = fairzarr.read_tiff(tiff).dask(chunks=(1, 1, 1, 70, 90))
    assert int(lazy.max().compute()) == int(samples.max())


def test_it_travels_between_processes(tiff: Path, samples: np.ndarray) -> None:
    opened = pickle.loads(pickle.dumps(fairzarr.open_tiff(tiff)))
    assert np.array_equal(opened.array()[0, 1], samples[0, 1])


def test_what_is_not_there_is_named(tiff: Path, tmp_path: Path) -> None:
    with pytest.raises(fairzarr.InputError, match="none.ome.tif"):
        fairzarr.read_tiff(tmp_path / "none.ome.tif")
    with pytest.raises(fairzarr.UsageError, match="number 7"):
        fairzarr.read_tiff(tiff, image=7)
    with pytest.raises(fairzarr.UsageError, match="number 9"):
        fairzarr.read_tiff(tiff, level=9)
    with pytest.raises(fairzarr.UsageError, match="on_missing"):
        fairzarr.read_tiff(tiff, on_missing="ignore")
