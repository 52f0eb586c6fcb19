//! OME-Zarr back to OME-TIFF: one file with the same pixels and the same OME-XML.
//!
//! The document is the store's `OME/METADATA.ome.xml`, in which nothing changes but what says where the planes are; of a
//! store without it, one that is made of axes, scales and rendering settings. All
//! images follow each other in series order, each with its planes in its DimensionOrder and with the reduced levels
//! of the store as SubIFDs. Objects of the store are decoded once; what is in flight is bounded by the size of these
//! objects and the number of threads, whatever the size of the images.
#![forbid(unsafe_code)]

mod error;
mod grid;
mod labels;
mod queue;
mod series;
mod tags;

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use fairzarr_ome_tiff::tiff_codec::Compression;
use fairzarr_ome_tiff::{Page, TiffWriter};
use fairzarr_ome_xml::{ByteOrder, Document};
use fairzarr_ome_zarr::keys::METADATA;
use fairzarr_ome_zarr::{Hierarchy, minimal_document};
use fairzarr_store::Store;
use fairzarr_task::Job;

pub use error::Error;
pub use labels::{Labels, export_labels, labels};
use series::Series;
use tags::SourceTags;

/// Choices for an export.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// None, Deflate or Zstandard. Every reader knows Deflate.
    pub compression: Compression,
    /// Whether integers of one and two bytes are stored as differences before they are compressed: smaller files, which
    /// ImageJ 1 reads wrong without a word.
    pub predictor: bool,
    /// Whether the reduced levels of the store are written.
    pub pyramid: bool,
    /// Whether a file that is there is replaced, once the new one is complete.
    pub overwrite: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { compression: Compression::Deflate, predictor: false, pyramid: true, overwrite: false }
    }
}

/// What was written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Images.
    pub images: usize,
    /// Planes of all of them at full resolution.
    pub planes: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Whether it is a BigTIFF, because it is larger than 4 GiB.
    pub big: bool,
    /// Reduced levels that OME-TIFF has no place for, and why.
    pub left_out: Vec<String>,
    /// Names of the tags that the source's pages had, and those of the file have not.
    pub tags_left_out: Vec<String>,
}

/// Tiles and strips of one file, whose places are kept in memory: more are a sign of damaged metadata.
const MOST_CHUNKS: u64 = 1 << 25;

/// Writes all images of `store` into one OME-TIFF.
///
/// # Errors
/// Whatever stops it, see [`Error`]. There is no file at `target` then that was not there before.
pub fn export(store: &Store, target: &Path, options: &Options, job: &Job) -> Result<Report, Error> {
    if !options.overwrite && target.exists() {
        return Err(Error::Exists(target.to_owned()));
    }
    let unfit = |reason: String| Error::Unfit { place: METADATA.to_owned(), reason };
    let hierarchy = Hierarchy::open(store)?;
    let document = match store.get(METADATA).map_err(fairzarr_ome_zarr::Error::from)? {
        Some(document) => document.to_vec(),
        None => minimal_document(&hierarchy)?.into_bytes(),
    };
    let document = Document::parse(document).map_err(|error| unfit(error.to_string()))?;
    write(&hierarchy, &document, SourceTags::read(store)?, target, options, job)
}

/// Writes the images of a hierarchy, which the document describes one by one.
fn write(
    hierarchy: &Hierarchy,
    document: &Document,
    tags: SourceTags,
    target: &Path,
    options: &Options,
    job: &Job,
) -> Result<Report, Error> {
    let unfit = |reason: String| Error::Unfit { place: METADATA.to_owned(), reason };
    let stored = hierarchy.images();
    let description = document.in_one_tiff(ByteOrder::Little).map_err(|error| unfit(error.to_string()))?;
    let described = &document.ome().images;
    if described.len() != stored.len() {
        return Err(unfit(format!(
            "it describes {} Images, the store holds {}",
            described.len(),
            stored.len()
        )));
    }
    let (mut series, mut left_out) = (Vec::<Series>::new(), Vec::new());
    let (mut first_page, mut chunks) = (0, 0u64);
    for (index, image) in described.iter().enumerate() {
        let opened = hierarchy.open_image(index)?;
        let next = Series::open(opened, first_page, image, options, &tags, &mut left_out)?;
        first_page += next.page_count();
        chunks = chunks.saturating_add(next.chunk_count());
        if chunks > MOST_CHUNKS {
            let reason = format!("there would be {chunks} tiles and strips, the limit is {MOST_CHUNKS}");
            return Err(Error::Unfit { place: format!("image {index}"), reason });
        }
        series.push(next);
    }
    job.progress.expect(series.iter().map(Series::bytes).sum());
    let mut pages: Vec<Page> = series.iter().flat_map(Series::pages).collect();

    let unfinished = Unfinished::create(target)?;
    let failed = |source| Error::Output { path: target.to_owned(), source };
    let out = unfinished.file.try_clone().map_err(failed)?;
    let mut writer = TiffWriter::new(BufWriter::with_capacity(1 << 20, out)).map_err(failed)?;
    queue::write(&series, options, hierarchy.store().is_remote(), job, |written| {
        let chunk = writer.chunk(&written.stored).map_err(failed)?;
        let page = pages.get_mut(written.page).and_then(|page| match written.level {
            0 => Some(page),
            level => page.reduced.get_mut(level - 1),
        });
        if let Some(place) = page.and_then(|page| page.chunks.get_mut(written.chunk)) {
            *place = chunk;
        }
        Ok(())
    })?;
    let (out, big) = writer.finish(&pages, &description).map_err(failed)?;
    drop(out);
    let bytes = unfinished.complete(target, options.overwrite)?;
    let (images, planes) = (series.len(), pages.len() as u64);
    Ok(Report { images, planes, bytes, big, left_out, tags_left_out: tags.left_behind() })
}

/// The file under a name of its own, until it is complete; removed if it never is.
struct Unfinished {
    path: PathBuf,
    file: File,
    complete: bool,
}

impl Unfinished {
    fn create(target: &Path) -> Result<Self, Error> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.unfinished", std::process::id()));
        let path = target.with_file_name(name);
        match File::create_new(&path) {
            Ok(file) => Ok(Self { path, file, complete: false }),
            Err(source) => Err(Error::Output { path: target.to_owned(), source }),
        }
    }

    /// Gives it its name; returns its size.
    fn complete(mut self, target: &Path, overwrite: bool) -> Result<u64, Error> {
        let failed = |source| Error::Output { path: target.to_owned(), source };
        self.file.sync_all().map_err(failed)?;
        let bytes = self.file.metadata().map_err(failed)?.len();
        // It may have come meanwhile.
        if !overwrite && target.exists() {
            return Err(Error::Exists(target.to_owned()));
        }
        std::fs::rename(&self.path, target).map_err(failed)?;
        self.complete = true;
        Ok(bytes)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.complete {
            // There is an error on its way already.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
