//! OME-TIFF files of any shape, with samples that a formula gives.

use std::fmt::Write;
use std::io::Write as _;
use std::path::Path;

/// One file.
pub(crate) struct Tiff {
    pub(crate) images: Vec<Picture>,
    pub(crate) big_endian: bool,
    pub(crate) blocks: Blocks,
    /// Directories at the end that the OME-XML promises and the file lacks.
    pub(crate) lacking: usize,
    pub(crate) packing: Packing,
    /// Interleaved channels lie apart after all, in tiles or strips of their own.
    pub(crate) planar: bool,
    /// Tiles or strips at the start of each directory that are not stored.
    pub(crate) sparse: usize,
    /// Height and width of reduced copies of each plane, in directories that its own points to.
    pub(crate) reduced: Vec<(usize, usize)>,
    /// A description in place of the one that says what there is.
    pub(crate) described: Option<String>,
}

/// How tiles and strips are compressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Packing {
    None,
    Deflate,
    /// Under the code from before it was registered.
    OldDeflate,
    Zstd,
    /// In frames that do not say how much they hold.
    ZstdStream,
}

/// How a plane is cut.
#[derive(Clone, Copy)]
pub(crate) enum Blocks {
    /// Rows of a strip.
    Strips(usize),
    /// Height and width.
    Tiles(usize, usize),
}

/// One image.
#[derive(Clone)]
pub(crate) struct Picture {
    pub(crate) sample: Sample,
    /// Sizes of t, c, z, y, x.
    pub(crate) size: [usize; 5],
    /// Channels that are interleaved in a plane: 1, or 3 for RGB.
    pub(crate) interleaved: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sample {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    F64,
}

impl Tiff {
    /// A little-endian file with one image in strips of 16 rows.
    pub(crate) fn of(sample: Sample, size: [usize; 5]) -> Self {
        Self::many(vec![Picture { sample, size, interleaved: 1 }])
    }

    pub(crate) fn many(images: Vec<Picture>) -> Self {
        Self {
            images,
            big_endian: false,
            blocks: Blocks::Strips(16),
            lacking: 0,
            packing: Packing::None,
            planar: false,
            sparse: 0,
            reduced: Vec::new(),
            described: None,
        }
    }

    pub(crate) fn write(&self, path: &Path) {
        std::fs::write(path, self.bytes()).unwrap();
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut file = File { bytes: Vec::new(), big_endian: self.big_endian };
        file.bytes.extend_from_slice(if self.big_endian { b"MM" } else { b"II" });
        file.u16(42);
        let mut link = file.bytes.len();
        file.u32(0);
        let xml = self.described.clone().unwrap_or_else(|| self.xml());
        let planes: Vec<_> =
            self.images.iter().flat_map(|image| image.planes().map(move |p| (image, p))).collect();
        for (n, (image, plane)) in planes[..planes.len() - self.lacking].iter().enumerate() {
            let description = (n == 0).then_some(xml.as_str());
            let mut reduced = Vec::new();
            for size in &self.reduced {
                let tags = self.page(&mut file, image, *plane, *size);
                reduced.push(file.directory(&tags).0 as u32);
            }
            let mut tags = self.page(&mut file, image, *plane, (image.size[3], image.size[4]));
            tags.extend(description.map(|xml| (270, Field::Text(xml.into()))));
            if !reduced.is_empty() {
                tags.push((330, Field::Long(reduced)));
            }
            tags.sort_by_key(|(tag, _)| *tag);
            let (here, next) = file.directory(&tags);
            let here = file.number((here as u32).to_be_bytes());
            file.bytes[link..link + 4].copy_from_slice(&here);
            link = next;
        }
        file.bytes
    }

    /// Writes the tiles or strips of a plane, reduced to a size, and gives the tags that describe them.
    fn page(
        &self,
        file: &mut File,
        image: &Picture,
        [t, c, z]: [usize; 3],
        (height, width): (usize, usize),
    ) -> Vec<(u16, Field)> {
        let (rows, cols) = match self.blocks {
            Blocks::Strips(rows) => (rows.min(height), width),
            Blocks::Tiles(rows, cols) => (rows, cols),
        };
        let (mut offsets, mut counts) = (Vec::new(), Vec::new());
        let apart = if self.planar { image.interleaved } else { 1 };
        for (first, top) in (0..apart).flat_map(|s| (0..height).step_by(rows).map(move |top| (s, top))) {
            for left in (0..width).step_by(cols) {
                if offsets.len() < self.sparse {
                    offsets.push(0);
                    counts.push(0);
                    continue;
                }
                let tiled = matches!(self.blocks, Blocks::Tiles(..));
                let bottom = if tiled { top + rows } else { (top + rows).min(height) };
                let start = file.bytes.len();
                for y in top..bottom {
                    for x in left..left + cols {
                        for s in first..first + image.interleaved / apart {
                            // What lies beyond the image in a tile is not part of it.
                            let value = image.value(image.full([t, c + s, z, y, x], (height, width)));
                            file.sample(image.sample, value);
                        }
                    }
                }
                let block = self.packing.pack(file.bytes.split_off(start));
                file.bytes.extend_from_slice(&block);
                offsets.push(start as u32);
                counts.push(block.len() as u32);
            }
        }
        self.tags(image, (height, width), (rows, cols), &offsets, &counts)
    }

    fn tags(
        &self,
        image: &Picture,
        (height, width): (usize, usize),
        (rows, cols): (usize, usize),
        offsets: &[u32],
        counts: &[u32],
    ) -> Vec<(u16, Field)> {
        let short = |n: usize| Field::Short(vec![n as u16]);
        let long = |n: usize| Field::Long(vec![n as u32]);
        let format = match image.sample {
            Sample::U8 | Sample::U16 | Sample::U32 => 1,
            Sample::I8 | Sample::I16 | Sample::I32 => 2,
            Sample::F32 | Sample::F64 => 3,
        };
        let mut tags = vec![
            (256, long(width)),
            (257, long(height)),
            (258, Field::Short(vec![image.sample.bytes() as u16 * 8; image.interleaved])),
            (259, short(self.packing.code())),
            (262, short(if image.interleaved == 3 { 2 } else { 1 })),
            (277, short(image.interleaved)),
            (284, short(if self.planar { 2 } else { 1 })),
            (339, Field::Short(vec![format; image.interleaved])),
        ];
        match self.blocks {
            Blocks::Strips(_) => tags.extend([
                (273, Field::Long(offsets.into())),
                (278, long(rows)),
                (279, Field::Long(counts.into())),
            ]),
            Blocks::Tiles(..) => tags.extend([
                (322, long(cols)),
                (323, long(rows)),
                (324, Field::Long(offsets.into())),
                (325, Field::Long(counts.into())),
            ]),
        }
        tags
    }

    fn xml(&self) -> String {
        let mut xml = String::from(
            r#"<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">"#,
        );
        let mut ifd = 0;
        for (n, image) in self.images.iter().enumerate() {
            let [t, c, z, y, x] = image.size;
            let planes = image.planes().count();
            write!(
                xml,
                r#"<Image ID="Image:{n}" Name="picture {n}"><Pixels ID="Pixels:{n}" DimensionOrder="XYZCT" Type="{}" SizeX="{x}" SizeY="{y}" SizeZ="{z}" SizeC="{c}" SizeT="{t}" BigEndian="{}" PhysicalSizeX="0.5" PhysicalSizeY="0.25">"#,
                image.sample.ome(),
                self.big_endian,
            )
            .unwrap();
            for channel in 0..c / image.interleaved {
                let samples = image.interleaved;
                write!(xml, r#"<Channel ID="Channel:{n}:{channel}" SamplesPerPixel="{samples}"/>"#).unwrap();
            }
            write!(xml, r#"<TiffData IFD="{ifd}" PlaneCount="{planes}"/></Pixels></Image>"#).unwrap();
            ifd += planes;
        }
        xml + "</OME>"
    }
}

impl Packing {
    fn code(self) -> usize {
        match self {
            Self::None => 1,
            Self::Deflate => 8,
            Self::OldDeflate => 32946,
            Self::Zstd | Self::ZstdStream => 50000,
        }
    }

    fn pack(self, samples: Vec<u8>) -> Vec<u8> {
        match self {
            Self::None => samples,
            Self::Deflate | Self::OldDeflate => {
                let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                zlib.write_all(&samples).unwrap();
                zlib.finish().unwrap()
            }
            Self::Zstd => zstd::bulk::compress(&samples, 1).unwrap(),
            Self::ZstdStream => zstd::stream::encode_all(samples.as_slice(), 1).unwrap(),
        }
    }
}

impl Picture {
    /// The sample at t, c, z, y, x: a slope with some noise, exact in every type.
    pub(crate) fn value(&self, [t, c, z, y, x]: [usize; 5]) -> f64 {
        let place = (((t * 7 + c) * 11 + z) * 8191 + y) * 8191 + x;
        let noise = (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59;
        let slope = (t * 101 + c * 31 + z * 7 + y * 3 + x) as u64 + noise;
        match self.sample {
            Sample::U8 => (slope % 256) as f64,
            Sample::I8 => (slope % 256) as f64 - 128.0,
            Sample::U16 => (slope * 37 % 65_536) as f64,
            Sample::I16 => (slope * 37 % 65_536) as f64 - 32_768.0,
            Sample::U32 => (slope * 40_009_001 % (1 << 32)) as f64,
            Sample::I32 => (slope * 40_009_001 % (1 << 32)) as f64 - f64::from(1u32 << 31),
            Sample::F32 | Sample::F64 => slope as f64 / 8.0 - 100.0,
        }
    }

    /// One plane in row-major order.
    pub(crate) fn plane(&self, plane: [usize; 3]) -> Vec<f64> {
        self.reduced_plane(plane, (self.size[3], self.size[4]))
    }

    /// The same of a reduced copy.
    pub(crate) fn reduced_plane(&self, [t, c, z]: [usize; 3], size: (usize, usize)) -> Vec<f64> {
        let value = |y, x| self.value(self.full([t, c, z, y, x], size));
        (0..size.0).flat_map(|y| (0..size.1).map(move |x| value(y, x))).collect()
    }

    /// Where the sample of a reduced copy was taken. It is a single one, so that none is taken for a mean.
    fn full(&self, [t, c, z, y, x]: [usize; 5], (height, width): (usize, usize)) -> [usize; 5] {
        [t, c, z, y * self.size[3] / height, x * self.size[4] / width]
    }

    /// t, first c, z of each stored plane in the order of the file.
    fn planes(&self) -> impl Iterator<Item = [usize; 3]> + use<> {
        let [t, c, z, ..] = self.size;
        let interleaved = self.interleaved;
        (0..t)
            .flat_map(move |t| (0..c).step_by(interleaved).flat_map(move |c| (0..z).map(move |z| [t, c, z])))
    }
}

impl Sample {
    pub(crate) const ALL: [Self; 8] =
        [Self::U8, Self::I8, Self::U16, Self::I16, Self::U32, Self::I32, Self::F32, Self::F64];

    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    pub(crate) fn ome(self) -> &'static str {
        match self {
            Self::U8 => "uint8",
            Self::I8 => "int8",
            Self::U16 => "uint16",
            Self::I16 => "int16",
            Self::U32 => "uint32",
            Self::I32 => "int32",
            Self::F32 => "float",
            Self::F64 => "double",
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

enum Field {
    Short(Vec<u16>),
    Long(Vec<u32>),
    Text(String),
}

struct File {
    bytes: Vec<u8>,
    big_endian: bool,
}

impl File {
    /// Appends a directory; returns its place, and that of its link to the next one.
    fn directory(&mut self, tags: &[(u16, Field)]) -> (usize, usize) {
        let mut placed = Vec::new();
        for (tag, field) in tags {
            let start = self.bytes.len();
            let (kind, count) = match field {
                Field::Short(values) => {
                    for value in values {
                        self.u16(*value);
                    }
                    (3, values.len())
                }
                Field::Long(values) => {
                    for value in values {
                        self.u32(*value);
                    }
                    (4, values.len())
                }
                Field::Text(text) => {
                    self.bytes.extend_from_slice(text.as_bytes());
                    self.bytes.push(0);
                    (2, text.len() + 1)
                }
            };
            let value = if self.bytes.len() - start <= 4 {
                let mut value = self.bytes.split_off(start);
                value.resize(4, 0);
                value
            } else {
                self.number::<4>((start as u32).to_be_bytes()).to_vec()
            };
            placed.push((*tag, kind, count as u32, value));
        }
        self.bytes.resize(self.bytes.len().next_multiple_of(2), 0);
        let here = self.bytes.len();
        self.u16(placed.len() as u16);
        for (tag, kind, count, value) in placed {
            self.u16(tag);
            self.u16(kind);
            self.u32(count);
            self.bytes.extend_from_slice(&value);
        }
        self.u32(0);
        (here, self.bytes.len() - 4)
    }

    fn sample(&mut self, sample: Sample, value: f64) {
        match sample {
            Sample::U8 => self.put((value as u8).to_be_bytes()),
            Sample::I8 => self.put((value as i8).to_be_bytes()),
            Sample::U16 => self.put((value as u16).to_be_bytes()),
            Sample::I16 => self.put((value as i16).to_be_bytes()),
            Sample::U32 => self.put((value as u32).to_be_bytes()),
            Sample::I32 => self.put((value as i32).to_be_bytes()),
            Sample::F32 => self.put((value as f32).to_be_bytes()),
            Sample::F64 => self.put(value.to_be_bytes()),
        }
    }

    fn u16(&mut self, value: u16) {
        self.put(value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.put(value.to_be_bytes());
    }

    fn put<const N: usize>(&mut self, big_endian: [u8; N]) {
        let bytes = self.number(big_endian);
        self.bytes.extend_from_slice(&bytes);
    }

    fn number<const N: usize>(&self, mut big_endian: [u8; N]) -> [u8; N] {
        if !self.big_endian {
            big_endian.reverse();
        }
        big_endian
    }
}
