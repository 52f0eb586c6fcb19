//! Whether the store says what of the source it does not hold: pages that no image uses, reduced levels that were
//! computed anew, images and time points that were not asked for, attached files.

use fairzarr_ome_tiff::{Fileset, UnmappedPage};
use fairzarr_ome_zarr::{Conversion, Hierarchy};
use serde_json::Value;

use crate::report::{Check, Difference, Differences, Proof};

/// Parts that the report names; of more, their number.
const NAMED: usize = 8;

/// Pages that a store lists.
const LISTED: usize = 1000;

/// Compares what is not carried with what the store says of that. Stores of other programs say nothing, and those of
/// earlier versions of this one nothing of levels and files; what they lack is told all the same.
pub(crate) fn compare(source: &Fileset, hierarchy: &Hierarchy) -> Check {
    let record = hierarchy.conversion();
    let mut left = Left { told: Vec::new(), count: 0, differences: Differences::new("parts of the source") };
    let named = record.and_then(Conversion::not_carried);
    let list = |member: &str| list_of(named, member);
    let (pages, levels, files) = (list("pages"), list("levels"), list("files"));
    let unmapped = source.unmapped();
    for (n, page) in unmapped.iter().enumerate() {
        // Of very many pages the store names the first.
        let is_named = record.is_none()
            || n >= LISTED
            || pages.get(n).is_some_and(|entry| is_about(source, page, entry));
        left.add(|| place(source, page), is_named);
    }
    let count = named.and_then(|named| named.get("page_count")).and_then(Value::as_u64).unwrap_or(0);
    if record.is_some() && count != unmapped.len() as u64 {
        let found = count.to_string();
        let expected = unmapped.len().to_string();
        left.differences.add(Difference::new("number of pages that are not carried", expected, found));
    }
    let copied = record.map(Conversion::copied_levels).unwrap_or_default();
    for (index, image) in source.images().iter().enumerate().filter(|(_, image)| image.levels().len() > 1) {
        if copied.contains(&(index as u64)) {
            continue;
        }
        let sizes: Vec<[u32; 2]> = image.levels().iter().skip(1).map(|level| [level.y, level.x]).collect();
        let expected = serde_json::json!({"image": index, "sizes": sizes});
        let is_named = named.is_none() || levels.contains(&expected);
        let sizes = || sizes.iter().map(|[y, x]| format!("{x} x {y}")).collect::<Vec<_>>().join(", ");
        left.add(|| format!("reduced levels of image {index} of {} pixels", sizes()), is_named);
    }
    let named_series = list_of(named, "series");
    for series in source.series_left_out() {
        let is_named = named_series.iter().any(|entry| entry.as_u64() == Some(series as u64));
        left.add(|| image_of_source(series as u64), is_named);
    }
    let named_times = list_of(named, "timepoints");
    for (image, left_out) in source.times_left_out().into_iter().enumerate() {
        if left_out.is_empty() {
            continue;
        }
        let expected = serde_json::json!({"image": image, "left_out": left_out});
        left.add(|| times_of_source(image as u64, left_out.len()), named_times.contains(&expected));
    }
    let parts = list_of(named, "metadata");
    for part in source.metadata_not_read() {
        let is_named = named.is_none() || parts.iter().any(|entry| entry.as_str() == Some(&part));
        left.add(|| of_metadata(&part), is_named);
    }
    for file in source.attached() {
        let is_named = named.is_none()
            || files.iter().any(|entry| entry.get("annotation") == Some(&Value::from(&*file.annotation)));
        left.add(|| file.to_string(), is_named);
    }
    left.finish()
}

/// What the store itself says that it does not hold; `None` where it says nothing. Without the source that is no proof.
pub(crate) fn recorded(hierarchy: &Hierarchy) -> Option<Check> {
    let named = hierarchy.conversion()?.not_carried()?;
    let list = |member: &str| named.get(member).and_then(Value::as_array).into_iter().flatten();
    let text = |entry: &Value, member: &str| entry.get(member).and_then(Value::as_str).map(str::to_owned);
    let number = |entry: &Value, member: &str| entry.get(member).and_then(Value::as_u64).unwrap_or_default();
    let mut left = Left { told: Vec::new(), count: 0, differences: Differences::new("parts of the source") };
    for page in list("pages") {
        let (file, kind) = (text(page, "file"), text(page, "kind"));
        let what = || {
            let (x, y, ifd) = (number(page, "x"), number(page, "y"), number(page, "ifd"));
            let (file, kind) = (file.as_deref().unwrap_or_default(), kind.as_deref().unwrap_or("page"));
            format!("{file}, IFD {ifd}: {kind} of {x} x {y} pixels")
        };
        left.add(what, true);
    }
    for levels in list("levels") {
        left.add(|| format!("the source's reduced levels of image {}", number(levels, "image")), true);
    }
    for series in list("series").filter_map(Value::as_u64) {
        left.add(|| image_of_source(series), true);
    }
    for times in list("timepoints") {
        let count = times.get("left_out").and_then(Value::as_array).map_or(0, Vec::len);
        left.add(|| times_of_source(number(times, "image"), count), true);
    }
    for part in list("metadata").filter_map(Value::as_str) {
        left.add(|| of_metadata(part), true);
    }
    for file in list("files") {
        left.add(|| format!("the attached file {:?}", text(file, "name").unwrap_or_default()), true);
    }
    let pages = list("pages").count() as u64;
    let all = named.get("page_count").and_then(Value::as_u64).unwrap_or(pages);
    left.count += usize::try_from(all.saturating_sub(pages)).unwrap_or(usize::MAX);
    (left.count > 0).then(|| left.finish())
}

fn list_of<'v>(named: Option<&'v serde_json::Map<String, Value>>, member: &str) -> &'v [Value] {
    let list = named.and_then(|named| named.get(member)).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

fn image_of_source(series: u64) -> String {
    format!("image {series} of the source, which was not asked for")
}

fn times_of_source(image: u64, count: usize) -> String {
    format!("{count} time points of image {image}, which were not asked for")
}

/// What is found not to be in the store.
struct Left {
    told: Vec<String>,
    count: usize,
    differences: Differences,
}

impl Left {
    fn add(&mut self, what: impl Fn() -> String, is_named: bool) {
        self.count += 1;
        if self.told.len() < NAMED {
            self.told.push(what());
        }
        if !is_named {
            self.differences.add(Difference::new(what(), "named as not carried", "no word of it"));
        }
    }

    fn finish(self) -> Check {
        let Self { told, count, differences } = self;
        let covered = if count == 0 {
            "every page of the source is a plane or a level of an image".to_owned()
        } else {
            let more = match count - told.len() {
                0 => String::new(),
                n => format!(", and {n} more"),
            };
            format!("not in the store: {}{more}", told.join("; "))
        };
        Check::new(Proof::Carried, covered, differences.finish())
    }
}

/// What is in the source's document, byte for byte, and in nothing that was made of it.
fn of_metadata(part: &str) -> String {
    format!("of what the OME-XML says, but for the document itself: {part}")
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
