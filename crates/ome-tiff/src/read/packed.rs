//! Chunks for whoever wants their samples and, without compressing them again, their stored bytes.

use std::borrow::Cow;

use fairzarr_pixel::{PlaneIndex, Region, swap_bytes};
use fairzarr_tiff_codec::{ChunkLayout, Container};

use super::{Job, Part, room};
use crate::{
    container::Geometry,
    error::{Error, Result},
    image::Image,
    sample_type::is_widened_half,
    scratch::Scratch,
};

/// One stored chunk in the wrapper that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedChunk {
    /// Row in the grid of chunks.
    pub row: u32,
    /// Column there.
    pub column: u32,
    /// Its bytes; `None` for a sparse chunk, a strip with fewer rows than the others, and one that
    /// [`Decoder::repack`](crate::tiff_codec::Decoder::repack) does not hand on.
    pub bytes: Option<Vec<u8>>,
}

impl Image {
    /// The layout that all chunks of a level have; of strips, all but the last of a page.
    ///
    /// # Errors
    /// In words, in which respect one plane differs from the first.
    pub fn common_layout(&self, level: usize) -> std::result::Result<ChunkLayout, String> {
        let pages =
            self.level_pages.get(level).copied().ok_or_else(|| format!("there is no level {level}"))?;
        let mut first: Option<&Geometry> = None;
        for place in self.planes.iter().filter(|place| !place.is_missing()) {
            let page = self.level_page(place.file, self.full_page(*place), pages);
            let geometry = page.zip(self.files.container(place.file));
            let Some(geometry) = geometry.and_then(|(page, container)| container.geometry(page).ok()) else {
                continue;
            };
            let first = *first.get_or_insert(geometry);
            if !std::ptr::eq(first, &raw const **geometry)
                && let Some(what) = difference(first, geometry)
            {
                return Err(format!("{what} of IFD {} in {}", place.page, self.files.name(place.file)));
            }
        }
        first.map(|geometry| geometry.layout.clone()).ok_or_else(|| "there are no pages".to_owned())
    }

    /// As [`read`](Self::read), for a region that begins at the corner of a chunk and ends at such corners or the edges of
    /// the page; and gives the chunks in another wrapper, row by row.
    ///
    /// # Errors
    /// As [`read`](Self::read); [`Error::Request`] too where several channels share a chunk, and
    /// [`Error::Chunk`] for layouts that are not handed on, see
    /// [`ChunkLayout::check_repack`].
    pub fn read_packed(
        &self,
        level: usize,
        plane: PlaneIndex,
        region: Region,
        to: Container,
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<Vec<PackedChunk>> {
        self.packed(level, plane, region, to, Some(out), scratch)
    }

    /// The chunks of such a region in another wrapper, without decoding any. None come back of those that
    /// [`ChunkLayout::rewrap`] does not hand on.
    ///
    /// # Errors
    /// As [`read_packed`](Self::read_packed), but for what only decoding shows; Zstandard frames that have a checksum are
    /// compared with it.
    pub fn read_packed_unseen(
        &self,
        level: usize,
        plane: PlaneIndex,
        region: Region,
        to: Container,
        scratch: &mut Scratch,
    ) -> Result<Vec<PackedChunk>> {
        self.packed(level, plane, region, to, None, scratch)
    }

    fn packed(
        &self,
        level: usize,
        plane: PlaneIndex,
        region: Region,
        to: Container,
        mut out: Option<&mut [u8]>,
        scratch: &mut Scratch,
    ) -> Result<Vec<PackedChunk>> {
        let (page, first_sample) = self.page(level, plane)?;
        let samples = self.groups[plane.group as usize].len();
        let bytes = self.sample_type.bytes();
        let wanted = region.h as usize * region.w as usize * samples * bytes;
        self.check_region(&page, region, samples, out.as_ref().map_or(wanted, |out| out.len()))?;
        let layout = &page.geometry.layout;
        let aligned = region.y.is_multiple_of(layout.height) && region.x.is_multiple_of(layout.width);
        if is_widened_half(self.sample_type, layout) {
            return Err(self.request(format_args!("way to move 16-bit floats that are read as 32 bits")));
        }
        if !aligned || samples != 1 {
            return Err(self.request(format_args!(
                "way to move chunks of {samples} channels from row {} and column {}",
                region.y, region.x
            )));
        }
        let clock = scratch.clock.clone();
        let job = Job {
            image: self,
            clock: &clock,
            level,
            plane,
            page: &page,
            region,
            first_sample,
            samples,
            bytes,
            number_bytes: self.sample_type.number_bytes(),
        };
        let mut packed = Vec::new();
        for part in job.parts()? {
            let bytes = match out.as_deref_mut() {
                Some(out) if part.is_sparse() => {
                    job.fill_zero(&part, out);
                    None
                }
                Some(out) => job.repack(&part, to, out, scratch)?,
                None if part.is_sparse() => None,
                None => job.rewrap(&part, to)?,
            };
            let columns = page.geometry.across;
            let column = (part.index % page.geometry.chunks_per_sample() % columns) as u32;
            packed.push(PackedChunk { row: part.grid_row as u32, column, bytes });
        }
        Ok(packed)
    }
}

impl Job<'_> {
    fn repack(
        &self,
        part: &Part,
        to: Container,
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<Option<Vec<u8>>> {
        let layout = self.page.geometry.chunk_layout(part.grid_row);
        let failed = |e: fairzarr_tiff_codec::CodecError| -> Error { self.failed(part, e.into()) };
        let decoded_len = layout.decoded_len().map_err(failed)?;
        let len = self.fetched_len(part)? as usize;
        self.fetch_stored(part, room(&mut scratch.stored, len))?;
        let Scratch { decoder, stored, spare, .. } = scratch;
        // Where the region is the chunk, nothing is copied.
        let in_place = out.len() == decoded_len && part.w == layout.width && part.h == layout.height;
        let decoded = if in_place { &mut *out } else { room(spare, decoded_len) };
        let repacked = decoder.repack(&layout, &stored[..len], to, decoded).map_err(failed)?;
        let repacked = repacked.filter(|_| self.is_regular(part, len)).map(Cow::into_owned);
        if layout.big_endian {
            swap_bytes(decoded, self.image.sample_type.number_bytes());
        }
        if !in_place {
            self.place(part, &spare[..decoded_len], decoded_len / layout.height as usize, out);
        }
        Ok(repacked)
    }

    fn rewrap(&self, part: &Part, to: Container) -> Result<Option<Vec<u8>>> {
        let layout = self.page.geometry.chunk_layout(part.grid_row);
        let len = self.fetched_len(part)? as usize;
        // Room for a checksum, so that adding it copies nothing.
        let mut stored = Vec::with_capacity(len + 4);
        stored.resize(len, 0);
        self.fetch_stored(part, &mut stored)?;
        if !self.is_regular(part, len) {
            return Ok(None);
        }
        let moved = match layout.rewrap(&stored, to).map_err(|e| self.failed(part, e.into()))? {
            Some(Cow::Borrowed(moved)) => moved.len(),
            other => return Ok(other.map(Cow::into_owned)),
        };
        stored.truncate(moved);
        Ok(Some(stored))
    }

    fn fetch_stored(&self, part: &Part, out: &mut [u8]) -> Result<()> {
        let range = part.offset..part.offset + out.len() as u64;
        self.fetch(part, std::slice::from_ref(&range), out)
    }

    /// Whether `len` bytes are all of a chunk of a regular grid; one with rows missing at its end is none.
    fn is_regular(&self, part: &Part, len: usize) -> bool {
        let rows = self.page.geometry.chunk_layout(part.grid_row).height;
        rows == self.page.geometry.layout.height && len as u64 == part.len
    }
}

/// In which respect two pages are stored differently.
fn difference(first: &Geometry, other: &Geometry) -> Option<String> {
    let (a, b) = (&first.layout, &other.layout);
    if a == b && first.planar == other.planar && first.tiled == other.tiled {
        return None;
    }
    let chunk = |geometry: &Geometry| if geometry.tiled { "tiles" } else { "strips" };
    let order = |layout: &ChunkLayout| if layout.big_endian { "big-endian" } else { "little-endian" };
    Some(if (a.width, a.height, first.tiled) != (b.width, b.height, other.tiled) {
        format!("they are not all {} x {} as the first, but {} x {}", a.height, a.width, b.height, b.width)
            + &format!(" {}", chunk(other))
    } else if a.compression != b.compression {
        format!("some are {}, others {}, such as those", a.compression.name(), b.compression.name())
    } else if a.big_endian != b.big_endian {
        format!("some are {}, others {}, such as those", order(a), order(b))
    } else {
        "they do not all have the layout of the first, such as those".to_owned()
    })
}
