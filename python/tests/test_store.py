"""Opened stores."""

from __future__ import annotations

import pickle
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

import fairzarr


def test_metadata_are_plain_values(stored: Path) -> None:
    store = fairzarr.open(stored)
    image = store.image
    assert image.name == "made" and image.version == "0.5" and image.shape == (2, 3, 2, 70, 90)
    assert image.dims == ("t", "c", "z", "y", "x")
    assert [axis.unit for axis in image.axes] == ["second", None, "micrometer", "micrometer", "micrometer"]
    assert image.levels[0].scale == (3.0, 1.0, 2.0, 0.5, 0.5)
    channel = image.channels[1]
    assert (channel.label, channel.fluor, channel.excitation) == ("ch1", "F1", fairzarr.Quantity(401.0, "nm"))
    assert channel.color is not None and channel.window is not None
    objective = image.objective
    assert objective is not None and objective.lens_na == 1.4 and objective.immersion == "Oil"
    assert str(objective.working_distance) == "0.14 mm"
    assert store.ome is not None and store.ome["OME"][0]["Image"][0]["Name"] == "made"
    assert "@graph" in store.record
    assert store.conversion is not None
    assert "ome" in store.attributes and store.attributes_of("no/such/group") is None
    assert store.validate() and store.verify()


def test_values_of_planes_lie_on_a_grid(stored: Path) -> None:
    exposure = fairzarr.open(stored).image.planes["ExposureTime"]
    assert exposure.values.shape == (2, 3, 2) and exposure.unit == "ms"
    assert np.allclose(exposure.values[:, :, 0], [[0.1, 0.2, 0.3]] * 2)
    assert np.isnan(exposure.values[:, :, 1]).all(), "planes that have no value"


def test_samples_are_read_by_this_package_alone(stored: Path, samples: np.ndarray) -> None:
    array = fairzarr.open(stored).image.array()
    assert array.shape == samples.shape and array.dtype == samples.dtype and array.chunks == (1, 1, 1, 32, 32)
    assert np.array_equal(array, samples)
    assert np.array_equal(array[1, ..., 5:40:3, ::-2], samples[1, ..., 5:40:3, ::-2])


@pytest.mark.parametrize(
    "index",
    [0, -1, (slice(None), 1), (..., 3), (1, 2, 1, 69, 89), (slice(0, 0),), np.s_[::-1, :, 0, 10:20, -5:], np.s_[:, -2:, ...]],
)
def test_indices_are_those_of_numpy(stored: Path, tiff: Path, samples: np.ndarray, index: object) -> None:
    for array in (fairzarr.open(stored).image.array(), fairzarr.read_tiff(tiff)):
        found = array[index]
        wanted = samples[index]  # type: ignore[index]
        assert np.array_equal(found, wanted) and found.dtype == wanted.dtype and np.shape(found) == np.shape(wanted)


@pytest.mark.parametrize("index", [2, (0,) * 6, (..., ...), ([0, 1],), ("x",), (0.5,)])
def test_indices_that_are_none_are_refused(stored: Path, index: object) -> None:
    with pytest.raises(IndexError):
        fairzarr.open(stored).image.array()[index]


def test_zarr(stored: Path, samples: np.ndarray) -> None:
    pytest.importorskip("zarr")
    image = fairzarr.open(stored).image
    assert np.array_equal(image.zarr(0)[:], samples)
    assert "OME" in dict(image.store.zarr_group().members())


def test_dask_and_xarray(stored: Path, samples: np.ndarray) -> None:
    pytest.importorskip("dask")
    image = fairzarr.open(stored).image
    lazy = image.dask()
    assert lazy.dtype == samples.dtype and np.array_equal(lazy[1, :, 0].compute(), samples[1, :, 0])
    pytest.importorskip("xarray")
    array = image.xarray()
    assert array.dims == ("t", "c", "z", "y", "x") and array["y"].attrs["units"] == "micrometer"
    assert list(array["c"].values) == ["ch0", "ch1", "ch2"] and list(array["z"].values) == [0.0, 2.0]
    assert np.array_equal(array.sel(c="ch2", z=2.0).isel(t=1), samples[1, 2, 1])
    planes = image.planes_xarray()
    assert planes["ExposureTime"].dims == ("t", "c", "z") and planes["ExposureTime"].attrs["units"] == "ms"
    tree = image.store.datatree()
    assert np.array_equal(tree["0/image"].isel(t=0, c=0, z=0), samples[0, 0, 0])


def test_stores_and_images_travel_between_processes(stored: Path, samples: np.ndarray) -> None:
    image = pickle.loads(pickle.dumps(fairzarr.open(stored).image))
    assert np.array_equal(image.array()[0, 0], samples[0, 0])


def test_thumbnails_are_pictures(stored: Path) -> None:
    png = fairzarr.open(stored).image.thumbnail(50)
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    assert max(width, height) <= 50
    body = png[png.index(b"IDAT") + 4 :]
    assert len(zlib.decompressobj().decompress(body)) == height * (1 + 3 * width)


def test_notebooks_show_what_is_there(stored: Path) -> None:
    store = fairzarr.open(stored)
    page = store._repr_html_()
    for part in ("data:image/png;base64,", "ch2", "Plan Apo", "x 0.5 micrometer"):
        assert part in page
    assert "t: 2" in repr(store)
    assert "equal" in store.verify()._repr_html_()


def test_a_name_cannot_break_out_of_a_notebook(tmp_path: Path, samples: np.ndarray) -> None:
    from conftest import write_tiff

    source = write_tiff(tmp_path / "a.ome.tif", samples[:1, :1], name="&lt;script>alert(1)&lt;/script>")
    fairzarr.convert(source, tmp_path / "a.ome.zarr")
    assert "<script>" not in fairzarr.open(tmp_path / "a.ome.zarr")._repr_html_()


def test_what_is_no_store_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(fairzarr.InputError, match="nothing.ome.zarr"):
        fairzarr.open(tmp_path / "nothing.ome.zarr")
