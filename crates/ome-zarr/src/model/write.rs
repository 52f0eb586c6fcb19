//! The structured OME model, written.

use fairzarr_ngff::{Version, group_document};
use fairzarr_ome_xml::{Array, ArrayData, ArrayGroup, Document, Structured};
use fairzarr_store::Store;
use fairzarr_zarr::{FillValue, SampleType};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

use crate::Error;
use crate::arrays::SmallArray;
use crate::group::put;
use crate::keys::{MODEL, OME};

/// Writes arrays and files in the background, and gives the attributes that refer to them.
///
/// # Errors
/// When the store cannot be written.
pub fn write(store: &Store, version: Version, document: &Document) -> Result<Map<String, Value>, Error> {
    let Structured { json, tables, blobs } = Structured::from_document(document);
    let mut parents = BTreeSet::new();
    for table in tables {
        let group = table.to_arrays(|image| sizes(document, image));
        drop(table);
        if let Some((parent, _)) = group.path.split_once('/') {
            parents.insert(parent.to_owned());
        }
        write_group(store, version, group)?;
    }
    for parent in parents {
        put(store, &format!("{OME}/{parent}"), group_document(version, Map::new()))?;
    }
    for blob in blobs {
        store.put_in_background(&format!("{OME}/{}", blob.path), blob.bytes.into())?;
    }
    Ok(Map::from_iter([(MODEL.to_owned(), json)]))
}

/// `SizeT`, `SizeC` and `SizeZ` of an Image.
fn sizes(document: &Document, image: usize) -> [u64; 3] {
    let pixels = document.ome().images.get(image).and_then(|image| image.pixels.as_ref());
    // Without sizes rows have no grid to lie on.
    pixels.map_or([0; 3], |p| [p.size_t, p.size_c, p.size_z].map(|size| size.unwrap_or(0)))
}

fn write_group(store: &Store, version: Version, group: ArrayGroup) -> Result<(), Error> {
    let ArrayGroup { path, mut attributes, arrays } = group;
    let path = format!("{OME}/{path}");
    // Web servers cannot be asked what is in a group.
    attributes.insert("arrays".into(), arrays.iter().map(|array| Value::from(array.name.as_str())).collect());
    for array in arrays {
        small_array(&path, array).write(store, version)?;
    }
    put(store, &path, group_document(version, attributes))
}

fn small_array(group: &str, array: Array) -> SmallArray {
    let (data_type, fill, bytes) = match array.data {
        ArrayData::Uint8(values) => (SampleType::Uint8, 0.into(), values),
        ArrayData::Int32(values) => {
            (SampleType::Int32, (-1).into(), little_endian(&values, |v| v.to_le_bytes()))
        }
        ArrayData::Int64(values) => {
            (SampleType::Int64, (-1).into(), little_endian(&values, |v| v.to_le_bytes()))
        }
        ArrayData::Float64(values) => {
            (SampleType::Double, FillValue::Nan, little_endian(&values, |v| v.to_le_bytes()))
        }
    };
    // Dimensions of one name have one length in a group, for whoever opens it as a data set.
    let dimension = |name: &&str| match *name {
        "item" => format!("{}._item", array.name),
        name => name.to_owned(),
    };
    SmallArray {
        path: format!("{group}/{}", array.name),
        data_type,
        dimension_names: array.dimensions.iter().map(dimension).collect(),
        shape: array.shape,
        fill,
        attributes: array.attributes,
        bytes,
    }
}

fn little_endian<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|value| bytes(*value)).collect()
}
