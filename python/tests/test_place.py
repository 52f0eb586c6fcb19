"""Paths, URLs, and the objects of other libraries that stand for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fairzarr
from fairzarr._place import local_path, resolve


def test_paths_and_urls(tmp_path: Path) -> None:
    assert resolve(tmp_path) == (str(tmp_path), {})
    assert resolve("s3://bucket/a b") == ("s3://bucket/a b", {})
    assert resolve("gcs://bucket/key")[0] == "gs://bucket/key"
    assert resolve("s3://b/k", {"anonymous": True}) == ("s3://b/k", {"anonymous": "true"})
    for wrong in (7, None, object()):
        with pytest.raises(fairzarr.UsageError):
            resolve(wrong)
    with pytest.raises(fairzarr.UsageError, match="chain"):
        resolve("simplecache::s3://bucket/key")


def test_local_paths_of_urls() -> None:
    assert local_path("file:///a%20b/c") == "/a b/c" and local_path("a/b") == "a/b"
    assert local_path("s3://bucket/key") is None


def test_fsspec(stored: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    assert fairzarr.open(fsspec.get_mapper(str(stored))).image.name == "made"
    opened = fsspec.open(str(stored))
    assert resolve(opened)[0].endswith(str(stored))
    assert fairzarr.open(opened).image.name == "made"


def test_fsspec_on_s3() -> None:
    s3fs = pytest.importorskip("s3fs")
    fs = s3fs.S3FileSystem(key="k", secret="s", endpoint_url="http://localhost:1", skip_instance_cache=True)
    url, options = resolve(fs.get_mapper("bucket/key"))
    assert url == "s3://bucket/key"
    assert options["aws_access_key_id"] == "k" and options["aws_endpoint"] == "http://localhost:1"


def test_obstore(stored: Path) -> None:
    obstore = pytest.importorskip("obstore.store")
    assert fairzarr.open(obstore.LocalStore(str(stored))).image.name == "made"
    place = obstore.S3Store("bucket", prefix="a/b", region="eu-west-1", skip_signature=True)
    url, options = resolve(place)
    assert url == "s3://bucket/a/b" and any("region" in key for key in options)
    with pytest.raises(fairzarr.UsageError, match="MemoryStore"):
        resolve(obstore.MemoryStore())


def test_zarr(stored: Path, samples: np.ndarray) -> None:
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(stored, mode="r")
    assert np.array_equal(fairzarr.open(group).image.array()[0, 0], samples[0, 0])
    assert resolve(group["0"])[0] == f"{stored}/0"
    with pytest.raises(fairzarr.UsageError):
        resolve(zarr.storage.MemoryStore())
