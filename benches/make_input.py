#!/usr/bin/env python3
"""Makes microscopy-like OME-TIFFs for the benches: smooth field, blobs, Poisson and read noise, uint16.

make_input.py OUT.ome.tiff [--mib 512 | --planes N] [--side 4096] [--tile 512] [--compression none|deflate|zstd|lzw] [--rows N]
make_input.py OUT.ome.tiff --plate WELLS,FIELDS [--side 256] ...   one image per field, with the OME-XML of a plate
Needs numpy and tifffile (imagecodecs for zstd and lzw).
"""
import argparse
import itertools

import numpy as np
import tifffile

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("out")
parser.add_argument("--mib", type=int, default=512)
parser.add_argument("--planes", type=int, help="instead of --mib")
parser.add_argument("--plate", help="WELLS,FIELDS: images of two channels on a plate of 24 columns")
parser.add_argument("--side", type=int, default=4096)
parser.add_argument("--tile", type=int, default=512, help="0: strips")
parser.add_argument("--rows", type=int, default=64, help="rows per strip")
parser.add_argument("--compression", default="none")
args = parser.parse_args()

rng = np.random.default_rng(20261120)
side = args.side
planes = args.planes or max(1, args.mib * 2**20 // (side * side * 2))
y, x = np.mgrid[:side, :side].astype("float32") / side
field = 400 + 200 * np.sin(3 * y) * np.cos(2 * x)
for _ in range(60):
    cy, cx, r = rng.uniform(0, 1, 2).tolist() + [rng.uniform(0.005, 0.03)]
    top, left = max(0, int((cy - 4 * r) * side)), max(0, int((cx - 4 * r) * side))
    box = np.s_[top : int((cy + 4 * r) * side), left : int((cx + 4 * r) * side)]
    field[box] += 2000 * np.exp(-((y[box] - cy) ** 2 + (x[box] - cx) ** 2) / (2 * r * r))
noise = rng.poisson(field / 2.2, field.shape).astype("float32") * 2.2 + rng.normal(0, 2, field.shape)
base = np.clip(noise + 100, 0, 65535).astype("uint16")


def page(n):
    return np.roll(base, (n * 97, n * 31), (0, 1))


def pages():
    for n in range(planes):
        whole = page(n)
        if not args.tile:
            yield whole
            continue
        for top in range(0, side, args.tile):
            for left in range(0, side, args.tile):
                yield np.ascontiguousarray(whole[top : top + args.tile, left : left + args.tile])


def plate_xml(wells, fields):
    """The OME-XML of a plate whose images are pages 2n and 2n + 1 of this file."""
    size = f'SizeX="{side}" SizeY="{side}" SizeZ="1" SizeC="2" SizeT="1"'
    order = 'DimensionOrder="XYZCT" Type="uint16" BigEndian="false" PhysicalSizeX="0.65" PhysicalSizeY="0.65"'
    images, samples = [], []
    for n, (well, position) in enumerate(itertools.product(range(wells), range(fields))):
        channels = "".join(f'<Channel ID="Channel:{n}:{c}" Name="{name}" SamplesPerPixel="1"/>' for c, name in enumerate(("DAPI", "GFP")))
        data = "".join(f'<TiffData IFD="{2 * n + c}" FirstC="{c}" PlaneCount="1"/>' for c in range(2))
        images.append(
            f'<Image ID="Image:{n}" Name="well {well} field {position}">'
            f'<Pixels ID="Pixels:{n}" {order} {size}>{channels}{data}</Pixels></Image>'
        )
        samples.append(f'<WellSample ID="WellSample:{n}" Index="{n}"><ImageRef ID="Image:{n}"/></WellSample>')
    wells_xml = "".join(
        f'<Well ID="Well:{well}" Row="{well // 24}" Column="{well % 24}">'
        + "".join(samples[well * fields : (well + 1) * fields])
        + "</Well>"
        for well in range(wells)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Plate ID="Plate:0" Name="bench" Rows="{-(-wells // 24)}" Columns="24">{wells_xml}</Plate>{"".join(images)}</OME>'
    )


options = {"tile": (args.tile, args.tile)} if args.tile else {"rowsperstrip": args.rows}
if args.compression != "none":
    options["compression"] = args.compression
options |= {"dtype": "uint16", "photometric": "minisblack"}
if args.plate:
    wells, fields = map(int, args.plate.split(","))
    planes = wells * fields * 2
    with tifffile.TiffWriter(args.out, bigtiff=True) as out:
        out.write(
            pages(), shape=(planes, side, side), description=plate_xml(wells, fields), metadata=None, **options
        )
else:
    metadata = {"axes": "ZYX", "PhysicalSizeX": 0.325, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.325, "PhysicalSizeYUnit": "µm"}
    tifffile.imwrite(args.out, pages(), shape=(planes, side, side), bigtiff=True, metadata=metadata, **options)
