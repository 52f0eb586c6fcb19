//! Plates: rows and columns, wells, fields of view and acquisitions.

use std::collections::{HashMap, HashSet};

use fairzarr_ome_xml as ome_xml;

use crate::{Acquisition, Error, Plate, PlateWell, Well, WellImage};

/// Plates of a document, and where they lie.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Plates {
    /// Path of each plate's group, empty for the root, and what lies there. Plates without any image are left out.
    pub plates: Vec<(String, PlateLayout)>,
}

impl Plates {
    /// The plates of a document of which the images exist that `is_there` accepts, by index in [`ome_xml::Ome::images`].
    ///
    /// A group is one plate in NGFF: the first that has images is at the root, further ones at `plates/1`, `plates/2`, …,
    /// numbered as in the document. An image that several wells refer to lies at the first. Well samples without an image
    /// have no place.
    ///
    /// # Errors
    ///
    /// As [`plate`].
    pub fn new(ome: &ome_xml::Ome, is_there: impl Fn(usize) -> bool) -> Result<Self, Error> {
        let mut taken: HashSet<usize> = (0..ome.images.len()).filter(|index| !is_there(*index)).collect();
        let mut plates = Vec::new();
        for (number, source) in ome.plates.iter().enumerate() {
            let layout = layout(ome, source, &mut taken)?;
            if !layout.wells.is_empty() {
                let path = if plates.is_empty() { String::new() } else { format!("plates/{number}") };
                plates.push((path, layout));
            }
        }
        Ok(Self { plates })
    }

    /// The path of the group of each image that is on a plate, by its index in [`ome_xml::Ome::images`].
    pub fn image_paths(&self) -> HashMap<usize, String> {
        let mut paths = HashMap::new();
        for (plate, layout) in &self.plates {
            for well in &layout.wells {
                for (image, field) in well.images.iter().zip(&well.well.images) {
                    let path = format!("{}/{}", well.path, field.path);
                    paths.insert(*image, if plate.is_empty() { path } else { format!("{plate}/{path}") });
                }
            }
        }
        paths
    }
}

/// Where the images of a plate lie.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlateLayout {
    /// What the plate's group says.
    pub plate: Plate,
    /// Wells with images, in document order.
    pub wells: Vec<WellLayout>,
}

/// Where the images of a well lie.
#[derive(Debug, Clone, PartialEq)]
pub struct WellLayout {
    /// Path of the well's group, relative to the plate's: `row/column`.
    pub path: String,
    /// What the well's group says.
    pub well: Well,
    /// For each of the well's images, its index in [`ome_xml::Ome::images`].
    pub images: Vec<usize>,
}

/// The plate in NGFF's terms.
///
/// All rows and columns of the plate are listed, and those wells that have images. An image that several well
/// samples refer to lies at the first. Samples without an image have no place in NGFF. Start and end times are
/// left out, because the versions do not agree on their unit.
///
/// # Errors
///
/// [`Error::PlateTooLarge`] when rows or columns are more than any plate has.
pub fn plate(ome: &ome_xml::Ome, source: &ome_xml::Plate) -> Result<PlateLayout, Error> {
    layout(ome, source, &mut HashSet::new())
}

/// The plate without the images that are taken; those that it has are taken then.
fn layout(
    ome: &ome_xml::Ome,
    source: &ome_xml::Plate,
    taken: &mut HashSet<usize>,
) -> Result<PlateLayout, Error> {
    let rows = extent("rows", source.rows, source.wells.iter().map(|well| well.row))?;
    let columns = extent("columns", source.columns, source.wells.iter().map(|well| well.column))?;
    let mut plate = Plate {
        name: name(source.name.as_ref(), &source.id),
        rows: names(rows, source.row_naming.as_deref().unwrap_or("letter")),
        columns: names(columns, source.column_naming.as_deref().unwrap_or("number")),
        acquisitions: source.acquisitions.iter().enumerate().map(acquisition).collect(),
        ..Plate::default()
    };
    let mut wells: Vec<WellLayout> = Vec::new();
    let mut by_place = HashMap::new();
    let mut images = Images::new(ome, source, taken);
    for well in &source.wells {
        let (Some(row), Some(column)) = (well.row, well.column) else { continue };
        let place = PlateWell { row: row as usize, column: column as usize };
        let Some(path) = plate.well_path(place) else { continue };
        for sample in &well.samples {
            let Some((index, acquisition)) = images.take(sample) else { continue };
            let position = *by_place.entry(place).or_insert_with(|| {
                plate.wells.push(place);
                wells.push(WellLayout { path: path.clone(), well: Well::default(), images: Vec::new() });
                wells.len() - 1
            });
            let layout = &mut wells[position];
            layout.well.images.push(WellImage { path: layout.images.len().to_string(), acquisition });
            layout.images.push(index);
        }
    }
    plate.field_count = wells.iter().map(|well| well.images.len() as u64).max();
    Ok(PlateLayout { plate, wells })
}

/// Looks up the images and acquisitions of well samples; large plates have hundreds of thousands.
struct Images<'a> {
    by_id: HashMap<&'a str, usize>,
    acquisition_of: HashMap<&'a str, u64>,
    taken: &'a mut HashSet<usize>,
}

impl<'a> Images<'a> {
    fn new(ome: &'a ome_xml::Ome, plate: &'a ome_xml::Plate, taken: &'a mut HashSet<usize>) -> Self {
        let mut by_id = HashMap::new();
        for (index, image) in ome.images.iter().enumerate() {
            by_id.entry(image.id.as_str()).or_insert(index);
        }
        let mut acquisition_of = HashMap::new();
        for (id, acquisition) in plate.acquisitions.iter().enumerate() {
            for sample in &acquisition.well_sample_refs {
                acquisition_of.entry(sample.as_str()).or_insert(id as u64);
            }
        }
        Self { by_id, acquisition_of, taken }
    }

    /// The sample's image, the first time it is asked for, and its acquisition.
    fn take(&mut self, sample: &ome_xml::WellSample) -> Option<(usize, Option<u64>)> {
        let index = *self.by_id.get(sample.image_ref.as_deref()?)?;
        self.taken.insert(index).then(|| (index, self.acquisition_of.get(sample.id.as_str()).copied()))
    }
}

/// How many rows or columns the plate has: what it says, or as many as its wells need.
fn extent(
    member: &'static str,
    declared: Option<u32>,
    used: impl Iterator<Item = Option<u32>>,
) -> Result<usize, Error> {
    /// Far above the 32 rows and 48 columns of the densest common plate.
    const MOST: u64 = 10_000;
    let needed = used.flatten().map(|index| u64::from(index) + 1).max().unwrap_or(0);
    let found = needed.max(declared.unwrap_or(0).into());
    if found > MOST {
        return Err(Error::PlateTooLarge { member, found, limit: MOST });
    }
    Ok(found as usize)
}

fn names(count: usize, convention: &str) -> Vec<String> {
    (0..count)
        .map(
            |index| {
                if convention.eq_ignore_ascii_case("letter") {
                    letters(index)
                } else {
                    (index + 1).to_string()
                }
            },
        )
        .collect()
}

/// A to Z, then AA, AB, …
fn letters(mut index: usize) -> String {
    let mut name = Vec::new();
    loop {
        name.push(char::from(b'A' + (index % 26) as u8));
        if index < 26 {
            return name.iter().rev().collect();
        }
        index = index / 26 - 1;
    }
}

/// The name, or the ID where there is none.
fn name(name: Option<&String>, id: &str) -> Option<String> {
    name.map(String::as_str).into_iter().chain([id]).find(|text| !text.is_empty()).map(str::to_owned)
}

fn acquisition((index, source): (usize, &ome_xml::PlateAcquisition)) -> Acquisition {
    Acquisition {
        id: index as u64,
        name: name(source.name.as_ref(), &source.id),
        description: source.description.clone(),
        maximum_field_count: source.maximum_field_count.filter(|&count| count > 0).map(u64::from),
        start_time: None,
        end_time: None,
    }
}
