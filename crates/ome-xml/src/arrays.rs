//! Tables as named arrays, the shape in which a Zarr store holds them, and back.
//!
//! Planes lie on a grid of (T, C, Z): `DeltaT` of a plane is `DeltaT[t, c, z]`, NaN where there is none; in a table of all
//! Images, if these are alike in size, on one of (Image, T, C, Z). Rows that have
//! no place of their own there, and `TiffData`, lie in one dimension, `row`. Nothing here knows Zarr; the attributes are
//! JSON objects, the arrays plain vectors in C order.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::grid::{Axes, Grid, cell_of};
use crate::number;
use crate::table::{Column, ColumnData, Scope, Table};
use crate::tree::Bulk;
use crate::unit::default_unit;

/// The arrays of one table.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayGroup {
    /// `planes/0`: the group's place under the group of the structured model.
    pub path: String,
    /// Attributes of the group.
    pub attributes: Map<String, Value>,
    /// The arrays in the group.
    pub arrays: Vec<Array>,
}

/// One array.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Name in its group.
    pub name: String,
    /// Names of the dimensions, slowest first.
    pub dimensions: Vec<&'static str>,
    /// Lengths of the dimensions.
    pub shape: Vec<u64>,
    /// The values in C order.
    pub data: ArrayData,
    /// Attributes of the array.
    pub attributes: Map<String, Value>,
}

/// Values of an array.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum ArrayData {
    Uint8(Vec<u8>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    /// Fill value NaN.
    Float64(Vec<f64>),
}

impl ArrayData {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Uint8(v) => v.len(),
            Self::Int32(v) => v.len(),
            Self::Int64(v) => v.len(),
            Self::Float64(v) => v.len(),
        }
    }

    /// True if there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Table {
    /// The table as arrays. `sizes` gives SizeT, SizeC and SizeZ of an Image.
    pub fn to_arrays(&self, sizes: impl Fn(usize) -> [u64; 3]) -> ArrayGroup {
        let grid = (self.kind == Bulk::Plane).then(|| Grid::of(self, sizes)).flatten();
        let mut writer = Writer { grid, rows: self.rows, arrays: Vec::new() };
        let mut attributes = Map::new();
        attributes.insert("element".into(), self.element().into());
        if let Scope::One { image, pixels } = self.scope {
            attributes.insert("image".into(), image.into());
            attributes.insert("pixels".into(), pixels.into());
        }
        attributes.insert("rows".into(), self.rows.into());
        attributes.insert("shapes".into(), self.shapes.iter().cloned().map(Value::from).collect());
        let mut constants = Map::new();
        let mut names = Vec::new();
        for column in &self.columns {
            names.push(Value::from(column.name.as_str()));
            match constant(column) {
                Some(text) => drop(constants.insert(column.name.clone(), text.into())),
                None if writer
                    .grid
                    .as_ref()
                    .is_some_and(|grid| grid.axes.columns.contains(&&*column.name)) => {}
                None => self.column_arrays(column, &mut writer),
            }
        }
        attributes.insert("columns".into(), Value::Array(names));
        attributes.insert("constants".into(), Value::Object(constants));
        if !self.shape_of.is_empty() {
            let shapes = self.shape_of.iter().map(|s| *s as i32).collect();
            writer.add("shape", ArrayData::Int32(shapes), Map::new());
        }
        if let Some(grid) = &writer.grid {
            attributes.insert("sizes".into(), grid.sizes.clone().into());
            match &grid.order {
                Some(order) => {
                    let names = order.iter().map(|axis| Value::from(grid.axes.dimensions[*axis])).collect();
                    attributes.insert("order".into(), Value::Array(names));
                }
                None => {
                    let rows = (0..self.rows as i32).collect();
                    writer.add("row", ArrayData::Int32(rows), Map::new());
                }
            }
        }
        ArrayGroup { path: self.path(), attributes, arrays: writer.arrays }
    }

    fn column_arrays(&self, column: &Column, writer: &mut Writer) {
        let mut attributes = Map::new();
        if let Some(unit) = self.unit(&column.name) {
            attributes.insert("unit".into(), unit.into());
        }
        match &column.data {
            ColumnData::Integers(values) => {
                let narrow: Option<Vec<i32>> = values.iter().map(|v| i32::try_from(*v).ok()).collect();
                let data = narrow.map_or_else(|| ArrayData::Int64(values.clone()), ArrayData::Int32);
                writer.add(&column.name, data, attributes);
            }
            ColumnData::Floats { values, styles, texts } => {
                if let Some(first) = styles.first().filter(|f| styles.iter().all(|s| s == *f)) {
                    attributes.insert("style".into(), (*first).into());
                } else if !styles.is_empty() {
                    writer.add(
                        &format!("{}._style", column.name),
                        ArrayData::Uint8(styles.clone()),
                        Map::new(),
                    );
                }
                if !texts.is_empty() {
                    let texts =
                        texts.iter().map(|(row, text)| (row.to_string(), text.as_str().into())).collect();
                    attributes.insert("texts".into(), Value::Object(texts));
                }
                writer.add(&column.name, ArrayData::Float64(values.clone()), attributes);
            }
            ColumnData::Texts { list, codes } => {
                if list.len() <= MOST_LISTED {
                    attributes.insert("values".into(), list.clone().into());
                } else {
                    let mut bytes = Vec::new();
                    let mut ends = Vec::new();
                    for text in list {
                        bytes.extend_from_slice(text.as_bytes());
                        ends.push(bytes.len() as i64);
                    }
                    writer.flat(&format!("{}._bytes", column.name), ArrayData::Uint8(bytes));
                    writer.flat(&format!("{}._ends", column.name), ArrayData::Int64(ends));
                }
                writer.add(&column.name, ArrayData::Int32(codes.clone()), attributes);
            }
        }
    }

    /// The unit of a column where all rows agree on it.
    fn unit(&self, name: &str) -> Option<String> {
        let default = default_unit(self.element(), name)?;
        match self.column(&format!("{name}Unit")) {
            None => Some(default.symbol().to_owned()),
            Some(units) => constant(units),
        }
    }

    /// The table that [`Self::to_arrays`] took apart.
    ///
    /// # Errors
    ///
    /// [`Error::Columns`] where arrays or attributes are missing or do not fit each other.
    pub fn from_arrays(group: &ArrayGroup) -> Result<Self, Error> {
        let attributes = &group.attributes;
        let scope = if attributes.contains_key("image") {
            let reader = Reader { group, axes: Axes::of(Scope::All) };
            Scope::One { image: reader.number("image")?, pixels: reader.number("pixels")? }
        } else {
            Scope::All
        };
        let reader = Reader { group, axes: Axes::of(scope) };
        let kind = match attributes.get("element").and_then(Value::as_str) {
            Some("Plane") => Bulk::Plane,
            Some("TiffData") => Bulk::TiffData,
            other => {
                return Err(reader.wrong("element", &format!("`{other:?}` is neither Plane nor TiffData")));
            }
        };
        let rows = reader.number("rows")?;
        let shapes = attributes.get("shapes").cloned().map(serde_json::from_value::<Vec<Vec<String>>>);
        let Some(Ok(shapes)) = shapes else { return Err(reader.wrong("shapes", "not lists of steps")) };
        let place = reader.places(rows)?;
        let shape_of = match reader.array("shape") {
            None => Vec::new(),
            Some(array) => reader
                .integers(array, &place)?
                .into_iter()
                .map(|s| u32::try_from(s).unwrap_or(u32::MAX))
                .collect(),
        };
        let names = attributes.get("columns").cloned().map(serde_json::from_value::<Vec<String>>);
        let Some(Ok(names)) = names else { return Err(reader.wrong("columns", "not a list of names")) };
        let columns = names
            .into_iter()
            .map(|name| {
                let data = reader.column(&name, rows, &place)?;
                Ok(Column { name, data })
            })
            .collect::<Result<_, Error>>()?;
        let table = Table { kind, scope, rows, shapes, shape_of, columns };
        table.places()?;
        Ok(table)
    }
}

/// The text that every row has.
fn constant(column: &Column) -> Option<String> {
    match &column.data {
        ColumnData::Integers(values) => {
            values.first().filter(|f| values.iter().all(|v| v == *f)).map(i64::to_string)
        }
        ColumnData::Texts { list, codes } if list.len() == 1 && codes.iter().all(|c| *c == 0) => {
            Some(list[0].clone())
        }
        _ => None,
    }
}

struct Writer {
    grid: Option<Grid>,
    rows: usize,
    arrays: Vec<Array>,
}

impl Writer {
    /// An array with a value for each row.
    fn add(&mut self, name: &str, data: ArrayData, attributes: Map<String, Value>) {
        let (dimensions, shape, data) = match &self.grid {
            None => (vec!["row"], vec![self.rows as u64], data),
            Some(grid) => (grid.axes.dimensions.to_vec(), grid.sizes.clone(), spread(data, grid)),
        };
        self.arrays.push(Array { name: name.to_owned(), dimensions, shape, data, attributes });
    }

    /// An array of another length.
    fn flat(&mut self, name: &str, data: ArrayData) {
        let shape = vec![data.len() as u64];
        self.arrays.push(Array {
            name: name.to_owned(),
            dimensions: vec!["item"],
            shape,
            data,
            attributes: Map::new(),
        });
    }
}

fn spread(data: ArrayData, grid: &Grid) -> ArrayData {
    fn place<T: Copy>(values: &[T], grid: &Grid, absent: T) -> Vec<T> {
        let count: u64 = grid.sizes.iter().product();
        let mut out = vec![absent; count as usize];
        for (value, cell) in values.iter().zip(&grid.cells) {
            out[*cell] = *value;
        }
        out
    }
    match data {
        ArrayData::Uint8(v) => ArrayData::Uint8(place(&v, grid, 0)),
        ArrayData::Int32(v) => ArrayData::Int32(place(&v, grid, -1)),
        ArrayData::Int64(v) => ArrayData::Int64(place(&v, grid, -1)),
        ArrayData::Float64(v) => ArrayData::Float64(place(&v, grid, f64::NAN)),
    }
}

struct Reader<'g> {
    group: &'g ArrayGroup,
    axes: Axes,
}

/// Where the value of each row is in the arrays, and in what order rows come.
enum Places {
    Rows,
    Cells { cells: Vec<usize>, sizes: Vec<u64> },
}

impl Reader<'_> {
    fn array(&self, name: &str) -> Option<&Array> {
        self.group.arrays.iter().find(|a| a.name == name)
    }

    fn places(&self, rows: usize) -> Result<Places, Error> {
        let axes = self.axes.dimensions;
        if let Some(array) = self.array("row") {
            let ArrayData::Int32(values) = &array.data else {
                return Err(self.wrong("row", "not int32"));
            };
            let sizes = array.shape.clone();
            let count = sizes.iter().try_fold(1_u64, |n, size| n.checked_mul(*size));
            if sizes.len() != axes.len() || count != Some(values.len() as u64) {
                return Err(self.wrong("row", &format!("not in the dimensions {axes:?}")));
            }
            let mut cells = vec![usize::MAX; rows];
            for (cell, row) in values.iter().enumerate().filter(|(_, row)| **row >= 0) {
                match cells.get_mut(*row as usize) {
                    Some(slot) if *slot == usize::MAX => *slot = cell,
                    _ => {
                        return Err(self.wrong(
                            "row",
                            &format!("row {row} of {rows} stands there twice or is too large"),
                        ));
                    }
                }
            }
            if cells.contains(&usize::MAX) {
                return Err(self.wrong("row", "a row has no place"));
            }
            return Ok(Places::Cells { cells, sizes });
        }
        let Some(order) = self.group.attributes.get("order") else { return Ok(Places::Rows) };
        let names: Option<Vec<&str>> = order.as_array().and_then(|o| o.iter().map(Value::as_str).collect());
        let order = self
            .axes
            .orders()
            .find(|order| names == Some(order.iter().map(|axis| axes[*axis]).collect::<Vec<_>>()));
        let Some(order) = order else {
            return Err(self.wrong("order", &format!("not an order of the axes {axes:?}")));
        };
        let sizes = self.group.attributes.get("sizes").cloned().map(serde_json::from_value::<Vec<u64>>);
        let Some(Ok(sizes)) = sizes else { return Err(self.wrong("sizes", "not lengths of axes")) };
        if sizes.len() != axes.len() {
            return Err(self.wrong("sizes", &format!("not lengths of the axes {axes:?}")));
        }
        if sizes.iter().try_fold(1_u64, |n, s| n.checked_mul(*s)) != Some(rows as u64) {
            return Err(self.wrong("order", &format!("{rows} rows do not fill the grid {sizes:?}")));
        }
        Ok(Places::Cells { cells: (0..rows).map(|row| cell_of(row, &order, &sizes)).collect(), sizes })
    }

    fn column(&self, name: &str, rows: usize, places: &Places) -> Result<ColumnData, Error> {
        if let Some(text) = self.group.attributes.get("constants").and_then(|c| c.get(name)) {
            let Some(text) = text.as_str() else { return Err(self.wrong(name, "a constant is not text")) };
            // The same from which it was made, so that tables compare equal.
            return Ok(match text.parse::<i64>().ok().filter(|v| v.to_string() == text) {
                Some(value) => ColumnData::Integers(vec![value; rows]),
                None => ColumnData::Texts { list: vec![text.to_owned()], codes: vec![0; rows] },
            });
        }
        let axis = self.axes.columns.iter().position(|column| *column == name);
        if let (Places::Cells { cells, sizes }, Some(axis)) = (places, axis) {
            // Cells are counted in C order.
            let below: usize = sizes[axis + 1..].iter().map(|size| *size as usize).product();
            let of = |cell: usize| (cell / below % sizes[axis] as usize) as i64;
            return Ok(ColumnData::Integers(cells.iter().map(|cell| of(*cell)).collect()));
        }
        let Some(array) = self.array(name) else { return Err(self.wrong(name, "the array is missing")) };
        if let Some(list) = self.texts(name, array)? {
            let codes = self.integers(array, places)?;
            let codes = codes.into_iter().map(|c| i32::try_from(c).unwrap_or(-1)).collect();
            return Ok(ColumnData::Texts { list, codes });
        }
        let ArrayData::Float64(values) = &array.data else {
            return Ok(ColumnData::Integers(self.integers(array, places)?));
        };
        let values = self.gather(name, values, places)?;
        let styles = match (
            array.attributes.get("style").and_then(Value::as_u64),
            self.array(&format!("{name}._style")),
        ) {
            (Some(style), _) => vec![u8::try_from(style).unwrap_or(number::SHORTEST); rows],
            (None, Some(Array { data: ArrayData::Uint8(styles), .. })) => {
                self.gather(name, styles, places)?
            }
            _ => Vec::new(),
        };
        let mut texts = BTreeMap::new();
        for (row, text) in array.attributes.get("texts").and_then(Value::as_object).into_iter().flatten() {
            let (Ok(row), Some(text)) = (row.parse(), text.as_str()) else {
                return Err(self.wrong(name, "`texts` is not texts by row"));
            };
            texts.insert(row, text.to_owned());
        }
        Ok(ColumnData::Floats { values, styles, texts })
    }

    /// The list of a text column; `None` where it is of numbers.
    fn texts(&self, name: &str, array: &Array) -> Result<Option<Vec<String>>, Error> {
        if let Some(list) = array.attributes.get("values") {
            let list = serde_json::from_value(list.clone());
            return list.map(Some).map_err(|_| self.wrong(name, "`values` is not a list of texts"));
        }
        let parts = (self.array(&format!("{name}._bytes")), self.array(&format!("{name}._ends")));
        let (Some(bytes), Some(ends)) = parts else { return Ok(None) };
        let (ArrayData::Uint8(bytes), ArrayData::Int64(ends)) = (&bytes.data, &ends.data) else {
            return Err(self.wrong(name, "texts are not uint8 and their ends not int64"));
        };
        let mut list = Vec::with_capacity(ends.len());
        let mut start = 0;
        for end in ends {
            let end = usize::try_from(*end).unwrap_or(usize::MAX);
            let text = bytes.get(start..end).and_then(|b| std::str::from_utf8(b).ok());
            list.push(text.ok_or_else(|| self.wrong(name, "an end of a text lies outside"))?.to_owned());
            start = end;
        }
        Ok(Some(list))
    }

    fn integers(&self, array: &Array, places: &Places) -> Result<Vec<i64>, Error> {
        match &array.data {
            ArrayData::Int32(values) => {
                Ok(self.gather(&array.name, values, places)?.into_iter().map(i64::from).collect())
            }
            ArrayData::Int64(values) => self.gather(&array.name, values, places),
            _ => Err(self.wrong(&array.name, "not an array of integers")),
        }
    }

    fn gather<T: Copy>(&self, name: &str, values: &[T], places: &Places) -> Result<Vec<T>, Error> {
        match places {
            Places::Rows => Ok(values.to_vec()),
            Places::Cells { cells, .. } => cells
                .iter()
                .map(|cell| {
                    values.get(*cell).copied().ok_or_else(|| self.wrong(name, "smaller than the grid"))
                })
                .collect(),
        }
    }

    fn number(&self, name: &str) -> Result<usize, Error> {
        let value = self.group.attributes.get(name).and_then(Value::as_u64).filter(|n| *n <= MOST_ROWS);
        value.map(|n| n as usize).ok_or_else(|| self.wrong(name, "not a count"))
    }

    fn wrong(&self, name: &str, reason: &str) -> Error {
        Error::Columns { name: format!("{}/{name}", self.group.path), reason: reason.to_owned() }
    }
}

/// Longest list of texts that stands in an array's attributes.
const MOST_LISTED: usize = 256;
/// Rows beyond any document that is read.
const MOST_ROWS: u64 = 1 << 25;
