//! Whether the store says of the source's TIFF tags what the files say: `OME/tiff-tags.json`, see `docs/ome-json.md`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fairzarr_ome_tiff::{Error as TiffError, Fileset, PageTags, Tag, TagValue};
use fairzarr_ome_zarr::{Hierarchy, keys};
use serde_json::Value;
use std::collections::BTreeMap;

use crate::error::Error;
use crate::report::{Check, Difference, Differences, Proof};

/// Compares page by page, in the order of the files. Stores of other programs, and those of versions that wrote no
/// manifest, keep tags in other ways or not at all: `None`.
///
/// # Errors
/// When a file or the store cannot be read.
pub(crate) fn compare(source: &Fileset, hierarchy: &Hierarchy) -> Result<Option<Check>, Error> {
    if !hierarchy.conversion().is_some_and(|conversion| conversion.has_manifest()) {
        return Ok(None);
    }
    let mut differences = Differences::new("pages");
    let document = hierarchy.store().get(keys::TIFF_TAGS)?;
    let document: Value = document.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let stored = document.get("pages").and_then(Value::as_array).map(Vec::as_slice);
    if stored.is_none() || !has_only(&document, &["pages"]) {
        let expected = "pages with their tags, and nothing else";
        let found = if document.is_null() { "nothing that can be read" } else { "other members" };
        differences.add(Difference::new(keys::TIFF_TAGS, expected, found));
    }
    let mut names = BTreeMap::new();
    let mut pages = 0;
    for page in source.original_metadata() {
        let found = stored.and_then(|stored| stored.get(pages));
        pages += 1;
        match page {
            Ok(page) => {
                if let Some(difference) = of_page(source, &page, found, &mut names) {
                    differences.add(difference);
                }
            }
            // The conversion could not read these tags either, and said so in their place.
            Err(error @ TiffError::Damaged { .. }) => {
                if !found.is_some_and(|found| found["error"].is_string() && has_only(found, &["error"])) {
                    let place = format!("{}, page {}", keys::TIFF_TAGS, pages - 1);
                    differences.add(Difference::new(place, error.to_string(), "tags"));
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    let kept = stored.map_or(0, <[Value]>::len);
    if kept > pages {
        let place = format!("{}, pages", keys::TIFF_TAGS);
        differences.add(Difference::new(place, pages.to_string(), kept.to_string()));
    }
    let covered = format!("TIFF tags of {pages} pages");
    Ok(Some(Check::new(Proof::Tags, covered, differences.finish())))
}

/// The first thing that differs on a page. Files may be called otherwise since: `names` are those that the store has for them.
fn of_page<'s>(
    source: &Fileset,
    page: &PageTags,
    found: Option<&'s Value>,
    names: &mut BTreeMap<usize, Option<&'s Value>>,
) -> Option<Difference> {
    let file = source.files().get(page.file).map(|file| file.name.as_str());
    let place = || format!("{}, IFD {}", file.unwrap_or_default(), page.ifd);
    let Some(found) = found else {
        return Some(Difference::new(place(), "its tags", format!("none in {}", keys::TIFF_TAGS)));
    };
    if !has_only(found, &["image", "file", "ifd", "complete", "tags"]) {
        return Some(Difference::new(place(), "image, file, ifd, complete and tags", found.to_string()));
    }
    let about =
        [("image", Value::from(page.image)), ("ifd", page.ifd.into()), ("complete", page.complete.into())];
    for (member, expected) in about {
        if found.get(member) != Some(&expected) {
            let stored = found.get(member).unwrap_or(&Value::Null);
            let place = format!("{}, {member}", place());
            return Some(Difference::new(place, expected.to_string(), stored.to_string()));
        }
    }
    let name = *names.entry(page.file).or_insert(found.get("file"));
    if name.is_none() || found.get("file") != name {
        let text = |name: Option<&Value>| name.map_or_else(|| "a name".to_owned(), Value::to_string);
        let stored = found.get("file").unwrap_or(&Value::Null);
        return Some(Difference::new(format!("{}, file", place()), text(name), stored.to_string()));
    }
    let stored = found.get("tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if let Some((tag, stored)) = page.tags.iter().zip(stored).find(|(tag, stored)| !is_same(tag, stored)) {
        let place = format!("{}, tag {}", place(), tag.code);
        return Some(Difference::new(place, "the value that the file has", stored.to_string()));
    }
    (page.tags.len() != stored.len()).then(|| {
        let place = format!("{}, number of tags", place());
        Difference::new(place, page.tags.len().to_string(), stored.len().to_string())
    })
}

/// Whether a stored tag has the number, the name and the values of one that was read.
fn is_same(tag: &Tag, stored: &Value) -> bool {
    let named = stored.get("name").and_then(Value::as_str) == tag.name;
    named
        && has_only(stored, &["code", "name", "type", "value", "base64"])
        && stored.get("code").and_then(Value::as_u64) == Some(tag.code.into())
        && stored.get("type").and_then(Value::as_str) == Some(type_name(tag.field_type))
        && has_values(&tag.value, stored.get("value"), stored.get("base64"))
}

/// Whether it is an object without members beside these: what the store says and nobody compares would pass.
fn has_only(object: &Value, members: &[&str]) -> bool {
    object.as_object().is_some_and(|object| object.keys().all(|name| members.contains(&name.as_str())))
}

fn has_values(value: &TagValue, stored: Option<&Value>, base64: Option<&Value>) -> bool {
    let bytes = || base64.and_then(Value::as_str).and_then(|text| BASE64.decode(text).ok());
    // One value stands without a list.
    let each = |count: usize, is_at: &dyn Fn(usize, &Value) -> bool| match (stored, count) {
        (Some(only), 1) => is_at(0, only),
        (Some(Value::Array(all)), _) => {
            all.len() == count && all.iter().enumerate().all(|(n, one)| is_at(n, one))
        }
        _ => false,
    };
    let pair = |one: &Value, (over, under): (i64, i64)| {
        let part = |n: usize| one.get(n).and_then(Value::as_i64);
        part(0) == Some(over) && part(1) == Some(under)
    };
    match value {
        TagValue::Ascii(read) => match stored.and_then(Value::as_str) {
            Some(text) => base64.is_none() && read.strip_suffix(b"\0") == Some(text.as_bytes()),
            None => bytes().is_some_and(|kept| kept == *read),
        },
        TagValue::Bytes(read) => stored.is_none() && bytes().is_some_and(|kept| kept == *read),
        TagValue::Unsigned(read) => each(read.len(), &|n, one| one.as_u64() == Some(read[n])),
        TagValue::Signed(read) => each(read.len(), &|n, one| one.as_i64() == Some(read[n])),
        TagValue::Rational(read) => {
            each(read.len(), &|n, one| pair(one, (read[n].0.into(), read[n].1.into())))
        }
        TagValue::SignedRational(read) => {
            each(read.len(), &|n, one| pair(one, (read[n].0.into(), read[n].1.into())))
        }
        TagValue::Float(read) => each(read.len(), &|n, one| is_number(one, f64::from(read[n]))),
        TagValue::Double(read) => each(read.len(), &|n, one| is_number(one, read[n])),
        _ => stored.is_none() && base64.is_none(),
    }
}

/// What JSON has no number for is a word, as in Zarr.
fn is_number(stored: &Value, read: f64) -> bool {
    match stored.as_str() {
        Some("NaN") => read.is_nan(),
        Some("Infinity") => read == f64::INFINITY,
        Some("-Infinity") => read == f64::NEG_INFINITY,
        Some(_) => false,
        None => stored.as_f64() == Some(read),
    }
}

/// Field types by their numbers in TIFF 6.0, its first technical note and BigTIFF; none for others.
fn type_name(number: u16) -> &'static str {
    match number {
        1 => "BYTE",
        2 => "ASCII",
        3 => "SHORT",
        4 => "LONG",
        5 => "RATIONAL",
        6 => "SBYTE",
        7 => "UNDEFINED",
        8 => "SSHORT",
        9 => "SLONG",
        10 => "SRATIONAL",
        11 => "FLOAT",
        12 => "DOUBLE",
        13 => "IFD",
        16 => "LONG8",
        17 => "SLONG8",
        18 => "IFD8",
        _ => "",
    }
}
