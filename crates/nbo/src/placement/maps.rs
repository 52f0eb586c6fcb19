//! Per-pixel calibration maps: one XML element per pixel in NBO, an array in Zarr.

use serde_json::{Value as Json, json};

use crate::record::{Field, Object, Origin, Record};

/// A map taken out of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibrationMap {
    /// Where the array is to be written, relative to the root of the store.
    pub path: String,
    /// Number of rows and columns.
    pub shape: [usize; 2],
    /// `CellValue`, row by row.
    pub values: Vec<f64>,
}

/// Below this many cells a map stays in the record.
const SMALL: usize = 64;

/// Takes the maps out of the record that are whole rectangles of numbers; each `CalibrationMap` object
/// keeps its attributes and says in `extra["array"]` where its cells are. Other maps stay as they are.
pub fn take(record: &mut Record) -> Vec<CalibrationMap> {
    // Maps that lie in arrays already stay there.
    let mut next = 0;
    for object in &mut record.objects {
        walk(object, &mut |object| {
            let path = object.extra.get("array").and_then(|array| array["path"].as_str());
            let number = path.and_then(|path| path.rsplit('/').next()?.parse::<u32>().ok());
            next = number.map_or(next, |number| next.max(u64::from(number) + 1));
        });
    }
    let mut taken = Vec::new();
    for object in &mut record.objects {
        walk(object, &mut |object| {
            if let Some(Grid { shape, values, form }) =
                (object.class == "CalibrationMap").then(|| grid(object)).flatten()
            {
                let path = format!("OME/calibration/{}", next + taken.len() as u64);
                let array = json!({"path": path, "shape": shape, "first": form.first, "integers": form.integers, "unit": form.unit});
                object.extra.insert("array".into(), array);
                object.children.retain(|c| c.class != "Row");
                taken.push(CalibrationMap { path, shape, values });
            }
        });
    }
    taken
}

/// Puts the cells of a map back where [`take`] took them from. `read` gets the path of an array and gives
/// its values row by row.
pub fn put_back(record: &mut Record, mut read: impl FnMut(&str) -> Option<Vec<f64>>) {
    for object in &mut record.objects {
        walk(object, &mut |object| {
            let Some(array) = object.extra.get("array").cloned() else { return };
            let columns = array["shape"][1].as_u64().unwrap_or_default() as usize;
            let Some(values) = array["path"].as_str().and_then(&mut read) else { return };
            if columns == 0 || values.len() % columns != 0 {
                return;
            }
            object.extra.shift_remove("array");
            let form = Form {
                first: [0, 1].map(|i| array["first"][i].as_u64().unwrap_or_default()),
                integers: array["integers"].as_bool().unwrap_or_default(),
                unit: array["unit"].as_str().map(str::to_owned),
            };
            for (r, row) in values.chunks_exact(columns).enumerate() {
                object.children.push(row_object(r as u64, row, &form));
            }
        });
    }
}

fn walk(object: &mut Object, visit: &mut impl FnMut(&mut Object)) {
    visit(object);
    for child in &mut object.children {
        walk(child, visit);
    }
}

struct Grid {
    shape: [usize; 2],
    values: Vec<f64>,
    form: Form,
}

/// How the cells of a map were written.
struct Form {
    /// Numbers of the first row and column.
    first: [u64; 2],
    integers: bool,
    unit: Option<String>,
}

/// A map whose rows and cells are numbered without gaps, whose cells share one unit, and whose numbers
/// would be written again as they were.
fn grid(map: &Object) -> Option<Grid> {
    let rows: Vec<_> = map.children_of("Row").collect();
    let (row, columns) = (rows.first()?, rows.first()?.children.len());
    if rows.len().checked_mul(columns)? < SMALL || map.children.len() != rows.len() {
        return None;
    }
    let cell = row.children.first()?;
    let number = |o: &Object, name: &str| o.field(name)?.value.as_u64();
    let form = Form {
        first: [number(row, "RowNr")?, number(cell, "CellNr")?],
        integers: cell.field("CellValue")?.value.is_i64(),
        unit: cell.str("CellValueUnit").map(str::to_owned),
    };
    let mut values = Vec::with_capacity(rows.len() * columns);
    for (r, row) in rows.iter().enumerate() {
        let found: Vec<f64> =
            row.children.iter().map(|c| c.field("CellValue")?.value.as_f64()).collect::<Option<_>>()?;
        if found.len() != columns || **row != row_object(r as u64, &found, &form) {
            return None;
        }
        values.extend(found);
    }
    Some(Grid { shape: [rows.len(), columns], values, form })
}

fn row_object(index: u64, values: &[f64], form: &Form) -> Object {
    let field =
        |name: &str, value: Json| Field { name: name.into(), value, text: None, origin: Origin::default() };
    let mut row = Object::new("Row");
    row.fields.push(field("RowNr", json!(index + form.first[0])));
    for (c, value) in values.iter().enumerate() {
        let value = if form.integers { json!(*value as i64) } else { json!(value) };
        let mut cell = Object::new("Cell");
        cell.fields.push(field("CellNr", json!(c as u64 + form.first[1])));
        cell.fields.push(field("CellValue", value));
        cell.fields.extend(form.unit.as_ref().map(|u| field("CellValueUnit", json!(u))));
        row.children.push(cell);
    }
    row
}
