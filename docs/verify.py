"""Compares the samples of an OME-TIFF with those of its OME-Zarr, and both, and all metadata, with the digests recorded there.

    pip install numpy tifffile imagecodecs zarr xxhash
    python verify.py [SOURCE.ome.tiff] STORE.ome.zarr

Made from docs/digests.md; no code of fairzarr is used. Exits with 1 if anything differs.
"""

import hashlib
import json
import struct
import sys
from itertools import count
from pathlib import Path

import numpy
import tifffile
import xxhash
import zarr

ALGORITHM, TILE = "sum of xxh3-128 of rows, seeded by row", 512


def images(root):
    """Path, metadata and arrays of all images in series order."""
    ome = lambda group: group.attrs.get("ome", group.attrs)
    paths = [""] if "multiscales" in ome(root) else ome(root["OME"]).get("series") if "OME" in root else None
    for path in paths or map(str, count()):
        if path and path not in root:
            return
        group = root[path] if path else root
        multiscale = ome(group)["multiscales"][0]
        yield path or "/", multiscale, [group[dataset["path"]] for dataset in multiscale["datasets"]]


def little_endian(samples):
    return numpy.ascontiguousarray(samples.astype(samples.dtype.newbyteorder("<")))


def digest(tile):
    """Of one tile, [y, x]."""
    return sum(xxhash.xxh3_128_intdigest(row.tobytes(), y) for y, row in enumerate(little_endian(tile))) % 2**128


def source_samples(level, axes):
    """Those of a level of the source, with the axes of the store; the samples of an RGB pixel are channels there."""
    samples, names = level.asarray(), level.axes.upper()
    for axis in "SC" if "S" in names else "":
        if axis in names:
            samples, names = numpy.moveaxis(samples, names.index(axis), 0), axis + names.replace(axis, "")
    if names.startswith("CS"):
        samples = samples.reshape(-1, *samples.shape[2:])
    names = names.replace("CS", "C").replace("S", "C")
    for axis in axes:
        if axis not in names:
            samples, names = samples[None], axis + names
    extra = tuple(n for n, axis in enumerate(names) if axis not in axes)
    return samples.squeeze(extra).transpose([[a for a in names if a in axes].index(axis) for axis in axes])


def canonical(value, without):
    """The canonical form of JSON, as docs/digests.md has it."""
    if isinstance(value, dict):
        members = sorted((name, member) for name, member in value.items() if name != without)
        return "{" + ",".join(f"{canonical(n, None)}:{canonical(m, without)}" for n, m in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(item, without) for item in value) + "]"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if isinstance(value, int) and -(2**63) <= value < 2**64:
            return str(value)
        value = float(value)
        whole = value.is_integer() and abs(value) < 2**53
        return str(int(value)) if whole else "x" + struct.pack(">d", value).hex()
    return json.dumps(value, ensure_ascii=False)


def unique(members):
    assert len(dict(members)) == len(members), "a member is there twice"
    return dict(members)


def json_digest(data, without=None):
    value = json.loads(data.decode(), object_pairs_hook=unique)
    return hashlib.sha256(canonical(value, without).encode()).hexdigest()


def manifest_differences(store, root):
    """Objects that are not as OME/manifest.json lists them."""
    named, place = root.attrs.get("fairzarr:manifest"), Path(store) / "OME/manifest.json"
    if not named and not place.exists() and "manifest" not in root.attrs.get("fairzarr:conversion", {}):
        print("no manifest was recorded")
        return
    digest = json_digest(place.read_bytes()) if place.exists() else None
    if named != {"path": "OME/manifest.json", "sha256": digest}:
        yield "OME/manifest.json is not what the root names"
    objects = json.loads(place.read_bytes())["objects"] if place.exists() else {}
    for key, recorded in objects.items():
        try:
            data = (Path(store) / key).read_bytes()
            without = None if "/" in key else "fairzarr:manifest"
            digest = json_digest(data, without) if "json" in recorded else hashlib.sha256(data).hexdigest()
            if digest != recorded.get("json", recorded.get("bytes")):
                yield f"{key} is not what was recorded"
        except (OSError, ValueError, AssertionError) as error:
            yield f"{key} cannot be read: {error}"
    print(f"{len(objects)} objects of the manifest compared")


def main(*paths):
    root, tiles = zarr.open_group(paths[-1], mode="r"), 0
    wrong = list(manifest_differences(paths[-1], root))
    source = tifffile.TiffFile(paths[0]) if len(paths) == 2 else None
    recorded = root["OME/digests"]
    assert recorded.attrs["algorithm"] == ALGORITHM and recorded.attrs["tile_height"] == TILE, "another scheme"
    places = {(image, 0): place for image, place in enumerate(recorded.attrs["images"])}
    places |= {(image, level): place for image, level, *place in recorded.attrs.get("levels", [])}
    digests = [int(low) | int(high) << 64 for low, high in recorded[...]]
    for image, (path, multiscale, arrays) in enumerate(images(root)):
        # Version 0.6 has the axes in a coordinate system.
        axes = multiscale.get("axes") or multiscale["coordinateSystems"][0]["axes"]
        axes = "".join(axis["name"] for axis in axes).upper()
        for level, array in enumerate(arrays):
            if (image, level) not in places:
                continue  # A level that was computed.
            (start, planes, rows, columns, width), name = places[image, level], f"image {image} ({path}), level {level}"
            samples = array[...]
            if source:
                original = source_samples(source.series[image].levels[level], axes)
                if original.shape != samples.shape or little_endian(original).tobytes() != little_endian(samples).tobytes():
                    wrong.append(f"{name}: samples differ from the source")
            if width == 0:
                print(f"{name}: digests of stored chunks, which this program does not look at")
                continue
            flat = samples.reshape(-1, *samples.shape[-2:])
            grid = [len(flat), -(-flat.shape[1] // TILE), -(-flat.shape[2] // width)]
            assert grid == [planes, rows, columns], f"{name}: {grid} tiles, recorded are {[planes, rows, columns]}"
            for at, (plane, row, column) in enumerate(numpy.ndindex(*grid), start):
                tile = flat[plane, row * TILE : (row + 1) * TILE, column * width : (column + 1) * width]
                if digest(tile) != digests[at]:
                    wrong.append(f"{name}, plane {plane}, tile {row}, {column}: its digest is not the recorded one")
                tiles += 1
    print(*wrong, f"{tiles} digests computed, {len(wrong)} differences", sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
