"""The commands, as functions and as the program."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import CELLS, files, write_tiff

import fairzarr


def test_convert_verify_and_validate(tmp_path: Path, tiff: Path) -> None:
    target = tmp_path / "a.ome.zarr"
    report = fairzarr.convert(tiff, target, ngff="0.6", chunk=(32, 32), shard=(64, 64), source_checksum="blake3")
    assert report.images == [""] and report.source_bytes == 2 * 3 * 2 * 70 * 90 * 2
    proof = fairzarr.verify(tiff, target)
    assert proof and proof.holds and len(proof.checks) >= 8
    assert fairzarr.verify(target, sample="100%")
    validity = fairzarr.validate(target, deep=True)
    assert validity and validity.version == "0.6"


def test_a_difference_is_a_result_and_a_failure_is_an_exception(tmp_path: Path, tiff: Path, stored: Path) -> None:
    other = write_tiff(tmp_path / "other.ome.tif", np.zeros((2, 3, 2, 70, 90), "<u2"))
    assert not fairzarr.verify(other, stored)
    with pytest.raises(fairzarr.InputError, match="missing.ome.tif") as caught:
        fairzarr.convert(tmp_path / "missing.ome.tif", tmp_path / "b.ome.zarr")
    assert caught.value.code == 3 and isinstance(caught.value, OSError)
    with pytest.raises(fairzarr.OutputError, match="exists"):
        fairzarr.convert(tiff, stored)
    with pytest.raises(fairzarr.UsageError, match="no-such-option"):
        fairzarr.convert(tiff, tmp_path / "b.ome.zarr", no_such_option=True)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.code) == (fairzarr.InputError, str(caught.value), 3)


def test_a_split_conversion_has_the_bytes_of_a_whole_one(tmp_path: Path, tiff: Path) -> None:
    whole, split = tmp_path / "whole.ome.zarr", tmp_path / "split.ome.zarr"
    fairzarr.convert(tiff, whole, chunk=(32, 32))
    planned = fairzarr.plan(tiff, split, chunk=(32, 32))
    assert planned.units >= 3
    fairzarr.run(tiff, split, 2, 3)
    with pytest.raises(fairzarr.DifferenceError):
        fairzarr.commit(tiff, split)
    threads = [threading.Thread(target=fairzarr.run, args=(tiff, split, task, 3)) for task in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fairzarr.commit(tiff, split)
    assert files(whole) == files(split)


def test_export_gives_the_source_back(tmp_path: Path, stored: Path, samples: np.ndarray) -> None:
    back = tmp_path / "back.ome.tif"
    report = fairzarr.export(stored, back, compression="none")
    assert report.images == 1 and not report.bigtiff
    assert np.array_equal(fairzarr.read_tiff(back), samples)


def test_embed_check_and_qc(tmp_path: Path, tiff: Path) -> None:
    target = tmp_path / "e.ome.zarr"
    fairzarr.convert(tiff, target)
    before = {name: content for name, content in files(target).items() if name != "zarr.json"}
    note = tmp_path / "microscope.xml"
    note.write_text(
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Instrument ID="Instrument:0"><Microscope Manufacturer="Maker" Model="M1"/></Instrument></OME>'
    )
    # Sources that differ are a warning here as they are in a conversion.
    with pytest.warns(fairzarr.FairzarrWarning, match="stays a microscope of its own"):
        assert fairzarr.embed(target, nbo=note).documents
    fairzarr.embed(target, remove=True)
    assert files(target).items() >= before.items(), "what was embedded is out again"
    report = fairzarr.check(target, tier=1)
    assert isinstance(report.passes, bool) and report.coverage
    asked = fairzarr.qc(target, "OpticalCalibration within 90 days")
    assert asked.passes is False and [one.outcome for one in asked.verdicts] == ["fail"]
    assert fairzarr.qc(target).passes is None


def test_progress_is_told_and_may_stop(tmp_path: Path) -> None:
    source = write_tiff(tmp_path / "big.ome.tif", np.zeros((1, 2, 8, 512, 512), "<u2"))
    seen: list[fairzarr.Progress] = []
    fairzarr.convert(source, tmp_path / "a.ome.zarr", codec="zstd-19", jobs=1, progress=seen.append)
    assert all(one.done <= one.total or one.total == 0 for one in seen)

    class Enough(Exception):
        pass

    def stop(_: fairzarr.Progress) -> None:
        raise Enough

    target = tmp_path / "b.ome.zarr"
    rng = np.random.default_rng(0)
    noise = write_tiff(tmp_path / "noise.ome.tif", rng.integers(0, 4096, (2, 2, 16, 512, 512), "<u2"))
    with pytest.raises(Enough):
        fairzarr.convert(noise, target, codec="zstd-19", jobs=1, progress=stop)
    assert not (target / "zarr.json").exists(), "a stopped conversion looks complete"
    fairzarr.convert(noise, target, codec="zstd-19", resume=True)
    assert fairzarr.verify(noise, target)


def test_ctrl_c_stops_between_blocks(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    noise = write_tiff(tmp_path / "noise.ome.tif", rng.integers(0, 4096, (2, 2, 16, 512, 512), "<u2"))
    target = tmp_path / "c.ome.zarr"
    timer = threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fairzarr.convert(noise, target, codec="zstd-19", jobs=1)
    assert time.monotonic() - start < 20
    assert not (target / "zarr.json").exists()


def test_the_interpreter_is_free_meanwhile(tmp_path: Path, tiff: Path) -> None:
    ticks = 0
    done = threading.Event()

    def count() -> None:
        nonlocal ticks
        while not done.wait(0.001):
            ticks += 1

    thread = threading.Thread(target=count)
    thread.start()
    fairzarr.convert(tiff, tmp_path / "a.ome.zarr")
    done.set()
    thread.join()
    assert ticks > 0


def test_the_program_is_installed(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "fairzarr"]
    said = subprocess.run([*words, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["fairzarr", fairzarr.__version__]
    target = tmp_path / "cells.ome.zarr"
    subprocess.run([*words, "convert", CELLS, target], check=True, capture_output=True)
    assert subprocess.run([*words, "verify", CELLS, target], capture_output=True).returncode == 0
    assert subprocess.run([*words, "convert", CELLS, target], capture_output=True).returncode != 0


def test_warnings_are_warnings(tmp_path: Path, samples: np.ndarray) -> None:
    source = write_tiff(tmp_path / "short.ome.tif", samples[:1, :1])
    # A plane that the OME-XML promises and the file lacks.
    source.write_bytes(source.read_bytes().replace(b'SizeZ="2"', b'SizeZ="3"'))
    with pytest.raises(fairzarr.InputError):
        fairzarr.convert(source, tmp_path / "x.ome.zarr")
    with pytest.warns(fairzarr.FairzarrWarning, match="missing"):
        fairzarr.convert(source, tmp_path / "x.ome.zarr", on_missing="fill")
