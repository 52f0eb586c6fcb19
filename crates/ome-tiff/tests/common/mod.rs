//! A small TIFF writer and sets in memory, for tests.

#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

use std::{collections::BTreeMap, io, sync::Arc};

use fairzarr_ome_tiff::{
    ByteSource, Error, Fileset, Image, OpenOptions, Opener, PlaneIndex, Region, Scratch,
};

/// Byte order and width of offsets.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    pub big_endian: bool,
    pub big_tiff: bool,
}

impl Form {
    pub const CLASSIC: Self = Self { big_endian: false, big_tiff: false };

    fn number(self, value: u64, len: usize) -> Vec<u8> {
        let mut bytes = value.to_le_bytes()[..len].to_vec();
        if self.big_endian {
            bytes.reverse();
        }
        bytes
    }

    /// A value of a field type as it stands in the file.
    fn values(self, field_type: u16, values: &[u64]) -> Vec<u8> {
        let len = match field_type {
            1 | 2 | 7 => 1,
            3 => 2,
            16 | 18 => 8,
            _ => 4,
        };
        values.iter().flat_map(|value| self.number(*value, len)).collect()
    }
}

/// One directory: tags, chunks, and the directories it points to.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub tags: BTreeMap<u16, (u16, Vec<u64>)>,
    /// Stored chunks in their order; empty ones are marked as sparse.
    pub chunks: Vec<Vec<u8>>,
    pub sub_pages: Vec<Page>,
}

impl Page {
    /// One uncompressed strip of one sample a pixel.
    pub fn gray(width: u64, height: u64, bits: u64, samples: Vec<u8>) -> Self {
        let mut page = Self::default();
        for (tag, value) in
            [(256, width), (257, height), (258, bits), (259, 1), (262, 1), (277, 1), (278, height)]
        {
            page.set(tag, &[value]);
        }
        page.chunks = vec![samples];
        page
    }

    pub fn set(&mut self, tag: u16, values: &[u64]) -> &mut Self {
        let field_type = if matches!(tag, 256 | 257 | 278 | 322 | 323) { 4 } else { 3 };
        self.tags.insert(tag, (field_type, values.to_vec()));
        self
    }

    pub fn text(&mut self, tag: u16, text: &str) -> &mut Self {
        let values = text.bytes().chain([0]).map(u64::from).collect();
        self.tags.insert(tag, (2, values));
        self
    }

    pub fn described(mut self, xml: &str) -> Self {
        self.text(270, xml);
        self
    }
}

/// Writes pages as a TIFF file, chunks first, then the directories.
pub fn tiff(form: Form, pages: &[Page]) -> Vec<u8> {
    let mut file = if form.big_endian { b"MM".to_vec() } else { b"II".to_vec() };
    if form.big_tiff {
        file.extend(form.number(43, 2));
        file.extend(form.number(8, 2));
        file.extend([0; 10]);
    } else {
        file.extend(form.number(42, 2));
        file.extend([0; 4]);
    }
    let mut link = if form.big_tiff { 8 } else { 4 };
    for page in pages {
        let (offset, next) = write_page(form, &mut file, page);
        put(form, &mut file, link, offset);
        link = next;
    }
    file
}

fn put(form: Form, file: &mut [u8], at: usize, offset: u64) {
    let len = if form.big_tiff { 8 } else { 4 };
    file[at..at + len].copy_from_slice(&form.number(offset, len));
}

/// Writes a page; gives its offset and where the offset of the next one belongs.
fn write_page(form: Form, file: &mut Vec<u8>, page: &Page) -> (u64, usize) {
    let mut tags = page.tags.clone();
    let wide = if form.big_tiff { 16 } else { 4 };
    let mut offsets = Vec::new();
    for chunk in &page.chunks {
        offsets.push(if chunk.is_empty() { 0 } else { file.len() as u64 });
        file.extend(chunk);
    }
    let lens = page.chunks.iter().map(|chunk| chunk.len() as u64).collect();
    let (offset_tag, len_tag) = if tags.contains_key(&322) { (324, 325) } else { (273, 279) };
    tags.entry(offset_tag).or_insert((wide, offsets));
    tags.entry(len_tag).or_insert((wide, lens));
    if !page.sub_pages.is_empty() {
        let subs = page.sub_pages.iter().map(|sub| write_page(form, file, sub).0).collect();
        tags.insert(330, (if form.big_tiff { 18 } else { 13 }, subs));
    }
    let inline = if form.big_tiff { 8 } else { 4 };
    let mut entries = Vec::new();
    for (tag, (field_type, values)) in &tags {
        let mut value = form.values(*field_type, values);
        if value.len() > inline {
            let at = file.len() as u64;
            file.extend(value);
            value = form.number(at, inline);
        }
        value.resize(inline, 0);
        entries.extend(form.number(u64::from(*tag), 2));
        entries.extend(form.number(u64::from(*field_type), 2));
        entries.extend(form.number(values.len() as u64, inline));
        entries.extend(value);
    }
    if file.len() % 2 == 1 {
        file.push(0);
    }
    let offset = file.len() as u64;
    file.extend(form.number(tags.len() as u64, if form.big_tiff { 8 } else { 2 }));
    file.extend(entries);
    let next = file.len();
    file.extend(vec![0; inline]);
    (offset, next)
}

/// Files in memory, by name.
#[derive(Clone, Default)]
pub struct Memory(pub BTreeMap<String, Arc<Vec<u8>>>);

impl Memory {
    pub fn of(files: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Self {
        Self(files.into_iter().map(|(name, bytes)| (name.to_owned(), Arc::new(bytes))).collect())
    }

    pub fn open(&self, entry: &str) -> Result<Fileset, Error> {
        self.open_with(entry, OpenOptions::default())
    }

    pub fn open_with(&self, entry: &str, options: OpenOptions) -> Result<Fileset, Error> {
        Fileset::open_with(Arc::new(self.clone()), entry, options)
    }
}

impl Opener for Memory {
    fn open(&self, name: &str) -> io::Result<Arc<dyn ByteSource>> {
        let bytes = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(bytes.as_ref().clone()))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.keys().filter(|name| !name.contains('/')).cloned().collect())
    }
}

/// Opens one file in memory.
pub fn open(file: Vec<u8>) -> Result<Fileset, Error> {
    Memory::of([("a.ome.tif", file)]).open("a.ome.tif")
}

/// An OME document around the content of its root.
pub fn ome(attributes: &str, content: &str) -> String {
    format!(r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" {attributes}>{content}</OME>"#)
}

/// An Image whose sizes are given as x, y, z, c, t.
pub fn image(order: &str, pixel_type: &str, size: [u32; 5], content: &str) -> String {
    let [x, y, z, c, t] = size;
    format!(
        r#"<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="{order}" Type="{pixel_type}" SizeX="{x}" SizeY="{y}" SizeZ="{z}" SizeC="{c}" SizeT="{t}">{content}</Pixels></Image>"#
    )
}

/// All samples of one channel group at full resolution.
pub fn plane(image: &Image, t: u32, group: u32, z: u32) -> Result<Vec<u8>, Error> {
    let shape = image.shape();
    let region = Region { y: 0, x: 0, h: shape.y, w: shape.x };
    read(image, PlaneIndex { t, group, z }, region, &mut Scratch::new())
}

pub fn read(
    image: &Image,
    plane: PlaneIndex,
    region: Region,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, Error> {
    let pixels = region.h as usize * region.w as usize * image.channel_groups()[plane.group as usize].len();
    let mut samples = vec![0xaa; pixels * image.sample_type().bytes()];
    image.read(0, plane, region, &mut samples, scratch)?;
    Ok(samples)
}

/// The error with its causes.
pub fn chain(e: &dyn std::error::Error) -> String {
    let cause = e.source().map(|cause| format!(": {}", chain(cause)));
    format!("{e}{}", cause.unwrap_or_default())
}

/// What opening says, when it does not open.
pub fn refusal(result: Result<Fileset, Error>) -> String {
    match result {
        Ok(_) => "it opened".to_owned(),
        Err(e) => chain(&e),
    }
}
