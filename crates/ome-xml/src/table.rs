//! `Plane` and `TiffData` as columns: what comes by the hundred thousand costs a few bytes a row, and comes back
//! character by character.
//!
//! A [`Table`] holds the rows of one kind of one `Pixels`, or of all of them in a document of many Images. Rows of the
//! same *shape* (the same attributes and children in the same order) share one description; a column holds what stands at
//! one place of a shape. Numbers are numbers, with the manner in which they were written where it is not the usual one.

mod build;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::error::Error;
use crate::number;
use crate::text::is_name;
use crate::tree::{Bulk, local};

pub(crate) use build::TableBuilder;

/// The `Plane` or `TiffData` elements of one Image, or of all Images.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub(crate) kind: Bulk,
    pub(crate) scope: Scope,
    pub(crate) rows: usize,
    /// Steps of each shape: `<name` opens, `@name` is an attribute, `#` text, `>` closes.
    pub(crate) shapes: Vec<Vec<String>>,
    /// The shape of each row; empty where all have the first.
    pub(crate) shape_of: Vec<u32>,
    pub(crate) columns: Vec<Column>,
}

/// Whose rows a table has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scope {
    /// One `Pixels`.
    One {
        image: usize,
        /// Which `Pixels` of the Image, in schemas that allow several.
        pixels: usize,
    },
    /// Every `Pixels` of the document. The column [`IMAGE`] says which Image a row is of.
    All,
}

fn path(kind: Bulk, scope: Scope) -> String {
    let kind = match kind {
        Bulk::Plane => "planes",
        Bulk::TiffData => "tiff_data",
    };
    match scope {
        Scope::One { image, pixels: 0 } => format!("{kind}/{image}"),
        Scope::One { image, pixels } => format!("{kind}/{image}.{pixels}"),
        Scope::All => format!("{kind}/all"),
    }
}

/// The column of a table of all Images that says which one.
pub(crate) const IMAGE: &str = "image";

/// One attribute or text of the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// `DeltaT`, `UUID.FileName`, `UUID._text`, `AnnotationRef.1.ID`: the path in the element, without prefixes.
    pub name: String,
    /// A value for each row.
    pub data: ColumnData,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnData {
    /// Whole numbers; every row has one.
    Integers(Vec<i64>),
    /// Numbers, NaN where a row has none.
    Floats {
        /// The values.
        values: Vec<f64>,
        /// How each was written, see the documentation of the structured form; empty where all are shortest digits.
        styles: Vec<u8>,
        /// Texts that no style gives, by row.
        texts: BTreeMap<usize, String>,
    },
    /// Texts, by their place in a list; -1 where a row has none.
    Texts {
        /// Each text once, in the order of first use.
        list: Vec<String>,
        /// A place for each row.
        codes: Vec<i32>,
    },
}

impl Table {
    /// `planes/0`, `tiff_data/0`, or `planes/all` where there are many Images: the table's place under the group of the
    /// structured model.
    pub fn path(&self) -> String {
        path(self.kind, self.scope)
    }

    /// Index of the Image, in document order; `None` where the rows are those of all Images.
    pub fn image(&self) -> Option<usize> {
        match self.scope {
            Scope::One { image, .. } => Some(image),
            Scope::All => None,
        }
    }

    /// `Plane` or `TiffData`.
    pub fn element(&self) -> &'static str {
        self.kind.name()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// Writes one row as XML.
    pub(crate) fn write_row(&self, row: usize, places: &[Vec<usize>], out: &mut String) -> Result<(), Error> {
        let shape = self.shape_of.get(row).map_or(0, |s| *s as usize);
        let (Some(steps), Some(places)) = (self.shapes.get(shape), places.get(shape)) else {
            return Err(self.error(format!("row {row} has shape {shape} of {}", self.shapes.len())));
        };
        let mut places = places.iter();
        let mut open: Vec<&str> = Vec::new();
        let mut in_tag = false;
        for step in steps {
            if in_tag && !step.starts_with('@') && step != ">" {
                out.push('>');
                in_tag = false;
            }
            let mut value = || {
                let column = places.next().and_then(|at| self.columns.get(*at));
                column
                    .and_then(|c| c.text(row))
                    .ok_or_else(|| self.error(format!("row {row} lacks `{step}`")))
            };
            if let Some(name) = step.strip_prefix('<') {
                out.push('<');
                out.push_str(name);
                open.push(name);
                in_tag = true;
            } else if let Some(name) = step.strip_prefix('@') {
                out.push(' ');
                out.push_str(name);
                out.push_str("=\"");
                crate::text::escape_attribute(&value()?, out);
                out.push('"');
            } else if step == "#" {
                crate::text::escape_text(&value()?, out);
            } else if let Some(name) = open.pop() {
                if in_tag {
                    out.push_str("/>");
                    in_tag = false;
                } else {
                    crate::write::end_tag(name, out);
                }
            }
        }
        if open.is_empty() { Ok(()) } else { Err(self.error(format!("shape {shape} leaves elements open"))) }
    }

    /// For each shape the columns of its values, in order.
    ///
    /// # Errors
    ///
    /// [`Error::Columns`] where a shape is not well-formed or has no column.
    pub(crate) fn places(&self) -> Result<Vec<Vec<usize>>, Error> {
        let index: HashMap<&str, usize> =
            self.columns.iter().enumerate().map(|(n, c)| (&*c.name, n)).collect();
        let mut found = Vec::with_capacity(self.shapes.len());
        for steps in &self.shapes {
            let mut places = Vec::new();
            for name in column_names(steps).ok_or_else(|| self.error("a shape is not well-formed".into()))? {
                let at =
                    index.get(&*name).ok_or_else(|| self.error(format!("column `{name}` is missing")))?;
                places.push(*at);
            }
            found.push(places);
        }
        Ok(found)
    }

    pub(crate) fn error(&self, reason: String) -> Error {
        Error::Columns { name: self.path(), reason }
    }
}

impl Column {
    /// The text of a row exactly as the document had it; `None` where the row has none.
    pub fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        match &self.data {
            ColumnData::Integers(values) => values.get(row).map(|v| Cow::Owned(v.to_string())),
            ColumnData::Floats { values, styles, texts } => match texts.get(&row) {
                Some(text) => Some(Cow::Borrowed(text)),
                None => {
                    let style = styles.get(row).copied().unwrap_or(number::SHORTEST);
                    values.get(row).filter(|v| !v.is_nan()).map(|v| Cow::Owned(number::render(*v, style)))
                }
            },
            ColumnData::Texts { list, codes } => {
                let code = usize::try_from(*codes.get(row)?).ok()?;
                list.get(code).map(|t| Cow::Borrowed(&**t))
            }
        }
    }
}

/// The names of the columns that a shape needs, in order; `None` where the steps are not those of one element.
fn column_names(steps: &[String]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut counts: Vec<HashMap<&str, usize>> = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        if counts.is_empty() && n > 0 {
            return None;
        }
        let leaf = |path: &[String], leaf: &str| {
            path.iter().skip(1).map(String::as_str).chain([leaf]).collect::<Vec<_>>().join(".")
        };
        if let Some(name) = step.strip_prefix('<').filter(|n| is_name(n)) {
            let name = local(name);
            let count = counts.last_mut().map_or(0, |c| {
                let count = c.entry(name).or_insert(0);
                *count += 1;
                *count - 1
            });
            path.push(if count == 0 { name.to_owned() } else { format!("{name}.{count}") });
            counts.push(HashMap::new());
        } else if let Some(name) = step.strip_prefix('@').filter(|n| is_name(n)) {
            names.push(leaf(&path, &name.replace(':', "_")));
        } else if step == "#" {
            names.push(leaf(&path, "_text"));
        } else if step == ">" {
            path.pop();
            counts.pop();
        } else {
            return None;
        }
    }
    counts.is_empty().then_some(names)
}
