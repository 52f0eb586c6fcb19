//! Tables and plain JSON, read by an explicit mapping: nothing is guessed from a column's name.
//!
//! ```json
//! {"fields": [
//!    {"from": "Objective NA", "to": "Objective@LensNA"},
//!    {"from": "WD (um)", "to": "Objective@WorkingDistance", "unit": "µm"},
//!    {"from": "Objective no.", "to": "Objective@ID", "prefix": "Objective:"}],
//!  "values": {"yes": "true", "no": "false"},
//!  "layout": "rows"}
//! ```
//!
//! `from` is a column of the CSV or a JSON Pointer into the JSON. Layout `rows`: each row makes one
//! object of every class named. Layout `pairs`: first column key, second column value; the table makes
//! one object of every class. Tables with a header somewhere inside, with groups, or with one name for a row are
//! described by a member `report` instead of `fields` ([`super::report`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::report::Report;
use crate::Error;
use crate::catalogue;
use crate::record::{Object, Origin, OriginKind, Record, value};

/// What the columns or members of a document mean.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    #[serde(default)]
    fields: Vec<Rule>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    #[serde(default)]
    layout: Layout,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    report: Option<Report>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    from: String,
    to: String,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    prefix: String,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Layout {
    #[default]
    Rows,
    Pairs,
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`Error::Syntax`] if it is not JSON of that form, [`Error::Argument`] if it names a field that NBO
    /// does not have, or gives a unit to a field without one.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let mapping: Self =
            serde_json::from_str(text).map_err(|e| Error::Syntax { form: "mapping", why: e.to_string() })?;
        match &mapping.report {
            Some(report) => report.check()?,
            None if mapping.fields.is_empty() => {
                let found = "no fields".to_owned();
                return Err(Error::Argument { what: "mapping", found, expected: "fields, or a report" });
            }
            None => {}
        }
        for rule in &mapping.fields {
            let attribute = rule.parts().and_then(|(class, name)| catalogue::class(class)?.attribute(name));
            if attribute.is_none_or(|a| rule.unit.is_some() && a.unit.is_none()) {
                let expected = "Class@Attribute of NBO, with a unit only where it has one";
                return Err(Error::Argument { what: "mapping", found: rule.to.clone(), expected });
            }
            // A bare number would mean what NBO means by default, which is seldom what the table means.
            let unit = attribute.and_then(|a| a.unit).filter(|_| rule.unit.is_none());
            let named = |unit: &str| {
                let to = rule.parts().map(|(class, _)| format!("{class}@{unit}"));
                mapping.fields.iter().any(|other| Some(&other.to) == to.as_ref())
            };
            if unit.is_some_and(|unit| !named(unit)) {
                let expected = "a \"unit\" for this quantity, or another column that has it";
                return Err(Error::Argument { what: "mapping", found: rule.to.clone(), expected });
            }
        }
        Ok(mapping)
    }

    pub(super) fn read(&self, bytes: &[u8]) -> Result<Record, Error> {
        if let Some(report) = &self.report {
            let text = std::str::from_utf8(bytes);
            return report.read(text.map_err(|e| Error::Syntax { form: "report", why: e.to_string() })?);
        }
        let rows = match super::json(bytes) {
            Some(Json::Array(items)) => items.iter().map(|item| self.pick(item)).collect(),
            Some(json) => vec![self.pick(&json)],
            None => self.table(bytes)?,
        };
        Ok(Record { objects: rows.iter().flat_map(|row| self.objects(row)).collect(), ..Record::default() })
    }

    fn pick(&self, json: &Json) -> BTreeMap<String, String> {
        let find = |from: &str| if from.starts_with('/') { json.pointer(from) } else { json.get(from) };
        let text = |v: &Json| (!v.is_null()).then(|| value::text(v));
        self.fields.iter().filter_map(|r| Some((r.from.clone(), text(find(&r.from)?)?))).collect()
    }

    fn table(&self, bytes: &[u8]) -> Result<Vec<BTreeMap<String, String>>, Error> {
        let fail = |e: csv::Error| Error::Syntax { form: "CSV", why: e.to_string() };
        let pairs = self.layout == Layout::Pairs;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(!pairs)
            .flexible(pairs)
            .trim(csv::Trim::All)
            .from_reader(bytes);
        if pairs {
            let mut row = BTreeMap::new();
            for record in reader.records() {
                let record = record.map_err(fail)?;
                if let (Some(key), Some(text)) = (record.get(0), record.get(1)) {
                    row.insert(key.trim_start_matches('\u{feff}').to_owned(), text.to_owned());
                }
            }
            return Ok(vec![row]);
        }
        let header: Vec<_> = reader
            .headers()
            .map_err(fail)?
            .iter()
            .map(|h| h.trim_start_matches('\u{feff}').to_owned())
            .collect();
        if let Some(missing) = self.fields.iter().find(|r| !header.contains(&r.from)) {
            let found = missing.from.clone();
            return Err(Error::Argument { what: "mapping", found, expected: "a column of the table" });
        }
        let row = |record: csv::StringRecord| {
            header.iter().cloned().zip(record.iter().map(str::to_owned)).collect()
        };
        reader.records().map(|r| r.map(row).map_err(fail)).collect()
    }

    fn objects(&self, row: &BTreeMap<String, String>) -> Vec<Object> {
        let mut objects: Vec<Object> = Vec::new();
        for rule in &self.fields {
            let Some((class, name)) = rule.parts() else { continue };
            let Some(text) = row.get(&rule.from).filter(|t| !t.trim().is_empty()) else { continue };
            let position = objects.iter().position(|o| o.class == class).unwrap_or_else(|| {
                objects.push(Object::new(class));
                objects.len() - 1
            });
            let object = &mut objects[position];
            let attribute = catalogue::class(class).and_then(|c| c.attribute(name));
            let replaced = self.values.get(text);
            let text = format!("{}{}", rule.prefix, replaced.unwrap_or(text));
            let mut field = value::field(name, attribute, &text);
            field.origin.from = Some(rule.from.clone());
            object.fields.push(field);
            if let (Some(unit), Some(attribute)) = (&rule.unit, attribute.and_then(|a| a.unit)) {
                object.push(attribute, unit.as_str(), Origin::from(OriginKind::Explicit, &rule.from));
            }
        }
        objects
    }
}

impl Rule {
    fn parts(&self) -> Option<(&str, &str)> {
        self.to.split_once('@')
    }
}
