//! `Plane` and `TiffData` as columns: what comes by the hundred thousand costs a few bytes a row, and comes back
//! character by character.
//!
//! A [`Table`] holds the rows of one kind of one `Pixels`, or of all of them in a document of many Images. Rows of the
//! same *shape* (the same attributes and children in the same order) share one description; a column holds what stands at
//! one place of a shape. Numbers are numbers, with the manner in which they were written where it is not the usual one.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::error::Error;
use crate::number::{self, Style};
use crate::text::is_name;
use crate::tree::{Bulk, Element, Node, local};

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
pub(crate) fn column_names(steps: &[String]) -> Option<Vec<String>> {
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

/// Fills a [`Table`] row by row.
pub(crate) struct TableBuilder {
    kind: Bulk,
    scope: Scope,
    /// The Image of each row, in a table of all.
    images: Vec<i64>,
    rows: usize,
    shapes: Vec<Vec<String>>,
    shape_of: Vec<u32>,
    known: HashMap<String, (u32, Vec<usize>)>,
    columns: Vec<(String, Builder)>,
    by_name: HashMap<String, usize>,
    signature: String,
}

impl TableBuilder {
    pub(crate) fn new(kind: Bulk, scope: Scope) -> Self {
        Self {
            kind,
            scope,
            images: Vec::new(),
            rows: 0,
            shapes: Vec::new(),
            shape_of: Vec::new(),
            known: HashMap::new(),
            columns: Vec::new(),
            by_name: HashMap::new(),
            signature: String::new(),
        }
    }

    /// Adds a row of an Image; false where the element has no shape, and the caller is to keep it.
    pub(crate) fn push(&mut self, element: &Element<'_>, image: usize) -> bool {
        let mut signature = std::mem::take(&mut self.signature);
        signature.clear();
        let mut values: Vec<Cow<'_, str>> = Vec::with_capacity(16);
        let regular = flatten(element, &mut signature, &mut values);
        let shape = if regular { self.shape(&signature) } else { None };
        if let Some(shape) = shape {
            let (_, columns) = &self.known[&signature];
            for (column, value) in columns.iter().zip(values) {
                self.columns[*column].1.push(self.rows, &value);
            }
            self.shape_of.push(shape);
        } else {
            self.shape_of.push(0);
        }
        self.signature = signature;
        if self.scope == Scope::All {
            self.images.push(image as i64);
        }
        self.rows += 1;
        shape.is_some()
    }

    pub(crate) fn finish(self) -> Table {
        let uniform = self.shape_of.iter().all(|s| *s == 0);
        let rows = self.rows;
        let columns =
            self.columns.into_iter().map(|(name, builder)| Column { name, data: builder.finish(rows) });
        let image = (self.scope == Scope::All)
            .then(|| Column { name: IMAGE.to_owned(), data: ColumnData::Integers(self.images) });
        Table {
            kind: self.kind,
            scope: self.scope,
            rows,
            shapes: self.shapes,
            shape_of: if uniform { Vec::new() } else { self.shape_of },
            columns: image.into_iter().chain(columns).collect(),
        }
    }

    /// The table's place.
    pub(crate) fn path(&self) -> String {
        path(self.kind, self.scope)
    }

    /// Whether this is the table of these rows.
    pub(crate) fn is(&self, kind: Bulk, scope: Scope) -> bool {
        (self.kind, self.scope) == (kind, scope)
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    fn shape(&mut self, signature: &str) -> Option<u32> {
        if let Some((shape, _)) = self.known.get(signature) {
            return Some(*shape);
        }
        if self.shapes.len() >= MOST_SHAPES {
            return None;
        }
        let steps: Vec<String> = signature.split_terminator('\n').map(str::to_owned).collect();
        let names = column_names(&steps)?;
        // Two places of one name would be one column, and some names have another meaning among arrays: such a row goes
        // its own way.
        if (1..names.len()).any(|n| names[..n].contains(&names[n])) || names.iter().any(|n| is_reserved(n)) {
            return None;
        }
        let columns = names
            .into_iter()
            .map(|name| {
                *self.by_name.entry(name).or_insert_with_key(|name| {
                    self.columns.push((name.clone(), Builder::new()));
                    self.columns.len() - 1
                })
            })
            .collect();
        let shape = self.shapes.len() as u32;
        self.shapes.push(steps);
        self.known.insert(signature.to_owned(), (shape, columns));
        Some(shape)
    }
}

/// The shape of an element as lines, and its values; false where it has more than elements, attributes and text.
fn flatten<'e>(element: &'e Element<'_>, signature: &mut String, values: &mut Vec<Cow<'e, str>>) -> bool {
    signature.push('<');
    signature.push_str(&element.name);
    signature.push('\n');
    for attr in &element.attrs {
        signature.push('@');
        signature.push_str(&attr.name);
        signature.push('\n');
        values.push(Cow::Borrowed(&attr.value));
    }
    let has_elements = element.elements().next().is_some();
    let mut texts = 0;
    for node in &element.nodes {
        match node {
            Node::Element(child) => {
                if child.foreign || !flatten(child, signature, values) {
                    return false;
                }
            }
            node if has_elements && node.is_blank() => {}
            Node::Text(text) => {
                texts += 1;
                signature.push_str("#\n");
                values.push(Cow::Borrowed(text));
            }
            _ => return false,
        }
    }
    signature.push_str(">\n");
    texts <= 1 && (texts == 0 || !has_elements)
}

/// Whether an array of this name is not a column, or part of one.
fn is_reserved(name: &str) -> bool {
    [IMAGE, "row", "shape"].contains(&name)
        || ["._style", "._bytes", "._ends"].iter().any(|end| name.ends_with(end))
}

const MOST_SHAPES: usize = 1000;

/// A column that takes the narrowest form its values allow.
enum Builder {
    /// A value for each row so far.
    Integers(Vec<i64>),
    Floats {
        values: Vec<f64>,
        styles: Vec<Style>,
        texts: BTreeMap<usize, String>,
    },
    Texts {
        list: Vec<String>,
        codes: Vec<i32>,
        known: HashMap<String, i32>,
    },
}

impl Builder {
    fn new() -> Self {
        Self::Integers(Vec::new())
    }

    fn push(&mut self, row: usize, text: &str) {
        match self {
            Self::Integers(values) => match exact_integer(text).filter(|_| values.len() == row) {
                Some(value) => values.push(value),
                None => {
                    self.widen();
                    self.push(row, text);
                }
            },
            Self::Floats { values, styles, texts } => {
                let (value, style) = match number::classify(text) {
                    Some(found) => found,
                    None => {
                        let value = text.trim().parse::<f64>();
                        // Words, or too many odd numbers.
                        let words = value.is_err() && values.iter().all(|v| v.is_nan());
                        if words || (texts.len() > 16 && texts.len() * 8 > values.len()) {
                            self.become_texts();
                            return self.push(row, text);
                        }
                        texts.insert(row, text.to_owned());
                        (value.ok().filter(|v| v.is_finite()).unwrap_or(f64::NAN), number::SHORTEST)
                    }
                };
                values.resize(row, f64::NAN);
                values.push(value);
                if style != number::SHORTEST || !styles.is_empty() {
                    styles.resize(row, number::SHORTEST);
                    styles.push(style);
                }
            }
            Self::Texts { list, codes, known } => {
                codes.resize(row, -1);
                let next = list.len() as i32;
                let code = *known.entry(text.to_owned()).or_insert_with_key(|text| {
                    list.push(text.clone());
                    next
                });
                codes.push(code);
            }
        }
    }

    /// From integers to floats.
    fn widen(&mut self) {
        let Self::Integers(integers) = self else { return };
        let large = integers.iter().enumerate().filter(|(_, v)| v.unsigned_abs() > 1 << 53);
        let texts = large.map(|(row, v)| (row, v.to_string())).collect();
        let values = integers.iter().map(|v| *v as f64).collect();
        *self = Self::Floats { values, styles: Vec::new(), texts };
    }

    /// From floats to texts.
    fn become_texts(&mut self) {
        let texts = Self::Texts { list: Vec::new(), codes: Vec::new(), known: HashMap::new() };
        let Self::Floats { values, styles, texts } = std::mem::replace(self, texts) else { return };
        let rows = values.len();
        let column = Column { name: String::new(), data: ColumnData::Floats { values, styles, texts } };
        for row in 0..rows {
            if let Some(text) = column.text(row) {
                self.push(row, &text);
            }
        }
    }

    fn finish(mut self, rows: usize) -> ColumnData {
        if matches!(&self, Self::Integers(values) if values.len() < rows) {
            self.widen();
        }
        match self {
            Self::Integers(values) => ColumnData::Integers(values),
            Self::Floats { mut values, mut styles, texts } => {
                values.resize(rows, f64::NAN);
                if !styles.is_empty() {
                    styles.resize(rows, number::SHORTEST);
                }
                ColumnData::Floats { values, styles, texts }
            }
            Self::Texts { list, mut codes, .. } => {
                codes.resize(rows, -1);
                ColumnData::Texts { list, codes }
            }
        }
    }
}

/// The value of digits that an integer gives back.
fn exact_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    (plain && !leading_zero && text != "-0").then(|| text.parse().ok()).flatten()
}
