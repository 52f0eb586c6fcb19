//! The structured OME model, read.

use fairzarr_ome_xml::{Array, ArrayData, ArrayGroup, Blob, Structured, Table};
use fairzarr_store::Store;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

use crate::Error;
use crate::arrays::StoredArray;
use crate::group::attributes;
use crate::keys::{MODEL, OME};

/// Decoded bytes of all tables that are read at most.
const MOST_BYTES: u64 = 4 << 30;

/// The structured OME model, with the tables and the binary content that its JSON refers to; `None` where the store
/// has no such model.
///
/// # Errors
/// When the store cannot be read, and when something that the model refers to is missing or not in its form.
pub fn read(store: &Store) -> Result<Option<Structured>, Error> {
    let Some(json) = attributes(store, OME)?.and_then(|mut group| group.shift_remove(MODEL)) else {
        return Ok(None);
    };
    let mut references = References::default();
    references.collect(&json);
    let mut reader = Reader { store, left: MOST_BYTES };
    let tables = references.tables.iter().map(|path| reader.table(path)).collect::<Result<_, _>>()?;
    let blobs = references.blobs.into_iter().map(|path| reader.blob(path)).collect::<Result<_, _>>()?;
    Ok(Some(Structured { json, tables, blobs }))
}

/// What the JSON says is beside it, each once, in order.
#[derive(Default)]
struct References<'j> {
    tables: Vec<&'j str>,
    blobs: Vec<&'j str>,
    seen: BTreeSet<&'j str>,
}

impl<'j> References<'j> {
    fn collect(&mut self, value: &'j Value) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.collect(value)),
            Value::Object(members) => {
                if let Some(path) = members.get("#table").and_then(Value::as_str)
                    && self.seen.insert(path)
                {
                    self.tables.push(path);
                }
                let blob = members.get("#blob").and_then(|blob| blob.get("path")).and_then(Value::as_str);
                if let Some(path) = blob
                    && self.seen.insert(path)
                {
                    self.blobs.push(path);
                }
                members.values().for_each(|value| self.collect(value));
            }
            _ => {}
        }
    }
}

struct Reader<'s> {
    store: &'s Store,
    /// Bytes that may still be read.
    left: u64,
}

impl Reader<'_> {
    fn table(&mut self, path: &str) -> Result<Table, Error> {
        let group = format!("{OME}/{path}");
        let refuse = |reason: &str| Error::Metadata { path: group.clone(), reason: reason.into() };
        let attributes =
            attributes(self.store, &group)?.ok_or_else(|| refuse("the group of this table is missing"))?;
        let names = attributes.get("arrays").and_then(Value::as_array);
        let names: Option<Vec<&str>> = names.and_then(|names| names.iter().map(Value::as_str).collect());
        let names = names.ok_or_else(|| refuse("no list of names in `arrays`"))?;
        let arrays = names.into_iter().map(|name| self.array(&group, name)).collect::<Result<_, _>>()?;
        Ok(Table::from_arrays(&ArrayGroup { path: path.into(), attributes, arrays })?)
    }

    fn array(&mut self, group: &str, name: &str) -> Result<Array, Error> {
        let path = format!("{group}/{name}");
        let refuse = |reason: String| Error::Array { path: path.clone(), reason };
        let attributes = attributes(self.store, &path)?;
        if attributes.is_none() && !self.store.exists(&format!("{path}/.zarray"))? {
            return Err(refuse("missing".into()));
        }
        let stored = StoredArray::open(self.store, &path)?;
        let data_type = stored.data_type();
        let size = match data_type.as_str() {
            "uint8" => 1,
            "int32" => 4,
            "int64" | "float64" => 8,
            other => return Err(refuse(format!("its type {other} is none of a table's"))),
        };
        let shape = stored.shape().to_vec();
        let bytes = shape.iter().try_fold(size, |product: u64, side| product.checked_mul(*side));
        self.left = bytes
            .and_then(|bytes| self.left.checked_sub(bytes))
            .ok_or_else(|| refuse(format!("shape {shape:?} is more than tables may hold together")))?;
        let ranges: Vec<_> = shape.iter().map(|side| 0..*side).collect();
        let bytes = stored.read(&ranges)?;
        let data = match data_type.as_str() {
            "uint8" => ArrayData::Uint8(bytes),
            "int32" => ArrayData::Int32(values(&bytes, i32::from_ne_bytes)),
            "int64" => ArrayData::Int64(values(&bytes, i64::from_ne_bytes)),
            _ => ArrayData::Float64(values(&bytes, f64::from_ne_bytes)),
        };
        // Tables are taken from arrays by the arrays' names and shapes.
        let dimensions = Vec::new();
        Ok(Array {
            name: name.into(),
            dimensions,
            shape,
            data,
            attributes: attributes.unwrap_or_else(Map::new),
        })
    }

    fn blob(&self, path: &str) -> Result<Blob, Error> {
        let key = format!("{OME}/{path}");
        match self.store.get(&key)? {
            Some(bytes) => Ok(Blob { path: path.into(), bytes: bytes.to_vec() }),
            None => Err(Error::Metadata { path: key, reason: "this file is missing".into() }),
        }
    }
}

fn values<const N: usize, T>(bytes: &[u8], value: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| value(*chunk)).collect()
}
