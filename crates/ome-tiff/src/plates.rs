//! What a document says of plates and cannot be so: images in no well or in two, wells whose image is missing.

use std::collections::{HashMap, HashSet};

use fairzarr_ome_xml::{self as xml, Document};

use crate::{
    image::{Image, label},
    types::Warning,
};

/// Images or wells that a warning names; of more, their number.
const NAMED: usize = 8;

/// Says what of the plates cannot be shown as plates. Nothing of it concerns pixels.
pub(crate) fn check(document: &Document, images: &[Image], warnings: &mut Vec<Warning>) {
    let ome = document.ome();
    if ome.plates.is_empty() {
        return;
    }
    let there: HashSet<usize> = images.iter().filter_map(Image::ome_index).collect();
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    for (index, image) in ome.images.iter().enumerate() {
        by_id.entry(&image.id).or_insert(index);
    }
    let mut missing = Vec::new();
    let mut again = Vec::new();
    let mut in_wells = HashSet::new();
    for (plate, well, sample) in samples(ome) {
        let Some(reference) = sample.image_ref.as_deref() else { continue };
        let place = || format!("{} of {}", name("well", &well.id), name("plate", &plate.id));
        match by_id.get(reference).filter(|index| there.contains(index)) {
            None => missing.push((place(), reference)),
            Some(index) if !in_wells.insert(*index) => again.push((place(), reference)),
            Some(_) => {}
        }
    }
    let mut say = |message: String| {
        warnings.push(Warning { file: None, ifd: None, message });
    };
    let pairs = |pairs: &[(String, &str)]| {
        listed(pairs.iter().map(|(place, image)| format!("{place} ({image:?})")), pairs.len())
    };
    if !missing.is_empty() {
        say(format!(
            "wells refer to images that are not there, and have no field for them: {}",
            pairs(&missing)
        ));
    }
    if !again.is_empty() {
        say(format!(
            "wells refer to images that are in another well already, and stay there: {}",
            pairs(&again)
        ));
    }
    let alone: Vec<String> = (0..ome.images.len())
        .filter(|index| there.contains(index) && !in_wells.contains(index))
        .map(|index| label(Some(index), ome.images[index].name.as_deref()))
        .collect();
    if !alone.is_empty() {
        let count = alone.len();
        say(format!("in no well of the plate: {}", listed(alone.into_iter(), count)));
    }
    if ome.plates.len() > 1 {
        let names = ome.plates.iter().map(|plate| name("plate", &plate.id));
        say(format!("the images are on {} plates: {}", ome.plates.len(), listed(names, ome.plates.len())));
    }
}

fn samples(ome: &xml::Ome) -> impl Iterator<Item = (&xml::Plate, &xml::Well, &xml::WellSample)> {
    ome.plates.iter().flat_map(|plate| {
        plate.wells.iter().flat_map(move |well| well.samples.iter().map(move |sample| (plate, well, sample)))
    })
}

fn name(what: &str, id: &str) -> String {
    if id.is_empty() { format!("a {what} without ID") } else { format!("{what} {id:?}") }
}

fn listed(names: impl Iterator<Item = String>, count: usize) -> String {
    let first: Vec<String> = names.take(NAMED).collect();
    match count.saturating_sub(first.len()) {
        0 => first.join(", "),
        more => format!("{}, and {more} more", first.join(", ")),
    }
}
