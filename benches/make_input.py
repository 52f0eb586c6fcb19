#!/usr/bin/env python3
"""Makes microscopy-like OME-TIFFs for the benches: smooth field, blobs, Poisson and read noise, uint16.

make_input.py OUT.ome.tiff [--mib 512] [--side 4096] [--tile 512] [--compression none|deflate|zstd|lzw] [--rows N]
Needs numpy and tifffile (imagecodecs for zstd and lzw).
"""
import argparse

import numpy as np
import tifffile

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("out")
parser.add_argument("--mib", type=int, default=512)
parser.add_argument("--side", type=int, default=4096)
parser.add_argument("--tile", type=int, default=512, help="0: strips")
parser.add_argument("--rows", type=int, default=64, help="rows per strip")
parser.add_argument("--compression", default="none")
args = parser.parse_args()

rng = np.random.default_rng(20261120)
side = args.side
planes = max(1, args.mib * 2**20 // (side * side * 2))
y, x = np.mgrid[:side, :side].astype("float32") / side
field = 400 + 200 * np.sin(3 * y) * np.cos(2 * x)
for _ in range(60):
    cy, cx, r = rng.uniform(0, 1, 2).tolist() + [rng.uniform(0.005, 0.03)]
    top, left = max(0, int((cy - 4 * r) * side)), max(0, int((cx - 4 * r) * side))
    box = np.s_[top : int((cy + 4 * r) * side), left : int((cx + 4 * r) * side)]
    field[box] += 2000 * np.exp(-((y[box] - cy) ** 2 + (x[box] - cx) ** 2) / (2 * r * r))
noise = rng.poisson(field / 2.2, field.shape).astype("float32") * 2.2 + rng.normal(0, 2, field.shape)
base = np.clip(noise + 100, 0, 65535).astype("uint16")


def pages():
    for n in range(planes):
        page = np.roll(base, (n * 97, n * 31), (0, 1))
        if not args.tile:
            yield page
            continue
        for top in range(0, side, args.tile):
            for left in range(0, side, args.tile):
                yield np.ascontiguousarray(page[top : top + args.tile, left : left + args.tile])


options = {"tile": (args.tile, args.tile)} if args.tile else {"rowsperstrip": args.rows}
if args.compression != "none":
    options["compression"] = args.compression
tifffile.imwrite(
    args.out,
    pages(),
    shape=(planes, side, side),
    dtype="uint16",
    bigtiff=True,
    photometric="minisblack",
    metadata={"axes": "ZYX", "PhysicalSizeX": 0.325, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.325, "PhysicalSizeYUnit": "µm"},
    **options,
)
