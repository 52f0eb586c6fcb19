#!/usr/bin/env python3
"""Makes the sources of the golden stores, in `sources/`: small OME-TIFFs and documents on a microscope, all invented.

    python3 sources.py

Standard library alone. The files are committed; another version of zlib may compress to other bytes, so they are made again
only for a new reason, and then all stores with them.
"""

import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).resolve().parent
NONE, DEFLATE = 1, 8
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
OME = '<?xml version="1.0" encoding="UTF-8"?>\n<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" Creator="golden sources">'


def main():
    (HERE / "sources").mkdir(exist_ok=True)
    single()
    several()
    plate()
    levels()


def single():
    """Two time points, two channels, three sections; an instrument, and what is known of each plane."""
    t, c, z, y, x = 2, 2, 3, 40, 36
    planes = [Page(x, y, 16, UNSIGNED, lambda yy, xx, n=n: (n * 997 + yy * 61 + xx * 13) % 4096, tile=16) for n in range(t * c * z)]
    described = "".join(
        f'<Plane TheZ="{zz}" TheC="{cc}" TheT="{tt}" DeltaT="{tt * 2.5 + zz * 0.25}" ExposureTime="0.0{cc + 1}" PositionX="{10 + tt}.5" PositionY="-4" PositionZ="{zz * 0.5}"/>'
        for tt in range(t) for cc in range(c) for zz in range(z)
    )
    xml = f"""{OME}
<Instrument ID="Instrument:0"><Microscope Manufacturer="Example Optics" Model="Stand 7" SerialNumber="S-1" Type="Inverted"/>
<Laser ID="LightSource:0" Manufacturer="Example Light" Model="L488" Power="20" Wavelength="488"/>
<Detector ID="Detector:0" Manufacturer="Example Cameras" Model="C1" Type="CMOS" Gain="2" Offset="100"/>
<Objective ID="Objective:0" Manufacturer="Example Optics" Model="Plan-Apo 63x/1.4" Immersion="Oil" LensNA="1.4" NominalMagnification="63" WorkingDistance="190"/></Instrument>
<Image ID="Image:0" Name="golden single"><AcquisitionDate>2024-03-14T10:00:00</AcquisitionDate><Description>Zellen &amp; Kerne, 5 µm</Description>
<InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0" RefractiveIndex="1.515"/>
<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SignificantBits="12" SizeX="{x}" SizeY="{y}" SizeZ="{z}" SizeC="{c}" SizeT="{t}" PhysicalSizeX="0.108" PhysicalSizeY="0.108" PhysicalSizeZ="0.5" TimeIncrement="2.5">
<Channel ID="Channel:0:0" Name="DAPI" SamplesPerPixel="1" ExcitationWavelength="405" EmissionWavelength="460" Color="65535"/>
<Channel ID="Channel:0:1" Name="GFP" SamplesPerPixel="1" ExcitationWavelength="488" EmissionWavelength="525" Color="16711935"><LightSourceSettings ID="LightSource:0" Attenuation="0.5"/><DetectorSettings ID="Detector:0" Binning="2x2"/></Channel>
<TiffData IFD="0" PlaneCount="{t * c * z}"/>{described}</Pixels></Image>
<StructuredAnnotations><MapAnnotation ID="Annotation:0"><Value><M K="strain">wild type</M></Value></MapAnnotation></StructuredAnnotations></OME>"""
    write("single.ome.tiff", xml, planes, DEFLATE)


def several():
    """Colour, big-endian floats, and one bit, in one file."""
    rgb = Page(24, 20, 8, UNSIGNED, lambda y, x, s: (y * 7 + x * 3 + s * 80) % 256, samples=3)
    floats = [Page(17, 19, 32, FLOAT, lambda y, x, n=n: n + y / 4 - x / 8) for n in range(2)]
    bit = Page(21, 9, 1, UNSIGNED, lambda y, x: (y * x) % 3 == 0)
    image = '<Image ID="Image:{n}" Name="{name}"><Pixels ID="Pixels:{n}" DimensionOrder="XYCZT" Type="{kind}" SizeX="{x}" SizeY="{y}" SizeZ="{z}" SizeC="{c}" SizeT="1"{more}>{inner}</Pixels></Image>'
    xml = (
        OME
        + image.format(n=0, name="colours", kind="uint8", x=24, y=20, z=1, c=3, more="", inner='<Channel ID="Channel:0:0" SamplesPerPixel="3"/><TiffData IFD="0" PlaneCount="1"/>')
        + image.format(n=1, name="floats", kind="float", x=17, y=19, z=2, c=1, more=' PhysicalSizeX="2" PhysicalSizeXUnit="nm"', inner='<Channel ID="Channel:1:0" SamplesPerPixel="1"/><TiffData IFD="1" PlaneCount="2"/>')
        + image.format(n=2, name="mask", kind="bit", x=21, y=9, z=1, c=1, more="", inner='<Channel ID="Channel:2:0" SamplesPerPixel="1"/><TiffData IFD="3" PlaneCount="1"/>')
        + "</OME>"
    )
    write("several.ome.tiff", xml, [rgb, *floats, bit], NONE, order=">")


def plate():
    """Two wells, one of them with two fields; and NBO XML that says the same of every image."""
    images = 3
    wells = '<Plate ID="Plate:0" Name="golden plate" Rows="2" Columns="3" RowNamingConvention="letter" ColumnNamingConvention="number">' + (
        '<Well ID="Well:0" Row="0" Column="0"><WellSample ID="WellSample:0" Index="0"><ImageRef ID="Image:0"/></WellSample><WellSample ID="WellSample:1" Index="1"><ImageRef ID="Image:1"/></WellSample></Well>'
        '<Well ID="Well:1" Row="1" Column="2"><WellSample ID="WellSample:2" Index="2"><ImageRef ID="Image:2"/></WellSample></Well></Plate>'
    )
    instrument = '<Instrument ID="Instrument:0"><Microscope Manufacturer="Example Optics" Model="Stand 7" SerialNumber="S-1" Type="Inverted"/><Objective ID="Objective:0" Model="O1" LensNA="0.8" NominalMagnification="20" WorkingDistance="600"/></Instrument>'
    described = "".join(
        f'<Image ID="Image:{n}" Name="field {n}"><AcquisitionDate>2024-03-14T10:0{n}:00</AcquisitionDate><InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/>'
        f'<Pixels ID="Pixels:{n}" DimensionOrder="XYCZT" Type="uint8" SizeX="16" SizeY="12" SizeZ="1" SizeC="2" SizeT="1" PhysicalSizeX="0.325" PhysicalSizeY="0.325">'
        f'<Channel ID="Channel:{n}:0" Name="DAPI" SamplesPerPixel="1"/><Channel ID="Channel:{n}:1" Name="GFP" SamplesPerPixel="1"/><TiffData IFD="{2 * n}" PlaneCount="2"/>'
        f'<Plane TheZ="0" TheC="0" TheT="0" ExposureTime="0.015"/><Plane TheZ="0" TheC="1" TheT="0" ExposureTime="0.025"/></Pixels></Image>'
        for n in range(images)
    )
    pages = [Page(16, 12, 8, UNSIGNED, lambda y, x, n=n: (n * 31 + y * 16 + x) % 256) for n in range(2 * images)]
    write("plate.ome.tiff", f"{OME}{wells}{instrument}{described}</OME>", pages, NONE)
    calibration = (
        '<OpticalCalibration ID="OpticalCalibration:1" Date="2024-02-01" TheoreticalXYSpotSize_FWHM="190" TheoreticalXYSpotSize_FWHMUnit="nm" MedianXYSpotSize_FWHM="228.50" MedianXYSpotSize_FWHMUnit="nm" SampleSize="25" CheckedNA="true"/>'
    )
    said = "".join(
        f'<Image ID="Image:{n}" Name="field {n}" AcquisitionDate="2024-03-14"><InstrumentRef ID="Instrument:0"/>{calibration}<Pixels ID="Pixels:{n}"/></Image>' for n in range(images)
    )
    nbo = (
        '<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11" Creator="golden sources"><Instrument ID="Instrument:0" Name="Screen 1">'
        '<InvertedMicroscopeStand ID="Microscope:0" Name="Stand" Type="Compound" Manufacturer="Example Optics" Model="Stand 7" CatalogNumber="S-1"/></Instrument>'
        f"{said}</OME>"
    )
    (HERE / "sources/plate-nbo.xml").write_text(nbo)


def levels():
    """Tiles that can be moved, and a reduced level as a SubIFD."""
    value = lambda y, x: (y * 5 + x * 11) % 65536
    reduced = Page(32, 24, 16, UNSIGNED, lambda y, x: value(2 * y, 2 * x), tile=16)
    page = Page(64, 48, 16, UNSIGNED, value, tile=16, reduced=[reduced])
    xml = f"""{OME}<Image ID="Image:0" Name="levels"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="64" SizeY="48" SizeZ="1" SizeC="1" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeY="0.5"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>"""
    write("levels.ome.tiff", xml, [page], DEFLATE)


class Page:
    """One directory: `value(y, x)` or, with several samples, `value(y, x, s)` gives its samples."""

    def __init__(self, width, height, bits, kind, value, samples=1, tile=None, reduced=()):
        self.width, self.height, self.bits, self.kind, self.samples = width, height, bits, kind, samples
        self.value, self.tile, self.reduced = value, tile, list(reduced)

    def row(self, y, left, width, order):
        values = []
        for x in range(left, left + width):
            inside = y < self.height and x < self.width
            for s in range(self.samples):
                place = (y, x, s) if self.samples > 1 else (y, x)
                values.append(self.value(*place) if inside else 0)
        if self.bits == 1:
            values += [0] * (-len(values) % 8)
            return bytes(sum(bool(v) << 7 - n for n, v in enumerate(values[at : at + 8])) for at in range(0, len(values), 8))
        form = {(8, UNSIGNED): "B", (16, UNSIGNED): "H", (32, FLOAT): "f"}[self.bits, self.kind]
        return struct.pack(f"{order}{len(values)}{form}", *values)

    def blocks(self, order):
        if self.tile is None:
            return [b"".join(self.row(y, 0, self.width, order) for y in range(self.height))]
        corners = [(y, x) for y in range(0, self.height, self.tile) for x in range(0, self.width, self.tile)]
        return [b"".join(self.row(y + dy, x, self.tile, order) for dy in range(self.tile)) for y, x in corners]


def write(name, xml, pages, compression, order="<"):
    """A classic TIFF."""
    out = bytearray(struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 0))

    def put(data):
        out.extend(b"\0" * (len(out) % 2))
        at = len(out)
        out.extend(data)
        return at

    def directory(page, description=None, reduced=False):
        """Writes a page with its levels; returns the place of the directory and that of its pointer to the next one."""
        below = [directory(level, reduced=True)[0] for level in page.reduced]
        blocks = [zlib.compress(block, 9) if compression == DEFLATE else block for block in page.blocks(order)]
        offsets = [put(block) for block in blocks]
        sizes = [len(block) for block in blocks]
        tags = {
            256: ("I", [page.width]), 257: ("I", [page.height]), 258: ("H", [page.bits] * page.samples), 259: ("H", [compression]),
            262: ("H", [2 if page.samples == 3 else 1]), 277: ("H", [page.samples]), 284: ("H", [1]), 339: ("H", [page.kind] * page.samples),
        }
        if reduced:
            tags[254] = ("I", [1])
        if description is not None:
            tags[270] = ("s", description.encode() + b"\0")
        if page.tile is None:
            tags |= {273: ("I", offsets), 278: ("I", [page.height]), 279: ("I", sizes)}
        else:
            tags |= {322: ("I", [page.tile]), 323: ("I", [page.tile]), 324: ("I", offsets), 325: ("I", sizes)}
        if below:
            tags[330] = ("I", below)
        entries = b""
        for tag, (form, values) in sorted(tags.items()):
            data = values if form == "s" else struct.pack(f"{order}{len(values)}{form}", *values)
            kind = {"s": 2, "H": 3, "I": 4}[form]
            held = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(order + "I", put(data))
            entries += struct.pack(order + "HHI", tag, kind, len(values)) + held
        at = put(struct.pack(order + "H", len(tags)) + entries + b"\0" * 4)
        return at, len(out) - 4

    link = 4
    for number, page in enumerate(pages):
        at, after = directory(page, xml if number == 0 else None)
        struct.pack_into(order + "I", out, link, at)
        link = after
    (HERE / "sources" / name).write_bytes(out)


if __name__ == "__main__":
    main()
