//! A table that says more of some datasets: where they go, by which settings, and what else is known of them.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use crate::Error;

/// A CSV table with a header. The column `source` is a path below a source, as reports have it; `target`, `sidecars`
/// (separated by `;`), and `settings` may be empty. All other columns are metadata: they are kept in the state and in
/// reports, and go into the NBO record where a mapping says how.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: HashMap<String, Row>,
    /// Sources in the order of the table.
    order: Vec<String>,
}

/// What the table says of one dataset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) target: Option<String>,
    pub(crate) sidecars: Vec<String>,
    pub(crate) settings: String,
    /// Metadata by column, without those that are empty.
    pub(crate) extra: BTreeMap<String, String>,
}

impl Table {
    /// Reads a table; `name` is what messages call it.
    ///
    /// # Errors
    /// [`Error::Table`] with the line that cannot be used.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let wrong = |line: u64, reason: String| Error::Table { table: name.into(), line, reason };
        let mut reader = csv::ReaderBuilder::new().flexible(false).trim(csv::Trim::All).from_reader(bytes);
        let header = reader.headers().map_err(|error| wrong(1, error.to_string()))?.clone();
        if !header.iter().any(|column| column == "source") {
            return Err(wrong(1, "there is no column 'source'".into()));
        }
        let mut table = Self::default();
        for record in reader.records() {
            let record = record
                .map_err(|error| wrong(error.position().map_or(0, csv::Position::line), error.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            let mut row = Row { line, ..Row::default() };
            let mut source = String::new();
            for (column, value) in header.iter().zip(&record).filter(|(_, value)| !value.is_empty()) {
                match column {
                    "source" => value.trim_start_matches("./").clone_into(&mut source),
                    "target" => row.target = Some(checked(value).map_err(|reason| wrong(line, reason))?),
                    "sidecars" => {
                        row.sidecars = value.split(';').map(|path| path.trim().to_owned()).collect();
                    }
                    "settings" | "options" => value.clone_into(&mut row.settings),
                    other => {
                        row.extra.insert(other.to_owned(), value.to_owned());
                    }
                }
            }
            if source.is_empty() {
                return Err(wrong(line, "the source is empty".into()));
            }
            if let Some(earlier) = table.rows.get(&source) {
                return Err(wrong(line, format!("line {} is about {source} too", earlier.line)));
            }
            table.order.push(source.clone());
            table.rows.insert(source, row);
        }
        Ok(table)
    }

    /// The row about a file: by its path below the source, by its absolute path or URL.
    pub(crate) fn row(&self, source: &str, path: &str) -> Option<&Row> {
        self.rows.get(path).or_else(|| self.rows.get(&format!("{}/{path}", source.trim_end_matches('/'))))
    }

    /// The sources that the table names, in its order.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(String::as_str)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

impl Row {
    /// The metadata as a table of one line, for an NBO mapping; `None` where there are none.
    pub(crate) fn as_document(&self) -> Option<Vec<u8>> {
        if self.extra.is_empty() {
            return None;
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.extra.keys()).ok()?;
        writer.write_record(self.extra.values()).ok()?;
        writer.into_inner().ok()
    }

    pub(crate) fn as_json(&self) -> Option<String> {
        let members = self.extra.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        (!self.extra.is_empty()).then(|| Value::Object(members.collect::<Map<_, _>>()).to_string())
    }
}

/// A path that stays in the target.
fn checked(target: &str) -> Result<String, String> {
    let path = target.trim_end_matches('/').trim_start_matches("./");
    let fine = !path.is_empty()
        && !Path::new(path).is_absolute()
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if fine { Ok(path.to_owned()) } else { Err(format!("{target:?} is not a path below the target")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_and_mistakes_have_a_line() {
        let text = "source,target,settings,Operator\na.tif,x/a.zarr,ngff=0.4,Ada\nb/c.tif,,,\n";
        let table = Table::parse("t.csv", text.as_bytes()).unwrap();
        let row = table.row("/data", "a.tif").unwrap();
        assert_eq!((row.target.as_deref(), row.settings.as_str()), (Some("x/a.zarr"), "ngff=0.4"));
        assert_eq!(row.as_document().unwrap(), b"Operator\nAda\n");
        assert!(table.row("/data", "b/c.tif").unwrap().as_json().is_none());
        for (wrong, line) in [
            ("path\na", 1),
            ("source,target\na,../x", 2),
            ("source\na\na", 3),
            ("source,target\n,x", 2),
            ("source,target\na", 2),
        ] {
            match Table::parse("t.csv", wrong.as_bytes()) {
                Err(Error::Table { line: found, .. }) => assert_eq!(found, line, "{wrong}"),
                other => panic!("{wrong}: {other:?}"),
            }
        }
    }
}
