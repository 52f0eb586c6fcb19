//! Reports: tables with a header somewhere inside, as programs for quality control write them. Lines before and after
//! the table are names with values.
//!
//! ```json
//! {"header": ["Dimension", "Measured FWHM"], "row": "Dimension", "group": {"column": "Channel"}, "each": "OpticalCalibration",
//!  "fields": [
//!    {"from": ["X/Measured FWHM", "Y/Measured FWHM"], "take": "mean", "to": "OpticalCalibration@MedianXYSpotSize_FWHM"},
//!    {"from": ["Channel"], "to": "OpticalCalibration#channel"},
//!    {"from": [":Date"], "to": "OpticalCalibration@Date"}]}
//! ```
//!
//! `from` addresses cells: `COLUMN` in all rows of the group, `ROW/COLUMN` in the row of this name, `:NAME` a line
//! outside the table; `ROW*` is any row whose name begins so. A column's name may be followed by its unit in
//! parentheses. `to` is a path of NBO classes with `@` an attribute or with `#` a member of `extra`. For every group
//! there is one object of the class `each`.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::Error;
use crate::catalogue::{self, Attribute};
use crate::record::{Object, Origin, OriginKind, Record, value};
use crate::unit;

/// Where what stands in a report.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Report {
    /// Cells of the row that the table begins with; the form is known by them.
    header: Vec<String>,
    /// The column that names the rows.
    #[serde(default)]
    row: Option<String>,
    #[serde(default)]
    group: Option<Group>,
    /// The class of which every group has an object of its own.
    #[serde(default)]
    each: Option<String>,
    fields: Vec<Rule>,
}

/// What makes a group of rows.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Group {
    /// Rows with the same text in this column; an empty cell means that of the row above.
    Column(String),
    /// A row whose name begins so opens a group.
    Begins(String),
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default)]
    from: Vec<String>,
    to: String,
    #[serde(default)]
    take: Take,
    /// What stands before the text that is meant.
    #[serde(default)]
    after: Option<String>,
    /// The unit of a quantity, where neither cell nor column says one.
    #[serde(default)]
    unit: Option<String>,
    /// Stands instead of what is found, with `{n}` the number of the group: identifiers that connect objects.
    #[serde(default)]
    value: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Take {
    #[default]
    First,
    Mean,
    Median,
    Min,
    Max,
    Count,
}

/// The lines of a report.
struct Table {
    columns: Vec<(String, Option<String>)>,
    rows: Vec<Vec<String>>,
    outside: Vec<(String, String)>,
}

/// A text with the unit that its column says.
struct Cell<'a> {
    text: &'a str,
    unit: Option<&'a str>,
}

impl Report {
    /// Whether every rule points to something that NBO has.
    pub(super) fn check(&self) -> Result<(), Error> {
        let expected = "a path of NBO classes, then @ and an attribute, or # and a member";
        for rule in &self.fields {
            let wrong = || Error::Argument { what: "mapping", found: rule.to.clone(), expected };
            let (path, name) = rule.to.split_once(['@', '#']).ok_or_else(wrong)?;
            let class = path.rsplit('/').next().and_then(catalogue::class).ok_or_else(wrong)?;
            if rule.to.contains('@') && class.attribute(name).is_none() {
                return Err(wrong());
            }
        }
        Ok(())
    }

    /// Whether a text is such a report.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.table(text).is_some()
    }

    pub(super) fn read(&self, text: &str) -> Result<Record, Error> {
        let missing = || Error::Argument {
            what: "mapping",
            found: self.header.join(", "),
            expected: "a row of the table with these columns",
        };
        let table = self.table(text).ok_or_else(missing)?;
        let groups = self.groups(&table);
        let all: Vec<usize> = (0..table.rows.len()).collect();
        let mut objects = Vec::new();
        for rule in &self.fields {
            let (path, _) = rule.to.split_once(['@', '#']).unwrap_or((&rule.to, ""));
            let is_each = self.each.as_deref().is_some_and(|each| path.split('/').any(|class| class == each));
            if is_each {
                for (n, rows) in groups.iter().enumerate() {
                    self.apply(rule, &table, rows, n, &mut objects);
                }
            } else {
                self.apply(rule, &table, &all, 0, &mut objects);
            }
        }
        Ok(Record { objects, ..Record::default() })
    }

    fn table(&self, text: &str) -> Option<Table> {
        let delimiters = [b'\t', b',', b';'];
        delimiters.iter().find_map(|delimiter| {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .trim(csv::Trim::All)
                .delimiter(*delimiter)
                .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
            let lines: Vec<Vec<String>> = reader
                .records()
                .map_while(Result::ok)
                .map(|r| r.iter().map(str::to_owned).collect())
                .collect();
            let is_header = |line: &Vec<String>| {
                self.header.iter().all(|cell| line.iter().any(|own| column(own).0.eq_ignore_ascii_case(cell)))
            };
            let start = lines.iter().position(is_header)?;
            let columns: Vec<_> = lines[start].iter().map(|cell| column(cell)).collect();
            // Where the table ends nothing says; a line of another kind has no row's name and no number in its columns.
            let rows = lines[start + 1..].to_vec();
            let outside = lines[..start].iter().chain(&rows).filter_map(|line| {
                let (name, rest) = line.split_first()?;
                let value = rest.iter().find(|cell| !cell.is_empty())?;
                Some((plain(name).to_owned(), value.clone()))
            });
            let outside = outside.collect();
            Some(Table { columns, rows, outside })
        })
    }

    fn groups(&self, table: &Table) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut of = String::new();
        for (n, row) in table.rows.iter().enumerate() {
            let opens = match &self.group {
                None => groups.is_empty(),
                Some(Group::Begins(name)) => {
                    let own = self.row.as_deref().and_then(|column| table.cell(row, column));
                    own.is_some_and(|own| plain(own.text).starts_with(name.as_str()))
                }
                Some(Group::Column(column)) => {
                    let own = table.cell(row, column).map_or("", |cell| cell.text);
                    let opens = groups.is_empty() || !own.is_empty() && own != of;
                    if opens {
                        own.clone_into(&mut of);
                    }
                    opens
                }
            };
            if opens {
                groups.push(Vec::new());
            }
            // What stands before the first group belongs to none.
            if let Some(last) = groups.last_mut() {
                last.push(n);
            }
        }
        groups
    }

    fn apply(&self, rule: &Rule, table: &Table, rows: &[usize], n: usize, objects: &mut Vec<Object>) {
        let cells: Vec<Cell<'_>> = rule.from.iter().flat_map(|from| self.cells(from, table, rows)).collect();
        let cells: Vec<Cell<'_>> = cells
            .into_iter()
            .filter(|cell| !value::is_sentinel(&cell.text.into()) && !cell.text.is_empty())
            .collect();
        let Some((path, name)) = rule.to.split_once(['@', '#']) else { return };
        if cells.is_empty() && (!rule.from.is_empty() || !has(objects, path)) {
            return;
        }
        let class = path.rsplit('/').next().and_then(catalogue::class);
        let attribute = class.and_then(|c| c.attribute(name)).filter(|_| rule.to.contains('@'));
        let Some(found) = rule.found(&cells, attribute, n) else { return };
        let Some(object) = place(objects, path, self.each.as_deref(), n) else { return };
        let origin = match (&rule.value, rule.take) {
            (Some(_), _) => Origin::of(OriginKind::Synthesised),
            (None, Take::First) => Origin::from(OriginKind::Explicit, rule.from.join(", ")),
            (None, take) => {
                Origin::from(OriginKind::Computed, format!("{} of {}", take.name(), rule.from.join(", ")))
            }
        };
        if rule.to.contains('#') {
            extra(object, name, found);
            return;
        }
        if object.field(name).is_some() {
            return;
        }
        let (text, unit) = found;
        let mut field = value::field(name, attribute, &text);
        if field.origin.kind == OriginKind::Explicit {
            field.origin = origin.clone();
        }
        object.fields.push(field);
        if let (Some(own), Some(unit)) = (attribute.and_then(|a| a.unit), unit) {
            object.push(own, unit, origin);
        }
    }

    fn cells<'t>(&self, from: &str, table: &'t Table, rows: &[usize]) -> Vec<Cell<'t>> {
        if let Some(name) = from.strip_prefix(':') {
            let named = table.outside.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
            return named.map(|(_, text)| Cell { text, unit: None }).collect();
        }
        let (row, column) = match from.split_once('/') {
            // A column may have a stroke in its name.
            Some(parts) if table.has(parts.1) && !table.has(from) => (Some(parts.0), parts.1),
            _ => (None, from),
        };
        let fits = |line: &&Vec<String>| {
            let Some(row) = row else { return true };
            let own = self.row.as_deref().and_then(|column| table.cell(line, column));
            own.is_some_and(|own| match row.strip_suffix('*') {
                Some(begin) => plain(own.text).starts_with(begin),
                None => plain(own.text).eq_ignore_ascii_case(row),
            })
        };
        let lines = rows.iter().filter_map(|n| table.rows.get(*n)).filter(fits);
        lines.filter_map(|line| table.cell(line, column)).collect()
    }
}

impl Rule {
    /// The text that the cells come to, and its unit.
    fn found(
        &self,
        cells: &[Cell<'_>],
        attribute: Option<&Attribute>,
        n: usize,
    ) -> Option<(String, Option<String>)> {
        if let Some(value) = &self.value {
            return Some((value.replace("{n}", &n.to_string()), None));
        }
        let meant = |cell: &Cell<'_>| -> Option<String> {
            let text = match &self.after {
                Some(after) => cell.text.split_once(after.as_str())?.1,
                None => cell.text,
            };
            Some(text.trim().to_owned())
        };
        if self.take == Take::First && !attribute.is_some_and(|a| a.base.is_number()) && self.unit.is_none() {
            return Some((cells.iter().find_map(meant)?, None));
        }
        let numbers: Vec<(f64, String, Option<String>)> = cells
            .iter()
            .filter_map(|cell| {
                let text = meant(cell)?;
                let (digits, rest) = number(&text)?;
                let own = Some(rest.trim().to_owned()).filter(|unit| unit::is_known(unit));
                let unit = own.or_else(|| cell.unit.map(str::to_owned)).or_else(|| self.unit.clone());
                Some((digits.parse().ok()?, digits.to_owned(), unit))
            })
            .collect();
        let unit = numbers.first().and_then(|(.., unit)| unit.clone());
        let mut values: Vec<f64> = numbers.iter().map(|(value, ..)| *value).collect();
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let text = match self.take {
            Take::First => numbers.first()?.1.clone(),
            Take::Count => count.to_string(),
            Take::Min => values.first()?.to_string(),
            Take::Max => values.last()?.to_string(),
            _ if count == 0 => return None,
            Take::Mean => round(values.iter().sum::<f64>() / count as f64),
            Take::Median => round(f64::midpoint(values[(count - 1) / 2], values[count / 2])),
        };
        Some((text, unit))
    }
}

impl Take {
    fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Mean => "mean",
            Self::Median => "median",
            Self::Min => "minimum",
            Self::Max => "maximum",
            Self::Count => "number",
        }
    }
}

impl Table {
    fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }

    fn cell<'t>(&'t self, row: &'t [String], name: &str) -> Option<Cell<'t>> {
        let place = self.columns.iter().position(|(own, _)| own.eq_ignore_ascii_case(name))?;
        Some(Cell { text: row.get(place)?, unit: self.columns[place].1.as_deref() })
    }
}

/// The object at a path of classes, made where it is not there; of the class `each` that of group `n`.
fn place<'o>(
    objects: &'o mut Vec<Object>,
    path: &str,
    each: Option<&str>,
    n: usize,
) -> Option<&'o mut Object> {
    let (class, rest) = path.split_once('/').map_or((path, None), |(class, rest)| (class, Some(rest)));
    let wanted = if each == Some(class) { n } else { 0 };
    while objects.iter().filter(|o| o.class == class).count() <= wanted {
        objects.push(Object::new(class));
    }
    let object = objects.iter_mut().filter(|o| o.class == class).nth(wanted)?;
    match rest {
        Some(rest) => place(&mut object.children, rest, each, n),
        None => Some(object),
    }
}

fn has(objects: &[Object], path: &str) -> bool {
    let (class, rest) = path.split_once('/').map_or((path, None), |(class, rest)| (class, Some(rest)));
    objects.iter().any(|o| o.class == class && rest.is_none_or(|rest| has(&o.children, rest)))
}

/// A member of `extra`, or with a dot a member of one; a quantity is a number with its unit.
fn extra(object: &mut Object, name: &str, (text, unit): (String, Option<String>)) {
    let value = match (unit, text.parse::<f64>()) {
        (Some(unit), Ok(number)) => json!({"value": number, "unit": unit}),
        _ => Json::from(text),
    };
    match name.split_once('.') {
        None => _ = object.extra.insert(name.to_owned(), value),
        Some((outer, inner)) => {
            if let Json::Object(members) = object.extra.entry(outer).or_insert_with(|| json!({})) {
                members.insert(inner.to_owned(), value);
            }
        }
    }
}

/// A column's name without the unit in parentheses, and the unit.
fn column(cell: &str) -> (String, Option<String>) {
    let cell = plain(cell);
    let split = cell.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    match split.filter(|(_, unit)| unit::is_known(unit)) {
        Some((name, unit)) => (name.trim().to_owned(), Some(unit.trim().to_owned())),
        None => (cell.to_owned(), None),
    }
}

fn plain(name: &str) -> &str {
    name.trim().trim_end_matches(':').trim_end()
}

/// The number that a text begins with, as it is written, and what follows.
fn number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || ".+-eE".contains(c))).unwrap_or(text.len());
    // `2e` of `2 em` or a closing full stop are no part of it.
    (1..=end)
        .rev()
        .map(|end| text.split_at(end))
        .find(|(digits, _)| digits.parse::<f64>().is_ok_and(f64::is_finite))
}

/// Fifteen digits: the mean of 0.228 and 0.231 is 0.2295.
fn round(number: f64) -> String {
    format!("{number:.14e}").parse::<f64>().unwrap_or(number).to_string()
}
