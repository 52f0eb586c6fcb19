//! What the metadata of a store are derived from: the source, or, where that is not at hand, the documents and tags of it that the
//! store keeps. The proofs are the same for both.

use fairzarr_nbo::merge::StoreImage;
use fairzarr_ome_tiff::{Fileset, Image};
use fairzarr_ome_xml::{self as ome_xml, ByteOrder, Document};
use fairzarr_ome_zarr::{Hierarchy, OpenImage, StoredImage, keys, recorded};
use serde_json::Value;
use std::collections::BTreeMap;

use crate::error::Error;
use crate::metadata;

/// The origin of a store.
pub(crate) struct Origin {
    /// The document that describes the images.
    pub(crate) document: Option<Document>,
    /// Name of its file and its key in the store, where it keeps the document.
    pub(crate) kept: Option<(String, String)>,
    /// The time points that the store has, where it is not all of them.
    pub(crate) times: Option<Vec<u32>>,
    /// In series order.
    pub(crate) images: Vec<OriginImage>,
    /// Whether it is the source itself.
    pub(crate) is_source: bool,
}

/// What is known of an image apart from the store's own metadata.
pub(crate) struct OriginImage {
    /// Its number in the document.
    pub(crate) ome_index: Option<usize>,
    /// What is said of it, as an Image element; `None` where the store kept nothing that says it.
    pub(crate) described: Option<ome_xml::Image>,
    /// Samples of a pixel that lie side by side.
    pub(crate) samples: usize,
    /// Bits that carry information, where not all do.
    pub(crate) significant_bits: Option<u32>,
    /// Whether the lowest value is white; `None` where the tags of a palette would have to be read.
    pub(crate) inverted: Option<bool>,
    /// Lowest and highest value shown, by channel, as the file says.
    pub(crate) ranges: Vec<Option<(f64, f64)>>,
    /// Lengths along t, c, z, y, x as the files have them.
    pub(crate) sizes: Option<[u32; 5]>,
    /// What a record is told of it.
    pub(crate) said: StoreImage,
}

/// What the arrays of an image are.
pub(crate) struct Seen {
    /// Byte order of the full resolution.
    pub(crate) order: ByteOrder,
    /// Its lengths along t, c, z, y, x; 1 where there is no such axis.
    pub(crate) lengths: [u64; 5],
    /// Its data type, by its name in Zarr v3.
    pub(crate) data_type: String,
    /// The shape of each level.
    pub(crate) shapes: Vec<Vec<u64>>,
}

impl Seen {
    /// Those of all images, in series order.
    pub(crate) fn all(hierarchy: &Hierarchy) -> Result<Vec<Self>, Error> {
        (0..hierarchy.images().len()).map(|index| Self::of(&hierarchy.open_image(index)?)).collect()
    }

    fn of(image: &OpenImage<'_>) -> Result<Self, Error> {
        let shapes = image.levels.iter().map(|array| array.shape().to_vec()).collect();
        let Some(array) = image.levels.first() else {
            return Ok(Self { order: ByteOrder::Little, lengths: [1; 5], data_type: String::new(), shapes });
        };
        let length = |at: Option<usize>| at.and_then(|at| array.shape().get(at)).copied().unwrap_or(1);
        let lengths = image.dimensions().map(length);
        Ok(Self { order: array.byte_order()?, lengths, data_type: array.data_type(), shapes })
    }
}

impl Origin {
    pub(crate) fn of_source(source: &Fileset, hierarchy: &Hierarchy) -> Self {
        let document = source.document().cloned();
        let kept = document.as_ref().and_then(|_| {
            let index = source.main_source()?;
            let key = keys::source(index);
            // A file may have another name by now: the record has the one that it had when it was converted.
            let entries = recorded(hierarchy.root());
            let text = |entry: &Value, member: &str| entry.get(member)?.as_str().map(str::to_owned);
            let entry = entries.iter().find(|entry| text(entry, "path").as_ref() == Some(&key));
            let then = entry.and_then(|entry| text(entry, "file"));
            Some((then.unwrap_or_else(|| source.sources()[index].name.clone()), key))
        });
        let images = source.images().iter().map(|image| OriginImage::of_source(source, image)).collect();
        let times = source.times().map(<[u32]>::to_vec);
        Self { document, kept, times, images, is_source: true }
    }

    /// As far as the store keeps it; its images' arrays are `seen`.
    pub(crate) fn of_store(hierarchy: &Hierarchy, seen: &[Seen]) -> Result<Self, Error> {
        let store = hierarchy.store();
        let metadata = store.get(keys::METADATA)?;
        let parsed = metadata.as_ref().and_then(|bytes| Document::parse(bytes.to_vec()).ok());
        let times = hierarchy.conversion().and_then(|conversion| conversion.timepoints());
        let tags = first_tags(store.get(keys::TIFF_TAGS)?.as_deref());
        let mut best: Option<(Document, (String, String), Vec<usize>)> = None;
        for entry in recorded(hierarchy.root()) {
            let text =
                |member: &str| entry.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
            let key = text("path");
            if !key.ends_with(".ome.xml") {
                continue;
            }
            let Some(bytes) = store.get(&key)? else { continue };
            // Damaged documents are the business of the proof of documents.
            let Ok(document) = Document::parse(bytes.to_vec()) else { continue };
            if document.ome().images.is_empty() {
                continue;
            }
            let numbers = numbers(&document, parsed.as_ref(), hierarchy.images().len());
            let further =
                parsed.iter().flat_map(|parsed| parsed.ome().images.iter().enumerate().skip(numbers.len()));
            let samples = |n: usize| tags.get(&(n as u64)).map_or(1, |tags| tags.samples);
            let further: Vec<_> = further.map(|(n, image)| (image, samples(n))).collect();
            let is_it = metadata::derived(&document, &numbers, times.as_deref(), &further, seen)
                .is_ok_and(|made| metadata.as_ref().is_some_and(|found| **found == *made.as_bytes()));
            if is_it || best.is_none() {
                best = Some((document, (text("file"), key), numbers));
            }
            if is_it {
                break;
            }
        }
        let (document, kept, numbers) = match best {
            Some((document, kept, numbers)) => (Some(document), Some(kept), numbers),
            None => (None, None, Vec::new()),
        };
        // Of a part its own document says what is true of it.
        let part = document.as_ref().filter(|_| times.is_some()).and_then(|document| {
            let order: Vec<_> = numbers.iter().map(|number| (*number, ByteOrder::Little)).collect();
            let text = document.metadata_of_part(&order, times.as_deref()).ok()?;
            Document::parse(text.into_bytes()).ok()
        });
        let images = hierarchy.images().iter().zip(seen).enumerate().map(|(n, (stored, seen))| {
            let number = numbers.get(n).copied();
            let element = match &part {
                // What is known of images that the source's document does not mention is in the store's own alone.
                _ if number.is_none() && document.is_some() => {
                    parsed.as_ref().and_then(|parsed| parsed.ome().images.get(n))
                }
                Some(part) => part.ome().images.get(n),
                None => document.as_ref().zip(number).and_then(|(of, number)| of.ome().images.get(number)),
            };
            OriginImage::of_store(number, element.cloned(), tags.get(&(n as u64)), stored, (n, seen))
        });
        let images = images.collect();
        Ok(Self { document, kept, times, images, is_source: false })
    }
}

impl OriginImage {
    fn of_source(source: &Fileset, image: &Image) -> Self {
        let shape = image.shape();
        let sizes = [shape.t, shape.c, shape.z, shape.y, shape.x];
        let mut said = StoreImage::new(image.name().map(str::to_owned));
        said.sizes = sizes.map(|size| Some(u64::from(size)));
        Self {
            ome_index: image.ome_index(),
            described: Some(source.described(image)),
            samples: image.channel_groups().iter().map(ExactSizeIterator::len).max().unwrap_or(1),
            significant_bits: image.significant_bits(),
            inverted: Some(image.appearance().inverted),
            ranges: image.channel_notes().iter().map(|note| note.range).collect(),
            sizes: Some(sizes),
            said,
        }
    }

    /// `tags` are those of its first page.
    fn of_store(
        ome_index: Option<usize>,
        described: Option<ome_xml::Image>,
        tags: Option<&Tags>,
        stored: &StoredImage,
        (index, seen): (usize, &Seen),
    ) -> Self {
        let none = Tags::default();
        let tags = tags.unwrap_or(&none);
        let bits = described.as_ref().and_then(|image| image.pixels.as_ref()?.significant_bits);
        // A name that was made up for an image without one is no name.
        let name = stored.multiscale.name.clone().filter(|name| *name != format!("Series {index}"));
        let mut said = StoreImage::new(name);
        said.sizes = seen.lengths.map(Some);
        Self {
            ome_index,
            described,
            samples: tags.samples,
            significant_bits: bits.or(tags.bits),
            inverted: tags.inverted,
            ranges: Vec::new(),
            sizes: None,
            said,
        }
    }
}

/// Which of a document's images the store's are, by their IDs in the store's own document, or all in order.
fn numbers(document: &Document, metadata: Option<&Document>, count: usize) -> Vec<usize> {
    let images = &document.ome().images;
    let Some(metadata) = metadata else { return (0..images.len().min(count)).collect() };
    let mut free: Vec<usize> = (0..images.len()).collect();
    let mut numbers = Vec::new();
    for stored in metadata.ome().images.iter().take(count) {
        let place = free.iter().position(|number| images[*number].id == stored.id);
        if place.is_none() && stored.id.starts_with(ome_xml::FURTHER_IMAGE) {
            break;
        }
        let place = place.unwrap_or(0);
        if place < free.len() {
            numbers.push(free.remove(place));
        }
    }
    numbers
}

/// What the tags of an image's first page say of its samples.
struct Tags {
    samples: usize,
    bits: Option<u32>,
    inverted: Option<bool>,
}

impl Default for Tags {
    fn default() -> Self {
        Self { samples: 1, bits: None, inverted: Some(false) }
    }
}

/// By image, from the record of the tags.
fn first_tags(document: Option<&[u8]>) -> BTreeMap<u64, Tags> {
    /// Tags and values of TIFF 6.0.
    const BITS_PER_SAMPLE: u64 = 258;
    const PHOTOMETRIC: u64 = 262;
    const SAMPLES_PER_PIXEL: u64 = 277;
    const PLANAR: u64 = 284;
    const WHITE_IS_ZERO: u64 = 0;
    const PALETTE: u64 = 3;
    let document: Value = document.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
    let mut found = BTreeMap::new();
    for page in document["pages"].as_array().into_iter().flatten() {
        let Some(image) = page["image"].as_u64().filter(|image| !found.contains_key(image)) else { continue };
        let number = |code: u64| {
            let tag = page["tags"].as_array()?.iter().find(|tag| tag["code"] == code)?;
            tag["value"].as_u64().or_else(|| tag["value"][0].as_u64())
        };
        let samples = number(SAMPLES_PER_PIXEL).unwrap_or(1);
        let side_by_side = if number(PLANAR) == Some(2) { 1 } else { samples };
        let inverted = match number(PHOTOMETRIC) {
            Some(PALETTE) if samples == 1 => None,
            photometric => Some(samples == 1 && photometric == Some(WHITE_IS_ZERO)),
        };
        let bits = number(BITS_PER_SAMPLE).and_then(|bits| u32::try_from(bits).ok());
        let samples = usize::try_from(side_by_side).unwrap_or(1).max(1);
        found.insert(image, Tags { samples, bits, inverted });
    }
    found
}
