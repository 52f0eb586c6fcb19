//! An image: planes, groups of channels, resolutions.

use std::{fmt, ops::Range, sync::Arc};

use fairzarr_pixel::{PlaneIndex, SampleType, Shape};
use fairzarr_tiff_codec::ChunkLayout;

use crate::{
    calibration::Calibration,
    container::{ChunkTable, Geometry, PageId, check_chunk},
    described::{ChannelNote, Described},
    error::{ChunkError, ChunkPlace, Error, Result},
    files::Files,
    plane_map::{Extent, PlaneRef},
    types::{LevelInfo, PlaneLocation},
};

/// One image of a fileset: five axes, one sample type, one or more resolutions.
///
/// It can be read from any number of threads at once; each needs a [`Scratch`](crate::Scratch) of its own.
pub struct Image {
    pub(crate) files: Arc<Files>,
    pub(crate) name: Option<String>,
    pub(crate) ome_index: Option<usize>,
    pub(crate) shape: Shape,
    pub(crate) sample_type: SampleType,
    pub(crate) significant_bits: Option<u32>,
    pub(crate) groups: Vec<Range<u32>>,
    /// For each channel group, which group of the plane table holds it and its first sample there.
    pub(crate) group_pages: Vec<(u32, u16)>,
    pub(crate) extent: Extent,
    pub(crate) planes: Vec<PlaneRef>,
    pub(crate) levels: Vec<LevelInfo>,
    /// Where the pages of each level are.
    pub(crate) level_pages: Vec<LevelPages>,
    /// Bytes from plane to plane, where all share the directory of the first (ImageJ beyond 4 GB).
    pub(crate) contiguous: Option<u64>,
    /// What is known of it where no OME-XML is.
    pub(crate) described: Described,
    /// Pages of levels that follow no rule, by the number of the page of the full image.
    pub(crate) listed: Vec<Vec<(u32, PageId)>>,
    /// Files and pages that call themselves levels and are none, and why not.
    pub(crate) rejected: Vec<(u32, PageId, String)>,
}

/// How the page of a level is found from that of the full image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LevelPages {
    Full,
    /// The nth page that it points to.
    Sub(usize),
    /// The nth page after it in the chain.
    Following(u32),
    /// The one that is listed with it.
    Listed(usize),
}

/// A stored tile or strip as it stands in the file, for copying without decoding.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredChunk {
    /// How its bytes are to be decoded.
    pub layout: ChunkLayout,
    /// Index into [`Fileset::files`](crate::Fileset::files).
    pub file: usize,
    /// Its bytes in the file; empty for a sparse chunk, whose samples are all zero.
    pub range: Range<u64>,
}

/// One page that is to be read.
pub(crate) struct PageRef<'a> {
    pub(crate) file: u32,
    pub(crate) page: PageId,
    /// Bytes to add to the offsets of its chunks.
    pub(crate) shift: u64,
    pub(crate) geometry: &'a Arc<Geometry>,
}

impl Image {
    /// Its name in the metadata.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Which Image element of [`Fileset::document`](crate::Fileset::document) describes it, from 0.
    pub fn ome_index(&self) -> Option<usize> {
        self.ome_index
    }

    /// Its size at full resolution; samples of a pixel count as channels.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// What its samples are.
    pub fn sample_type(&self) -> SampleType {
        self.sample_type
    }

    /// Sizes of a pixel and steps in z and t, as ImageJ or the resolution tags give them; `None` where OME-XML does.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.described.calibration.as_ref()
    }

    /// What is known of its channels where no OME-XML is; as many as are known.
    pub fn channel_notes(&self) -> &[ChannelNote] {
        &self.described.channels
    }

    /// What its pages are called, where ImageJ or the tags say: channels fastest, then focal planes, then time points.
    pub fn labels(&self) -> &[String] {
        &self.described.labels
    }

    /// An Image element with all that is known of it where no OME-XML describes it: name, sizes, channels.
    pub fn to_ome(&self) -> fairzarr_ome_xml::Image {
        self.described.to_ome(self.name.as_deref())
    }

    /// How many bits of each sample carry information, where the metadata or the tags say that it is not all.
    pub fn significant_bits(&self) -> Option<u32> {
        self.significant_bits
    }

    /// The channels that lie interleaved in one page, as ranges that follow one another: `0..3` for RGB;
    /// ranges of one where channels have pages, or chunks, of their own.
    pub fn channel_groups(&self) -> &[Range<u32>] {
        &self.groups
    }

    /// Its resolutions, the full one first.
    pub fn levels(&self) -> &[LevelInfo] {
        &self.levels
    }

    /// Whether some file holds the plane. False only for positions outside of the image, and for planes that are
    /// missing when the set was opened with [`OnMissing::Fill`](crate::OnMissing::Fill).
    pub fn has_plane(&self, t: u32, c: u32, z: u32) -> bool {
        self.plane_of_channel(t, c, z).is_some()
    }

    /// Where a plane is stored.
    pub fn plane_location(&self, t: u32, c: u32, z: u32) -> Option<PlaneLocation> {
        let (plane, sample) = self.plane_of_channel(t, c, z)?;
        let ifd = if self.contiguous.is_some() { 0 } else { plane.page };
        Some(PlaneLocation { file: plane.file as usize, ifd, sample })
    }

    /// The tile or strip at row `tile_y` and column `tile_x` of the grid of a page. Where
    /// [`PlaneIndex::group`] is one of several that are stored interleaved the chunk holds all of them.
    ///
    /// # Errors
    /// [`Error::Request`] and [`Error::MissingPlane`] when there is no such chunk, [`Error::Chunk`] when its
    /// place makes no sense.
    pub fn stored_chunk(
        &self,
        level: usize,
        plane: PlaneIndex,
        tile_y: u32,
        tile_x: u32,
    ) -> Result<StoredChunk> {
        let (page, sample) = self.page(level, plane)?;
        let geometry = page.geometry;
        if u64::from(tile_y) >= geometry.down || u64::from(tile_x) >= geometry.across {
            return Err(self.request(format_args!(
                "chunk ({tile_y}, {tile_x}) of a grid of {} x {}",
                geometry.down, geometry.across
            )));
        }
        let index = chunk_index(geometry, sample, u64::from(tile_y), u64::from(tile_x));
        let table = self.chunk_table(level, plane, &page)?;
        let (offset, len) = self.chunk_place(level, plane, &page, &table, index)?;
        Ok(StoredChunk {
            layout: geometry.chunk_layout(u64::from(tile_y)),
            file: page.file as usize,
            range: offset..offset.saturating_add(len),
        })
    }

    /// Reads the bytes of a chunk as they stand in the file.
    ///
    /// # Errors
    /// [`Error::Io`] when they cannot be read.
    pub fn read_stored(&self, chunk: &StoredChunk) -> Result<Vec<u8>> {
        let member = &self.files.members[chunk.file];
        let len = chunk.range.end.saturating_sub(chunk.range.start);
        let failed = |source| Error::Io { file: member.name.clone(), source };
        if chunk.range.end > member.source.len() {
            return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
        }
        let mut bytes = vec![0; len as usize];
        member.source.read_at(chunk.range.start, &mut bytes).map_err(failed)?;
        Ok(bytes)
    }

    /// The page that holds a plane at a level, and the first of the group's samples in it.
    pub(crate) fn page(&self, level: usize, plane: PlaneIndex) -> Result<(PageRef<'_>, u16)> {
        let Some(pages) = self.level_pages.get(level).copied() else {
            return Err(self.request(format_args!("level {level} of {}", self.levels.len())));
        };
        let Some((table_group, sample)) = self.group_pages.get(plane.group as usize).copied() else {
            return Err(self.request(format_args!("channel group {} of {}", plane.group, self.groups.len())));
        };
        let Some(slot) = self.extent.slot(plane.t, table_group, plane.z) else {
            return Err(self.request(format_args!("{plane} of an image of {}", self.shape)));
        };
        let place = self.planes[slot];
        if place.is_missing() {
            return Err(Error::MissingPlane { image: self.label(), plane: plane.to_string() });
        }
        let full = self.full_page(place);
        let found = self.level_page(place.file, full, pages).and_then(|page| {
            let geometry = self.files.container(place.file)?.geometry(page).ok()?;
            let shift = match self.contiguous {
                Some(stride) => stride.checked_mul(u64::from(place.page))?,
                None => 0,
            };
            Some(PageRef { file: place.file, page, shift, geometry })
        });
        // Every page was looked at when the set was opened.
        found.map(|page| (page, sample)).ok_or_else(|| self.request(format_args!("{plane} at level {level}")))
    }

    /// The page of the full image for an entry of the plane table.
    pub(crate) fn full_page(&self, place: PlaneRef) -> PageId {
        PageId(if self.contiguous.is_some() { 0 } else { place.page })
    }

    /// The page of a level, given that of the full image.
    pub(crate) fn level_page(&self, file: u32, full: PageId, pages: LevelPages) -> Option<PageId> {
        let container = self.files.container(file)?;
        match pages {
            LevelPages::Full => Some(full),
            LevelPages::Sub(n) => container.sub_pages(full).nth(n),
            LevelPages::Following(n) => container.page(full.0.checked_add(n)?),
            LevelPages::Listed(n) => {
                let pages = self.listed.get(n)?;
                let at = pages.binary_search_by_key(&full.0, |(page, _)| *page).ok()?;
                Some(pages.get(at)?.1)
            }
        }
    }

    /// Where the chunks of a page are.
    pub(crate) fn chunk_table(
        &self,
        level: usize,
        plane: PlaneIndex,
        page: &PageRef<'_>,
    ) -> Result<Arc<ChunkTable>> {
        let found = match self.files.container(page.file) {
            Some(container) => container.chunk_table(page.page).map_err(|e| e.to_string()),
            None => Err("its file holds no pages".to_owned()),
        };
        found.map_err(|what| self.chunk_error(level, plane, page, 0, (0, 0), ChunkError::Place(what)))
    }

    /// Offset and length of a chunk; both zero for a sparse one.
    pub(crate) fn chunk_place(
        &self,
        level: usize,
        plane: PlaneIndex,
        page: &PageRef<'_>,
        table: &ChunkTable,
        index: u64,
    ) -> Result<(u64, u64)> {
        let file_len = self.files.members[page.file as usize].source.len();
        let (stored, len) = table.0.get(index as usize).copied().unwrap_or_default();
        let place = stored.checked_add(page.shift).ok_or_else(|| "its offset overflows".to_owned()).and_then(
            |offset| check_chunk(page.geometry, index, offset, len, file_len).map(|()| (offset, len)),
        );
        place.map_err(|what| {
            self.chunk_error(level, plane, page, index, (stored, len), ChunkError::Place(what))
        })
    }

    pub(crate) fn chunk_error(
        &self,
        level: usize,
        plane: PlaneIndex,
        page: &PageRef<'_>,
        index: u64,
        (offset, len): (u64, u64),
        source: ChunkError,
    ) -> Error {
        let geometry = page.geometry;
        let within = index % geometry.chunks_per_sample();
        let chunk = if geometry.tiled {
            format!("tile (row {}, column {})", within / geometry.across, within % geometry.across)
        } else {
            format!("strip {within}")
        };
        let mut at = plane.to_string();
        if level > 0 {
            at = format!("{at}, level {level}");
        }
        let ifd = self
            .extent
            .slot(plane.t, self.group_pages.get(plane.group as usize).map_or(0, |g| g.0), plane.z)
            .map_or(0, |slot| self.planes[slot].page);
        let place = ChunkPlace {
            image: self.label(),
            plane: at,
            file: self.files.name(page.file),
            ifd: if self.contiguous.is_some() { 0 } else { ifd },
            chunk,
            offset,
            len,
        };
        Error::Chunk { place: Box::new(place), source }
    }

    pub(crate) fn request(&self, what: impl fmt::Display) -> Error {
        Error::Request { image: self.label(), what: format!("there is no {what}") }
    }

    /// What the image is called in messages.
    pub(crate) fn label(&self) -> String {
        label(self.ome_index, self.name.as_deref())
    }

    fn plane_of_channel(&self, t: u32, c: u32, z: u32) -> Option<(PlaneRef, u16)> {
        let group = self.groups.partition_point(|group| group.end <= c);
        let (table_group, first) = *self.group_pages.get(group)?;
        let sample = first + (c - self.groups[group].start) as u16;
        let plane = self.planes[self.extent.slot(t, table_group, z)?];
        (!plane.is_missing()).then_some((plane, sample))
    }
}

/// What an image is called in messages.
pub(crate) fn label(index: Option<usize>, name: Option<&str>) -> String {
    match (index, name) {
        (Some(index), Some(name)) => format!("image {index} ({name:?})"),
        (Some(index), None) => format!("image {index}"),
        (None, Some(name)) => format!("image {name:?}"),
        (None, None) => "the image".to_owned(),
    }
}

/// Number of a chunk in the tables of its page.
pub(crate) fn chunk_index(geometry: &Geometry, sample: u16, row: u64, column: u64) -> u64 {
    let plane = if geometry.planar { u64::from(sample) } else { 0 };
    plane * geometry.chunks_per_sample() + row * geometry.across + column
}
