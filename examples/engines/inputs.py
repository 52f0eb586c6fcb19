"""Makes what the examples convert: one image, and a folder of small files. Only numpy is needed.

python inputs.py FOLDER MEBIBYTES FILES
"""

import struct
import sys
from pathlib import Path

import numpy as np

OME = (
    '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    '<Image ID="Image:0" Name="{name}"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="{side}" '
    'SizeY="{side}" SizeZ="{planes}" SizeC="1" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeY="0.5">'
    '<Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>'
)


def write(path: Path, side: int, planes: int, seed: int) -> None:
    """Writes planes of noise on a slope, one strip each, uncompressed: BigTIFF, little-endian."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(0, 3000, side, dtype="<u2")
    text = OME.format(name=path.name.split(".")[0], side=side, planes=planes).encode() + b"\0"
    text += b"\0" * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0))
        file.write(text)
        link = 8
        for plane in range(planes):
            samples_at = file.tell()
            file.write((slope[None, :] + rng.integers(0, 256, (side, side), "<u2")).astype("<u2").tobytes())
            file.write(b"\0" * (-file.tell() % 8))
            at = file.tell()
            entries = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1)]
            if plane == 0:
                entries.append((270, 2, len(text), 16))
            entries += [(273, 16, 1, samples_at), (277, 3, 1, 1), (278, 4, 1, side), (279, 16, 1, side * side * 2)]
            file.write(struct.pack("<Q", len(entries)))
            for tag, kind, count, value in entries:
                file.write(struct.pack("<HHQQ", tag, kind, count, value))
            end = file.tell()
            file.write(struct.pack("<Q", 0))
            file.seek(link)
            file.write(struct.pack("<Q", at))
            file.seek(0, 2)
            link = end


def main() -> None:
    """Writes image.ome.tif and files/000.ome.tif and so on."""
    folder, mebibytes, files = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    (folder / "files").mkdir(parents=True, exist_ok=True)
    # A plane of 1024 x 1024 samples is 2 MiB.
    write(folder / "image.ome.tif", 1024, max(1, mebibytes // 2), 0)
    for n in range(files):
        write(folder / "files" / f"{n:03}.ome.tif", 128, 2, n + 1)


main()
