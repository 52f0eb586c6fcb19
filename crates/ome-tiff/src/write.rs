//! Writing: one little-endian TIFF file with pages of tiles, each with its reduced copies.
//!
//! Chunks come first, in whatever order they are ready, and all directories behind them, together, so that readers
//! find them in one place. The header is written last: until then the file is no TIFF, and whether it becomes
//! BigTIFF is decided by its true size.

mod directory;

use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;

use fairzarr_pixel::SampleType;
use fairzarr_tiff_codec::{Compression, Predictor, SampleFormat};

use crate::types::Grid;
use directory::{Field, Offsets};

/// How the pages of one kind are laid out: an image's, or those of one of its levels.
#[derive(Clone, Debug)]
pub struct PageForm {
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// Samples of a pixel, which lie side by side: 3 for RGB.
    pub samples: u16,
    /// What a sample is.
    pub sample_type: SampleType,
    /// Tiles, whose sides are multiples of 16, or one strip that is as large as the page.
    pub grid: Grid,
    /// None, Deflate or Zstandard.
    pub compression: Compression,
    /// Whether integers of one and two bytes are stored as differences, which compress better. ImageJ 1 undoes them for
    /// LZW alone, and shows wrong samples otherwise.
    pub predictor: bool,
    /// What else its directory says; in place of what it would say by itself.
    pub tags: Vec<ExtraTag>,
}

/// A tag beside those that say how a page is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraTag {
    /// Its number.
    pub code: u16,
    /// Number of the field type.
    pub field_type: u16,
    /// Values.
    pub count: u64,
    /// Their bytes, little-endian; not empty.
    pub bytes: Vec<u8>,
}

/// Where a chunk lies in the file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Chunk {
    /// Its first byte.
    pub offset: u64,
    /// Its bytes.
    pub len: u64,
}

/// One directory of the chain: a plane, and its reduced copies.
#[derive(Clone, Debug)]
pub struct Page {
    /// How it is laid out.
    pub form: Arc<PageForm>,
    /// All chunks, row by row.
    pub chunks: Vec<Chunk>,
    /// Reduced copies, the largest first (SubIFDs).
    pub reduced: Vec<Page>,
}

/// A file that is being written.
#[derive(Debug)]
pub struct TiffWriter<W> {
    out: W,
    at: u64,
}

impl PageForm {
    /// Rows and columns of the grid of chunks.
    pub fn chunks(&self) -> (u32, u32) {
        (self.height.div_ceil(self.grid.height.max(1)), self.width.div_ceil(self.grid.width.max(1)))
    }

    /// Bytes of a chunk's samples, as [`Self::pack`] takes them.
    pub fn chunk_bytes(&self) -> usize {
        let pixels = self.grid.height as usize * self.grid.width as usize;
        pixels * usize::from(self.samples) * self.sample_type.bytes()
    }

    /// A chunk's samples, row by row and little-endian, in the form that is compressed: differences if they are asked for,
    /// bits where the type is `bit`.
    pub fn pack(&self, mut samples: Vec<u8>) -> Vec<u8> {
        let row = self.grid.width as usize * usize::from(self.samples);
        let bytes = self.sample_type.bytes();
        if self.sample_type == SampleType::Bit {
            let bits =
                |bits: &[u8]| bits.iter().enumerate().fold(0, |all, (n, bit)| all | (bit & 1) << (7 - n));
            return samples.chunks(row.max(1)).flat_map(|row| row.chunks(8).map(bits)).collect();
        }
        if self.predictor() == Predictor::Horizontal {
            for row in samples.chunks_mut((row * bytes).max(1)) {
                difference(row, usize::from(self.samples), bytes);
            }
        }
        samples
    }

    /// Differences are for integers of one and two bytes, where they help most and every reader knows them.
    fn predictor(&self) -> Predictor {
        use SampleType::{Int8, Int16, Uint8, Uint16};
        let fits = matches!(self.sample_type, Int8 | Uint8 | Int16 | Uint16);
        if self.predictor && fits && self.compression != Compression::None {
            Predictor::Horizontal
        } else {
            Predictor::None
        }
    }

    fn format(&self) -> SampleFormat {
        match self.sample_type {
            SampleType::Int8 | SampleType::Int16 | SampleType::Int32 | SampleType::Int64 => SampleFormat::Int,
            SampleType::Float16 | SampleType::Float | SampleType::Double => SampleFormat::Float,
            SampleType::ComplexFloat | SampleType::ComplexDouble => SampleFormat::ComplexFloat,
            _ => SampleFormat::Uint,
        }
    }
}

/// Replaces each sample of a row by its difference to the one before it in the same channel (TIFF 6.0, section 14).
fn difference(row: &mut [u8], samples: usize, bytes: usize) {
    let step = samples * bytes;
    if bytes == 1 {
        for at in (step..row.len()).rev() {
            row[at] = row[at].wrapping_sub(row[at - step]);
        }
    } else {
        for at in (step..row.len().saturating_sub(1)).step_by(2).rev() {
            let value = |at: usize| u16::from_le_bytes([row[at], row[at + 1]]);
            let difference = value(at).wrapping_sub(value(at - step));
            row[at..at + 2].copy_from_slice(&difference.to_le_bytes());
        }
    }
}

impl<W: Write + Seek> TiffWriter<W> {
    /// Begins a file; room is left for its header.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&[0; HEADER as usize])?;
        Ok(Self { out, at: HEADER })
    }

    /// Appends the stored bytes of a chunk; its page is told where they lie by [`Self::finish`].
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn chunk(&mut self, stored: &[u8]) -> io::Result<Chunk> {
        let chunk = Chunk { offset: self.at, len: stored.len() as u64 };
        self.out.write_all(stored)?;
        self.at += chunk.len;
        // Offsets are even by the letter of TIFF.
        if !self.at.is_multiple_of(2) {
            self.out.write_all(&[0])?;
            self.at += 1;
        }
        Ok(chunk)
    }

    /// Writes the directories of all pages in order, with `description` in the first, and then the header. Gives
    /// back what was written to, and whether that is a BigTIFF: whether it is too large for offsets of 32 bits.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn finish(self, pages: &[Page], description: &str) -> io::Result<(W, bool)> {
        let bound = pages.iter().map(most_bytes).fold(description.len() as u64, u64::saturating_add);
        let offsets = match u32::try_from(self.at.saturating_add(bound)) {
            Ok(_) => Offsets::Short,
            Err(_) => Offsets::Long,
        };
        self.finish_with(offsets, pages, description)
    }

    fn finish_with(mut self, offsets: Offsets, pages: &[Page], description: &str) -> io::Result<(W, bool)> {
        // Directories begin at multiples of 8, as BigTIFF has it.
        let padding = self.at.next_multiple_of(8) - self.at;
        self.out.write_all(&[0; 8][..padding as usize])?;
        let first = self.at + padding;
        let mut at = first;
        for (n, page) in pages.iter().enumerate() {
            let description = (n == 0).then_some(description);
            let bytes = directories(offsets, at, page, description, n + 1 == pages.len());
            self.out.write_all(&bytes)?;
            at += bytes.len() as u64;
        }
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&offsets.header(first))?;
        self.out.flush()?;
        Ok((self.out, offsets == Offsets::Long))
    }
}

/// Bytes at the start that both kinds of header fit into.
const HEADER: u64 = 16;

/// What the directories of a page take at most.
fn most_bytes(page: &Page) -> u64 {
    let values = 16 * page.chunks.len() as u64 + 8 * u64::from(page.form.samples) + 1024;
    page.reduced.iter().map(most_bytes).fold(values, u64::saturating_add)
}

/// The directory of a page that is to stand at `at`, what it refers to, and the directories of its reduced copies.
fn directories(offsets: Offsets, at: u64, page: &Page, description: Option<&str>, last: bool) -> Vec<u8> {
    let mut fields = directory::fields(page, offsets);
    if let Some(text) = description {
        fields.push(Field::text(crate::container::tag::IMAGE_DESCRIPTION, text));
    }
    // Where the copies lie is known once it is known how long the page's own directory is.
    let own = |copies: &[u64], next: u64| {
        let mut fields = fields.clone();
        if !copies.is_empty() {
            fields.push(Field::offsets(crate::container::tag::SUB_IFDS, copies, offsets));
        }
        directory::directory(offsets, at, fields, next)
    };
    let mut end = at + own(&vec![0; page.reduced.len()], 0).len() as u64;
    let (mut places, mut copies) = (Vec::new(), Vec::new());
    for copy in &page.reduced {
        places.push(end);
        let mut fields = directory::fields(copy, offsets);
        fields.push(Field::long(crate::container::tag::NEW_SUBFILE_TYPE, 1));
        let bytes = directory::directory(offsets, end, fields, 0);
        end += bytes.len() as u64;
        copies.extend(bytes);
    }
    let mut bytes = own(&places, if last { 0 } else { end });
    bytes.extend(copies);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fileset, PlaneIndex, Region, Scratch};
    use fairzarr_tiff_codec::Encoder;

    const XML: &str = r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">
        <Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="70" SizeY="40" SizeZ="3" SizeC="1" SizeT="1"
        PhysicalSizeX="0.5" PhysicalSizeXUnit="µm"><TiffData IFD="0" PlaneCount="3"/></Pixels></Image></OME>"#;

    fn form(height: u32, width: u32) -> Arc<PageForm> {
        Arc::new(PageForm {
            height,
            width,
            samples: 1,
            sample_type: SampleType::Uint16,
            grid: Grid { tiled: true, height: 32, width: 48 },
            compression: Compression::Deflate,
            predictor: true,
            tags: Vec::new(),
        })
    }

    fn value(page: usize, y: usize, x: usize) -> u16 {
        (page * 40_000 + y * 301 + x * 7) as u16
    }

    fn page(writer: &mut TiffWriter<std::fs::File>, page: usize, form: &Arc<PageForm>) -> Page {
        let (down, across) = form.chunks();
        let mut chunks = Vec::new();
        for (row, col) in (0..down as usize).flat_map(|row| (0..across as usize).map(move |col| (row, col))) {
            let pixels = (0..32).flat_map(|y| (0..48).map(move |x| (row * 32 + y, col * 48 + x)));
            let samples = pixels.flat_map(|(y, x)| value(page, y, x).to_le_bytes()).collect();
            let stored = Encoder::new(form.compression).unwrap().encode(form.pack(samples)).unwrap();
            chunks.push(writer.chunk(&stored).unwrap());
        }
        Page { form: Arc::clone(form), chunks, reduced: Vec::new() }
    }

    #[test]
    fn both_kinds_of_file_are_read_back() {
        let dir = tempfile::tempdir().unwrap();
        for (offsets, magic) in [(Offsets::Short, 42), (Offsets::Long, 43)] {
            let path = dir.path().join(format!("{magic}.ome.tif"));
            let mut writer = TiffWriter::new(std::fs::File::create(&path).unwrap()).unwrap();
            let pages: Vec<Page> = (0..3)
                .map(|n| {
                    let reduced =
                        vec![page(&mut writer, n, &form(20, 35)), page(&mut writer, n, &form(10, 18))];
                    Page { reduced, ..page(&mut writer, n, &form(40, 70)) }
                })
                .collect();
            let (_, big) = writer.finish_with(offsets, &pages, XML).unwrap();
            assert_eq!(big, magic == 43);
            assert_eq!(std::fs::read(&path).unwrap()[2], magic);
            let set = Fileset::open(&path).unwrap();
            assert_eq!(set.warnings().len(), 0, "{:?}", set.warnings());
            assert_eq!(set.document().unwrap().text(), XML);
            let image = &set.images()[0];
            assert_eq!(image.levels().len(), 3);
            for (level, (h, w)) in [(40, 70), (20, 35), (10, 18)].into_iter().enumerate() {
                for z in 0..3 {
                    let mut found = vec![0; h * w * 2];
                    let plane = PlaneIndex { t: 0, group: 0, z };
                    let region = Region { y: 0, x: 0, h: h as u32, w: w as u32 };
                    image.read(level, plane, region, &mut found, &mut Scratch::new()).unwrap();
                    let pixels = (0..h).flat_map(|y| (0..w).map(move |x| (y, x)));
                    let expected: Vec<u8> =
                        pixels.flat_map(|(y, x)| value(z as usize, y, x).to_le_bytes()).collect();
                    assert!(found == expected, "{magic}: level {level}, z {z}");
                }
            }
        }
    }

    /// A disk of which only the positions are kept: what is beyond 4 GiB needs no 4 GiB.
    #[derive(Default)]
    struct Positions {
        at: u64,
        header: Vec<u8>,
    }

    impl Write for Positions {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.at == 0 {
                self.header = bytes.to_vec();
            }
            self.at += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Positions {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            if let SeekFrom::Start(at) = to {
                self.at = at;
            }
            Ok(self.at)
        }
    }

    #[test]
    fn more_than_four_gigabytes_make_a_bigtiff() {
        for (chunks, expected) in [(3, false), (5, true)] {
            let mut writer = TiffWriter::new(Positions::default()).unwrap();
            let gigabyte = vec![0; 1 << 30];
            let chunks = (0..chunks).map(|_| writer.chunk(&gigabyte).unwrap()).collect();
            let page = Page { form: form(32, 48), chunks, reduced: Vec::new() };
            let (written, big) = writer.finish(&[page], XML).unwrap();
            assert_eq!(big, expected);
            assert_eq!(written.header[2], if expected { 43 } else { 42 });
        }
    }
}
