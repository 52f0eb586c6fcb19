#!/usr/bin/env python3
"""Makes cells.ome.tiff: two channels, three sections, uint16, tiled and Deflate-compressed, with an instrument.

python3 -m pip install numpy tifffile imagecodecs; python3 make_sample.py
"""
import pathlib

import numpy as np
import tifffile

rng = np.random.default_rng(7)
shape = (2, 3, 400, 520)  # C, Z, Y, X
y, x = np.mgrid[: shape[2], : shape[3]]
data = np.zeros(shape, "uint16")
for c in range(shape[0]):
    for _ in range(40):
        cy, cx, cz, r = rng.uniform(0, shape[2]), rng.uniform(0, shape[3]), rng.uniform(0, 3), rng.uniform(8, 40)
        for z in range(shape[1]):
            radius = r * max(0.2, 1 - abs(z - cz) / 3)
            data[c, z] += (800 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * radius**2))).astype("uint16")
data += rng.poisson(1, shape).astype("uint16") + 100

out = pathlib.Path(__file__).with_name("cells.ome.tiff")
tifffile.imwrite(
    out,
    data,
    tile=(256, 256),
    compression="deflate",
    predictor=True,
    photometric="minisblack",
    metadata={
        "axes": "CZYX",
        "Name": "cells",
        "SignificantBits": 12,
        "PhysicalSizeX": 0.325,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.325,
        "PhysicalSizeYUnit": "µm",
        "PhysicalSizeZ": 1.0,
        "PhysicalSizeZUnit": "µm",
        "Channel": {"Name": ["DAPI", "GFP"], "Color": [0x0000FFFF, 0x00FF00FF], "EmissionWavelength": [461, 509],
                    "EmissionWavelengthUnit": ["nm", "nm"]},
        "Plane": {"PositionX": [10.5] * 6, "PositionXUnit": ["µm"] * 6, "ExposureTime": [0.02] * 6, "ExposureTimeUnit": ["s"] * 6},
    },
    software="make_sample.py",
)
print(out.stat().st_size, "bytes")
