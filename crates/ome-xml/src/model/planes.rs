//! What comes by the hundred thousand, as columns: `TiffData` and `Plane` of one `Pixels`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::unit::Unit;

/// One `TiffData`: where planes lie.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TiffData {
    /// `@IFD`.
    pub ifd: Option<u64>,
    /// `@FirstZ`, 0 where absent.
    pub first_z: u64,
    /// `@FirstC`, 0 where absent.
    pub first_c: u64,
    /// `@FirstT`, 0 where absent.
    pub first_t: u64,
    /// `@PlaneCount`.
    pub plane_count: Option<u64>,
    /// `UUID`, `urn:uuid:…`.
    pub uuid: Option<Arc<str>>,
    /// `UUID@FileName`.
    pub file_name: Option<Arc<str>>,
}

/// The `TiffData` of one Pixels, in document order; 40 bytes each.
#[derive(Clone, Debug, Default)]
pub struct TiffDataList {
    pub(crate) rows: Vec<TiffDataRow>,
    pub(crate) files: Vec<FileRef>,
}

/// UUID and FileName.
pub(crate) type FileRef = (Option<Arc<str>>, Option<Arc<str>>);

/// [`ABSENT`] stands for no value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TiffDataRow {
    pub(crate) ifd: u64,
    pub(crate) first: [u32; 3],
    pub(crate) file: u32,
    pub(crate) plane_count: u64,
}

pub(crate) const ABSENT: u64 = u64::MAX;

impl TiffDataList {
    /// Number of `TiffData`.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One of them.
    pub fn get(&self, index: usize) -> Option<TiffData> {
        self.rows.get(index).map(|row| self.expand(row))
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TiffData> + '_ {
        self.rows.iter().map(|row| self.expand(row))
    }

    fn expand(&self, row: &TiffDataRow) -> TiffData {
        let (uuid, file_name) = self.files.get(row.file as usize).cloned().unwrap_or_default();
        let [z, c, t] = row.first.map(u64::from);
        TiffData {
            ifd: (row.ifd != ABSENT).then_some(row.ifd),
            first_z: z,
            first_c: c,
            first_t: t,
            plane_count: (row.plane_count != ABSENT).then_some(row.plane_count),
            uuid,
            file_name,
        }
    }
}

/// The `Plane` elements of one Pixels, in document order, as columns of equal length (or empty: no plane has it).
/// NaN is absence. The document's digits are in the structured view's columns.
#[derive(Clone, Debug, Default)]
pub struct Planes {
    /// `@TheZ`.
    pub the_z: Vec<u32>,
    /// `@TheC`.
    pub the_c: Vec<u32>,
    /// `@TheT`.
    pub the_t: Vec<u32>,
    /// `@DeltaT`.
    pub delta_t: PlaneQuantity,
    /// `@ExposureTime`.
    pub exposure_time: PlaneQuantity,
    /// `@PositionX`.
    pub position_x: PlaneQuantity,
    /// `@PositionY`.
    pub position_y: PlaneQuantity,
    /// `@PositionZ`.
    pub position_z: PlaneQuantity,
    /// `AnnotationRef@ID` of the planes that have any, by plane.
    pub annotation_refs: BTreeMap<usize, Vec<String>>,
}

impl Planes {
    /// Number of planes.
    pub fn len(&self) -> usize {
        self.the_z.len()
    }

    /// True if no plane is described.
    pub fn is_empty(&self) -> bool {
        self.the_z.is_empty()
    }
}

/// A quantity of every plane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlaneQuantity {
    /// A value each, NaN where the plane has none; empty if no plane has one.
    pub values: Vec<f64>,
    /// The unit of all planes but those in `other_units`.
    pub unit: Option<Unit>,
    /// Units that differ from `unit`, by plane.
    pub other_units: BTreeMap<usize, Unit>,
}

impl PlaneQuantity {
    /// Value and unit of one plane.
    pub fn get(&self, plane: usize) -> Option<(f64, Unit)> {
        let value = *self.values.get(plane)?;
        let unit = self.other_units.get(&plane).copied().or(self.unit)?;
        (!value.is_nan()).then_some((value, unit))
    }
}
