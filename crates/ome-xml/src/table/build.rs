//! Filling a table row by row, each column in the narrowest form that its values allow.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::{Column, ColumnData, IMAGE, Scope, Table, column_names, path};
use crate::number::{self, Style};
use crate::tree::{Bulk, Element, Node};

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
