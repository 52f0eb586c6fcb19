//! Multi-well plates and their wells.

use serde_json::{Map, Value, json};

use crate::Version;
use crate::json::insert_some;

/// A multi-well plate.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Plate {
    /// The plate's name.
    pub name: Option<String>,
    /// Names of all physical rows, alphanumeric and unique.
    pub rows: Vec<String>,
    /// Names of all physical columns, alphanumeric and unique.
    pub columns: Vec<String>,
    /// Wells that hold images.
    pub wells: Vec<PlateWell>,
    /// Runs of the microscope over the plate.
    pub acquisitions: Vec<Acquisition>,
    /// Highest number of fields in any well.
    pub field_count: Option<u64>,
}

/// Where one well lies on its plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlateWell {
    /// Index into [`Plate::rows`].
    pub row: usize,
    /// Index into [`Plate::columns`].
    pub column: usize,
}

/// One run of the microscope over a plate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Acquisition {
    /// Unique within the plate.
    pub id: u64,
    /// Name of the run.
    pub name: Option<String>,
    /// Description of the run.
    pub description: Option<String>,
    /// Highest number of fields per well in this run, at least 1.
    pub maximum_field_count: Option<u64>,
    /// Start, as an epoch timestamp; the specification does not say its unit.
    pub start_time: Option<u64>,
    /// End, as an epoch timestamp; the specification does not say its unit.
    pub end_time: Option<u64>,
}

/// The images of one well.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Well {
    /// Fields of view.
    pub images: Vec<WellImage>,
}

/// One field of view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WellImage {
    /// Path of the image, relative to the well's group.
    pub path: String,
    /// [`Acquisition::id`] of the run that took it; required when the plate has several.
    pub acquisition: Option<u64>,
}

impl Plate {
    /// A plate of these rows and columns with images in these wells.
    pub fn new(rows: Vec<String>, columns: Vec<String>, wells: Vec<PlateWell>) -> Self {
        Self { rows, columns, wells, ..Self::default() }
    }

    /// The well's path, relative to the plate's group: row name, `/`, column name. `None` when the well lies
    /// outside the plate.
    pub fn well_path(&self, well: PlateWell) -> Option<String> {
        Some(format!("{}/{}", self.rows.get(well.row)?, self.columns.get(well.column)?))
    }

    /// The attributes of the plate's group. Wells outside the plate are left out.
    pub fn attributes(&self, version: Version) -> Map<String, Value> {
        let named = |names: &[String]| names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>();
        let mut object = Map::new();
        version.insert_inner(&mut object);
        insert_some(&mut object, "name", self.name.clone());
        object.insert("rows".into(), named(&self.rows).into());
        object.insert("columns".into(), named(&self.columns).into());
        let wells: Vec<Value> = self
            .wells
            .iter()
            .filter_map(|&well| {
                let path = self.well_path(well)?;
                Some(json!({"path": path, "rowIndex": well.row, "columnIndex": well.column}))
            })
            .collect();
        object.insert("wells".into(), wells.into());
        if !self.acquisitions.is_empty() {
            object.insert(
                "acquisitions".into(),
                self.acquisitions.iter().map(Acquisition::to_json).collect::<Vec<_>>().into(),
            );
        }
        insert_some(&mut object, "field_count", self.field_count);
        version.place(Map::from_iter([("plate".to_owned(), Value::Object(object))]))
    }
}

impl WellImage {
    /// A field, and the run that took it where the plate has several.
    pub fn new(path: impl Into<String>, acquisition: Option<u64>) -> Self {
        Self { path: path.into(), acquisition }
    }
}

impl Acquisition {
    /// A run of which only its number is known.
    pub fn new(id: u64) -> Self {
        Self { id, ..Self::default() }
    }

    fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("id".into(), self.id.into());
        insert_some(&mut object, "name", self.name.clone());
        insert_some(&mut object, "description", self.description.clone());
        insert_some(&mut object, "maximumfieldcount", self.maximum_field_count);
        insert_some(&mut object, "starttime", self.start_time);
        insert_some(&mut object, "endtime", self.end_time);
        Value::Object(object)
    }
}

impl Well {
    /// A well of these fields.
    pub fn new(images: Vec<WellImage>) -> Self {
        Self { images }
    }

    /// The attributes of the well's group.
    pub fn attributes(&self, version: Version) -> Map<String, Value> {
        let images: Vec<Value> = self
            .images
            .iter()
            .map(|image| {
                let mut object = Map::new();
                object.insert("path".into(), image.path.clone().into());
                insert_some(&mut object, "acquisition", image.acquisition);
                Value::Object(object)
            })
            .collect();
        let mut object = Map::new();
        version.insert_inner(&mut object);
        object.insert("images".into(), images.into());
        version.place(Map::from_iter([("well".to_owned(), Value::Object(object))]))
    }
}
