"""Conversions on a cluster of Dask: two processes on this machine."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import files, write_tiff

import fairzarr

distributed = pytest.importorskip("distributed")
import fairzarr.dask  # noqa: E402


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_an_image_by_tasks_with_a_worker_killed_on_the_way(tmp_path: Path, client: Any) -> None:
    rng = np.random.default_rng(0)
    source = write_tiff(tmp_path / "noise.ome.tif", rng.integers(0, 4096, (2, 2, 8, 512, 512), "<u2"))
    whole, split = tmp_path / "whole.ome.zarr", tmp_path / "split.ome.zarr"
    fairzarr.convert(source, whole, codec="zstd-9")
    killed = threading.Event()

    def kill() -> None:
        while not any((split / ".fairzarr" / "journal").glob("*")) and not (split / "zarr.json").exists():
            time.sleep(0.01)
        if not (split / "zarr.json").exists():
            client.run(os._exit, 9, workers=[next(iter(client.nthreads()))], on_error="ignore")
            killed.set()

    thread = threading.Thread(target=kill)
    thread.start()
    report = fairzarr.dask.convert(client, source, split, tasks=8, codec="zstd-9")
    thread.join()
    assert killed.is_set(), "the conversion ended before a worker was killed"
    assert report.images == [""]
    assert files(whole) == files(split)


def test_a_folder_of_files(tmp_path: Path, client: Any, samples: np.ndarray) -> None:
    pairs = []
    for n in range(6):
        source = write_tiff(tmp_path / f"{n}.ome.tif", samples[:1, :1] + n)
        pairs.append((source, tmp_path / "out" / f"{n}.ome.zarr"))
    pairs.append((tmp_path / "missing.ome.tif", tmp_path / "out" / "missing.ome.zarr"))
    found = fairzarr.dask.convert_all(client, pairs)
    assert [bool(one) for one in found] == [True] * 6 + [False]
    assert isinstance(found[-1].error, fairzarr.InputError)
    assert np.array_equal(fairzarr.open(pairs[3][1]).image.array(), samples[:1, :1] + 3)
