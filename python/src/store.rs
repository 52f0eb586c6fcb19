//! Stores: metadata as JSON, samples as bytes.

use fairzarr::ome_xml::{Document, Structured};
use fairzarr::ome_zarr::{Hierarchy, StoredArray, StoredImage, attributes, keys, model};
use fairzarr::store::Store as Place;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Value, json};

use crate::place::{failed, location};

/// An OME-Zarr that was opened.
#[pyclass(frozen)]
pub(crate) struct Store(Hierarchy);

#[pymethods]
impl Store {
    /// Opens a path or URL.
    #[new]
    fn open(py: Python<'_>, url: &str, options: Vec<(String, String)>) -> PyResult<Self> {
        let (location, options) = location(url, options)?;
        py.detach(|| {
            let store = Place::open(&location, &options).map_err(failed)?;
            Hierarchy::open(&store).map(Self).map_err(failed)
        })
    }

    /// Where it is, as the library writes it.
    fn location(&self) -> String {
        self.0.store().location().to_string()
    }

    /// The images in series order, as JSON.
    fn images(&self) -> String {
        Value::Array(self.0.images().iter().map(image).collect()).to_string()
    }

    /// The attributes of a group, as JSON; `None` where there is no group.
    fn attributes(&self, py: Python<'_>, path: &str) -> PyResult<Option<String>> {
        if path.is_empty() {
            return Ok(Some(json!(self.0.root()).to_string()));
        }
        let found = py.detach(|| attributes(self.0.store(), path)).map_err(failed)?;
        Ok(found.map(|attributes| Value::Object(attributes).to_string()))
    }

    /// The OME model in schema 2016-06, as JSON; in stores without METADATA.ome.xml as the store has it.
    fn ome(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let store = self.0.store();
        let structured = py.detach(|| match store.get(keys::METADATA).map_err(failed)? {
            Some(bytes) => {
                let document = Document::parse(bytes.to_vec()).map_err(failed)?;
                Ok(Some(Structured::from_document(&document)))
            }
            None => model::read(store).map_err(failed),
        });
        Ok(structured?.map(|structured| structured.to_json().to_string()))
    }

    /// Opens an array.
    fn array(&self, py: Python<'_>, path: &str) -> PyResult<Array> {
        py.detach(|| StoredArray::open(self.0.store(), path)).map(Array).map_err(failed)
    }
}

fn image(image: &StoredImage) -> Value {
    let axes: Vec<Value> = image
        .multiscale
        .axes
        .iter()
        .map(|axis| json!({"name": axis.name, "type": axis.kind.as_ref().map(|kind| kind.as_str()), "unit": axis.unit}))
        .collect();
    let levels: Vec<Value> = (0..)
        .zip(&image.multiscale.datasets)
        .map(|(level, dataset)| {
            json!({
                "path": image.array_path(level), "scale": dataset.scale, "translation": dataset.translation,
            })
        })
        .collect();
    let channels: Vec<Value> = image
        .omero
        .iter()
        .flat_map(|omero| &omero.channels)
        .map(|channel| {
            let window = &channel.window;
            json!({
                "label": channel.label, "color": channel.color, "active": channel.active,
                "window": [window.start, window.end, window.min, window.max],
            })
        })
        .collect();
    json!({
        "path": image.path, "name": image.multiscale.name, "version": image.version.to_string(),
        "axes": axes, "levels": levels, "channels": channels,
    })
}

/// An array that was opened for reading.
#[pyclass(frozen)]
pub(crate) struct Array(StoredArray);

#[pymethods]
impl Array {
    /// Its size, by dimension.
    #[getter]
    fn shape(&self) -> Vec<u64> {
        self.0.shape().to_vec()
    }

    /// Shape of what can be decoded alone.
    #[getter]
    fn chunks(&self) -> Vec<u64> {
        self.0.chunk_shape()
    }

    /// The data type's name in Zarr v3.
    #[getter]
    fn data_type(&self) -> String {
        self.0.data_type()
    }

    /// The samples of a rectangle, from first index to the one after the last by dimension, in C order and this machine's byte
    /// order.
    fn read<'py>(&self, py: Python<'py>, ranges: Vec<(u64, u64)>) -> PyResult<Bound<'py, PyBytes>> {
        let inside = ranges.len() == self.0.shape().len()
            && ranges.iter().zip(self.0.shape()).all(|((start, end), size)| start <= end && end <= size);
        if !inside {
            let shape = self.0.shape();
            return Err(PyValueError::new_err(format!("{ranges:?} is not a part of an array of {shape:?}")));
        }
        let ranges: Vec<_> = ranges.into_iter().map(|(start, end)| start..end).collect();
        let samples = py
            .detach(|| self.0.read(&ranges))
            .map_err(|error| PyOSError::new_err(format!("array {}: {}", self.0.path(), failed(error))))?;
        Ok(PyBytes::new(py, &samples))
    }
}
