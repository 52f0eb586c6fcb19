#!/usr/bin/env python3
"""Writes the images that viewers are judged by: two-channel.ome.tiff, rgb.ome.tiff and plate.ome.tiff.

Each is a grid of 8 by 6 cells of 32 pixels with one value each. No cell is dark, no two are alike, and no turning or
mirroring of the grid gives the same picture; spec-tests/judge/viewers.mjs computes from the same formulas what a viewer has
to show.

    patterns.py        # needs numpy and tifffile
"""
import pathlib

import numpy as np
import tifffile

CELL, COLUMNS, ROWS = 32, 8, 6
here = pathlib.Path(__file__).parent


def grid(formula):
    """Values of all cells; formula(i, j) is a fraction, of the column i/7 and the row j/5."""
    cells = np.array([[formula(i / (COLUMNS - 1), j / (ROWS - 1)) for i in range(COLUMNS)] for j in range(ROWS)])
    return np.kron(cells, np.ones((CELL, CELL)))


def first(x, y):
    return x


def second(x, y):
    return (1 - x) * (0.5 + 0.5 * y)


def write(name, planes, metadata, photometric="minisblack"):
    tifffile.imwrite(here / name, planes, compression="zlib", photometric=photometric, metadata=metadata, tile=(128, 128), software="patterns.py")


# Two channels of 16 bits: the least value is 1000, the greatest 3000.
fluorescence = np.stack([grid(f) * 2000 + 1000 for f in (first, second)]).round().astype("uint16")
channels = {"Name": ["red", "green"], "Color": [-16776961, 16711935]}
write("two-channel.ome.tiff", fluorescence, {"axes": "CYX", "Name": "two channels", "Channel": channels})

colours = np.stack([grid(f) * 255 for f in (first, lambda x, y: y, lambda x, y: 1 - x * y)], axis=-1).round().astype("uint8")
write("rgb.ome.tiff", colours, {"axes": "YXS", "Name": "colours"}, photometric="rgb")

plate = (
    '<Plate ID="Plate:0" Name="pattern" Rows="1" Columns="1" RowNamingConvention="letter" ColumnNamingConvention="number">'
    '<Well ID="Well:0" Row="0" Column="0"><WellSample ID="WellSample:0" Index="0"><ImageRef ID="Image:0"/></WellSample></Well></Plate>'
)
write("plate.ome.tiff", fluorescence, {"axes": "CYX", "Name": "field", "Channel": channels})
tiff = (here / "plate.ome.tiff").read_bytes()
with tifffile.TiffFile(here / "plate.ome.tiff") as file:
    xml = file.ome_metadata
start = xml.index("<Image ")
tifffile.tiffcomment(here / "plate.ome.tiff", (xml[:start] + plate + xml[start:]).encode())
