//! Files of labels, as they are typed: with a name, or named as the file is.

use fairzarr_convert::{Error, LabelFile};
use fairzarr_ome_tiff::{Fileset, OpenOptions};
use fairzarr_store::Location;

use crate::args::StoreArgs;
use crate::exit::Failure;
use crate::{print, source};

/// Opens files of labels as a conversion takes them.
pub(super) fn open(typed: &[String], args: &StoreArgs) -> Result<Vec<LabelFile>, Failure> {
    let file = |text: &String| {
        let (name, place) = named(text);
        Ok(LabelFile::new(name, fileset(place, args)?).map_err(Error::from)?)
    };
    typed.iter().map(file).collect()
}

/// Opens the files that label images were made of.
pub(super) fn open_to_verify(
    typed: &[String],
    args: &StoreArgs,
) -> Result<Vec<fairzarr_verify::LabelFile>, Failure> {
    let file = |text: &String| {
        let (name, place) = named(text);
        Ok(fairzarr_verify::LabelFile { name, files: fileset(place, args)? })
    };
    typed.iter().map(file).collect()
}

fn fileset(place: &str, args: &StoreArgs) -> Result<Fileset, Failure> {
    let files = source::fileset(place, args, OpenOptions::default())?;
    for warning in files.warnings() {
        print::warning(format_args!("labels {place}: {warning}"));
    }
    Ok(files)
}

/// The name of the label images, and the file. What stands before the first `=` is a name unless a path says otherwise; without
/// one the file's name is taken, as far as it can be one.
pub(super) fn named(text: &str) -> (String, &str) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if let Some((name, place)) = text.split_once('=')
        && !name.is_empty()
        && name.chars().all(is_plain)
    {
        return (name.to_owned(), place);
    }
    let location = text.parse::<Location>().ok();
    let file = location.as_ref().and_then(Location::file_name).unwrap_or_default();
    let lower = file.to_ascii_lowercase();
    let ending = ENDINGS.iter().find(|ending| lower.ends_with(*ending)).map_or(0, |ending| ending.len());
    let name: String =
        file[..file.len() - ending].chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    (if name.is_empty() { "labels".into() } else { name.to_owned() }, text)
}

/// Endings of file names, the longer ones first.
const ENDINGS: [&str; 8] =
    [".companion.ome", ".ome.tiff", ".ome.tif", ".ome.btf", ".ome.xml", ".tiff", ".tif", ".btf"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_typed_or_is_that_of_the_file() {
        for (text, name, place) in [
            ("cells=a/b.ome.tif", "cells", "a/b.ome.tif"),
            ("a/b.ome.tif", "b", "a/b.ome.tif"),
            ("a/My cells.OME.TIFF", "My_cells", "a/My cells.OME.TIFF"),
            ("./x=1.tif", "x_1", "./x=1.tif"),
            ("https://h.org/m/seg.tif?v=2", "seg.tif_v_2", "https://h.org/m/seg.tif?v=2"),
            ("_.tif", "labels", "_.tif"),
            ("=x.tif", "x", "=x.tif"),
        ] {
            let (found, at) = named(text);
            assert_eq!(at, place, "{text}");
            if !text.contains('?') {
                assert_eq!(found, name, "{text}");
            }
        }
    }
}
