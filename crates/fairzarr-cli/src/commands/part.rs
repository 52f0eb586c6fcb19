//! The part of a source that is asked for: images by number, by well and field of a plate, and time points.

use fairzarr_ngff::from_ome::Plates;
use fairzarr_ome_tiff::{Fileset, Image, Part};
use std::collections::HashMap;

use crate::args::ConvertChoices;
use crate::exit::Failure;

/// What was typed, as numbers of the whole source.
pub(super) fn of(text: &str, source: &Fileset, choices: &ConvertChoices) -> Result<Part, Failure> {
    let series =
        choices.series.as_ref().map(|series| series.0.iter().map(|n| *n as usize).collect::<Vec<_>>());
    let count = source.images().len();
    if let Some(missing) = series.iter().flatten().find(|series| **series >= count) {
        return Err(Failure::usage(format!(
            "{text} has {count} images, the first is 0: there is no {missing}"
        )));
    }
    let fields = fields(text, source, choices)?;
    let series = match (series, fields) {
        (Some(series), Some(fields)) => {
            Some(series.into_iter().filter(|series| fields.contains(series)).collect::<Vec<_>>())
        }
        (series, fields) => series.or(fields),
    };
    if series.as_ref().is_some_and(Vec::is_empty) {
        return Err(Failure::usage(format!("{text}: no image is of all that is asked for")));
    }
    let times = choices.timepoints.as_ref().map(|times| times.0.clone());
    let longest = source.images().iter().map(|image| image.shape().t).max().unwrap_or(0);
    if let Some(missing) = times.iter().flatten().find(|time| **time >= longest) {
        return Err(Failure::usage(format!(
            "{text} has {longest} time points, the first is 0: there is no {missing}"
        )));
    }
    Ok(Part::new(series, times))
}

/// Whether a part by wells, fields or numbers was typed.
pub(super) fn is_of_images(typed: impl Fn(&str) -> bool) -> bool {
    ["series", "wells", "fields"].into_iter().any(typed)
}

/// The numbers of the images in the wells and fields that are asked for.
fn fields(text: &str, source: &Fileset, choices: &ConvertChoices) -> Result<Option<Vec<usize>>, Failure> {
    let (wells, fields) = (choices.wells.as_ref(), choices.fields.as_ref());
    if wells.is_none() && fields.is_none() {
        return Ok(None);
    }
    let by_index: HashMap<usize, usize> = source
        .images()
        .iter()
        .enumerate()
        .filter_map(|(series, image)| Some((Image::ome_index(image)?, series)))
        .collect();
    let plates = match source.document() {
        Some(document) => Plates::new(document.ome(), |index| by_index.contains_key(&index))
            .map_err(|error| Failure::usage(format!("{text}: {error}")))?,
        None => Plates::default(),
    };
    if plates.plates.is_empty() {
        return Err(Failure::usage(format!("{text} has no plate with images in its wells")));
    }
    let places = || {
        let layouts = plates.plates.iter().map(|(_, layout)| layout);
        layouts.flat_map(|layout| layout.plate.wells.iter().zip(&layout.wells))
    };
    if let Some(wells) = wells {
        let is_there = |(row, column): (u32, u32)| {
            places().any(|(place, _)| (place.row, place.column) == (row as usize, column as usize))
        };
        if let Some((row, column)) = wells.0.iter().copied().find(|well| !is_there(*well)) {
            let named: Vec<&str> = places().take(NAMED).map(|(_, well)| well.path.as_str()).collect();
            return Err(Failure::usage(format!(
                "{text} has no images in the well of row {} and column {}; there are some in {}{}",
                row + 1,
                column + 1,
                named.join(", "),
                if places().count() > NAMED { ", …" } else { "" }
            )));
        }
    }
    let most = places().map(|(_, well)| well.images.len()).max().unwrap_or(0);
    if let Some(missing) = fields.iter().flat_map(|fields| &fields.0).find(|field| **field as usize >= most) {
        return Err(Failure::usage(format!(
            "{text} has {most} fields in a well, the first is 0: there is no {missing}"
        )));
    }
    let is_asked = |well: (usize, usize), field: usize| {
        wells
            .is_none_or(|wells| wells.0.iter().any(|(row, column)| (*row as usize, *column as usize) == well))
            && fields.is_none_or(|fields| fields.0.iter().any(|asked| *asked as usize == field))
    };
    let mut series: Vec<usize> = places()
        .flat_map(|(place, well)| {
            let images = well.images.iter().enumerate();
            images
                .filter(move |(field, _)| is_asked((place.row, place.column), *field))
                .map(|(_, index)| *index)
        })
        .filter_map(|index| by_index.get(&index).copied())
        .collect();
    series.sort_unstable();
    Ok(Some(series))
}

/// Wells that a message names.
const NAMED: usize = 8;
