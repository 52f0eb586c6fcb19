//! Images as an OME-XML document describes them.

use std::{collections::HashMap, sync::Arc};

use fairzarr_ome_xml::{self as xml, Document};

use crate::{
    assemble::{self, Spec, plane_limit},
    described::Described,
    discover::Discovery,
    error::{Error, Result},
    files::Files,
    image::{Image, label},
    open::{OnBadMetadata, OnMissing},
    plane_map::{self, Axis, Block, Extent},
    sample_type,
    types::Warning,
};

/// A document whose files have been found.
pub(crate) struct Resolved {
    pub(crate) document: Document,
    /// File that holds the document.
    pub(crate) file: u32,
    /// For each Image, its TiffData.
    blocks: Vec<Vec<Block>>,
    /// The first file that is missing, for images of which nothing else is wrong.
    missing: Vec<Option<Error>>,
}

/// UUID and name of the file that a TiffData element is about.
type Target = (Option<Arc<str>>, Option<Arc<str>>);

/// Finds the document that describes the set of a file, and all files that it names.
pub(crate) fn describe(set: &mut Discovery, entry: u32) -> Result<Resolved> {
    let mut file = entry;
    let mut document = parse(set, file)?;
    if let Some(pointer) = document.ome().binary_only.clone() {
        file = find_metadata(set, entry, &pointer)?;
        document = parse(set, file)?;
        if document.ome().binary_only.is_some() {
            let what = "it is named as the metadata of another file, but only points on".to_owned();
            return Err(Error::Document { file: set.members[file as usize].name.clone(), what });
        }
    }
    let own = [file, entry].into_iter().find(|file| set.members[*file as usize].container.is_some());
    let single = single_target(&document);
    let mut found: HashMap<Target, Option<u32>> = HashMap::new();
    let mut blocks = Vec::new();
    let mut missing = Vec::new();
    for (index, image) in document.ome().images.iter().enumerate() {
        let mut of_image = Vec::new();
        let mut missing_file = None;
        if let Some(pixels) = &image.pixels {
            for element in pixels.tiff_data.iter() {
                let key = (element.uuid.clone(), element.file_name.clone());
                let target = if let Some(target) = found.get(&key) {
                    *target
                } else {
                    let target = find_target(set, &element, own, single)?;
                    found.insert(key, target);
                    target
                };
                let target = target.filter(|file| set.members[*file as usize].container.is_some());
                if target.is_none() && missing_file.is_none() {
                    missing_file = Some(missing_error(set, file, index, image, &element));
                }
                of_image.push(Block {
                    file: target,
                    ifd: element.ifd,
                    t: element.first_t,
                    c: element.first_c,
                    z: element.first_z,
                    count: element.plane_count,
                });
            }
        }
        blocks.push(of_image);
        missing.push(missing_file);
    }
    if let Some(own) = own {
        // Without any TiffData the planes are in the file that holds the document, image after image.
        if blocks.iter().all(Vec::is_empty) {
            consecutive(set, own, &document, &mut blocks);
        }
    }
    Ok(Resolved { document, file, blocks, missing })
}

/// Builds the images of a document. The files of the set are all open.
pub(crate) fn images(
    files: &Arc<Files>,
    described: &Resolved,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Image>> {
    let mut images = Vec::new();
    let described_in = files.name(described.file);
    for (index, image) in described.document.ome().images.iter().enumerate() {
        let label = label(Some(index), image.name.as_deref());
        let Some(pixels) = &image.pixels else {
            let message = format!("{label} has no Pixels and is left out");
            warnings.push(Warning { file: Some(described_in.clone()), ifd: None, message });
            continue;
        };
        let blocks = &described.blocks[index];
        if files.options.on_missing == OnMissing::Error
            && let Some(e) = &described.missing[index]
        {
            return Err(copy_of(e));
        }
        let spec = spec(files, index, image, pixels, blocks, warnings).map_err(|what| Error::Document {
            file: described_in.clone(),
            what: format!("{label}: {what}"),
        })?;
        images.push(assemble::image(files, spec, warnings)?);
    }
    if images.is_empty() {
        return Err(Error::Document { file: described_in, what: "it describes no image".to_owned() });
    }
    Ok(images)
}

fn parse(set: &mut Discovery, file: u32) -> Result<Document> {
    let name = set.members[file as usize].name.clone();
    let Some(bytes) = set.document_of(file) else {
        return Err(Error::Document {
            file: name,
            what: "there is none, where another file names it".to_owned(),
        });
    };
    let document = Document::parse(bytes).map_err(|source| Error::Xml { file: name.clone(), source })?;
    if let Some(first) = document.passed_over().first()
        && set.options.on_bad_metadata == OnBadMetadata::Error
    {
        return Err(Error::NotRead { file: name, what: first.to_string() });
    }
    for warning in document.warnings() {
        set.warn(Some(file), warning.to_string());
    }
    Ok(document)
}

/// The file that a BinaryOnly element points to.
fn find_metadata(set: &mut Discovery, entry: u32, pointer: &xml::BinaryOnly) -> Result<u32> {
    let uuid = pointer.uuid.as_deref();
    let found = set.find(Some(&pointer.metadata_file), uuid)?;
    if let Some(file) = found {
        if file == entry {
            let what = "its BinaryOnly element points to the file itself".to_owned();
            return Err(Error::Document { file: set.members[entry as usize].name.clone(), what });
        }
        return Ok(file);
    }
    if let Some(uuid) = uuid
        && let Some(file) = set.find_above(&pointer.metadata_file, uuid)?
    {
        set.base = "../";
        return Ok(file);
    }
    Err(Error::MissingFile {
        named_in: set.members[entry as usize].name.clone(),
        name: described_name(Some(&pointer.metadata_file), uuid),
        content: "the metadata of the set".to_owned(),
    })
}

/// The file of a TiffData element.
fn find_target(
    set: &mut Discovery,
    element: &xml::TiffData,
    own: Option<u32>,
    single: bool,
) -> Result<Option<u32>> {
    let (name, uuid) = (element.file_name.as_deref(), element.uuid.as_deref());
    if name.is_none() && uuid.is_none() {
        return Ok(own);
    }
    let found = match (name, uuid.and_then(|uuid| set.member_with(uuid))) {
        (None, Some(file)) => Some(file),
        _ => set.find(name, uuid)?,
    };
    if found.is_some() {
        return Ok(found);
    }
    if single && own.is_some() {
        // All planes are in one file, and this is one with the metadata: it was renamed, or saved anew.
        set.warn(
            own,
            format!("the metadata call this file {}, which is not there", described_name(name, uuid)),
        );
        return Ok(own);
    }
    Ok(None)
}

/// Whether all TiffData elements of the document name the same file.
fn single_target(document: &Document) -> bool {
    let mut targets = document
        .ome()
        .images
        .iter()
        .filter_map(|image| image.pixels.as_ref())
        .flat_map(|pixels| pixels.tiff_data.iter().map(|element| (element.uuid, element.file_name)));
    match targets.next() {
        Some(first) => targets.all(|target| target == first),
        None => true,
    }
}

fn described_name(name: Option<&str>, uuid: Option<&str>) -> String {
    match (name, uuid) {
        (Some(name), Some(uuid)) => format!("{name:?} ({uuid})"),
        (Some(name), None) => format!("{name:?}"),
        (None, Some(uuid)) => format!("a file with the UUID {uuid}"),
        (None, None) => "a file without name".to_owned(),
    }
}

fn missing_error(
    set: &Discovery,
    file: u32,
    index: usize,
    image: &xml::Image,
    element: &xml::TiffData,
) -> Error {
    let same = |other: &xml::TiffData| other.uuid == element.uuid && other.file_name == element.file_name;
    let elements = image.pixels.as_ref().map_or(0, |pixels| pixels.tiff_data.iter().filter(same).count());
    let elements = if elements == 1 { String::new() } else { format!(" and {} more TiffData", elements - 1) };
    Error::MissingFile {
        named_in: set.members[file as usize].name.clone(),
        name: described_name(element.file_name.as_deref(), element.uuid.as_deref()),
        content: format!(
            "planes of {} from t {}, c {}, z {} on{elements}",
            label(Some(index), image.name.as_deref()),
            element.first_t,
            element.first_c,
            element.first_z
        ),
    }
}

/// The error once more: it is kept for the image that it belongs to.
fn copy_of(e: &Error) -> Error {
    match e {
        Error::MissingFile { named_in, name, content } => {
            Error::MissingFile { named_in: named_in.clone(), name: name.clone(), content: content.clone() }
        }
        other => Error::Document { file: String::new(), what: other.to_string() },
    }
}

/// Places the planes of all images one after another.
fn consecutive(set: &mut Discovery, own: u32, document: &Document, blocks: &mut [Vec<Block>]) {
    let images = &document.ome().images;
    let mut next = 0_u64;
    for (image, blocks) in images.iter().zip(blocks.iter_mut()) {
        let Some(pixels) = &image.pixels else { continue };
        let block = Block { file: Some(own), ifd: None, t: 0, c: 0, z: 0, count: None };
        if images.len() == 1 {
            blocks.push(block);
            break;
        }
        let channels = match pixels.channels.len() as u64 {
            0 => pixels.size_c.unwrap_or(1),
            n => n.min(pixels.size_c.unwrap_or(n)),
        };
        let planes = [pixels.size_z, pixels.size_t]
            .iter()
            .fold(channels, |n, size| n.saturating_mul(size.unwrap_or(1)));
        blocks.push(Block { ifd: Some(next), count: Some(planes), ..block });
        next = next.saturating_add(planes);
    }
    set.warn(Some(own), "the metadata have no TiffData; the IFDs are read in their order".to_owned());
}

/// What the builder needs to know of one Image; the error says in words what is wrong.
fn spec(
    files: &Files,
    index: usize,
    image: &xml::Image,
    pixels: &xml::Pixels,
    blocks: &[Block],
    warnings: &mut Vec<Warning>,
) -> Result<Spec, String> {
    let size = |name: &str, value: Option<u64>| match value {
        Some(0) => Err(format!("{name} is 0")),
        Some(size) => u32::try_from(size).map_err(|_| format!("{name} is {size}")),
        None => Err(format!("{name} is missing or not a number")),
    };
    let (x, y) = (size("SizeX", pixels.size_x)?, size("SizeY", pixels.size_y)?);
    let mut notes = Vec::new();
    let firsts = |first: fn(&Block) -> u64| blocks.iter().map(first).max().unwrap_or(0);
    let one = |name: &str, value: Option<u64>, last: u64, notes: &mut Vec<String>| {
        // Without any plane beyond the first there is but one reading.
        if value.is_none() && last == 0 && !blocks.is_empty() {
            notes.push(format!("{name} is missing or not a number; read as 1"));
            return Ok(1);
        }
        size(name, value)
    };
    let z = one("SizeZ", pixels.size_z, firsts(|block| block.z), &mut notes)?;
    let t = one("SizeT", pixels.size_t, firsts(|block| block.t), &mut notes)?;
    let c = size("SizeC", pixels.size_c)?;
    let declared = match (pixels.pixel_type, &pixels.raw_type) {
        (Some(pixel_type), _) => Some(sample_type::of_ome(pixel_type)),
        (None, Some(raw)) => {
            notes.push(format!("Type is {raw:?}, which OME does not have; the tags decide"));
            None
        }
        (None, None) => None,
    };
    let group_samples = group_samples(files, pixels, c, blocks, &mut notes)?;
    let several = [z, group_samples.len() as u32, t].iter().filter(|size| **size > 1).count() > 1;
    let order = match pixels.dimension_order {
        Some(order) => order.order().map(|axis| match axis {
            xml::Axis::T => Axis::T,
            xml::Axis::C => Axis::C,
            xml::Axis::Z => Axis::Z,
        }),
        // Where every plane is named by itself the order decides nothing.
        None if several && !blocks.iter().all(names_one_plane) => {
            return Err("DimensionOrder is missing or unknown, and there is more than one axis".to_owned());
        }
        None => [Axis::Z, Axis::C, Axis::T],
    };
    let extent = Extent { t, c: group_samples.len() as u32, z, order };
    let pages: u64 =
        files.members.iter().filter_map(|member| member.container.as_ref()).map(|c| u64::from(c.len())).sum();
    if extent.planes() > plane_limit(pages) {
        return Err(format!(
            "it promises {} planes (SizeT {t}, {} channels stored apart, SizeZ {z}), the files have {pages} IFDs",
            extent.planes(),
            extent.c
        ));
    }
    let blocks = blocks_by_group(blocks, &group_samples, &mut notes);
    let blocks = without_others(files, blocks, &extent, (x, y), &mut notes);
    let pages_of = |file| files.container(file).map_or(0, crate::container::Container::len);
    let map = plane_map::assign(&extent, &blocks, pages_of);
    notes.extend(map.notes);
    let label = label(Some(index), image.name.as_deref());
    warnings.extend(notes.into_iter().map(|note| Warning {
        file: None,
        ifd: None,
        message: format!("{label}: {note}"),
    }));
    Ok(Spec {
        name: image.name.clone(),
        ome_index: Some(index),
        size: Some((u64::from(x), u64::from(y))),
        declared,
        significant_bits: pixels.significant_bits,
        extent,
        group_samples,
        planes: map.planes,
        broken_promise: map.broken_promise,
        contiguous: None,
        described: Described::default(),
        levels_follow: true,
    })
}

/// Whether a TiffData element is about a single plane.
fn names_one_plane(block: &Block) -> bool {
    matches!((block.ifd, block.count), (Some(_), None | Some(1)))
}

/// One TiffData element for all pages of a file, some of which are no planes because they are reduced copies or of another
/// size: if as many are left as the image has planes, those are the planes, in their order.
fn without_others(
    files: &Files,
    blocks: Vec<Block>,
    extent: &Extent,
    size: (u32, u32),
    notes: &mut Vec<String>,
) -> Vec<Block> {
    let [Block { file: Some(file), ifd: None, t: 0, c: 0, z: 0, count }] = blocks[..] else { return blocks };
    let Some(container) = files.container(file) else { return blocks };
    let total = extent.planes();
    if u64::from(container.len()) <= total || count.is_some_and(|count| count != total) {
        return blocks;
    }
    let is_plane = |page: &u32| {
        container.page(*page).and_then(|page| container.geometry(page).ok()).is_some_and(|geometry| {
            (geometry.width, geometry.height) == size && !geometry.is_reduced() && !geometry.is_mask()
        })
    };
    let planes: Vec<u32> = (0..container.len()).filter(is_plane).collect();
    let in_order = planes.iter().zip(0..).all(|(page, n)| *page == n);
    if planes.len() as u64 != total || in_order {
        return blocks;
    }
    notes.push(format!(
        "of the {} IFDs those {total} that have the size of the image are read as its planes",
        container.len()
    ));
    let found = planes.into_iter().zip(0..).filter_map(|(page, rank)| {
        let (t, c, z) = extent.plane(extent.slot_of_rank(rank)?);
        let (t, c, z) = (u64::from(t), u64::from(c), u64::from(z));
        Some(Block { file: Some(file), ifd: Some(page.into()), t, c, z, count: Some(1) })
    });
    found.collect()
}

/// How many samples each channel that has pages of its own has: what the Channel elements say, where the pages
/// agree, else what the pages say.
fn group_samples(
    files: &Files,
    pixels: &xml::Pixels,
    size_c: u32,
    blocks: &[Block],
    notes: &mut Vec<String>,
) -> Result<Vec<u32>, String> {
    let declared: Vec<u32> =
        pixels.channels.iter().map(|channel| channel.samples_per_pixel.unwrap_or(1).max(1)).collect();
    // A sum that stopped at the largest number would equal a SizeC of that number.
    let sum: u64 = declared.iter().copied().map(u64::from).sum();
    let is_sum = sum == u64::from(size_c);
    let first = blocks.iter().find_map(|block| {
        let container = files.container(block.file?)?;
        let page = container.page(u32::try_from(block.ifd.unwrap_or(0)).ok()?)?;
        let samples = u32::from(container.geometry(page).ok()?.samples);
        Some((block, samples))
    });
    let Some((block, stored)) = first else {
        let channels = channel_limit(size_c)?;
        return Ok(if is_sum { declared } else { vec![1; channels] });
    };
    if is_sum {
        let of_first = declared.get(block.c as usize).copied();
        if of_first == Some(stored) {
            channel_limit(size_c)?;
            return Ok(declared);
        }
        if stored == 1 {
            notes.push("the samples of its channels are stored as pages of their own".to_owned());
            return Ok(vec![1; channel_limit(size_c)?]);
        }
    } else if declared.len() > 1 || (declared.len() == 1 && stored != size_c) {
        notes.push(format!(
            "SizeC is {size_c}, the {} Channel elements have {sum} samples; the pages decide",
            declared.len()
        ));
    }
    if stored > 0 && size_c.is_multiple_of(stored) {
        if is_sum && stored > 1 {
            notes.push(format!(
                "the pages have {stored} samples per pixel, which the Channel elements do not say"
            ));
        }
        Ok(vec![stored; channel_limit(size_c / stored)?])
    } else {
        Err(format!("SizeC is {size_c}, its pages have {stored} samples per pixel"))
    }
}

/// No acquisition has a million channels; a table of 2^32 would not fit in memory.
fn channel_limit(channels: u32) -> Result<usize, String> {
    if channels > 1 << 20 { Err(format!("SizeC is {channels}")) } else { Ok(channels as usize) }
}

/// FirstC counts channels, of whatever number of samples. Some writers count samples.
fn blocks_by_group(blocks: &[Block], group_samples: &[u32], notes: &mut Vec<String>) -> Vec<Block> {
    let groups = group_samples.len() as u64;
    let starts: Vec<u64> = group_samples
        .iter()
        .scan(0, |next, samples| {
            let start = *next;
            *next += u64::from(*samples);
            Some(start)
        })
        .collect();
    let counts_samples = starts.last().is_some_and(|last| *last >= groups)
        && blocks.iter().any(|block| block.c >= groups)
        && blocks.iter().all(|block| starts.binary_search(&block.c).is_ok());
    if !counts_samples {
        return blocks.to_vec();
    }
    notes.push("FirstC of the TiffData elements counts samples, not channels".to_owned());
    blocks
        .iter()
        .map(|block| Block { c: starts.binary_search(&block.c).unwrap_or(0) as u64, ..*block })
        .collect()
}
