"""Small OME-TIFFs, made here by nothing but the standard library and numpy."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

CELLS = Path(__file__).parents[2] / "examples" / "data" / "cells.ome.tiff"

OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
  <Instrument ID="Instrument:0"><Objective ID="Objective:0" Model="Plan Apo" Manufacturer="Maker" LensNA="1.4"
    NominalMagnification="63" Immersion="Oil" WorkingDistance="0.14" WorkingDistanceUnit="mm"/></Instrument>
  <Image ID="Image:0" Name="{name}"><InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/>
    <Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="{x}" SizeY="{y}" SizeC="{c}" SizeZ="{z}" SizeT="{t}"
      PhysicalSizeX="0.5" PhysicalSizeY="0.5" PhysicalSizeZ="2" TimeIncrement="3">
      {channels}<TiffData/>{planes}</Pixels></Image>
</OME>"""


def write_tiff(path: Path, data: np.ndarray, name: str = "made") -> Path:
    """Writes ``data[t, c, z, y, x]`` of uint16, one strip a plane, uncompressed."""
    t, c, z, y, x = data.shape
    channels = "".join(
        f'<Channel ID="Channel:0:{n}" Name="ch{n}" SamplesPerPixel="1" Fluor="F{n}" ExcitationWavelength="{400 + n}"/>'
        for n in range(c)
    )
    planes = "".join(
        f'<Plane TheT="{i}" TheC="{j}" TheZ="{k}" ExposureTime="{0.1 * (j + 1):.1f}" ExposureTimeUnit="ms"/>'
        for i in range(t)
        for k in range(z)
        for j in range(c)
        if k == 0
    )
    text = OME.format(name=name, x=x, y=y, c=c, z=z, t=t, channels=channels, planes=planes).encode() + b"\0"
    pages = [data[i, j, k].astype("<u2").tobytes() for i in range(t) for k in range(z) for j in range(c)]
    out = bytearray(struct.pack("<2sHI", b"II", 42, 0))
    text_at = len(out)
    out += text
    links = [4]
    for page in pages:
        samples_at = len(out)
        out += page + b"\0" * (len(page) % 2)
        entries = [(256, 3, 1, x), (257, 3, 1, y), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1)]
        if len(links) == 1:
            entries.append((270, 2, len(text), text_at))
        entries += [(273, 4, 1, samples_at), (277, 3, 1, 1), (278, 4, 1, y), (279, 4, 1, len(page))]
        if len(out) % 2:
            out += b"\0"
        struct.pack_into("<I", out, links[-1], len(out))
        out += struct.pack("<H", len(entries))
        for tag, kind, count, value in entries:
            out += struct.pack("<HHI", tag, kind, count) + (
                struct.pack("<HH", value, 0) if kind == 3 else struct.pack("<I", value)
            )
        links.append(len(out))
        out += struct.pack("<I", 0)
    path.write_bytes(out)
    return path


@pytest.fixture(scope="session")
def samples() -> np.ndarray:
    """``[t, c, z, y, x]``, every sample another value as far as there are enough."""
    return (np.arange(2 * 3 * 2 * 70 * 90) * 7 % 65521).astype("<u2").reshape(2, 3, 2, 70, 90)


@pytest.fixture(scope="session")
def tiff(tmp_path_factory: pytest.TempPathFactory, samples: np.ndarray) -> Path:
    """An OME-TIFF of those samples."""
    return write_tiff(tmp_path_factory.mktemp("source") / "made image.ome.tif", samples)


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory, tiff: Path) -> Path:
    """The OME-Zarr of it, with chunks smaller than the planes."""
    import fairzarr

    target = tmp_path_factory.mktemp("target") / "made.ome.zarr"
    fairzarr.convert(tiff, target, chunk=(32, 32))
    return target


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
