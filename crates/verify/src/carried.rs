//! Whether the store says what of the source it does not hold: pages that no image uses.

use fairzarr_ome_tiff::{Fileset, UnmappedPage};
use serde_json::Value;

use crate::report::{Check, Difference};

/// Pages that the report names.
const NAMED: usize = 8;

/// Compares the pages that no image of the source uses with those that the store names. Stores of other programs name
/// none; then they are told, and that is all.
pub(crate) fn compare(source: &Fileset, record: Option<&Value>) -> Check {
    let unmapped = source.unmapped();
    let named = record.and_then(|record| record.get("not_carried"));
    let list = named.and_then(|named| named.get("pages")).and_then(Value::as_array);
    let count = named.and_then(|named| named.get("page_count")).and_then(Value::as_u64).unwrap_or(0);
    let mut differences = Vec::new();
    if record.is_some() {
        for page in unmapped.iter().take(NAMED) {
            if !list.is_some_and(|list| list.iter().any(|entry| is_about(source, page, entry))) {
                differences.push(Difference {
                    place: place(source, page),
                    expected: "named as not carried".into(),
                    found: "no word of it".into(),
                });
            }
        }
        if count != unmapped.len() as u64 {
            differences.push(Difference {
                place: "pages that are not carried".into(),
                expected: unmapped.len().to_string(),
                found: count.to_string(),
            });
        }
    }
    let covered = match unmapped.len() {
        0 => "every page of the source is a plane or a level of an image".to_owned(),
        n => {
            let names: Vec<String> = unmapped.iter().take(NAMED).map(|page| place(source, page)).collect();
            let more = if n > NAMED { format!(", and {} more", n - NAMED) } else { String::new() };
            format!("not in the store: {}{more}", names.join("; "))
        }
    };
    Check { name: "carried", covered, differences }
}

fn place(source: &Fileset, page: &UnmappedPage) -> String {
    let file = source.files().get(page.file).map_or("", |file| file.name.as_str());
    format!("{file}, IFD {}, {page}", page.ifd)
}

fn is_about(source: &Fileset, page: &UnmappedPage, entry: &Value) -> bool {
    let number = |name: &str| entry.get(name).and_then(Value::as_u64);
    let file = source.files().get(page.file).map(|file| file.name.as_str());
    entry.get("file").and_then(Value::as_str) == file
        && number("ifd") == Some(page.ifd.into())
        && number("sub_ifd") == page.sub_ifd.map(u64::from)
        && number("y") == Some(page.y.into())
        && number("x") == Some(page.x.into())
}
