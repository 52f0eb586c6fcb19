//! Rules of `plate` and `well`.

use serde_json::{Map, Value};

use super::{Need, Report};
use crate::Version;

impl Report {
    pub(super) fn plate(&mut self, at: &str, value: &Value) {
        let Some(plate) = self.object(at, PLATE, value) else { return };
        // The text of 0.5 still asks for it; its schema, its examples and 0.6 do not.
        if self.version == Version::V04 {
            self.version_member(at, plate, PLATE);
        }
        self.string(at, plate, "name", Need::Should(PLATE));
        self.positive(at, plate, "field_count", Need::May(PLATE));
        let rows = self.names(at, plate, "rows");
        let columns = self.names(at, plate, "columns");
        for (index, well) in
            self.items(at, plate, "wells", Need::Must(PLATE)).unwrap_or_default().iter().enumerate()
        {
            let at = format!("{at}/wells/{index}");
            if let Some(well) = self.object(&at, PLATE, well) {
                self.plate_well(&at, well, &rows, &columns);
            }
        }
        if let Some(acquisitions) = self.array(at, plate, "acquisitions", Need::May(PLATE)) {
            self.acquisitions(&format!("{at}/acquisitions"), acquisitions);
        }
    }

    fn names<'a>(&mut self, at: &str, plate: &'a Map<String, Value>, name: &str) -> Vec<Option<&'a str>> {
        let items = self.items(at, plate, name, Need::Must(PLATE)).unwrap_or_default();
        let at = format!("{at}/{name}");
        let mut names = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = format!("{at}/{index}");
            let name = self
                .object(&at, PLATE, item)
                .and_then(|item| self.string(&at, item, "name", Need::Must(PLATE)));
            if let Some(name) = name.filter(|name| !alphanumeric(name)) {
                let message = format!("{name:?}, expected letters and digits only");
                self.must(&format!("{at}/name"), PLATE, message);
            }
            names.push(name);
        }
        self.unique(&at, PLATE, "name", names.iter().flatten().map(ToString::to_string));
        names
    }

    fn plate_well(
        &mut self,
        at: &str,
        well: &Map<String, Value>,
        rows: &[Option<&str>],
        columns: &[Option<&str>],
    ) {
        let mut name = |member: &str, names: &[Option<&'_ str>]| {
            let index = self.member(at, well, member, Need::Must(PLATE), "an index from 0", Value::as_u64)?;
            let name = usize::try_from(index).ok().and_then(|index| names.get(index));
            if name.is_none() {
                let message = format!("{index}, expected an index below {}", names.len());
                self.must(&format!("{at}/{member}"), PLATE, message);
            }
            (*name?).map(str::to_owned)
        };
        let place = name("rowIndex", rows).zip(name("columnIndex", columns));
        let Some(path) = self.string(at, well, "path", Need::Must(PLATE)) else { return };
        let at = format!("{at}/path");
        if !path.split_once('/').is_some_and(|(row, column)| alphanumeric(row) && alphanumeric(column)) {
            self.must(&at, PLATE, format!("{path:?}, expected row name, slash, column name"));
        } else if let Some((row, column)) = place
            && path != format!("{row}/{column}")
        {
            self.must(&at, PLATE, format!("{path:?}, expected \"{row}/{column}\" from its indices"));
        }
    }

    fn acquisitions(&mut self, at: &str, acquisitions: &[Value]) {
        let mut ids = Vec::new();
        for (index, acquisition) in acquisitions.iter().enumerate() {
            let at = format!("{at}/{index}");
            let Some(acquisition) = self.object(&at, PLATE, acquisition) else { continue };
            let integer = "an integer from 0";
            ids.extend(self.member(&at, acquisition, "id", Need::Must(PLATE), integer, Value::as_u64));
            self.string(&at, acquisition, "name", Need::Should(PLATE));
            self.string(&at, acquisition, "description", Need::May(PLATE));
            self.positive(&at, acquisition, "maximumfieldcount", Need::Should(PLATE));
            for name in ["starttime", "endtime"] {
                self.member(&at, acquisition, name, Need::May(PLATE), integer, Value::as_u64);
            }
        }
        self.unique(at, PLATE, "id", ids.iter().map(u64::to_string));
    }

    fn positive(&mut self, at: &str, object: &Map<String, Value>, name: &str, need: Need) {
        self.member(at, object, name, need, "an integer from 1", |value| {
            value.as_u64().filter(|&value| value > 0)
        });
    }

    pub(super) fn well(&mut self, at: &str, value: &Value) {
        let Some(well) = self.object(at, WELL, value) else { return };
        if self.version == Version::V04 {
            self.version_member(at, well, WELL);
        }
        let images = self.items(at, well, "images", Need::Must(WELL)).unwrap_or_default();
        let at = format!("{at}/images");
        let mut paths = Vec::new();
        for (index, image) in images.iter().enumerate() {
            let at = format!("{at}/{index}");
            let Some(image) = self.object(&at, WELL, image) else { continue };
            self.member(&at, image, "acquisition", Need::May(WELL), "an integer", Value::as_i64);
            let Some(path) = self.string(&at, image, "path", Need::Must(WELL)) else { continue };
            paths.push(path.to_owned());
            let (fits, expected) = if self.version >= Version::V06 {
                (
                    node_name(path),
                    "letters, digits, '-', '_' and '.', not only dots, not beginning with \"__\"",
                )
            } else {
                (alphanumeric(path), "letters and digits only")
            };
            if !fits {
                self.must(&format!("{at}/path"), WELL, format!("{path:?}, expected {expected}"));
            }
        }
        self.unique(&at, WELL, "path", paths.into_iter());
    }
}

fn alphanumeric(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A name of a Zarr 3 node, of the characters that Zarr recommends.
fn node_name(name: &str) -> bool {
    !name.bytes().all(|byte| byte == b'.')
        && !name.starts_with("__")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

const PLATE: &str = "plate-md";
const WELL: &str = "well-md";
