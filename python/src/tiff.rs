//! OME-TIFF: what a fileset holds, and the stored samples of any region.

use fairzarr::ome_tiff::{Fileset, Image, OnMissing, OpenOptions, PlaneIndex, Region, Scratch};
use fairzarr::ome_xml::Structured;
use fairzarr::task::lock;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Value, json};
use std::sync::Mutex;

use crate::place::{failed, location};

/// A fileset that was opened by any of its files.
#[pyclass(frozen)]
pub(crate) struct Tiff {
    set: Fileset,
    /// Of reads that have ended: what they decoded serves those that follow.
    idle: Mutex<Vec<Scratch>>,
}

#[pymethods]
impl Tiff {
    /// Opens a path or URL; planes that the files lack read as zeros if `fill`, else they are refused now.
    #[new]
    fn open(py: Python<'_>, url: &str, options: Vec<(String, String)>, fill: bool) -> PyResult<Self> {
        let (location, options) = location(url, options)?;
        let mut how = OpenOptions::default();
        how.on_missing = if fill { OnMissing::Fill } else { OnMissing::Error };
        let set = py.detach(|| fairzarr::open::fileset(&location, how, &options)).map_err(failed)?;
        Ok(Self { set, idle: Mutex::default() })
    }

    /// Images, files and warnings, as JSON.
    fn describe(&self) -> String {
        let files = self.set.files().iter().map(|file| json!({"name": file.name, "bytes": file.len}));
        json!({
            "images": self.set.images().iter().map(image).collect::<Vec<_>>(),
            "files": files.collect::<Vec<_>>(),
            "warnings": self.set.warnings().iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
        .to_string()
    }

    /// The OME model in the document's own schema, as JSON; `None` in a TIFF without one.
    fn ome(&self, py: Python<'_>) -> Option<String> {
        let document = self.set.document()?;
        Some(py.detach(|| Structured::from_document(document).to_json().to_string()))
    }

    /// Stored samples, little-endian, as `[samples of the channel group][rows][columns]`. The plane is time point, channel
    /// group and focal plane, the region first row, first column, rows and columns.
    fn read<'py>(
        &self,
        py: Python<'py>,
        image: usize,
        level: usize,
        plane: (u32, u32, u32),
        region: (u32, u32, u32, u32),
    ) -> PyResult<Bound<'py, PyBytes>> {
        let missing = |what: &str| PyIndexError::new_err(format!("there is no {what}"));
        let image = self.set.images().get(image).ok_or_else(|| missing("such image"))?;
        let size = image.levels().get(level).ok_or_else(|| missing("such level"))?;
        let group =
            image.channel_groups().get(plane.1 as usize).ok_or_else(|| missing("such channel group"))?;
        let plane = PlaneIndex { t: plane.0, group: plane.1, z: plane.2 };
        let region = Region { y: region.0, x: region.1, h: region.2, w: region.3 };
        // The size of the buffer comes from the request: it is allocated only for a region of the image.
        if region.h > size.y || region.w > size.x {
            return Err(missing(&format!("region of {} x {} samples", region.h, region.w)));
        }
        let samples = py.detach(|| {
            let mut samples = vec![0; region.area() * group.len() * image.sample_type().bytes()];
            let mut scratch = lock(&self.idle).pop().unwrap_or_default();
            image.read(level, plane, region, &mut samples, &mut scratch).map_err(failed)?;
            lock(&self.idle).push(scratch);
            Ok::<_, PyErr>(samples)
        })?;
        Ok(PyBytes::new(py, &samples))
    }
}

fn image(image: &Image) -> Value {
    let shape = image.shape();
    let levels: Vec<Value> = image
        .levels()
        .iter()
        .map(|level| {
            json!({
                "y": level.y, "x": level.x, "tiled": level.grid.tiled,
                "chunk": [level.grid.height, level.grid.width], "compression": level.compression.name(),
            })
        })
        .collect();
    let groups: Vec<Value> =
        image.channel_groups().iter().map(|group| json!([group.start, group.end])).collect();
    json!({
        "name": image.name(), "t": shape.t, "c": shape.c, "z": shape.z, "y": shape.y, "x": shape.x,
        "dtype": image.sample_type().zarr_v2(), "type": image.sample_type().name(),
        "groups": groups, "levels": levels,
    })
}
