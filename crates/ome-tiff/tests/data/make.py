#!/usr/bin/env python3
"""Writes the fixtures beside it with tifffile (BSD-3-Clause; 2026.3.3 was used). Every sample is given by the formula
in `planes`, which tests/fixtures.rs repeats, so that no digest has to be kept.

    python make.py
"""

import pathlib

import numpy
import tifffile

HERE = pathlib.Path(__file__).parent


def planes(t, c, z, y, x, dtype):
    """Samples by t, c, z, y, x."""
    index = numpy.indices((t, c, z, y, x), dtype=numpy.uint64)
    value = (index * numpy.array([101, 31, 7, 3, 1], numpy.uint64).reshape(5, 1, 1, 1, 1, 1)).sum(0)
    if numpy.dtype(dtype).kind == 'c':
        return value.astype(dtype) - 2j * value.astype(dtype)
    return (value % 251).astype(dtype) if numpy.dtype(dtype).kind != 'b' else value % 3 == 0


def write(name, axes, data, **options):
    # No time, machine or version of anything in the file.
    metadata = {'axes': axes, 'UUID': 'urn:uuid:00000000-0000-4000-8000-000000000000', 'Creator': 'make.py'}
    tifffile.imwrite(HERE / name, data, metadata=metadata, ome=True, software=False, datetime=False, **options)


tczyx = lambda dtype, y=23, x=37: planes(2, 3, 2, y, x, dtype)
write('strips-le.ome.tif', 'TCZYX', tczyx('uint16'), rowsperstrip=5)
write('strips-be.ome.tif', 'TCZYX', tczyx('uint16'), byteorder='>', rowsperstrip=1)
write('tiles-be-big.ome.tif', 'TCZYX', tczyx('float32'), byteorder='>', bigtiff=True, tile=(16, 32), compression='zlib')
write('tiles-predictor.ome.tif', 'TCZYX', tczyx('int32'), tile=(16, 16), compression='zlib', predictor=2)
write('one-strip-zlib.ome.tif', 'TCZYX', tczyx('uint8'), compression='zlib')
write('complex-be.ome.tif', 'TCZYX', tczyx('complex64', 5, 7), byteorder='>')
write('bit.ome.tif', 'TCZYX', tczyx('bool'))
rgb = lambda planar: numpy.moveaxis(planes(2, 3, 2, 23, 37, 'uint8'), 1, 2 if planar else 4)
write('rgb.ome.tif', 'TZYXS', rgb(False), photometric='rgb', tile=(16, 16), compression='zlib')
write('rgb-planar.ome.tif', 'TZSYX', rgb(True), photometric='rgb', planarconfig='separate', rowsperstrip=7)

with tifffile.TiffWriter(HERE / 'pyramid.ome.tif', ome=True) as tif:
    options = {'software': False, 'datetime': False, 'compression': 'zlib'}
    metadata = {'axes': 'TCZYX', 'UUID': 'urn:uuid:00000000-0000-4000-8000-000000000000', 'Creator': 'make.py'}
    tif.write(tczyx('uint16', 64, 96), subifds=2, tile=(32, 32), metadata=metadata, **options)
    tif.write(tczyx('uint16', 32, 48), subfiletype=1, tile=(16, 16), **options)
    tif.write(tczyx('uint16', 16, 24), subfiletype=1, **options)

stack = numpy.moveaxis(tczyx('uint16'), 1, 2)
imagej = {'axes': 'TZCYX', 'spacing': 0.5, 'unit': 'um', 'finterval': 2.0}
tifffile.imwrite(HERE / 'imagej.tif', stack, imagej=True, metadata=imagej, resolution=(10, 10), software=False)
# As ImageJ does beyond 4 GB: one directory, all planes after one another.
tifffile.imwrite(HERE / 'imagej-contiguous.tif', stack, imagej=True, metadata=imagej, software=False)
file = HERE / 'imagej-contiguous.tif'
with tifffile.TiffFile(file) as tif:
    # tifffile writes the directories in a row; the chain ends after the first.
    order, first = tif.byteorder, tif.pages[0].offset
data = bytearray(file.read_bytes())
entries = int.from_bytes(data[first:first + 2], 'big' if order == '>' else 'little')
data[first + 2 + 12 * entries:first + 6 + 12 * entries] = bytes(4)
file.write_bytes(data)

tifffile.imwrite(HERE / 'plain.tif', planes(1, 1, 3, 23, 37, 'uint8')[0, 0], metadata=None, software='make.py',
                 datetime='2020:01:02 03:04:05', photometric='miniswhite', resolution=(10, 20), resolutionunit='CENTIMETER',
                 extratags=[(65000, 2, 0, 'private', True), (34675, 7, 3, b'ICC', True)])
